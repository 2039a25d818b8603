"""Telegram: translate, nothing else."""

from bots.telegram.account import TelegramAccount

__all__ = ["TelegramAccount"]
