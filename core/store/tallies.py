"""Reading the numbers: tallies of waves and windows from the roll-up, open totals from the polls' counts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, and_, bindparam, exists, func, literal, select

from core.ballot import ballot_of
from core.models import Ask, Count, Outbox, Ref, Rollup, WaveRow
from core.nps import Band, Tally, tally
from core.store.statements import table

_ASK = table(Ask)
_COUNT = table(Count)
_OUTBOX = table(Outbox)
_REF = table(Ref)
_ROLLUP = table(Rollup)
_WAVE = table(WaveRow)


def asked_waves(connection: Connection, survey: str, scale: str, keys: Sequence[str] | None = None) -> dict[str, int]:
    """Row ids of the waves in which a survey asked on this scale, by key, oldest first; of ``keys`` only, if given.

    A wave on another scale is another survey's as far as numbers go: the two are never compared nor pooled.
    """
    asked = exists().where(_OUTBOX.c.wave_id == _WAVE.c.id)
    query = select(_WAVE.c.key, _WAVE.c.id).where(_WAVE.c.survey == survey, _WAVE.c.scale == scale, asked)
    if keys is not None:
        query = query.where(_WAVE.c.key.in_(list(keys)))
    return dict(connection.execute(query.order_by(_WAVE.c.opens_at)).all())


def asked_otherwise(connection: Connection, survey: str, scale: str, keys: Sequence[str]) -> bool:
    """Whether a survey asked on another scale in one of these weeks."""
    asked = exists().where(_OUTBOX.c.wave_id == _WAVE.c.id)
    query = select(_WAVE.c.id).where(
        _WAVE.c.survey == survey, _WAVE.c.scale != scale, _WAVE.c.key.in_(list(keys)), asked
    )
    return connection.execute(query.limit(1)).first() is not None


def window(connection: Connection, ids: Sequence[int]) -> dict[str, Tally]:
    """The named tally of several waves, by channel, each person once with the latest answer among them.

    ``ids`` are the window's waves in order of time, without gaps among the survey's waves up to the last one: a
    response counts when the same person's next answer lies outside of them.
    """
    query = (
        select(_ROLLUP.c.channel, _ROLLUP.c.low, _ROLLUP.c.high, func.sum(_ROLLUP.c.n))
        .where(
            _ROLLUP.c.wave_id.in_(list(ids)),
            _ROLLUP.c.later_id.not_in(list(ids)),
        )
        .group_by(_ROLLUP.c.channel, _ROLLUP.c.low, _ROLLUP.c.high)
        .having(func.sum(_ROLLUP.c.n) > 0)
    )
    return _by_channel(connection.execute(query))


def open_totals(connection: Connection, wave_id: int) -> dict[str, Tally]:
    """The open tally of one wave, by channel: totals of the polls that name nobody."""
    rows = connection.execute(
        select(_ASK.c.channel, _ASK.c.ballot, _COUNT.c.totals)
        .join_from(_ASK, _REF, _REF.c.ask_id == _ASK.c.id)
        .join(_COUNT, and_(_COUNT.c.account == _REF.c.account, _COUNT.c.ref == _REF.c.ref))
        .where(_ASK.c.wave_id == wave_id, _ASK.c.named.is_(False))
    )
    found: dict[str, Tally] = defaultdict(Tally)
    for channel, ballot, totals in rows:
        bands = ballot_of(ballot).bands
        found[channel] += tally(zip(bands, json.loads(totals), strict=True))
    return dict(found)


def ballots(connection: Connection, ids: Sequence[int], *, named: bool) -> dict[str, frozenset[str]]:
    """What each channel showed in several waves, in polls that name nobody or else everywhere."""
    query = (
        select(_ASK.c.channel, _ASK.c.ballot).where(_ASK.c.wave_id.in_(list(ids)), _ASK.c.named.is_(named)).distinct()
    )
    found: dict[str, set[str]] = defaultdict(set)
    for channel, ballot in connection.execute(query):
        found[channel].add(ballot)
    return {channel: frozenset(its) for channel, its in found.items()}


def asked_channels(connection: Connection, ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The channels that asked in each of several waves, in public or by invitation.

    An index is leapt through from channel to channel, for a wave may have invited a hundred thousand people by each.
    Source: https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    found: dict[int, set[str]] = {id: set() for id in ids}
    for wave_id, channel in connection.execute(_ASKED_CHANNELS, {"ids": list(ids)}):
        found[wave_id].add(channel)
    return {wave_id: frozenset(its) for wave_id, its in found.items()}


def _leaping() -> Select[int, str]:
    """Each wave with its first channel, then each with the next one, until there is none."""

    def first(wave_id: ColumnElement[int], after: ColumnElement[str]) -> ScalarSelect[str]:
        its = select(func.min(_OUTBOX.c.channel)).where(_OUTBOX.c.wave_id == wave_id, _OUTBOX.c.channel > after)
        return its.scalar_subquery()

    waves = select(_WAVE.c.id.label("wave_id"), first(_WAVE.c.id, literal("")).label("channel"))
    found = waves.where(_WAVE.c.id.in_(bindparam("ids", expanding=True))).cte("found", recursive=True)
    after = select(found.c.wave_id, first(found.c.wave_id, found.c.channel)).where(found.c.channel.is_not(None))
    found = found.union_all(after)
    return select(found.c.wave_id, found.c.channel).where(found.c.channel.is_not(None))


_ASKED_CHANNELS = _leaping()


def total(tallies: Iterable[Tally]) -> Tally:
    """Tallies of one kind, added."""
    return sum(tallies, Tally())


def open_channels(connection: Connection, survey: str) -> set[str]:
    """Names of the channels of a survey whose polls name nobody."""
    query = (
        select(_ASK.c.channel)
        .join(_WAVE, _WAVE.c.id == _ASK.c.wave_id)
        .where(_WAVE.c.survey == survey, _ASK.c.named.is_(False))
        .distinct()
    )
    return set(connection.execute(query).scalars())


def _by_channel(rows: Iterable[tuple[str, int, int, int]]) -> dict[str, Tally]:
    found: dict[str, list[tuple[Band, int]]] = defaultdict(list)
    for channel, low, high, n in rows:
        found[channel].append((Band(low, high), n))
    return {channel: tally(bands) for channel, bands in found.items()}
