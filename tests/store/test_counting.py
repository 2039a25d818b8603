"""The counting rule, against a few lines of dictionaries that know nothing of tables, batches and chains."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.events import Event, Reply, Via, Votes
from core.nps import Tally, tally
from core.store import tallies
from core.survey import FREEZE
from tests.store.stage import ACCOUNT, BALLOT, NOW, WAVES, Stage, poll_ref, wave_ids

PEOPLE = ("ann", "bob")
POLLS = ("group", "forum")
BUTTONS = {"lobby": "-1004", "chat": "-1005"}

Standing = tuple[str, str, str, int]
"""Via, channel, ref of the poll, score."""


@dataclass
class Model:
    """What should stand: by person and wave."""

    standing: dict[tuple[str, int], Standing | None] = field(default_factory=dict)
    on_platform: dict[str, dict[str, int]] = field(default_factory=dict)
    """What each poll shows, by ref and person, whether or not we heard of it."""

    def scored(self, person: str, wave: int, standing: Standing) -> None:
        self.standing[(person, wave)] = standing

    def withdrew(self, person: str, wave: int, ref: str, option: int | None) -> None:
        now = self.standing.get((person, wave))
        if now is not None and now[0] == "vote" and now[2] == ref and option in (None, now[3]):
            self.standing[(person, wave)] = None

    def listed(self, channel: str, wave: int, votes: dict[str, int]) -> None:
        ref = poll_ref(channel, wave)
        for person in PEOPLE:
            now = self.standing.get((person, wave))
            of_this_poll = now is not None and now[0] == "vote" and now[2] == ref
            if person in votes and (now is None or of_this_poll):
                self.standing[(person, wave)] = ("vote", channel, ref, votes[person])
            elif person not in votes and of_this_poll:
                self.standing[(person, wave)] = None

    def tallies(self, first: int, last: int) -> dict[str, Tally]:
        """By channel: each person once, with the latest answer in the window."""
        scores: dict[str, list[int]] = {}
        for person in PEOPLE:
            latest = [now for wave in range(first, last + 1) if (now := self.standing.get((person, wave)))][-1:]
            for _, channel, _, score in latest:
                scores.setdefault(channel, []).append(score)
        return {channel: tally((BALLOT.bands[score], 1) for score in its) for channel, its in scores.items()}


class Story:
    """Draws what people do and writes down both the events and what the model says of them."""

    def __init__(self, stage: Stage, draw: Any) -> None:
        self.stage, self.draw = stage, draw
        self.model = Model()
        self.events: list[Event] = []
        self.order = 0

    def tell(self) -> None:
        polls = (self.votes, self.votes, self.changes, self.retracts, self.votes_unheard, self.is_listed)
        acts = (*polls, self.types, self.answers, self.taps, self.taps_own, self.forges, self.comes_again)
        for _ in range(self.draw(st.integers(1, 25))):
            act = self.draw(st.sampled_from(acts))
            act()

    # each act is one thing that a person or the platform does

    def votes(self) -> None:
        person, channel, wave, score = self.who(), self.poll(), self.week(), self.score()
        at, counts = self.moment(wave)
        self.events.append(self.stage.vote(self.next(), person, poll_ref(channel, wave), score, at=at))
        if counts:
            self.model.on_platform.setdefault(poll_ref(channel, wave), {})[person] = score
            self.model.scored(person, wave, ("vote", channel, poll_ref(channel, wave), score))

    def changes(self) -> None:
        """As Discord tells it: the old one goes and the new one comes, in either order."""
        person, channel, wave, old, new = self.who(), self.poll(), self.week(), self.score(), self.score()
        at, counts = self.moment(wave)
        ref = poll_ref(channel, wave)
        gone_first = self.draw(st.booleans()) or old == new
        for gives in (False, True) if gone_first else (True, False):
            option = new if gives else old
            self.events.append(self.stage.vote(self.next(), person, ref, option, at=at, withdrawn=not gives))
            if counts and gives:
                self.model.scored(person, wave, ("vote", channel, ref, new))
                self.model.on_platform.setdefault(ref, {})[person] = new
            elif counts:
                self.model.withdrew(person, wave, ref, old)

    def retracts(self) -> None:
        person, channel, wave = self.who(), self.poll(), self.week()
        option = self.draw(st.none() | st.integers(0, 10))
        at, counts = self.moment(wave)
        ref = poll_ref(channel, wave)
        self.events.append(self.stage.vote(self.next(), person, ref, option, at=at, withdrawn=True))
        if counts:
            self.model.withdrew(person, wave, ref, option)
            if option in (None, self.model.on_platform.get(ref, {}).get(person)):
                self.model.on_platform.get(ref, {}).pop(person, None)

    def types(self) -> None:
        person, wave, score = self.who(), self.week(), self.score()
        at = self.draw(st.datetimes(*(m.replace(tzinfo=None) for m in (WAVES[wave].opens_at, WAVES[wave].closes_at))))
        at = min(at.replace(tzinfo=NOW.tzinfo), WAVES[wave].closes_at - timedelta(microseconds=1))
        self.events.append(self.stage.typed(self.next(), person, str(score), at=at))
        self.model.scored(person, wave, ("text", "dm", "", score))

    def answers(self) -> None:
        """Types in answer to the invitation of a wave, whenever."""
        person, wave, score = self.who(), self.week(), self.score()
        at, counts = self.moment(wave)
        self.events.append(self.stage.typed(self.next(), person, str(score), at=at, ref=f"invitation:{wave}"))
        if counts:
            self.model.scored(person, wave, ("text", "dm", "", score))

    def taps(self) -> None:
        person, wave, score = self.who(), self.week(), self.score()
        channel = self.draw(st.sampled_from(sorted(BUTTONS)))
        at, counts = self.moment(wave)
        token = self.stage.score_token(score, wave)
        ref = self.draw(st.none() | st.just(poll_ref(channel, wave)))
        self.events.append(self.stage.tap(self.next(), person, token, BUTTONS[channel], at=at, ref=ref))
        if counts:
            self.model.scored(person, wave, ("tap", channel, "", score))

    def taps_own(self) -> None:
        person, wave, score = self.who(), self.week(), self.score()
        at, counts = self.moment(wave)
        self.events.append(
            self.stage.tap(self.next(), person, self.stage.score_token(score, wave, invited=person), at=at)
        )
        if counts:
            self.model.scored(person, wave, ("tap", "dm", "", score))

    def forges(self) -> None:
        """Somebody else's button, and one that never was."""
        token = self.stage.score_token(10, 0, invited="carol")
        self.events.append(
            self.stage.tap(self.next(), self.who(), self.draw(st.sampled_from((token, token[:-1] + "*"))))
        )

    def votes_unheard(self) -> None:
        """We were away."""
        channel, wave = self.poll(), self.week()
        self.model.on_platform.setdefault(poll_ref(channel, wave), {})[self.who()] = self.score()

    def is_listed(self) -> None:
        channel, wave = self.poll(), self.week()
        votes = dict(self.model.on_platform.get(poll_ref(channel, wave), {}))
        self.events.append(Votes(ref=poll_ref(channel, wave), votes=tuple(votes.items()), as_of=NOW, order=self.next()))
        self.model.listed(channel, wave, votes)

    def comes_again(self) -> None:
        """The platform delivers something twice."""
        told = [event for event in self.events if isinstance(event, Reply)]
        if told:
            self.events.append(self.draw(st.sampled_from(told)))

    def next(self) -> int:
        self.order += 1
        return self.order

    def who(self) -> str:
        return str(self.draw(st.sampled_from(PEOPLE)))

    def poll(self) -> str:
        return str(self.draw(st.sampled_from(POLLS)))

    def week(self) -> int:
        return int(self.draw(st.integers(0, len(WAVES) - 1)))

    def score(self) -> int:
        return int(self.draw(st.sampled_from((10, 8, 3)) | st.integers(0, 10)))

    def moment(self, wave: int) -> tuple[datetime, bool]:
        """When, and whether it still counts."""
        freezes = WAVES[wave].closes_at + FREEZE
        early = st.sampled_from((WAVES[wave].opens_at, WAVES[wave].closes_at, freezes - timedelta(microseconds=1)))
        late = st.sampled_from((freezes, freezes + timedelta(days=9)))
        at = self.draw(early | early | late)
        return at, at < freezes


