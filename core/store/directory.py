"""Looking up waves and asks, inside the writer's transaction: rows that never change are remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from core.ballot import Ballot, ballot_of
from core.buttons import wave_code
from core.models import Ask, Ref, WaveRow
from core.store.statements import Upsert, stamp, table
from core.survey import Survey, Wave, freezes_at, week_wave

_WAVE = table(WaveRow)
_REF = table(Ref)
_ASK = table(Ask)

_add_waves = Upsert(WaveRow, ("survey", "key", "code", "scale", "opens_at", "closes_at"), key=("survey", "key"))


@dataclass(frozen=True, slots=True)
class KnownWave:
    """A wave as it stands in the database."""

    id: int
    code: str
    wave: Wave
    freezes_at: datetime


@dataclass(frozen=True, slots=True)
class KnownAsk:
    """A post of ours that replies can refer to: an ask; an invitation or an ask in doubt has no ``id``."""

    id: int | None
    wave: KnownWave
    channel: str
    ballot: Ballot | None


class Directory:
    """Waves and posts by their names. Used by the writer thread only."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Remember nothing: after a rollback, rows that were made in the transaction are no more."""
        self._by_id: dict[int, KnownWave] = {}
        self._by_code: dict[str, KnownWave] = {}
        self._by_key: dict[tuple[str, str], KnownWave] = {}
        self._latest: dict[str, KnownWave] = {}
        self._asks: dict[tuple[str, str], KnownAsk] = {}

    def wave_by_code(self, connection: Connection, code: str) -> KnownWave | None:
        """The wave that buttons call ``code``."""
        return self._by_code.get(code) or self._load(connection, _WAVE.c.code == code)

    def wave_by_id(self, connection: Connection, id: int) -> KnownWave:
        """The wave of a row."""
        found = self._by_id.get(id) or self._load(connection, _WAVE.c.id == id)
        if found is None:
            raise LookupError(f"no wave {id}")
        return found

    def wave(self, connection: Connection, survey: Survey, wave: Wave) -> KnownWave:
        """The row of a wave, made if it is new."""
        key = (wave.survey, wave.key)
        if key in self._by_key:
            return self._by_key[key]
        where = (_WAVE.c.survey == wave.survey) & (_WAVE.c.key == wave.key)
        found = self._load(connection, where)
        if found is None:
            written, code = stamp(connection), wave_code(wave.survey, wave.key)
            times = (written(wave.opens_at), written(wave.closes_at))
            _add_waves(connection, [(wave.survey, wave.key, code, str(survey.scale), *times)])
            found = self._load(connection, where)
        if found is None:
            raise LookupError(f"no wave {key}")
        return found

    def wave_at(self, connection: Connection, survey: Survey, moment: datetime) -> KnownWave:
        """The wave of a survey at a moment."""
        latest = self._latest.get(survey.name)
        if latest is None or moment not in latest.wave:
            latest = self._latest[survey.name] = self.wave(connection, survey, week_wave(survey, moment))
        return latest

    def asks(self, connection: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], KnownAsk]:
        """The posts that these (account, ref) name, as far as they are known."""
        wanted = set(wanted)
        missing = [pair for pair in wanted if pair not in self._asks]
        found = {pair: self._asks[pair] for pair in wanted if pair in self._asks}
        for account in {account for account, _ in missing}:
            refs = [ref for its, ref in missing if its == account]
            rows = connection.execute(
                select(_REF.c.ref, _REF.c.wave_id, _REF.c.channel, _ASK.c.id, _ASK.c.ballot)
                .join_from(_REF, _ASK, _REF.c.ask_id == _ASK.c.id, isouter=True)
                .where(_REF.c.account == account, _REF.c.ref.in_(refs))
            )
            for ref, wave_id, channel, ask_id, ballot in rows:
                known = KnownAsk(
                    id=ask_id,
                    wave=self.wave_by_id(connection, wave_id),
                    channel=channel,
                    ballot=ballot_of(ballot) if ballot else None,
                )
                found[(account, ref)] = known
                if ask_id is not None:
                    self._asks[(account, ref)] = known
        return found

    def _load(self, connection: Connection, where: object) -> KnownWave | None:
        row = connection.execute(select(_WAVE).where(where)).mappings().first()  # type: ignore[arg-type]
        if row is None:
            return None
        wave = Wave(row["survey"], row["key"], row["opens_at"], row["closes_at"])
        known = KnownWave(row["id"], row["code"], wave, freezes_at(wave))
        self._by_id[known.id] = self._by_code[known.code] = self._by_key[(wave.survey, wave.key)] = known
        return known
