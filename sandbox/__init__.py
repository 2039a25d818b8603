"""Stand-ins of X, Telegram and Discord on loopback, with one shared world of followers.

Imports nothing of ``core/`` or ``bots/``, so that it cannot share their misreadings.
"""
