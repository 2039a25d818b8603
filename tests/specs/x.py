"""Checks what went over X's wire against X's own OpenAPI descriptions.

2.159 is what tweepy speaks; 2.167 renamed fields, so what one of the two allows is right. Objects are checked for
fields that neither knows, too, since the descriptions leave objects open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, FormatChecker

from sandbox.server import Exchange

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs"
VERSIONS = ("2.159", "2.167")
SPEC_PRESENT = all((SPECS / f"x-openapi-{version}.json").is_file() for version in VERSIONS)

_UNDESCRIBED = {("POST", "/2/tweets", "edit_history_tweet_ids")}
"""What X sends though it does not describe it: seen in every answer to a post since 2022."""
_OAUTH = (
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_token",
)
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None


def check(exchange: Exchange) -> list[str]:
    """What is wrong with the request and with the answer; nothing when all is right."""
    where = f"{exchange.method} {exchange.path}"
    found = [operation for version in VERSIONS if (operation := _operation(version, exchange.method, exchange.path))]
    if not found:
        return [f"{where}: no such endpoint"]
    wrong = [*_best(operation.wrong_in_request(exchange) for operation in found), *_wrong_credentials(exchange)]
    wrong += _best(operation.wrong_in_answer(exchange) for operation in found)
    return [f"{where}: {violation}" for violation in wrong]


def _best(readings: Iterable[Iterable[str]]) -> list[str]:
    """Of what each version finds wrong, nothing if one finds nothing, else what the first one says."""
    lists = [list(reading) for reading in readings]
    return [] if any(not reading for reading in lists) else lists[0]


def _wrong_credentials(exchange: Exchange) -> Iterator[str]:
    sent = {name.lower(): value for name, value in exchange.request_headers.items()}.get("authorization", "")
    scheme, _, rest = sent.partition(" ")
    if scheme == "OAuth":
        yield from (f"credentials: {name} is missing" for name in _OAUTH if f'{name}="' not in rest)
    elif scheme != "Bearer" or not rest:
        yield "credentials: neither OAuth nor Bearer"


@dataclass(frozen=True)
class Operation:
    version: str
    template: str
    path: Mapping[str, str]
    description: Mapping[str, Any]

    def wrong_in_request(self, exchange: Exchange) -> Iterator[str]:
        parameters = {item["name"]: item for item in map(self._resolved, self.description.get("parameters", ()))}
        given = {**exchange.query, **self.path}
        for name in sorted(set(given) - set(parameters)):
            yield f"query: {name} is not known"
        for name, parameter in parameters.items():
            if name in given:
                value = _typed(given[name], self._resolved(parameter["schema"]))
                yield from self._wrong(parameter["schema"], value, f"query: {name}")
            elif parameter.get("required"):
                yield f"query: {name} is missing"
        yield from self._wrong_body(exchange)

    def _wrong_body(self, exchange: Exchange) -> Iterator[str]:
        described = self.description.get("requestBody")
        if described is None:
            if exchange.request_body:
                yield "body: none is expected"
            return
        kind = _media_type(exchange.request_headers)
        if kind not in described["content"]:
            yield f"body: {kind or 'nothing'} is not one of {sorted(described['content'])}"
        elif kind == "application/json":
            yield from self._wrong_json(described["content"][kind]["schema"], exchange.request_body, "body")

    def wrong_in_answer(self, exchange: Exchange) -> Iterator[str]:
        kind = _media_type(exchange.response_headers)
        if exchange.status >= 500 and kind == "text/html":
            return  # from the edge in front of the API, which nothing describes
        responses = self.description["responses"]
        refused = exchange.status >= 400
        described = responses.get(str(exchange.status)) or (responses.get("default") if refused else None)
        if described is None:
            yield f"answer: status {exchange.status} is not described"
        elif kind not in described["content"]:
            yield f"answer: {kind or 'nothing'} is not one of {sorted(described['content'])}"
        else:
            schema = described["content"][kind]["schema"]
            yield from self._wrong_json(schema, exchange.response_body, "answer")
            if not refused:
                body = json.loads(exchange.response_body or b"null")
                yield from self._unknown(schema, body, "answer", exchange.method)

    def _wrong_json(self, schema: Mapping[str, Any], raw: bytes, what: str) -> Iterator[str]:
        try:
            value = json.loads(raw)
        except ValueError:
            yield f"{what}: is not JSON"
            return
        yield from self._wrong(schema, value, what)

    def _wrong(self, schema: Mapping[str, Any], value: object, what: str) -> Iterator[str]:
        for error in _validator(self.version, json.dumps(schema, sort_keys=True)).iter_errors(value):
            yield f"{what}: {error.json_path}: {_short(error.message)}"

    def _unknown(self, schema: Mapping[str, Any], value: object, where: str, method: str) -> Iterator[str]:
        """Fields that the description does not name, and lists that should not be there."""
        schema = self._resolved(schema)
        if value == []:
            yield f"{where} is an empty list, which X leaves out"
        elif isinstance(value, list):
            for place, item in enumerate(value):
                yield from self._unknown(schema.get("items", {}), item, f"{where}[{place}]", method)
        elif isinstance(value, dict):
            known = dict(self._fields(schema))
            for name, item in value.items():
                if name in known:
                    yield from self._unknown(known[name], item, f"{where}.{name}", method)
                elif known and (method, self.template, name) not in _UNDESCRIBED:
                    yield f"{where}.{name} is not described"

    def _fields(self, schema: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
        schema = self._resolved(schema)
        for part in ("allOf", "anyOf", "oneOf"):
            for inner in schema.get(part, ()):
                yield from self._fields(inner, depth)
        if depth == 0:
            for reference in schema.get("discriminator", {}).get("mapping", {}).values():
                yield from self._fields({"$ref": reference}, depth + 1)
        yield from schema.get("properties", {}).items()

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            found: Any = _spec(self.version)
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema


def _typed(raw: str, schema: Mapping[str, Any]) -> object:
    """A query parameter as the value that its schema speaks of."""
    if schema.get("type") == "array":
        return raw.split(",")
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", raw):
        return int(raw)
    return raw


def _short(message: str) -> str:
    """Both ends of a message: what was found, and why that is wrong."""
    return message if len(message) <= 200 else f"{message[:100]} … {message[-100:]}"


def _media_type(headers: Mapping[str, str]) -> str:
    found = {name.lower(): value for name, value in headers.items()}.get("content-type", "")
    return found.partition(";")[0].strip().lower()


@cache
def _spec(version: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SPECS / f"x-openapi-{version}.json").read_bytes())
    return loaded


@cache
def _validator(version: str, schema: str) -> Draft202012Validator:
    whole = {**json.loads(schema), "components": _spec(version)["components"]}
    return Draft202012Validator(whole, format_checker=_FORMATS)


@cache
def _templates(version: str) -> list[tuple[str, re.Pattern[str]]]:
    """Paths with their patterns, those with the fewest blanks first."""
    paths = sorted(_spec(version)["paths"], key=lambda path: path.count("{"))
    return [(path, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))) for path in paths]


def _operation(version: str, method: str, path: str) -> Operation | None:
    for template, pattern in _templates(version):
        found = pattern.fullmatch(path)
        description = _spec(version)["paths"][template].get(method.lower())
        if found and description:
            values = {name: unquote(value) for name, value in found.groupdict().items()}
            return Operation(version, template, values, description)
    return None
