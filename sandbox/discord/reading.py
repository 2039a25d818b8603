"""Requests as they come: JSON or multipart bodies, ids and numbers in paths and queries."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from sandbox.discord.errors import Refusal, misfit
from sandbox.discord.forms import Body, File

SNOWFLAKE = re.compile(r"(0|[1-9][0-9]{0,19})")


async def read_body(request: web.Request) -> Body:
    """The body, by its content type. Raises: Refusal 50109 for what is not JSON."""
    data = await request.read()
    if request.content_type == "multipart/form-data":
        return _multipart(data, request.headers["Content-Type"])
    return Body(_json(data) if data else {})


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise Refusal(50109) from None


def _multipart(data: bytes, content_type: str) -> Body:
    """``payload_json`` and ``files[n]``. Source: https://discord.com/developers/docs/reference#uploading-files"""
    found = re.search(r'boundary="?([^";]+)', content_type)
    if found is None:
        raise Refusal(50109)
    body = Body({})
    for part in data.split(b"--" + found[1].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        headers = head.decode("utf-8", "replace")
        name = re.search(r'[; ]name="([^"]*)"', headers)
        if name is None:
            continue
        filename = re.search(r'filename="([^"]*)"', headers)
        if name[1] == "payload_json":
            body.json = _json(content)
        elif filename is not None:
            kind = re.search(r"(?i)content-type: *([^\r\n;]+)", headers)
            body.files.append(File(filename[1], kind[1] if kind else "application/octet-stream", content))
    return body


def path_id(request: web.Request, name: str) -> int:
    """An id in the path. Raises: Refusal 50035 for what is none."""
    return to_snowflake(request.match_info[name], name)


def to_snowflake(text: object, field: str) -> int:
    """An id from what was sent. Raises: Refusal 50035."""
    if not isinstance(text, (str, int)) or not SNOWFLAKE.fullmatch(str(text)):
        raise misfit([field], "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
    return int(text)


def query_id(request: web.Request, name: str) -> int | None:
    """An id in the query. Raises: Refusal 50035."""
    text = request.query.get(name)
    return None if text is None else to_snowflake(text, name)


def query_number(request: web.Request, name: str, default: int, least: int, most: int, *, enforced: bool) -> int:
    """A number in the query, within its range. Raises: Refusal 50035."""
    text = request.query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise misfit([name], "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.')
    number = int(text)
    if enforced and number < least:
        raise misfit([name], "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
    if enforced and number > most:
        raise misfit([name], "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
    return number


def query_flag(request: web.Request, name: str) -> bool:
    """A yes or no in the query."""
    return request.query.get(name, "").lower() in ("1", "true")
