"""Where a poll's own totals and the votes that we know by name differ: kept and said, never turned into people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, select

from core.ballot import ballot_of
from core.events import Via
from core.models import Ask, Count, Gap, Outbox, Ref, ReplyRow, Response, WaveRow
from core.routes import ChannelKind
from core.store.outbox import FINAL, State
from core.store.statements import Upsert, stamp, table
from core.survey import Wave

_ASK = table(Ask)
_COUNT = table(Count)
_GAP = table(Gap)
_OUTBOX = table(Outbox)
_REF = table(Ref)
_REPLY = table(ReplyRow)
_RESPONSE = table(Response)
_WAVE = table(WaveRow)

_set_gaps = Upsert(
    Gap,
    ("ask_id", "totals", "known", "as_of"),
    key=("ask_id",),
    update=lambda old, new: {"totals": new.totals, "known": new.known, "as_of": new.as_of},
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One poll whose totals are not what we know."""

    channel: str
    totals: tuple[int, ...]
    known: tuple[int, ...]

    @property
    def nameless(self) -> int:
        """Votes that the platform counts and that we know nobody for."""
        return sum(max(0, said - ours) for said, ours in zip(self.totals, self.known, strict=True))


def find_gaps(connection: Connection, wave_id: int, now: datetime) -> list[Difference]:
    """Compare the last totals of each poll of a wave that names its voters with the votes that we know, and keep the
    differences. To be called when everything that the platform still gives was read."""
    query = (
        select(_ASK.c.id, _ASK.c.channel, _ASK.c.ballot, _COUNT.c.account, _COUNT.c.ref, _COUNT.c.totals)
        .join_from(_ASK, _REF, _REF.c.ask_id == _ASK.c.id)
        .join(_COUNT, (_COUNT.c.account == _REF.c.account) & (_COUNT.c.ref == _REF.c.ref))
        .where(_ASK.c.wave_id == wave_id, _ASK.c.named.is_(True), _ASK.c.ballot != "", _COUNT.c.final.is_(True))
        .order_by(_ASK.c.id)
    )
    found: list[Difference] = []
    for ask_id, channel, ballot, account, ref, kept in connection.execute(query).all():
        totals = tuple(json.loads(kept))
        bands = [(band.low, band.high) for band in ballot_of(ballot).bands]
        known = _standing(connection, ask_id, wave_id, bands)
        if known != totals:  # who voted and then answered by another way has a response elsewhere: see what they did
            known = _told(connection, account, ref, len(bands))
        difference = Difference(channel, totals, known)
        before = connection.execute(select(_GAP.c.ask_id).where(_GAP.c.ask_id == ask_id)).first()
        if known != totals or before is not None:
            _set_gaps(connection, [(ask_id, kept, json.dumps(known), stamp(connection)(now))])
        if known != totals:
            found.append(difference)
    return found


def untold(connection: Connection, wave: Wave) -> set[str]:
    """Accounts on which something of a wave's polls is still to be known: one that names nobody stands, or may stand,
    and has not told its last totals; or one that names its voters is in doubt, so nobody knows whose votes it has."""
    told = exists().where(
        _REF.c.ask_id == _ASK.c.id,
        _COUNT.c.account == _REF.c.account,
        _COUNT.c.ref == _REF.c.ref,
        _COUNT.c.final.is_(True),
    )
    stands = [str(State.SENT), str(State.UNKNOWN)]
    some_wait = exists().where(_REPLY.c.account == _ASK.c.account, _REPLY.c.outcome == "waiting")
    sought = (_OUTBOX.c.state == str(State.UNKNOWN)) & ((_OUTBOX.c.looks != FINAL) | some_wait)
    unnamed = _ASK.c.named.is_(False) & ~told
    query = (
        select(_ASK.c.account)
        .join_from(_ASK, _WAVE, _WAVE.c.id == _ASK.c.wave_id)
        .join(_OUTBOX, _OUTBOX.c.key == _ASK.c.key)
        .where(_WAVE.c.survey == wave.survey, _WAVE.c.key == wave.key, _OUTBOX.c.state.in_(stands))
        .where(_ASK.c.kind == str(ChannelKind.POLL), unnamed | (_ASK.c.named.is_(True) & sought))
    )
    return set(connection.execute(query).scalars())


def nameless_votes(connection: Connection, wave_id: int) -> dict[str, int]:
    """How many votes of a wave could not be attributed, by channel, as far as gaps were kept."""
    query = (
        select(_ASK.c.channel, _GAP.c.totals, _GAP.c.known)
        .join_from(_GAP, _ASK, _ASK.c.id == _GAP.c.ask_id)
        .where(_ASK.c.wave_id == wave_id)
    )
    found: Counter[str] = Counter()
    for channel, totals, known in connection.execute(query):
        found[channel] += Difference(channel, tuple(json.loads(totals)), tuple(json.loads(known))).nameless
    return {channel: n for channel, n in found.items() if n}


def _standing(connection: Connection, ask_id: int, wave_id: int, bands: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Votes that stand as responses, option by option."""
    rows = connection.execute(
        select(_RESPONSE.c.low, _RESPONSE.c.high).where(
            _RESPONSE.c.wave_id == wave_id, _RESPONSE.c.ask_id == ask_id, _RESPONSE.c.via == str(Via.VOTE)
        )
    )
    found = Counter((low, high) for low, high in rows)
    return tuple(found[band] for band in bands)


def _told(connection: Connection, account: str, ref: str, options: int) -> tuple[int, ...]:
    """Each person's last vote on this poll, option by option, as the stream told."""
    rows = connection.execute(
        select(_REPLY.c.person_id, _REPLY.c.option, _REPLY.c.withdrawn)
        .where(_REPLY.c.account == account, _REPLY.c.ref == ref, _REPLY.c.via == str(Via.VOTE))
        .order_by(_REPLY.c.ord)
    )
    last = {person: None if withdrawn else option for person, option, withdrawn in rows}
    found = Counter(option for option in last.values() if option is not None)
    return tuple(found[option] for option in range(options))
