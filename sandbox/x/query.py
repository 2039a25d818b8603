"""Reading a request: its query parameters and its JSON body, refused where X refuses them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.rules import Rules
from sandbox.x.oauth import Caller
from sandbox.x.problems import invalid
from sandbox.x.vocabulary import LISTS

_ID = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request."""

    caller: Caller
    query: Mapping[str, str]
    path: Mapping[str, str]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gives: a body, or nothing, and the status."""

    body: Mapping[str, Any] | None
    status: int = 200


class Query:
    """The parameters of one call, read strictly."""

    def __init__(self, call: Call, rules: Rules, known: frozenset[str], expansions: frozenset[str]) -> None:
        self._query = call.query
        self._rules = rules
        self._expansions = expansions
        unknown = sorted(set(call.query) - known)
        if unknown and rules.on("x.query.known"):
            name = unknown[0]
            listed = ",".join(sorted(known))
            raise invalid(f"The query parameter [{name}] is not one of [{listed}]", {name: [call.query[name]]})

    def text(self, name: str) -> str | None:
        return self._query.get(name)

    def words(self, name: str) -> frozenset[str]:
        """A comma separated list of known words; empty when absent."""
        raw = self._query.get(name)
        if raw is None:
            return frozenset()
        words = raw.split(",")
        allowed = self._expansions if name == "expansions" else LISTS[name]
        for word in words:
            if word not in allowed and self._rules.on("x.fields.known"):
                listed = ",".join(sorted(allowed))
                raise invalid(f"The `{name}` query parameter value [{word}] is not one of [{listed}]", {name: [word]})
        return frozenset(words)

    def number(self, name: str, low: int, high: int, default: int, rule: str) -> int:
        raw = self._query.get(name)
        if raw is None:
            return default
        value = int(raw) if re.fullmatch(r"-?[0-9]{1,9}", raw) else None
        if value is None or (not low <= value <= high and self._rules.on(rule)):
            raise invalid(f"The `{name}` query parameter value [{raw}] is not between {low} and {high}", {name: [raw]})
        return value

    def id(self, name: str) -> int | None:
        raw = self._query.get(name)
        return None if raw is None else read_id(raw, name)

    def time(self, name: str) -> datetime | None:
        raw = self._query.get(name)
        if raw is None:
            return None
        try:
            value = datetime.fromisoformat(raw.replace("Z", "+00:00"))
        except ValueError:
            raise invalid(
                f"The `{name}` query parameter value [{raw}] is not a valid date-time", {name: [raw]}
            ) from None
        return value if value.tzinfo else value.replace(tzinfo=UTC)


def read_id(raw: str, name: str) -> int:
    """Raises: Refusal (400) when it is no id."""
    if not _ID.fullmatch(raw):
        raise invalid(f"The `{name}` query parameter value [{raw}] is not valid", {name: [raw]})
    return int(raw)


def read_json(call: Call, rules: Rules, known: frozenset[str]) -> dict[str, Any]:
    """The body as an object with known keys."""
    body = json_object(call) if rules.on("x.body.json") else _leniently(call) or {}
    check_keys(body, known, "$", rules)
    return body


def json_object(call: Call) -> dict[str, Any]:
    """Raises: Refusal (400) when the body is no JSON object, or does not say that it is."""
    body = _leniently(call) if call.content_type == "application/json" else None
    if body is None:
        raise invalid("Requests with bodies must have content-type of application/json.")
    return body


def _leniently(call: Call) -> dict[str, Any] | None:
    try:
        body = json.loads(call.body or b"null")
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def check_keys(body: Mapping[str, Any], known: frozenset[str], where: str, rules: Rules) -> None:
    """Raises: Refusal 400 when the body has a field that X does not know."""
    for name in sorted(set(body) - known):
        if rules.on("x.body.known"):
            raise invalid(
                f"{where}.{name}: is not defined in the schema and the schema does not allow additional properties"
            )
