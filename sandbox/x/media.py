"""Pictures: initialize, append, finalize, or all in one call; sizes, types and expiry.

Source: https://docs.x.com/x-api/media/quickstart/media-upload-chunked and .../best-practices (images 5 MB, GIFs 15 MB)
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.x.problems import Refusal, invalid, missing
from sandbox.x.query import Answer, Call, json_object, read_id, read_json
from sandbox.x.site import Site

MEGABYTE = 1024 * 1024
LARGEST = {"image": 5 * MEGABYTE, "gif": 15 * MEGABYTE}
SEGMENT = 5 * MEGABYTE
EXPIRES_S = 24 * 3600
PHOTO, GIF = "3_", "16_"
"""How the keys of each kind begin."""
_STARTS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/pjpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
    "image/bmp": (b"BM",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}
_KINDS = {"tweet_image": "image", "dm_image": "image", "tweet_gif": "gif", "dm_gif": "gif"}
_INITIAL = frozenset({"additional_owners", "media_category", "media_type", "shared", "total_bytes"})
_ONE_SHOT = frozenset({"additional_owners", "media", "media_category", "media_type", "shared"})


@dataclass(slots=True)
class Upload:
    """A file that comes in segments."""

    id: int
    account: str
    category: str
    media_type: str
    total_bytes: int
    expires_at: float
    """On the wire."""
    segments: dict[int, bytes] = field(default_factory=dict)
    finished: bool = False

    @property
    def key(self) -> str:
        """What is in front tells the kind."""
        return f"{GIF if self.category.endswith('gif') else PHOTO}{self.id}"

    @property
    def content(self) -> bytes:
        return b"".join(self.segments[place] for place in sorted(self.segments))


class Library:
    """All uploads of all accounts."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._uploads: dict[int, Upload] = {}

    def key(self, account: str, media_id: str, category: str) -> str | None:
        """The key of a finished upload for posts (``tweet_``) or messages (``dm_``); ``None`` when it is of no use."""
        upload = self._uploads.get(int(media_id)) if re.fullmatch(r"[0-9]{1,19}", media_id) else None
        if upload is None or upload.account != account or not upload.category.startswith(category):
            return None
        return upload.key if upload.finished and not self._expired(upload) else None

    def content(self, key: str) -> bytes:
        """The picture with this key."""
        return next((upload.content for upload in self._uploads.values() if upload.key == key), b"")

    def _expired(self, upload: Upload) -> bool:
        return self._site.clocks.wire() >= upload.expires_at and self._site.rules.on("x.media.expiry")

    def _own(self, call: Call, raw: str) -> Upload:
        upload = self._uploads.get(read_id(raw, "id"))
        if upload is None or upload.account != call.caller.app.account or self._expired(upload):
            raise Refusal(404, {**missing("media", "id", raw), "status": 404})
        return upload

    def initialize(self, call: Call) -> Answer:
        body = read_json(call, self._site.rules, _INITIAL)
        total = body.get("total_bytes")
        if type(total) is not int or total < 0:
            raise invalid("$.total_bytes: must be an integer")
        upload = self._open(call, body, total)
        return Answer(self._shown(upload))

    def _open(self, call: Call, body: dict[str, Any], total: int) -> Upload:
        category, media_type = str(body.get("media_category", "")), str(body.get("media_type", ""))
        kind = _KINDS.get(category)
        fits = media_type in _STARTS and (kind == "gif") == (media_type == "image/gif")
        if (kind is None or not fits) and self._site.rules.on("x.media.type"):
            raise invalid(f"$.media_type: [{media_type}] is not supported for media_category [{category}]")
        if total > LARGEST[kind or "image"] and self._site.rules.on("x.media.size"):
            raise invalid(f"$.total_bytes: must be at most {LARGEST[kind or 'image']}")
        media_id = self._site.network.new_id(self._site.clocks.now())
        expires_at = self._site.clocks.wire() + EXPIRES_S
        upload = Upload(media_id, call.caller.app.account, category, media_type, total, expires_at)
        self._uploads[media_id] = upload
        return upload

    def append(self, call: Call) -> Answer:
        upload = self._own(call, call.path["id"])
        fields = _fields(call)
        raw = fields.get("segment_index", b"").decode(errors="replace")
        content = fields.get("media", b"")
        place = int(raw) if re.fullmatch(r"[0-9]{1,3}", raw) else None
        fits = place is not None and 0 < len(content) <= SEGMENT
        if (not fits or upload.finished) and self._site.rules.on("x.media.segments"):
            raise invalid(
                "$.segment_index: must be from 0 to 999, with 1 byte to 5 MB of media", {"segment_index": [raw]}
            )
        upload.segments[len(upload.segments) if place is None else place] = content
        return Answer({"data": {"expires_at": int(upload.expires_at)}})

    def finalize(self, call: Call) -> Answer:
        upload = self._own(call, call.path["id"])
        self._finish(upload)
        return Answer(self._shown(upload))

    def _finish(self, upload: Upload) -> None:
        content = upload.content
        whole = len(content) == upload.total_bytes and sorted(upload.segments) == list(range(len(upload.segments)))
        real = content.startswith(_STARTS.get(upload.media_type, (b"",)))
        if not (whole and real) and self._site.rules.on("x.media.content"):
            raise invalid("The media is incomplete, or is not of the type that it was announced as.")
        upload.finished = True

    def one_shot(self, call: Call) -> Answer:
        """The whole picture in one multipart form or JSON body."""
        fields = _fields(call)
        unknown = sorted(set(fields) - _ONE_SHOT)
        if unknown and self._site.rules.on("x.body.known"):
            raise invalid(f"$.{unknown[0]}: is not defined in the schema")
        content = fields.pop("media", b"")
        body = {name: value.decode(errors="replace") for name, value in fields.items()}
        body.setdefault("media_type", _guessed(content))
        if body.get("media_category", "").endswith("gif") and self._site.rules.on("x.media.type"):
            raise invalid("$.media_category: must be tweet_image or dm_image; upload animations in segments")
        upload = self._open(call, body, len(content))
        upload.segments[0] = content
        self._finish(upload)
        return Answer(self._shown(upload))

    def status(self, call: Call) -> Answer:
        if call.query.get("command", "STATUS") != "STATUS":
            raise invalid("The `command` query parameter value is not one of [STATUS]")
        return Answer(self._shown(self._own(call, call.query.get("media_id", ""))))

    def _shown(self, upload: Upload) -> dict[str, Any]:
        left = max(0, int(upload.expires_at - self._site.clocks.wire()))
        data: dict[str, Any] = {"id": str(upload.id), "media_key": upload.key, "expires_after_secs": left}
        if upload.finished:
            data["size"] = upload.total_bytes
        return {"data": data}


def _guessed(content: bytes) -> str:
    return next((kind for kind, starts in _STARTS.items() if content.startswith(starts)), "")


def _fields(call: Call) -> dict[str, bytes]:
    """A multipart form, or a JSON body whose ``media`` is base64."""
    if call.content_type == "multipart/form-data":
        return dict(_parts(call.body))
    body = json_object(call)
    fields = {name: str(value).encode() for name, value in body.items() if name != "media"}
    try:
        return {**fields, "media": base64.b64decode(str(body.get("media", "")), validate=True)}
    except ValueError:
        raise invalid("$.media: must be base64") from None


def _parts(body: bytes) -> list[tuple[str, bytes]]:
    """The named parts. The first line of the body is the boundary."""
    boundary = body.split(b"\r\n", 1)[0]
    found: list[tuple[str, bytes]] = []
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'name="?([A-Za-z_]+)"?', head)
        if name:
            found.append((name.group(1).decode(), content.removesuffix(b"\r\n")))
    return found
