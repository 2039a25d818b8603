"""What a request brought, whichever of the four ways it came: query string, form, multipart or JSON.

Source: https://core.telegram.org/bots/api#making-requests
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.telegram.errors import bad_request


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart request."""

    name: str
    content: bytes


class Fields:
    """The parameters of one request. JSON bodies keep their types, the others bring strings; reading levels them."""

    __slots__ = ("files", "values")

    def __init__(self, values: Mapping[str, Any], files: Mapping[str, Upload] | None = None) -> None:
        self.values = values
        self.files: Mapping[str, Upload] = files or {}

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        """As a string, empty when absent."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        return json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """As a whole number; what cannot be read as one counts as absent, as on the real server."""
        value = self.values.get(name)
        if isinstance(value, int):
            return int(value)
        try:
            return int(value) if isinstance(value, str) else default
        except ValueError:
            return default

    def boolean(self, name: str, default: bool = False) -> bool:
        """``true``, ``yes`` and ``1`` are true."""
        if name not in self:
            return default
        return self.text(name).lower() in ("true", "yes", "1")

    def json(self, name: str, what: str) -> Any:
        """A nested object or list, ``None`` when absent.

        Raises:
            Refused: it is no JSON; ``what`` names it as the server does.
        """
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None


async def read_fields(request: web.Request) -> Fields:
    """Read the parameters of a request. Those of the body win over those of the query string.

    Raises:
        Refused: 400, they cannot be read.
    """
    try:
        return await _read(request)
    except UnicodeDecodeError:
        raise bad_request("strings must be encoded in UTF-8") from None


async def _read(request: web.Request) -> Fields:
    values: dict[str, Any] = dict(request.query)
    if request.method != "POST" or not request.body_exists:
        return Fields(values)
    kind = request.content_type
    if kind == "application/json":
        return Fields(values | _json_body(await request.read()))
    if kind == "application/x-www-form-urlencoded":
        return Fields(values | dict(parse_qsl((await request.read()).decode(), keep_blank_values=True)))
    if kind == "multipart/form-data":
        boundary = _BOUNDARY.search(request.headers["Content-Type"])
        return _multipart(boundary[1] if boundary else "", await request.read(), values)
    return Fields(values)


def _json_body(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(parsed, dict):
        raise bad_request("expected a JSON object")
    return parsed


_BOUNDARY = re.compile(r'boundary="?([^";]+)')
_NAME = re.compile(rb'[; ]name="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(rb'[; ]filename="([^"]*)"', re.IGNORECASE)


def _multipart(boundary: str, body: bytes, values: dict[str, Any]) -> Fields:
    """Read a form from the whole body, which whoever records the exchange has read before."""
    files: dict[str, Upload] = {}
    for part in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None:
            raise bad_request("can't parse multipart/form-data")
        content = content.removesuffix(b"\r\n")
        filename = _FILENAME.search(head)
        if filename is not None:
            files[name[1].decode()] = Upload(filename[1].decode(), content)
        else:
            values[name[1].decode()] = content.decode()
    return Fields(values, files)
