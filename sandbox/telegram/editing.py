"""Methods that change or remove what stands in a chat already.

Source: https://core.telegram.org/bots/api#updating-messages · the checks' order follows TDLib's ``can_edit_message``.
"""

from __future__ import annotations

from typing import Any

from sandbox.telegram.errors import bad_request, forbidden
from sandbox.telegram.fields import Fields
from sandbox.telegram.keyboard import Rows, read_keyboard
from sandbox.telegram.markup import units
from sandbox.telegram.model import Bot, Message
from sandbox.telegram.sending import CAPTION_UNITS, formatted, message_text, photo_content, text_content
from sandbox.telegram.state import State

DELETABLE_S = 48 * 3600
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)


def _editable(state: State, bot: Bot, fields: Fields) -> Message | None:
    """The message to edit, its rate spent. ``None`` only where the rules that would refuse it are off."""
    chat = state.chat_named(bot, fields)
    message = chat.messages.get(fields.integer("message_id"))
    if message is None:
        if state.rules.on("telegram.edit.found"):
            raise bad_request("message to edit not found")
        return None
    if message.bot is not bot and state.rules.on("telegram.edit.own"):
        raise bad_request("message can't be edited")
    if chat.blocked and state.rules.on("telegram.edit.blocked"):
        raise forbidden("bot was blocked by the user")
    bot.rates.spend(chat.id, group=chat.kind != "private")
    return message


def _replace(
    state: State, message: Message, fields: Fields, content: dict[str, Any], keyboard: Rows, text: str | None = None
) -> Any:
    """Put new content into a message, and show it to whoever watches. ``text``: what people read now, if that changes.

    Raises:
        Refused: nothing would change.
    """
    same = all(message.wire.get(name) == value for name, value in content.items()) and keyboard == message.keyboard
    if same and state.rules.on("telegram.edit.modified"):
        raise bad_request(_NOT_MODIFIED)
    message.wire = {name: value for name, value in {**message.wire, **content}.items() if value is not None}
    message.keyboard = keyboard
    if text is not None:
        message.text = text
        message.wire["edit_date"] = int(state.clocks.now().timestamp())
    state.show_edited(message, fields)
    return message.render()


def edit_message_text(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#editmessagetext"""
    text, entities = message_text(state, fields)
    keyboard = read_keyboard(fields, state.rules)
    message = _editable(state, bot, fields)
    if message is None:
        return True
    if "text" not in message.wire and state.rules.on("telegram.edit.text"):
        raise bad_request("there is no text in the message to edit")
    content = {"entities": None, "link_preview_options": None, **text_content(text, entities, fields)}
    return _replace(state, message, fields, content, keyboard, text)


def edit_message_caption(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#editmessagecaption"""
    caption, entities = formatted(state, fields, "caption", "caption_entities")
    if units(caption) > CAPTION_UNITS and state.rules.on("telegram.photo.caption"):
        raise bad_request("message caption is too long")
    keyboard = read_keyboard(fields, state.rules)
    message = _editable(state, bot, fields)
    if message is None:
        return True
    if "photo" not in message.wire and state.rules.on("telegram.edit.text"):
        raise bad_request("there is no caption in the message to edit")
    content = {"caption": caption or None, "caption_entities": entities or None}
    return _replace(state, message, fields, content, keyboard, caption)


def edit_message_media(state: State, bot: Bot, fields: Fields) -> Any:
    """A photo in the place of another one or of a text: https://core.telegram.org/bots/api#editmessagemedia"""
    given = fields.json("media", "input media")
    if not isinstance(given, dict) or given.get("type") != "photo":
        raise bad_request("there is no photo in the request")
    keyboard = read_keyboard(fields, state.rules)
    content, caption = photo_content(state, bot, Fields(given, fields.files), "media")
    message = _editable(state, bot, fields)
    if message is None:
        return True
    if not {"text", "photo"} & set(message.wire) and state.rules.on("telegram.edit.text"):
        raise bad_request("there is no media in the message to edit")
    gone = dict.fromkeys(("text", "entities", "link_preview_options", "caption", "caption_entities"))
    return _replace(state, message, fields, {**gone, **content}, keyboard, caption)


def edit_message_reply_markup(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#editmessagereplymarkup"""
    keyboard = read_keyboard(fields, state.rules)
    message = _editable(state, bot, fields)
    return True if message is None else _replace(state, message, fields, {}, keyboard)


def delete_message(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#deletemessage"""
    chat = state.chat_named(bot, fields)
    message = chat.messages.get(fields.integer("message_id"))
    if message is None:
        if state.rules.on("telegram.delete.found"):
            raise bad_request("message to delete not found")
        return True
    age_s = state.clocks.now().timestamp() - message.wire["date"]
    if age_s >= DELETABLE_S and state.rules.on("telegram.delete.age"):
        raise bad_request("message can't be deleted")
    foreign = message.bot is not bot and chat.kind in ("group", "supergroup")
    if foreign and state.rules.on("telegram.delete.own"):
        raise bad_request("message can't be deleted")
    del chat.messages[message.id]
    return True
