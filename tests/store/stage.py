"""What the tests of the store share: a survey on one account, its waves and posts, and a look into every table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text
from sqlmodel import SQLModel

from core.account import Answer, Receipt
from core.ballot import Ballot, Scale, finest
from core.buttons import Purpose, Seal
from core.clock import Clock
from core.events import Event, Reply, Via
from core.message import text as words
from core.models import Outbox, Person, Response, Rollup, WaveRow
from core.routes import Channel, ChannelKind, Routes
from core.store import asks, outbox
from core.store.asks import NewAsk
from core.store.database import Database
from core.store.directory import KnownWave
from core.store.inbox import Delivery, Inbox
from core.store.statements import table
from core.survey import Survey, Wave, next_wave, week_wave
from core.words import words_for

ACCOUNT = "tg"
START = datetime(2026, 11, 2, tzinfo=UTC)
"""A Monday, 00:00."""
NOW = START + timedelta(days=2)

CHANNELS = {
    channel.name: channel
    for channel in (
        Channel(name="group", account=ACCOUNT, place="-1001", kind=ChannelKind.POLL),
        Channel(name="forum", account=ACCOUNT, place="-1002", kind=ChannelKind.POLL),
        Channel(name="news", account=ACCOUNT, place="-1003", kind=ChannelKind.POLL),
        Channel(name="lobby", account=ACCOUNT, place="-1004", kind=ChannelKind.BUTTONS),
        Channel(name="chat", account=ACCOUNT, place="-1005", kind=ChannelKind.BUTTONS),
        Channel(name="timeline", account=ACCOUNT, place="timeline", kind=ChannelKind.REPLIES),
        Channel(name="dm", account=ACCOUNT, place="direct", kind=ChannelKind.DIRECT),
    )
}
SURVEY = Survey(name="acme", brand="Acme", languages=("en", "fr"), channels=tuple(CHANNELS))
BALLOT: Ballot = finest(Scale.ZERO_TO_TEN, options=11, option_chars=25, words=words_for("en"))
WAVES = [week_wave(SURVEY, START)]
for _ in range(3):
    WAVES.append(next_wave(SURVEY, WAVES[-1]))


def poll_ref(channel: str, wave: int) -> str:
    """How votes refer to the poll of a channel."""
    return f"poll:{channel}:{wave}"


class Stage:
    """One survey on one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.seal = Seal(b"k" * 32)
        self.set_up()

    def set_up(self) -> None:
        """Begin as a process that has just started."""
        clock = Clock(wall=lambda: self.now.timestamp())
        self.inbox = Inbox(self.database, Routes([SURVEY], CHANNELS), self.seal, clock)

    def clear(self) -> None:
        """Empty every table but ``kept``; row ids begin again."""
        tables = [found for found in SQLModel.metadata.sorted_tables if found.name != "kept"]
        with self.database.engine.begin() as connection:
            if self.database.dialect == "postgresql":
                names = ", ".join(f'"{found.name}"' for found in tables)
                connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
            else:
                for found in reversed(tables):
                    connection.execute(found.delete())
        self.set_up()

    def deliver(self, *events: Event) -> Sequence[Answer]:
        """Keep events in one commit."""
        return self.commit([events])[0]

    def commit(self, deliveries: Iterable[Sequence[Event]]) -> list[Sequence[Answer]]:
        """Keep several deliveries in one commit."""
        with self.database.engine.begin() as connection:
            return self.inbox.keep(connection, [Delivery(self.inbox, ACCOUNT, events) for events in deliveries])

    def wave(self, wave: Wave = WAVES[0]) -> KnownWave:
        """The row of a wave."""
        with self.database.engine.begin() as connection:
            return self.inbox.directory.wave(connection, SURVEY, wave)

    def plan_ask(self, channel: str, wave: int, *, named: bool = True) -> str:
        """Plan the ask of a channel; returns its key."""
        known = self.wave(WAVES[wave])
        kind, key = CHANNELS[channel].kind, asks.ask_key(SURVEY.name, known.wave.key, channel)
        thing = outbox.Planned(
            key=key,
            account=ACCOUNT,
            kind=outbox.Kind.ASK,
            body=words("?"),
            place=CHANNELS[channel].place,
            wave_id=known.id,
            channel=channel,
            not_before=known.wave.opens_at,
            not_after=known.wave.closes_at,
        )
        ballot = BALLOT if kind is ChannelKind.POLL else None
        with self.database.engine.begin() as connection:
            asks.plan_asks(connection, [NewAsk(thing=thing, kind=kind, ballot=ballot, named=named)], self.now)
        return key

    def post(self, channel: str, wave: int, *, named: bool = True) -> None:
        """Plan and post the ask of a channel, and take up what waited for it."""
        self.posted(self.plan_ask(channel, wave, named=named), poll_ref(channel, wave), CHANNELS[channel].place)

    def posted(self, key: str, ref: str, place: str) -> None:
        """The platform took what was planned under this key."""
        receipt = Receipt(place=place, message=ref, refs=(ref,), sent_at=self.now)
        with self.database.engine.begin() as connection:
            row = connection.execute(select(_OUTBOX.c.id).where(_OUTBOX.c.key == key)).scalar_one()
            account, refs = outbox.sent(connection, row, receipt, self.now)
            self.inbox.replay(connection, account, refs)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, but for cells of the roll-up that count nobody."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        with self.database.reading() as connection:
            for each in SQLModel.metadata.sorted_tables:
                found[each.name] = sorted((tuple(row) for row in connection.execute(select(each))), key=repr)
        found["rollup"] = [row for row in found["rollup"] if row[-1]]
        return found

    def responses(self) -> dict[tuple[str, str], tuple[int, int, str, str]]:
        """(person, wave) → (low, high, channel, via), of those that stand."""
        query = (
            select(
                _PERSON.c.platform_id,
                _WAVE.c.key,
                _RESPONSE.c.low,
                _RESPONSE.c.high,
                _RESPONSE.c.channel,
                _RESPONSE.c.via,
            )
            .join(_PERSON, _PERSON.c.id == _RESPONSE.c.person_id)
            .join(_WAVE, _WAVE.c.id == _RESPONSE.c.wave_id)
            .where(_RESPONSE.c.low.is_not(None))
        )
        with self.database.reading() as connection:
            return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in connection.execute(query)}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a table, in order of their first column."""
        found = SQLModel.metadata.tables[name]
        with self.database.reading() as connection:
            return [dict(row) for row in connection.execute(select(found).order_by(*found.primary_key)).mappings()]

    # -- what people do ------------------------------------------------------------------------------------------------

    def typed(self, order: int, person: str, said: str, *, at: datetime = NOW, **more: Any) -> Reply:
        """A direct message."""
        return Reply(id=f"e{order}", person=person, via=Via.TEXT, at=at, order=order, text=said, **more)

    def vote(self, order: int, person: str, ref: str, option: int | None, *, at: datetime = NOW, **more: Any) -> Reply:
        """A vote, or with ``withdrawn`` one taken back."""
        return Reply(id=f"e{order}", person=person, via=Via.VOTE, at=at, order=order, ref=ref, option=option, **more)

    def tap(self, order: int, person: str, token: str, place: str = "", *, at: datetime = NOW, **more: Any) -> Reply:
        """A tap on a button."""
        return Reply(id=f"e{order}", person=person, via=Via.TAP, at=at, order=order, token=token, place=place, **more)

    def score_token(self, score: int, wave: int = 0, *, invited: str = "") -> str:
        """The token of a button of a score: of a public one, or of one for the person who was invited."""
        code = self.wave(WAVES[wave]).code
        purpose = Purpose.INVITED if invited else Purpose.SCORE
        return self.seal.token(purpose, code, score, f"{ACCOUNT}:{invited}" if invited else "")


_OUTBOX, _PERSON, _RESPONSE, _ROLLUP, _WAVE = (table(model) for model in (Outbox, Person, Response, Rollup, WaveRow))


def wave_ids(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Row ids of waves, asked or not, by key."""
    waves = table(WaveRow)
    return dict(connection.execute(select(waves.c.key, waves.c.id).where(waves.c.key.in_(list(keys)))).all())