def post_everything(stage: Stage) -> None:
    for wave, known in enumerate(map(stage.wave, WAVES)):
        for channel in (*POLLS, *BUTTONS):
            stage.post(channel, wave)
        with stage.database.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO ref (account, ref, wave_id, channel) VALUES (:account, :ref, :wave, 'dm')"),
                {"account": ACCOUNT, "ref": f"invitation:{wave}", "wave": known.id},
            )


def cut(draw: Any, things: list[Any]) -> list[list[Any]]:
    """The things in arbitrary runs."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=len(things), max_size=len(things)))
    ends = [0, *accumulate(sizes)]
    return [run for start, end in pairwise(ends) if (run := things[start:end])]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_what_stands_is_the_latest_of_each_person_and_wave(stage: Stage, data: st.DataObject) -> None:
    stage.clear()
    post_everything(stage)
    story = Story(stage, data.draw)
    story.tell()
    for commit in cut(data.draw, cut(data.draw, story.events)):
        stage.commit(commit)
    model = story.model
    keys = [wave.key for wave in WAVES]

    assert stage.responses() == {
        (person, keys[wave]): (score, score, channel, via)
        for (person, wave), standing in model.standing.items()
        if standing is not None
        for via, channel, _, score in [standing]
    }
    with stage.database.reading() as connection:
        ids = wave_ids(connection, keys)
        for first in range(len(keys)):
            for last in range(first, len(keys)):
                window = tallies.window(connection, [ids[key] for key in keys[first : last + 1]])
                assert window == model.tallies(first, last)
        rolled = connection.execute(text("SELECT channel, wave_id, low, sum(n) FROM rollup GROUP BY 1, 2, 3")).all()
        plain = connection.execute(
            text("SELECT channel, wave_id, low, count(*) FROM response WHERE low IS NOT NULL GROUP BY 1, 2, 3")
        ).all()
    assert {tuple(row) for row in rolled if row[3]} == {tuple(row) for row in plain}
    assert all(row[3] >= 0 for row in rolled)
    assert sum(row[3] for row in rolled) == len(stage.responses())


def test_a_retraction_takes_the_vote_back_and_revives_nothing(stage: Stage) -> None:
    stage.post("group", 0)
    ref, key = poll_ref("group", 0), ("ann", WAVES[0].key)
    stage.deliver(stage.typed(1, "ann", "3"), stage.vote(2, "ann", ref, 9))
    assert stage.responses()[key] == (9, 9, "group", "vote")
    stage.deliver(stage.vote(3, "ann", ref, None, withdrawn=True))
    assert stage.responses() == {}
    stage.deliver(stage.typed(4, "ann", "7"))
    assert stage.responses()[key] == (7, 7, "dm", "text")
    stage.deliver(stage.vote(5, "ann", ref, None, withdrawn=True))
    assert stage.responses()[key] == (7, 7, "dm", "text")


def test_retracting_the_answer_in_the_middle_joins_its_neighbours(stage: Stage) -> None:
    stage.post("group", 1)
    in_wave = [wave.opens_at for wave in WAVES]
    stage.deliver(
        stage.typed(1, "ann", "9", at=in_wave[0]),
        stage.vote(2, "ann", poll_ref("group", 1), 7, at=in_wave[1]),
        stage.typed(3, "ann", "0", at=in_wave[2]),
    )
    stage.deliver(stage.vote(4, "ann", poll_ref("group", 1), None, at=in_wave[1], withdrawn=True))
    with stage.database.reading() as connection:
        found = wave_ids(connection, [wave.key for wave in WAVES])
        ids = [found[wave.key] for wave in WAVES[:3]]
        assert tallies.window(connection, ids[:2]) == {"dm": Tally(1, 0, 0)}
        assert tallies.window(connection, ids) == {"dm": Tally(0, 0, 1)}


def test_an_answer_of_lower_order_does_not_replace_a_later_one(stage: Stage) -> None:
    stage.deliver(stage.typed(5, "ann", "9"))
    stage.deliver(stage.typed(4, "ann", "2"))
    assert [low for low, *_ in stage.responses().values()] == [9]
    assert [row["outcome"] for row in stage.rows("reply")] == ["older", "counted"]


def test_a_typed_number_after_midnight_belongs_to_the_next_wave(stage: Stage) -> None:
    closes_at = WAVES[0].closes_at
    stage.deliver(stage.typed(1, "ann", "1", at=closes_at - timedelta(microseconds=1)))
    stage.deliver(stage.typed(2, "ann", "2", at=closes_at))
    assert {wave: low for (_, wave), (low, *_) in stage.responses().items()} == {WAVES[0].key: 1, WAVES[1].key: 2}


def test_responses_are_told_apart_by_how_they_came(stage: Stage) -> None:
    stage.post("lobby", 0)
    stage.deliver(stage.tap(1, "ann", stage.score_token(9), "-1004", ref=poll_ref("lobby", 0)))
    stage.deliver(stage.tap(2, "bob", stage.score_token(8), "-1005"))
    assert {row["via"] for row in stage.rows("response")} == {str(Via.TAP)}
    assert [row["channel"] for row in stage.rows("response")] == ["lobby", "chat"]
