"""What an update means: a pure function from the library's ``Update`` to our events.

Bots, posts in the name of a chat, and messages passed on from somewhere else are nobody's answer and are left out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from telegram import CallbackQuery, ChatMemberUpdated, Message, Poll, PollAnswer, Update, User
from telegram.constants import ChatMemberStatus, ChatType, UpdateType

from core.events import Consent, ConsentKind, Event, PollSeen, Reply, Totals, Via

KINDS: Final[list[str]] = [
    UpdateType.MESSAGE,
    UpdateType.EDITED_MESSAGE,
    UpdateType.CALLBACK_QUERY,
    UpdateType.POLL,
    UpdateType.POLL_ANSWER,
    UpdateType.MY_CHAT_MEMBER,
]
"""The updates that ``read`` understands: all that is ever asked for.

Source: https://core.telegram.org/bots/api#update
"""

POLL_GRACE: Final = timedelta(hours=6)
"""A poll ends by itself this long after its close, for the one whose message id was lost: until then nobody is told how
it stands, and the week's report, on the morning after, should have it. Not sooner, for a poll that we have to end has
its totals in the answer, however long we were away before that; else an update has them, which is kept for a day."""

_START: Final = re.compile(r"/start(?:@\w+)?(?:\s+(?:(?P<payload>[A-Za-z0-9_-]{1,64})|.*))?", re.DOTALL)
"""Source: https://core.telegram.org/bots/features#deep-linking"""


_COMMAND: Final = re.compile(r"/\w{1,32}@(\w{1,64})")


def poll_ref(poll_id: str) -> str:
    """The name under which votes refer to a poll."""
    return f"poll:{poll_id}"


def message_ref(chat_id: int, message_id: int) -> str:
    """The name under which taps and answers refer to a message."""
    return f"msg:{chat_id}:{message_id}"


def read(update: Update, *, me: int, order: int, arrived: datetime, handle: str = "") -> tuple[Event, ...]:
    """The events of one update, none or one. ``me`` is the bot's own id, ``handle`` its name: what is ordered from
    another bot is not for us. Raises what malformed payloads raise.

    ``order`` is given by whoever receives, because update ids start over after a quiet week; ``arrived`` (calendar
    time) stands in for taps and votes, which carry no time of their own.
    """
    event: Event | None = None
    if update.message is not None:
        event = _message(update.message, f"u{update.update_id}", me, order)
    elif update.edited_message is not None:
        event = _edit(update.edited_message, update.update_id, me, order)
    elif update.callback_query is not None:
        event = _tap(update.callback_query, f"u{update.update_id}", order, arrived)
    elif update.poll_answer is not None:
        event = _vote(update.poll_answer, f"u{update.update_id}", order, arrived)
    elif update.poll is not None:
        event = _totals(update.poll, arrived)
    elif update.my_chat_member is not None:
        event = _membership(update.my_chat_member, f"u{update.update_id}", order)
    if event is None or (isinstance(event, Reply) and _for_another(event.text, handle)):
        return ()
    return (_checked(event),)


def _for_another(words: object, handle: str) -> bool:
    """Whether it is a command to another bot. Source: https://core.telegram.org/bots/features#commands"""
    found = _COMMAND.match(words) if isinstance(words, str) else None
    return found is not None and bool(handle) and found[1].lower() != handle.lower()


def totals(poll: Poll, as_of: datetime) -> Totals:
    """The totals of a poll as the library shows it."""
    counts = tuple(option.voter_count for option in poll.options)
    return Totals(ref=poll_ref(poll.id), totals=counts, as_of=as_of, final=poll.is_closed)


def poll_seen(poll: Any) -> PollSeen:
    """A poll as it came. Raises what malformed payloads raise."""
    ref, question = poll_ref(poll["id"]), poll["question"]
    options = tuple(option["text"] for option in poll["options"])
    if not all(isinstance(words, str) for words in (poll["id"], question, *options)):
        raise TypeError("a poll asks in words")
    ends = poll.get("close_date")
    closes_at = datetime.fromtimestamp(ends, UTC) - POLL_GRACE if ends is not None else None
    return PollSeen(ref=ref, question=question, options=options, closes_at=closes_at)


def _author(message: Message) -> User | None:
    """The person whose own words these are, if any.

    Source: https://core.telegram.org/bots/api#message (``sender_chat``, ``forward_origin``, ``via_bot``)
    """
    spoken_for = message.sender_chat or message.forward_origin or message.via_bot
    person = message.from_user
    return None if person is None or person.is_bot or spoken_for else person


