"""Weeks of a brand under a virtual clock: people act, answers are lost, and the process dies at any step. Hypothesis
looks for an order of steps after which something is lost, said twice, or miscounted.

Whole weeks pass in milliseconds: the campaign (``tests/faults``) does the same over real wires and real processes.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import text

from core.envelope import placeholder_of
from core.survey import report_due, week_wave
from tests.simulation.desk import SURVEY, TEAMS, Desk, Mortal
from tests.simulation.town import Account, Fate

MONDAY = datetime(2026, 10, 19, 9, tzinfo=UTC)
"""The autumn's last summer-time week: it has 169 hours in Paris."""

PEOPLE = ("ada", "ben", "chloe", "dario")
NAMES = st.sampled_from(("open", "shut"))
SHORT = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""In memory: nobody pulls a plug here."""


class Weeks(RuleBasedStateMachine):
    """Steps of people, of the platforms, and of the service."""

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="vouch-weeks-", dir=SHORT)
        self.accounts = {
            name: Account(name, looks, lambda: self.now) for name, looks in (("open", True), ("shut", False))
        }
        self.stopped: dict[tuple[str, str], int] = {}

    @initialize()
    def opens(self) -> None:
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.database = Mortal(f"sqlite:///{self.folder.name}/vouch.db")
        await self.database.__aenter__()
        self.desk = Desk(self.database, self.accounts, lambda: self.now)
        await self.desk.begin()
        for account in self.accounts.values():
            for person in PEOPLE:
                account.joins(person)
        await self._a_round()

    # -- people --------------------------------------------------------------------------------------------------------

    @rule(name=NAMES, person=st.sampled_from(PEOPLE), option=st.none() | st.integers(0, 9), which=st.integers(0, 3))
    def votes(self, name: str, person: str, option: int | None, which: int) -> None:
        account = self.accounts[name]
        if polls := account.polls():
            account.votes(person, polls[which % len(polls)], option)

    @rule(name=NAMES, scores=st.lists(st.tuples(st.sampled_from(PEOPLE), st.integers(0, 10)), min_size=1, max_size=5))
    def write(self, name: str, scores: list[tuple[str, int]]) -> None:
        for person, score in scores:
            self.accounts[name].writes(person, str(score), week_wave(SURVEY, self.now).key, score)

    @rule(name=NAMES, person=st.sampled_from(PEOPLE[2:]))
    def says_stop(self, name: str, person: str) -> None:
        account = self.accounts[name]
        self.stopped.setdefault((name, person), len(account.stream))
        account.writes(person, "stop", "", None)

    # -- the platforms -------------------------------------------------------------------------------------------------

    @rule(name=NAMES, fate=st.sampled_from(list(Fate)))
    def something_will_happen(self, name: str, fate: Fate) -> None:
        self.accounts[name].fate = fate

    @rule(hours=st.sampled_from((1, 20, 60)))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.runner.run(self.desk.tick())

    # -- the service ---------------------------------------------------------------------------------------------------

    @rule(name=NAMES)
    def speaks(self, name: str) -> None:
        self.runner.run(self.desk.speak(name))

    @rule(name=NAMES, most=st.integers(1, 9), dies=st.sampled_from(("", "", "unkept", "unconfirmed")))
    def hears(self, name: str, most: int, dies: str) -> None:
        self.runner.run(self.desk.hear(name, most, dies))

    @rule()
    def works(self) -> None:
        self.runner.run(self._a_round())

    @rule()
    def dies(self) -> None:
        self.runner.run(self.desk.begin())

    @precondition(lambda self: self.desk.lives > 1)
    @rule(name=NAMES)
    def the_one_before_wakes(self, name: str) -> None:
        self.runner.run(self.desk.wake_the_one_before(name))

    # -- the end -------------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if hasattr(self, "desk"):
                self.runner.run(self._settle_and_judge())
        finally:
            self.runner.run(self.database.__aexit__())
            self.runner.close()
            self.folder.cleanup()

    async def _settle_and_judge(self) -> None:
        for account in self.accounts.values():
            account.fate = Fate.WELL
        await self._even()
        last = week_wave(SURVEY, self.now)
        self.now = max(report_due(last, team.report, team.zone) for team in TEAMS.values()) + timedelta(minutes=1)
        await self._even()
        self._nothing_is_lost()
        self._nothing_is_said_twice()
        self._nobody_is_written_to_after_a_stop()
        self._unknown_is_only_what_was_cut()
        self._reports_are_there(last.key)

    async def _even(self) -> None:
        for _ in range(3):
            await self._a_round()
            self.now += timedelta(minutes=2)

    async def _a_round(self) -> None:
        """Everything that the service does by itself, once."""
        await self.desk.tick()
        for name, account in self.accounts.items():
            await self.desk.speak(name)
            while account.confirmed < len(account.stream):
                await self.desk.hear(name, 50)

    def _nothing_is_lost(self) -> None:
        kept = {
            (row["account"], row["platform_id"], row["key"]): row["low"]
            for row in self._rows(
                "SELECT p.account, p.platform_id, w.key, r.low FROM response r JOIN person p ON p.id = r.person_id "
                "JOIN wave w ON w.id = r.wave_id WHERE r.low IS NOT NULL"
            )
        }
        true = {
            (name, person, wave): score
            for name, account in self.accounts.items()
            for (person, wave), score in account.truth().items()
        }
        assert kept == true
        rolled = Counter({row["key"]: row["n"] for row in self._rows(
            "SELECT w.key, sum(r.n) AS n FROM rollup r JOIN wave w ON w.id = r.wave_id GROUP BY w.key")})  # fmt: skip
        assert +rolled == Counter(wave for _, _, wave in kept)

    def _nothing_is_said_twice(self) -> None:
        for account in self.accounts.values():
            keys = Counter(one.key for one in account.said if not self._is_placeholder(one.key, one.body))
            assert not [key for key, n in keys.items() if n > 1]

    def _nobody_is_written_to_after_a_stop(self) -> None:
        for name, account in self.accounts.items():
            for key, person, confirmed in account.begun:
                stopped = self.stopped.get((name, person or ""))
                if stopped is not None and confirmed > stopped:
                    assert not key.startswith("invitation:")

    def _unknown_is_only_what_was_cut(self) -> None:
        rows = self._rows("SELECT key, account, state FROM outbox")
        unknown = {row["key"] for row in rows if row["state"] == "unknown"}
        assert unknown <= self.accounts["shut"].cut
        assert not [row for row in rows if row["state"] in ("claimed", "sending", "placed")]

    def _reports_are_there(self, last: str) -> None:
        asked = {row["key"] for row in self._rows(
            "SELECT DISTINCT w.key FROM outbox o JOIN wave w ON w.id = o.wave_id WHERE o.kind = 'ask'")}  # fmt: skip
        for account in self.accounts.values():
            posts = [one for one in account.said if one.key.startswith("report:") and one.key.endswith(":0")]
            there = [one.key for one in posts if not self._is_placeholder(one.key, one.body)]
            assert len(there) == len(set(there))
            assert {key.split(":")[2] for key in there} <= asked
            assert last not in asked or any(key.split(":")[2] == last for key in there)

    def _is_placeholder(self, key: str, body: object) -> bool:
        (row,) = self._rows("SELECT body FROM outbox WHERE key = :key", {"key": key})
        return body == placeholder_of(row["body"])

    def _rows(self, query: str, values: Mapping[str, object] | None = None) -> list[Mapping[str, Any]]:
        with self.database.reading() as connection:
            return list(connection.execute(text(query), values or {}).mappings())


Weeks.TestCase.settings = settings(
    max_examples=int(os.environ.get("VOUCH_TEST_EXAMPLES", "15")),
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestWeeks = Weeks.TestCase
