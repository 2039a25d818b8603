"""A store with a survey whose poll has been posted: what arrives under ``ref`` is counted, at full durability."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from core.account import Poll, Receipt
from core.ballot import ballot_of
from core.buttons import Seal
from core.clock import Clock
from core.routes import Channel, ChannelKind, Routes
from core.store.asks import NewAsk, ask_key, plan_asks
from core.store.claims import claim
from core.store.database import Connection, Database
from core.store.fencing import Held
from core.store.inbox import Inbox
from core.store.leases import Leases
from core.store.outbox import Kind, Planned, sent
from core.survey import Survey, week_wave

POLL, BUTTONS = "-1001", "-1002"
"""Ids of places."""
_CHANNELS = {
    "poll": (POLL, ChannelKind.POLL),
    "buttons": (BUTTONS, ChannelKind.BUTTONS),
    "direct": ("direct", ChannelKind.DIRECT),
    "replies": ("timeline", ChannelKind.REPLIES),
}
SURVEY = Survey(name="bench", brand="Acme", channels=tuple(_CHANNELS))
WAVE = week_wave(SURVEY, datetime.now(UTC))


@asynccontextmanager
async def posted(folder: Path, account: str, ref: str, options: int) -> AsyncIterator[tuple[Inbox, Held]]:
    """An inbox on a new SQLite file, and the lease of the account; the poll ``ref`` shows so many ``options``."""
    clock = Clock()
    channels = {n: Channel(name=n, account=account, place=place, kind=kind) for n, (place, kind) in _CHANNELS.items()}
    async with (
        Database(f"sqlite:///{folder / 'vouch.db'}") as database,
        Leases(database, lambda connection, account: None) as leases,
    ):
        held = await leases.take(account)
        assert held is not None
        inbox = Inbox(database, Routes([SURVEY], channels), Seal(bytes.fromhex(database.kept("seal"))), clock)

        def post(connection: Connection) -> None:
            now = clock.now()
            wave_id = inbox.directory.wave(connection, SURVEY, WAVE).id
            thing = Planned(
                key=ask_key(SURVEY.name, WAVE.key, "poll"),
                account=account,
                kind=Kind.ASK,
                body=Poll(question="?", options=("",) * options, closes_at=WAVE.closes_at),
                place=POLL,
                wave_id=wave_id,
                channel="poll",
            )
            plan_asks(
                connection,
                [NewAsk(thing=thing, kind=ChannelKind.POLL, ballot=ballot_of(f"0-10:{options}"), named=True)],
                now,
            )
            for claimed in claim(connection, held, now, 1):
                sent(connection, claimed.id, Receipt(place=POLL, message="1", refs=(ref,), sent_at=now), now)

        await database.write(post)
        yield inbox, held