def _message(message: Message, id: str, me: int, order: int) -> Event | None:
    person = _author(message)
    if person is None:
        return None
    start = _START.fullmatch(message.text or "") if message.chat.type == ChatType.PRIVATE else None
    if start is None:
        return _text(message, person, id, message.date, me, order, edited=False)
    payload = start["payload"]
    return Consent(
        id=id,
        person=str(person.id),
        kind=ConsentKind.GRANTED,
        at=message.date,
        order=order,
        evidence=f"pressed Start: {payload}" if payload else "pressed Start",
        language=person.language_code,
    )


def _edit(message: Message, update_id: int, me: int, order: int) -> Event | None:
    person = _author(message)
    if person is None:
        return None
    edited = message.edit_date or message.date
    return _text(message, person, f"u{update_id}:{int(edited.timestamp())}", edited, me, order, edited=True)


def _text(message: Message, person: User, id: str, at: datetime, me: int, order: int, *, edited: bool) -> Reply | None:
    """What a person wrote, under a picture too. ``ref`` only where it answers a message of ours."""
    words = message.text or message.caption
    if not words:
        return None
    asked = message.reply_to_message
    ours = asked is not None and asked.from_user is not None and asked.from_user.id == me
    return Reply(
        id=id,
        person=str(person.id),
        via=Via.TEXT,
        at=at,
        order=order,
        place=_place(message.chat.type, message.chat.id),
        ref=message_ref(message.chat.id, asked.message_id) if asked is not None and ours else None,
        text=words,
        message=message_ref(message.chat.id, message.message_id),
        edited=edited,
        written_at=message.date if edited else None,
        language=person.language_code,
        name="" if message.chat.type == ChatType.PRIVATE else person.full_name,
    )


def _tap(tap: CallbackQuery, id: str, order: int, arrived: datetime) -> Reply | None:
    if tap.data is None or tap.from_user.is_bot:
        return None
    under = tap.message
    return Reply(
        id=id,
        person=str(tap.from_user.id),
        via=Via.TAP,
        at=arrived,
        order=order,
        place="" if under is None else _place(under.chat.type, under.chat.id),
        ref=None if under is None else message_ref(under.chat.id, under.message_id),
        token=tap.data,
        language=tap.from_user.language_code,
        name=tap.from_user.full_name if under is not None and under.chat.type != ChatType.PRIVATE else "",
    )


def _vote(answer: PollAnswer, id: str, order: int, arrived: datetime) -> Reply | None:
    """A vote; an empty choice takes it back. A chat that votes is no person.

    Source: https://core.telegram.org/bots/api#pollanswer
    """
    if answer.user is None or answer.voter_chat is not None or answer.user.is_bot:
        return None
    return Reply(
        id=id,
        person=str(answer.user.id),
        via=Via.VOTE,
        at=arrived,
        order=order,
        ref=poll_ref(answer.poll_id),
        option=answer.option_ids[0] if answer.option_ids else None,
        withdrawn=not answer.option_ids,
        language=answer.user.language_code,
    )


def _totals(poll: Poll, arrived: datetime) -> Totals | None:
    """Live totals of polls that name nobody, and the last ones of every poll. While results are hidden they come as
    zeros beside a number of voters, which says nothing.

    Source: https://core.telegram.org/bots/api#polloption (``voter_count`` "may be 0 if unknown")
    """
    known = totals(poll, arrived)
    unknown = poll.total_voter_count > 0 and not any(known.totals)
    return known if poll.is_closed or (poll.is_anonymous and not unknown) else None


def _membership(change: ChatMemberUpdated, id: str, order: int) -> Consent | None:
    """A person blocked the bot. To unblock it grants nothing: for that they press Start again.

    Source: https://core.telegram.org/bots/api#update (``my_chat_member``)
    """
    if change.chat.type != ChatType.PRIVATE or change.new_chat_member.status != ChatMemberStatus.BANNED:
        return None
    return Consent(
        id=id,
        person=str(change.chat.id),
        kind=ConsentKind.BLOCKED,
        at=change.date,
        order=order,
        evidence="blocked the bot",
        language=change.from_user.language_code,
    )


_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "at": datetime,
    "as_of": datetime,
    "option": (int, type(None)),
    "token": (str, type(None)),
    "language": (str, type(None)),
    "text": str,
    "name": str,
}


def _checked(event: Event) -> Event:
    """The library believes every type that arrives; the store must not. Raises ``TypeError``."""
    spoiled = [
        name for name, kind in _TYPES.items() if hasattr(event, name) and not isinstance(getattr(event, name), kind)
    ]
    if isinstance(event, Totals) and not all(isinstance(count, int) for count in event.totals):
        spoiled.append("totals")
    if isinstance(event, Reply | Consent) and not event.person.isdecimal():
        spoiled.append("person")
    if spoiled:
        raise TypeError(f"of the wrong type: {', '.join(spoiled)}")
    return event


def _place(kind: str, chat_id: int) -> str:
    return "" if kind == ChatType.PRIVATE else str(chat_id)
