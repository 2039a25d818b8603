"""Methods that put something into a chat: texts, photos, chat actions, and the answers to taps.

Source: https://core.telegram.org/bots/api#available-methods
"""

from __future__ import annotations

import struct
from typing import Any

from sandbox.seam import Post
from sandbox.telegram.errors import bad_request
from sandbox.telegram.fields import Fields
from sandbox.telegram.keyboard import read_keyboard
from sandbox.telegram.markup import Entity, parsed, units
from sandbox.telegram.model import Bot, Draft, Wire, digest
from sandbox.telegram.state import State
from sandbox.telegram.updates import TAP_LIFE_S

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
TOAST_LENGTH = 200
PHOTO_BYTES = 10 * 2**20
_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)


def formatted(state: State, fields: Fields, name: str, entities: str = "entities") -> tuple[str, list[Entity]]:
    """A text of the request, its markup read.

    Raises:
        Refused: 400 "can't parse entities: …".
    """
    mode = fields.text("parse_mode")
    if mode and not state.rules.on("telegram.text.entities"):
        mode = ""
    return parsed(fields.text(name), mode, fields.json(entities, "message entities"))


def message_text(state: State, fields: Fields) -> tuple[str, list[Entity]]:
    """The text of a text message.

    Raises:
        Refused: empty, or longer than 4096 after the markup was read.
    """
    text, entities = formatted(state, fields, "text")
    if not text and state.rules.on("telegram.text.empty"):
        raise bad_request("message text is empty")
    if units(text) > TEXT_UNITS and state.rules.on("telegram.text.length"):
        raise bad_request("message is too long")
    return text, entities


def text_content(text: str, entities: list[Entity], fields: Fields) -> Wire:
    """The fields of a ``Message`` that carry a text."""
    content: Wire = {"text": text}
    if entities:
        content["entities"] = entities
    options = fields.json("link_preview_options", "link preview options")
    if isinstance(options, dict) and options:
        content["link_preview_options"] = options
    return content


def send_message(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#sendmessage"""
    text, entities = message_text(state, fields)
    keyboard = read_keyboard(fields, state.rules)
    return state.post(bot, fields, Draft(text_content(text, entities, fields), text, keyboard)).render()


def send_photo(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#sendphoto"""
    keyboard = read_keyboard(fields, state.rules)
    content, caption = photo_content(state, bot, fields, "photo")
    return state.post(bot, fields, Draft(content, caption, keyboard)).render()


def photo_content(state: State, bot: Bot, fields: Fields, name_of_file: str) -> tuple[Wire, str]:
    """The fields of a ``Message`` that carry a photo, and its caption.

    Raises:
        Refused: the caption is too long, or there is no picture that Telegram can show.
    """
    caption, entities = formatted(state, fields, "caption", "caption_entities")
    if units(caption) > CAPTION_UNITS and state.rules.on("telegram.photo.caption"):
        raise bad_request("message caption is too long")
    name, image = _photo(state, bot, fields, name_of_file)
    width, height = _size(state, image)
    bot.files[name] = (f"photos/{name}.{'png' if image.startswith(_PNG) else 'jpg'}", image)
    size = {
        "file_id": name,
        "file_unique_id": digest("unique", image.hex())[:16],
        "width": width,
        "height": height,
        "file_size": len(image),
    }
    content: Wire = {"photo": [size]}
    if caption:
        content["caption"] = caption
    if entities:
        content["caption_entities"] = entities
    return content, caption


_PNG = b"\x89PNG\r\n\x1a\n"


def _photo(state: State, bot: Bot, fields: Fields, name: str) -> tuple[str, bytes]:
    """The file's id and the picture: uploaded, uploaded under another name, or known already."""
    given = fields.text(name)
    upload = fields.files.get(given.removeprefix("attach://") if given.startswith("attach://") else name)
    if upload is not None and upload.content:
        if len(upload.content) > PHOTO_BYTES and state.rules.on("telegram.photo.size"):
            raise bad_request("file is too big")
        return f"AgACAgI{digest('file', bot.id, len(bot.files))[:32]}", upload.content
    if given in bot.files:
        return given, bot.files[given][1]
    if state.rules.on("telegram.photo.present"):
        raise bad_request("wrong file identifier/HTTP URL specified" if given else "there is no photo in the request")
    return "AgACAgInothing", b""


def _size(state: State, image: bytes) -> tuple[int, int]:
    size = _png_size(image) or _jpeg_size(image)
    if size is None:
        if state.rules.on("telegram.photo.image"):
            raise bad_request("IMAGE_PROCESS_FAILED")
        return 1, 1
    width, height = size
    if state.rules.on("telegram.photo.dimensions") and (
        width + height > 10_000 or max(size) > 20 * min(size) or min(size) < 1
    ):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return size


def _png_size(image: bytes) -> tuple[int, int] | None:
    if not image.startswith(_PNG) or len(image) < 24:
        return None
    width, height = struct.unpack(">II", image[16:24])
    return width, height


def _jpeg_size(image: bytes) -> tuple[int, int] | None:
    if not image.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(image) and image[at] == 0xFF:
        marker, length = image[at + 1], struct.unpack(">H", image[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", image[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None


def send_chat_action(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#sendchataction"""
    if fields.text("action") not in _ACTIONS and state.rules.on("telegram.action.known"):
        raise bad_request("wrong parameter action in request")
    state.chat_named(bot, fields)
    return True


def answer_callback_query(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#answercallbackquery

    That a tap takes one answer only is not documented; it is the harsher reading.
    """
    text = fields.text("text")
    if len(text) > TOAST_LENGTH and state.rules.on("telegram.tap.text"):
        raise bad_request("MESSAGE_TOO_LONG")
    old = bad_request("query is too old and response timeout expired or query ID is invalid")
    tapped = bot.taps.get(fields.text("callback_query_id"))
    if tapped is None:
        if state.rules.on("telegram.tap.known"):
            raise old
        return True
    now = state.clocks.wire()
    if now - tapped.at > TAP_LIFE_S and state.rules.on("telegram.tap.life"):
        raise old
    if tapped.answered and state.rules.on("telegram.tap.answered_once"):
        raise old
    tapped.answered = True
    if text:
        person = str(tapped.person.id)
        place = "direct" if tapped.chat.kind == "private" else str(tapped.chat.id)
        shown = Post("telegram", bot.name, place, person, f"toast-{fields.text('callback_query_id')}", text,
                     state.clocks.now(), raw=dict(fields.values))  # fmt: skip
        state.watcher(shown)
    return True
