"""Discord's refusals: an HTTP status, a code, a message and, for a bad form, where in it the mistakes are.

Source: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

KNOWN: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20001: (403, "Bots cannot use this endpoint"),
    30034: (400, "You've hit the maximum number of daily application command creates"),
    40003: (403, "You are opening direct messages too fast"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40333: (403, "internal network error"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    160004: (400, "A thread has already been created for this message"),
    520001: (400, "Poll expired"),
    520002: (400, "Invalid channel type for poll creation"),
    520003: (400, "Cannot edit a poll message"),
    520004: (400, "Cannot use an emoji included with the poll"),
    520006: (400, "Cannot expire a non-poll message"),
}


class Refusal(Exception):
    """What the bot is told instead of what it asked for."""

    def __init__(self, code: int, *, status: int = 0, message: str = "", errors: dict[str, Any] | None = None) -> None:
        known_status, known_message = KNOWN.get(code, (400, ""))
        self.code = code
        self.status = status or known_status
        self.message = message or known_message
        self.errors = errors
        super().__init__(f"{self.code}: {self.message}")

    def body(self) -> dict[str, Any]:
        """Its JSON, with ``errors`` only where there are some."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        return body if self.errors is None else {**body, "errors": self.errors}


class Form:
    """Collects the mistakes of a request body, each at its path. ``done`` refuses the form when there was any.

    Source: https://discord.com/developers/docs/reference#error-messages
    """

    def __init__(self) -> None:
        self.errors: dict[str, Any] = {}

    def wrong(self, path: Sequence[str | int], code: str, message: str) -> None:
        place = self.errors
        for step in path:
            place = place.setdefault(str(step), {})
        place.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: Sequence[str | int]) -> None:
        self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required")

    def too_long(self, path: Sequence[str | int], most: int) -> None:
        self.wrong(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def bad_length(self, path: Sequence[str | int], least: int, most: int) -> None:
        self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def done(self) -> None:
        """Raises: Refusal 50035, when anything was wrong."""
        if self.errors:
            raise Refusal(50035, status=400, message="Invalid Form Body", errors=self.errors)


def misfit(path: Sequence[str | int], code: str, message: str) -> Refusal:
    """The refusal of a form with one mistake."""
    form = Form()
    form.wrong(path, code, message)
    return Refusal(50035, status=400, message="Invalid Form Body", errors=form.errors)
