"""Reading ``reply_markup``: which keyboards Telegram takes.

Source: https://core.telegram.org/bots/api#inlinekeyboardbutton
"""

from __future__ import annotations

from typing import Any

from sandbox.rules import Rules
from sandbox.seam import PostButton
from sandbox.telegram.errors import bad_request
from sandbox.telegram.fields import Fields

MOST_BUTTONS = 100
MOST_IN_ROW = 8
DATA_BYTES = 64
_ACTIONS = (
    "url",
    "callback_data",
    "callback_game",
    "pay",
    "switch_inline_query",
    "switch_inline_query_chosen_chat",
    "switch_inline_query_current_chat",
    "login_url",
    "web_app",
    "copy_text",
)

Rows = list[list[dict[str, Any]]]


def read_keyboard(fields: Fields, rules: Rules) -> Rows:
    """The inline keyboard of a request, each button with its text and one action; empty where there is none.

    Raises:
        Refused: it is malformed, or larger than Telegram takes.
    """
    markup = fields.json("reply_markup", "reply keyboard markup")
    if markup is None:
        return []
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    kept = [[_button(button, rules) for button in row] for row in rows if row]
    if rules.on("telegram.keyboard.size") and sum(map(len, kept)) > MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    if rules.on("telegram.keyboard.row") and any(len(row) > MOST_IN_ROW for row in kept):
        raise bad_request("reply markup is too long")
    return kept


def _button(button: Any, rules: Rules) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    text = button.get("text")
    if not isinstance(text, str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    action = next((name for name in _ACTIONS if button.get(name)), None)
    if action is None:
        if rules.on("telegram.keyboard.action"):
            raise bad_request("can't parse inline keyboard button: Text buttons are not allowed in the inline keyboard")
        return {"text": text}
    if (
        action == "callback_data"
        and rules.on("telegram.keyboard.data")
        and len(str(button[action]).encode()) > DATA_BYTES
    ):
        raise bad_request("BUTTON_DATA_INVALID")
    return {"text": text, **{name: button[name] for name in ("style",) if name in button}, action: button[action]}


def tappable(rows: Rows) -> tuple[PostButton, ...]:
    """The buttons that bring something back to the bot, row by row."""
    return tuple(
        PostButton(button["text"], button["callback_data"])
        for row in rows
        for button in row
        if "callback_data" in button
    )
