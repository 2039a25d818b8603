"""The stand-in of X: API v2 over HTTP for the bot, and what people can do on X."""

from sandbox.x.rules import RULES
from sandbox.x.stand_in import XStandIn

__all__ = ["RULES", "XStandIn"]
