"""What is kept of one person, for the person."""

from __future__ import annotations

from sqlalchemy import Connection

from core.dialogue import KnownWeek
from core.store.comments import comments_of
from core.store.directory import Directory
from core.store.responses import scores_of


def known_of(connection: Connection, directory: Directory, person_id: int) -> tuple[KnownWeek, ...]:
    """All their answers and comments, week by week, the oldest first."""
    wrote: dict[int, list[str]] = {}
    for wave_id, text in comments_of(connection, person_id):
        wrote.setdefault(wave_id, []).append(text)
    scores = {wave_id: (low, high) for wave_id, low, high in scores_of(connection, person_id)}
    keys = {id: directory.wave_by_id(connection, id).wave.key for id in {*wrote, *scores}}
    return tuple(
        KnownWeek(keys[id], scores.get(id), tuple(wrote.get(id, ()))) for id in sorted(keys, key=keys.__getitem__)
    )
