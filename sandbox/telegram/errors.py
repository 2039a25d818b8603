"""How the Bot API says no."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """A request that Telegram refuses: the HTTP status and the body's ``error_code``, ``description``, ``parameters``.

    Source: https://core.telegram.org/bots/api#making-requests
    """

    def __init__(self, code: int, description: str, parameters: Mapping[str, int] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})


def bad_request(why: str) -> Refused:
    """400. The server puts the reason in lower case, codes in capitals stay as they are."""
    return Refused(400, f"Bad Request: {why}")


def forbidden(why: str) -> Refused:
    """403."""
    return Refused(403, f"Forbidden: {why}")


def conflict(why: str) -> Refused:
    """409."""
    return Refused(409, f"Conflict: {why}")


def too_many(retry_after_s: int) -> Refused:
    """429, with how long to wait in ``parameters`` (and in the ``Retry-After`` header)."""
    return Refused(429, f"Too Many Requests: retry after {retry_after_s}", {"retry_after": retry_after_s})
