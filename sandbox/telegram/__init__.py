"""The stand-in of Telegram: the Bot API as bots meet it, and the app as people do."""

from sandbox.telegram.rules import RULES
from sandbox.telegram.stand_in import TelegramStandIn

__all__ = ["RULES", "TelegramStandIn"]
