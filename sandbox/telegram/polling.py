"""sendPoll and stopPoll.

Source: https://core.telegram.org/bots/api#sendpoll · the checks' words are TDLib's:
https://github.com/tdlib/td/blob/master/td/telegram/MessageContent.cpp. TDLib leaves the ends of a poll to Telegram's
servers, whose words for a wrong one are not published; the ones here are ours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.telegram.errors import bad_request
from sandbox.telegram.fields import Fields
from sandbox.telegram.keyboard import read_keyboard
from sandbox.telegram.markup import parsed, units
from sandbox.telegram.model import Bot, Chat, Draft
from sandbox.telegram.polls import Poll
from sandbox.telegram.state import State

QUESTION_LENGTH = 300
DESCRIPTION_UNITS = 1024
MOST_OPTIONS = 12
OPTION_LENGTH = 100
SHORTEST_S, LONGEST_S = 5, 2_628_000


def send_poll(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#sendpoll"""
    question = _question(state, fields)
    options = _options(state, fields)
    kind = fields.text("type") or "regular"
    if kind not in ("regular", "quiz"):
        raise bad_request("unsupported poll type specified")
    extras = {"correct_option_ids": _correct(fields, len(options))} if kind == "quiz" else {}
    keyboard = read_keyboard(fields, state.rules)
    chat = state.chat_named(bot, fields)
    anonymous = fields.boolean("is_anonymous", True)
    if not anonymous and chat.kind == "channel" and state.rules.on("telegram.poll.named_in_channel"):
        raise bad_request("non-anonymous polls can't be sent to channel chats")
    opened_at = state.clocks.now()
    poll = Poll(
        id=state.next_poll_id(),
        question=question,
        options=options,
        anonymous=anonymous,
        kind=kind,
        multiple=fields.boolean("allows_multiple_answers"),
        revoting=fields.boolean("allows_revoting", kind != "quiz"),
        members_only=_members_only(state, chat, fields),
        hide_results=fields.boolean("hide_results_until_closes") and state.rules.on("telegram.poll.hidden"),
        opened_at=opened_at,
        closes_at=_closes_at(state, opened_at, fields),
        open_period_s=fields.integer("open_period"),
        closed=fields.boolean("is_closed"),
        extras=extras,
        description=_description(state, fields),
    )
    return state.post(bot, fields, Draft({}, question, keyboard, poll)).render()


def _description(state: State, fields: Fields) -> dict[str, Any]:
    mode = fields.text("description_parse_mode")
    text, entities = parsed(fields.text("description"), mode, fields.json("description_entities", "message entities"))
    if units(text) > DESCRIPTION_UNITS and state.rules.on("telegram.poll.description"):
        raise bad_request("message caption is too long")
    return {"description": text, **({"description_entities": entities} if entities else {})} if text else {}


def _question(state: State, fields: Fields) -> str:
    question = fields.text("question").strip()
    if not question and state.rules.on("telegram.poll.question"):
        raise bad_request("poll question must be non-empty")
    if len(question) > QUESTION_LENGTH and state.rules.on("telegram.poll.question"):
        raise bad_request(f"poll question length must not exceed {QUESTION_LENGTH}")
    return question


def _options(state: State, fields: Fields) -> tuple[str, ...]:
    given = fields.json("options", "options")
    if given is None:
        raise bad_request("can't parse options JSON object")
    if not isinstance(given, list):
        raise bad_request("expected an Array of String as options")
    options = tuple(_option(one) for one in given)
    if state.rules.on("telegram.poll.options"):
        if not options:
            raise bad_request("poll must have at least 1 option")
        if len(options) > MOST_OPTIONS:
            raise bad_request(f"poll can't have more than {MOST_OPTIONS} options")
    for option in options:
        if not option and state.rules.on("telegram.poll.option_length"):
            raise bad_request("poll options must be non-empty")
        if len(option) > OPTION_LENGTH and state.rules.on("telegram.poll.option_length"):
            raise bad_request(f"poll options length must not exceed {OPTION_LENGTH}")
    return options


def _option(given: Any) -> str:
    if isinstance(given, dict):
        given, mode = given.get("text"), given.get("text_parse_mode") or ""
        if not isinstance(given, str):
            raise bad_request("can't parse InputPollOption: Can't find field \"text\"")
        return parsed(given, mode)[0]
    if not isinstance(given, str):
        raise bad_request("expected an option to be of type String")
    return given.strip()


def _correct(fields: Fields, options: int) -> list[int]:
    ids = fields.json("correct_option_ids", "correct option identifiers")
    if not isinstance(ids, list) or not ids:
        raise bad_request("correct quiz option list must be non-empty")
    if not all(isinstance(one, int) and 0 <= one < options for one in ids) or sorted(set(ids)) != ids:
        raise bad_request("invalid correct option identifier specified")
    return ids


def _members_only(state: State, chat: Chat, fields: Fields) -> bool:
    members_only = fields.boolean("members_only")
    if members_only and chat.kind != "channel" and state.rules.on("telegram.poll.members_only"):
        raise bad_request("members-only polls can be sent to channel chats only")
    return members_only


def _closes_at(state: State, opened_at: datetime, fields: Fields) -> datetime | None:
    period, date = fields.integer("open_period"), fields.integer("close_date")
    if period and date and state.rules.on("telegram.poll.one_end"):
        raise bad_request("open_period can't be used together with close_date")
    if period:
        if not SHORTEST_S <= period <= LONGEST_S and state.rules.on("telegram.poll.open_period"):
            raise bad_request("wrong poll open_period specified")
        return opened_at + timedelta(seconds=period)
    if date:
        ahead = date - opened_at.timestamp()
        if not SHORTEST_S <= ahead <= LONGEST_S and state.rules.on("telegram.poll.close_date"):
            raise bad_request("wrong poll close_date specified")
        return datetime.fromtimestamp(date, UTC)
    return None


def stop_poll(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#stoppoll"""
    keyboard = read_keyboard(fields, state.rules)
    chat = state.chat_named(bot, fields)
    message = chat.messages.get(fields.integer("message_id"))
    if message is None or message.poll is None:
        if state.rules.on("telegram.poll.stop_found"):
            raise bad_request("message is not a poll" if message else "message with poll to stop not found")
        return True
    if message.bot is not bot and state.rules.on("telegram.poll.stop_own"):
        raise bad_request("poll can't be stopped")
    state.close_due()
    if message.poll.closed:
        if state.rules.on("telegram.poll.stop_once"):
            raise bad_request("poll has already been closed")
    else:
        state.close(message)
    message.keyboard = keyboard
    return message.poll.wire()
