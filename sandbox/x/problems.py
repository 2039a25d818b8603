"""How X says no: RFC 7807 problems, as the exception ``Refusal`` which the front door turns into an answer.

Source: https://docs.x.com/x-api/fundamentals/response-codes-and-errors
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PROBLEMS = "https://api.x.com/2/problems/"


class Refusal(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body.get('detail')}")
        self.status = status
        self.body = dict(body)


def plain(status: int, title: str, detail: str) -> Refusal:
    """A problem without a type of its own."""
    return Refusal(status, {"title": title, "detail": detail, "type": "about:blank", "status": status})


def unauthorized() -> Refusal:
    """X does not tell which part of the credentials is wrong."""
    return plain(401, "Unauthorized", "Unauthorized")


def forbidden(detail: str) -> Refusal:
    """403, and why."""
    return plain(403, "Forbidden", detail)


def too_many() -> Refusal:
    """429: the window's calls are used up."""
    return plain(429, "Too Many Requests", "Too Many Requests")


def not_found() -> Refusal:
    """404: there is no such call."""
    return plain(404, "Not Found", "Not Found")


def out_of_credits(app_id: str) -> Refusal:
    """402: the account has nothing left to pay with."""
    return Refusal(
        402,
        {
            "title": "CreditsDepleted",
            "detail": f"Your enrolled account [{app_id}] does not have any credits to fulfill this request.",
            "type": f"{_PROBLEMS}credits",
            "status": 402,
        },
    )


def app_only() -> Refusal:
    """403: the call needs somebody to speak for, and an app-only token speaks for nobody."""
    return Refusal(
        403,
        {
            "title": "Unsupported Authentication",
            "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported "
            "authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
            "type": f"{_PROBLEMS}unsupported-authentication",
            "status": 403,
        },
    )


def invalid(message: str, parameters: Mapping[str, Sequence[str]] | None = None) -> Refusal:
    """400 with one entry in ``errors``: which parameter, with which values, and why."""
    entry: dict[str, Any] = {"parameters": {k: list(v) for k, v in (parameters or {}).items()}, "message": message}
    return Refusal(
        400,
        {
            "errors": [entry],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{_PROBLEMS}invalid-request",
        },
    )


def missing(kind: str, parameter: str, value: str) -> dict[str, Any]:
    """A partial error: what was asked for does not exist, while the rest of the answer stands."""
    return {
        "value": value,
        "detail": f"Could not find {kind} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{_PROBLEMS}resource-not-found",
    }
