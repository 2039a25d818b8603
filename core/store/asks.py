"""Planning what is asked, in public and of persons, and closing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select, update

from core.account import Receipt
from core.ballot import Ballot
from core.envelope import load_receipt
from core.message import Message
from core.models import Ask, Outbox, Person, Response, WaveRow
from core.routes import Channel, ChannelKind
from core.store.directory import KnownWave
from core.store.outbox import Kind, Planned, State, plan
from core.store.statements import Upsert, table

_ASK = table(Ask)
_OUTBOX = table(Outbox)
_PERSON = table(Person)
_RESPONSE = table(Response)
_WAVE = table(WaveRow)

_add_asks = Upsert(
    Ask,
    ("key", "wave_id", "channel", "account", "kind", "ballot", "named", "place", "message"),
    key=("key",),
)

_POSTED = (
    select(_ASK.c.id, _ASK.c.account, _ASK.c.kind, _WAVE.c.closes_at, _OUTBOX.c.receipt)
    .join_from(_ASK, _OUTBOX, _OUTBOX.c.key == _ASK.c.key)
    .join(_WAVE, _WAVE.c.id == _ASK.c.wave_id)
    .where(_OUTBOX.c.state == str(State.SENT), _OUTBOX.c.receipt != "")
)
"""Of what a person says has arrived, there is no receipt: it cannot be closed or read."""


LAST_INVITATION = timedelta(hours=6)
"""Nobody is invited so shortly before the close: an invitation needs time to be answered in its own wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsk:
    """A public post of the question, to be planned."""

    thing: Planned
    kind: ChannelKind
    ballot: Ballot | None
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAsk:
    """A posted ask that has not been closed."""

    id: int
    account: str
    kind: ChannelKind
    closes_at: datetime
    """When its wave closes."""
    receipt: Receipt


def plan_asks(connection: Connection, asks: Iterable[NewAsk], now: datetime) -> None:
    """Plan public asks, each once."""
    for ask in asks:
        thing = ask.thing
        code = ask.ballot.code if ask.ballot is not None else ""
        row = (thing.key, thing.wave_id, thing.channel, thing.account, str(ask.kind), code, ask.named, thing.place, "")
        _add_asks(connection, [row])
        plan(connection, [thing], now)


def ask_key(survey: str, wave: str, channel: str) -> str:
    """The outbox key of a channel's ask."""
    return f"ask:{survey}:{wave}:{channel}:0"


def asked(connection: Connection, wave_id: int) -> set[str]:
    """Names of the channels whose ask of this wave is planned or posted."""
    return set(connection.execute(select(_ASK.c.channel).where(_ASK.c.wave_id == wave_id)).scalars())


def plan_invitations(
    connection: Connection,
    wave: KnownWave,
    channel: Channel,
    invite: Callable[[str, str | None], Message],
    now: datetime,
    *,
    answers_only: bool = False,
    limit: int = 500,
) -> int:
    """Plan invitations to up to ``limit`` persons who allow it and were neither invited in this wave nor answered.

    ``invite`` makes the message for a platform id and language. With ``answers_only`` only those are invited who wrote
    and were not answered. Returns how many were planned.
    """
    latest = wave.wave.closes_at - LAST_INVITATION
    if now >= latest:
        return 0
    found = connection.execute(_invitable(wave.id, channel.account, answers_only).limit(limit)).all()
    things = [
        Planned(
            key=f"invitation:{wave.wave.survey}:{wave.wave.key}:{channel.account}/{id}:0",
            account=channel.account,
            kind=Kind.INVITATION,
            body=invite(platform_id, language),
            person_id=id,
            wave_id=wave.id,
            channel=channel.name,
            not_before=wave.wave.opens_at,
            not_after=latest,
        )
        for id, platform_id, language in found
    ]
    plan(connection, things, now)
    return len(things)


def _invitable(wave_id: int, account: str, answers_only: bool) -> Select[*tuple[Any, ...]]:
    """Row id, platform id and language of persons who may be invited in a wave."""
    invited = exists().where(
        _OUTBOX.c.person_id == _PERSON.c.id, _OUTBOX.c.wave_id == wave_id, _OUTBOX.c.kind == str(Kind.INVITATION)
    )
    answered = exists().where(_RESPONSE.c.person_id == _PERSON.c.id, _RESPONSE.c.wave_id == wave_id)
    allowed = (_PERSON.c.opened.is_(True), _PERSON.c.stopped.is_(False), _PERSON.c.blocked.is_(False))
    owed = (_PERSON.c.owed > 0,) if answers_only else ()
    return (
        select(_PERSON.c.id, _PERSON.c.platform_id, _PERSON.c.language)
        .where(_PERSON.c.account == account, *allowed, *owed, ~invited, ~answered)
        .order_by(_PERSON.c.id)
    )


def still_to_ask(
    connection: Connection, survey: str, wave: str, direct: Iterable[str], answers_only: Collection[str]
) -> tuple[set[str], int]:
    """Of a wave: the channels that were asked in public, and how many persons on the accounts ``direct`` would be
    invited now."""
    its = (_WAVE.c.survey == survey, _WAVE.c.key == wave)
    id = connection.execute(select(_WAVE.c.id).where(*its)).scalar_one_or_none() or 0
    invited = [_invitable(id, account, account in answers_only).subquery() for account in direct]
    counts = [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in invited]
    return asked(connection, id), sum(counts)


def open_asks(connection: Connection, survey: str, *, closing_before: datetime) -> Sequence[OpenAsk]:
    """Posted asks of a survey that are not closed although their wave has closed by ``closing_before``."""
    query = _POSTED.where(_WAVE.c.survey == survey, _ASK.c.closed_at.is_(None), _WAVE.c.closes_at <= closing_before)
    return _open_asks(connection, query)


def closed(connection: Connection, ask_id: int, now: datetime) -> None:
    """Note that an ask was closed."""
    connection.execute(update(_ASK).where(_ASK.c.id == ask_id).values(closed_at=now))


def open_polls(connection: Connection, account: str, since: datetime) -> Sequence[OpenAsk]:
    """Posted polls of an account that are not closed and whose wave was open at ``since`` or later: their votes may
    still have to be read. What a closed one holds is known."""
    still = (_ASK.c.account == account, _WAVE.c.closes_at > since, _ASK.c.kind == str(ChannelKind.POLL))
    return _open_asks(connection, _POSTED.where(*still, _ASK.c.closed_at.is_(None)))


def _open_asks(connection: Connection, query: Select[*tuple[Any, ...]]) -> Sequence[OpenAsk]:
    return [
        OpenAsk(id=id, account=account, kind=ChannelKind(kind), closes_at=closes_at, receipt=load_receipt(receipt))
        for id, account, kind, closes_at, receipt in connection.execute(query)
    ]
