"""Which channels asked in a wave, found by leaps: the same as by looking at every row, on both databases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.message import text as words
from core.store import outbox, tallies
from core.store.database import Database
from core.store.outbox import Kind, Planned
from tests.store.stage import ACCOUNT, WAVES, Stage

WEEKS = range(len(WAVES))
SAID = st.lists(
    st.tuples(st.sampled_from([None, *WEEKS]), st.sampled_from(["", "a", "b", "dm", "Z", "\u00e9"])), max_size=40
)


@given(said=SAID, asked_of=st.sets(st.sampled_from(WEEKS)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_channels_that_asked_are_found(
    database: Database, said: list[tuple[int | None, str]], asked_of: set[int]
) -> None:
    stage = Stage(database)
    stage.clear()
    ids = [stage.wave(wave).id for wave in WAVES]
    expected: dict[int, set[str]] = defaultdict(set)
    things: list[Planned] = []
    for number, (week, channel) in enumerate(said):
        wave, key = None if week is None else ids[week], f"said:{number}"
        thing = Planned(key=key, account=ACCOUNT, kind=Kind.ASK, body=words("?"), place="-1001")
        things.append(replace(thing, wave_id=wave, channel=channel))
        if week is not None and channel:
            expected[ids[week]].add(channel)
    with database.engine.begin() as connection:
        outbox.plan(connection, things, stage.now)
        found = tallies.asked_channels(connection, [ids[week] for week in asked_of])
    assert found == {ids[week]: expected[ids[week]] for week in asked_of}
