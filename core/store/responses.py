"""The counting rule: one response per wave and person, the latest, and the roll-up that windows are read from.

The roll-up counts responses by channel, wave, the wave in which the same person answered again (0: not yet) and band.
A window that ends with wave *b* adds the rows of its waves whose next answer lies after *b*: each person once, with
the latest answer. Every response is part of its person's chain of answered waves; a withdrawn one is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select

from core.models import Response, Rollup, WaveRow
from core.nps import Band
from core.store import quoted
from core.store.directory import KnownWave
from core.store.statements import Lookup, Upsert, among, many, table

_RESPONSE = table(Response)
_WAVE = table(WaveRow)
_standing = Lookup(
    select(_RESPONSE).where(
        among(_RESPONSE.c.person_id, "people"),
        or_(among(_RESPONSE.c.wave_id, "waves"), _RESPONSE.c.later_id.is_(None)),
    )
)
_of_a_person = Lookup(
    select(_RESPONSE)
    .join(_WAVE, _WAVE.c.id == _RESPONSE.c.wave_id)
    .where(_RESPONSE.c.person_id == bindparam("person_id"), _WAVE.c.survey == bindparam("survey"))
)
_KEPT = ("later_id", "channel", "ask_id", "via", "low", "high", "ord", "at", "quotable")

_save_responses = Upsert(
    Response,
    ("person_id", "wave_id", *_KEPT),
    key=("person_id", "wave_id"),
    update=lambda old, new: {column: new[column] for column in _KEPT},
)
_add_to_rollup = Upsert(
    Rollup,
    ("wave_id", "channel", "later_id", "low", "high", "n"),
    key=("wave_id", "channel", "later_id", "low", "high"),
    update=lambda old, new: {"n": old.n + new.n},
)

_band = cache(Band)
_Cell = tuple[int, str, int, int, int]


@dataclass(slots=True)
class Kept:
    """One response as it is being changed. ``band`` is ``None`` while it is withdrawn."""

    person_id: int
    wave: KnownWave
    at: Any
    """When it was given, as the database stores times."""
    later_id: int | None = None
    channel: str = ""
    ask_id: int | None = None
    via: str = ""
    band: Band | None = None
    ord: int = -1
    quotable: bool | None = None

    def cell(self) -> _Cell | None:
        """Where the roll-up counts it."""
        if self.band is None:
            return None
        return (self.wave.id, self.channel, self.later_id or 0, self.band.low, self.band.high)


class Responses:
    """The responses that one transaction works on. ``load`` first, then change, then ``save``."""

    def __init__(self, connection: Connection, wave_by_id: Callable[[int], KnownWave]) -> None:
        self._connection = connection
        self._wave_by_id = wave_by_id
        self._kept: dict[tuple[int, int], Kept] = {}
        self._chains: dict[tuple[str, int], list[Kept]] = {}
        """By survey and person."""
        self._tails: dict[tuple[str, int], Kept] = {}
        self._before: dict[tuple[int, int], _Cell | None] = {}

    def load(self, people: Iterable[int], waves: Iterable[int]) -> None:
        """Fetch what these people answered in these waves, and each one's latest answer."""
        self._take(
            _standing(self._connection, people=many(self._connection, people), waves=many(self._connection, waves))
        )

    def of(self, person_id: int, wave: KnownWave) -> Kept | None:
        """The response of a person in a wave."""
        return self._kept.get((person_id, wave.id))

    def answer(
        self,
        person_id: int,
        wave: KnownWave,
        band: Band,
        *,
        channel: str,
        ask_id: int | None,
        via: str,
        ord: int,
        at: Any,
    ) -> bool:
        """Take an answer. ``False`` when a later one is already there; repeating the same changes nothing."""
        kept = self._kept.get((person_id, wave.id))
        if kept is None:
            kept = self._add(Kept(person_id, wave, at))
        elif ord < kept.ord:
            return False
        self._touch(kept)
        joins = kept.band is None
        kept.band, kept.channel, kept.ask_id, kept.via, kept.ord, kept.at = band, channel, ask_id, via, ord, at
        if joins:
            self._join(kept)
        return True

    def withdraw(self, person_id: int, wave: KnownWave, ask_id: int, band: Band | None, ord: int, via: str) -> bool:
        """Take a vote back. Only the present answer can be; an earlier one is not revived."""
        kept = self._kept.get((person_id, wave.id))
        if kept is None or kept.band is None or kept.ask_id != ask_id or kept.via != via or ord < kept.ord:
            return False
        if band is not None and kept.band != band:
            return False
        self._touch(kept)
        self._leave(kept)
        kept.band, kept.ord = None, ord
        return True

    def quote(self, kept: Kept, allowed: bool) -> None:
        """The person says whether they may be quoted."""
        self._touch(kept)
        kept.quotable = allowed
        if not allowed:
            quoted.withdraw(self._connection, kept.person_id)

    def save(self) -> None:
        """Write what changed, and the roll-up's difference."""
        difference: Counter[_Cell] = Counter()
        rows: list[tuple[Any, ...]] = []
        for key, before in self._before.items():
            kept = self._kept[key]
            after = kept.cell()
            if before != after:
                if before is not None:
                    difference[before] -= 1
                if after is not None:
                    difference[after] += 1
            low, high = (kept.band.low, kept.band.high) if kept.band is not None else (None, None)
            rows.append(
                (
                    *(kept.person_id, kept.wave.id, kept.later_id, kept.channel, kept.ask_id, kept.via, low, high),
                    *(kept.ord, kept.at, kept.quotable),
                )
            )
        _save_responses(self._connection, rows)
        # In one order always, so that two processes on one PostgreSQL cannot wait for each other.
        _add_to_rollup(self._connection, [(*cell, n) for cell, n in sorted(difference.items()) if n])

    # -- the chain of answered waves ---------------------------------------------------------------------------------

    def _touch(self, kept: Kept) -> None:
        self._before.setdefault((kept.person_id, kept.wave.id), kept.cell())

    def _join(self, kept: Kept) -> None:
        name = (kept.wave.wave.survey, kept.person_id)
        tail = self._tails.get(name)
        if tail is None or tail.wave.wave.opens_at < kept.wave.wave.opens_at:
            self._tails[name] = kept
            kept.later_id = None
            if tail is not None:
                self._touch(tail)
                tail.later_id = kept.wave.id
            return
        before, after = self._neighbours(kept)
        kept.later_id = after.wave.id if after is not None else None
        if before is not None:
            self._touch(before)
            before.later_id = kept.wave.id

    def _leave(self, kept: Kept) -> None:
        before, _ = self._neighbours(kept)
        if before is not None:
            self._touch(before)
            before.later_id = kept.later_id
        name = (kept.wave.wave.survey, kept.person_id)
        if kept.later_id is None:
            if before is not None:
                self._tails[name] = before
            else:
                self._tails.pop(name, None)
        kept.later_id = None

    def _neighbours(self, kept: Kept) -> tuple[Kept | None, Kept | None]:
        """The same person's answers just before and after, in the same survey."""
        survey = kept.wave.wave.survey
        self._take(_of_a_person(self._connection, person_id=kept.person_id, survey=survey))
        everything = self._chains[(survey, kept.person_id)]
        chain = [other for other in everything if other is not kept and other.band is not None]
        opens_at = kept.wave.wave.opens_at
        before = max((k for k in chain if k.wave.wave.opens_at < opens_at), key=_opens_at, default=None)
        after = min((k for k in chain if k.wave.wave.opens_at > opens_at), key=_opens_at, default=None)
        return before, after

    def _add(self, kept: Kept) -> Kept:
        self._kept[(kept.person_id, kept.wave.id)] = kept
        self._chains.setdefault((kept.wave.wave.survey, kept.person_id), []).append(kept)
        return kept

    def _take(self, rows: Iterable[Any]) -> None:
        for person_id, wave_id, later_id, channel, ask_id, via, low, high, ord, at, quotable in rows:
            if (person_id, wave_id) in self._kept:
                continue
            wave = self._wave_by_id(wave_id)
            band = _band(low, high) if low is not None else None
            kept = self._add(
                Kept(
                    person_id,
                    wave,
                    at,
                    later_id,
                    channel,
                    ask_id,
                    via,
                    band,
                    ord,
                    None if quotable is None else bool(quotable),
                )
            )
            if band is not None and later_id is None:
                self._tails[(wave.wave.survey, person_id)] = kept


def scores_of(connection: Connection, person_id: int) -> list[tuple[int, int, int]]:
    """(wave id, lowest, highest score) of all that a person answered."""
    its = select(_RESPONSE.c.wave_id, _RESPONSE.c.low, _RESPONSE.c.high)
    rows = connection.execute(its.where(_RESPONSE.c.person_id == person_id, _RESPONSE.c.low.is_not(None)))
    return [(wave_id, low, high) for wave_id, low, high in rows]


def _opens_at(kept: Kept) -> datetime:
    return kept.wave.wave.opens_at
