"""The world of followers: who acts, when, and that the ledger is what really happened. Time jumps; nobody waits."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import pytest

from sandbox.ledger import Act
from sandbox.speech import PLAIN, phrases
from sandbox.weeks import week_at
from sandbox.world import ChannelPlan, World
from tests.sandbox.stage import CHANNELS, OPENS_AT, WEEK, MemoryStage, lived

WEEKS = ("2026-W47", "2026-W48", "2026-W49")
OPEN = {"tg-channel", "x-poll"}


@pytest.mark.parametrize(("followers", "seed"), [(50, 1), (50, 2), (60, 3), (400, 11)])
async def test_every_way_of_asking_is_used_and_answered_each_week(followers: int, seed: int) -> None:
    world = await lived(followers=followers, seed=seed)
    ledger = world.ledger
    assert {(a.channel, a.week) for a in ledger.asks()} == {
        (c.name, week) for c in CHANNELS if c.kind != "direct" for week in WEEKS
    }
    assert all(a.n == 1 for a in ledger.asks())
    invitations = {(a.channel, a.week): a.n for a in ledger.invitations()}
    for week in WEEKS:
        truth = ledger.truth("s", week)
        for channel in CHANNELS:
            side = truth.open if channel.name in OPEN else truth.named
            assert side[channel.name].n >= 2, (week, channel.name)
            if channel.kind == "direct":
                assert invitations[channel.name, week] >= 5
        assert truth.named["all"].n == sum(c.n for name, c in truth.named.items() if name != "all")
    assert ledger.doubled == ledger.unwelcome == []
    assert ledger.faults == []


async def test_all_temperaments_show_in_a_larger_crowd() -> None:
    stage = MemoryStage()
    world = await lived(stage, followers=1500)
    kinds = Counter(act.kind for act in world.ledger.acts)
    assert set(kinds) == {
        *("vote", "retract", "tap", "text", "comment"),
        *("stop", "block", "start", "greeting", "ask_me"),
    }
    direct = [act for act in world.ledger.acts if act.channel in ("tg-direct", "dc-direct")]
    assert {"tap", "text"} <= {act.kind for act in direct}
    assert any(seen.what.startswith("fill") for seen in stage.stream)
    silent = sum(len(p) for p in world.people.values()) - len({(a.account, a.person) for a in world.ledger.acts})
    assert silent > 200
    answers = world.ledger.answers("s", WEEKS[1])
    channels = {(a.account, a.person): a.channel for a in world.ledger.acts if a.week == WEEKS[1] and a.low is not None}
    first = {(a.account, a.person): a.channel for a in reversed(world.ledger.acts) if a.week == WEEKS[1] and not a.open}
    moved = [who for who, act in answers.items() if first[who] != act.channel]
    assert len(moved) > 20
    assert channels.keys() >= answers.keys()


async def test_the_ledger_is_the_stream_in_its_order() -> None:
    stage = MemoryStage(slowness=5)
    world = await lived(stage, followers=300)
    acts = world.ledger.acts
    assert [act.seq for act in acts] == list(range(len(acts)))
    assert [(act.platform, act.person) for act in acts] == [(seen.platform, seen.person) for seen in stage.stream]
    assert all(first.at <= second.at for first, second in pairwise(acts))
    assert all(act.accepted is not None for act in acts)


async def test_few_acts_at_once_and_one_person_never_two() -> None:
    stage = MemoryStage(takes=timedelta(hours=2), weeks=1)
    world = await lived(stage, followers=2000, seed=3)
    assert stage.most_in_flight == 64
    assert stage.overlaps == []
    assert len(world.ledger.acts) > 1000


def decisions(
    world: World, kinds: Iterable[str] = ("vote", "tap", "text", "stop", "block")
) -> list[tuple[object, ...]]:
    """What was decided, without when; those who vote with the crowd depend on it by nature."""
    crowd = {(p.account, p.id) for people in world.people.values() for p in people if p.temperament.follows}
    return sorted(
        (a.week, a.account, a.person, a.channel, a.kind, -1 if a.low is None else a.low)
        for a in world.ledger.acts
        if a.kind in kinds and (a.account, a.person) not in crowd
    )


async def test_a_seed_makes_it_repeatable() -> None:
    first, second, other = [await lived(followers=300, seed=seed) for seed in (5, 5, 6)]

    def told(world: World) -> list[tuple[object, ...]]:
        return [(a.at, a.account, a.person, a.channel, a.kind, a.low, a.text, a.accepted) for a in world.ledger.acts]

    assert told(first) == told(second)
    assert decisions(first) != decisions(other)


async def test_decisions_do_not_hang_on_when_the_bot_asks() -> None:
    early = await lived(MemoryStage(delay=timedelta(minutes=1)), followers=300)
    late = await lived(MemoryStage(delay=timedelta(hours=20), slowness=9), followers=300)
    assert decisions(early) == decisions(late)


def settled(acts: Iterable[Act]) -> list[Act]:
    return [act for act in acts if act.kind not in ("start", "greeting")]


async def test_nobody_acts_in_the_last_part_of_a_week() -> None:
    world = await lived(followers=600)
    latest = [max(a.at for a in world.ledger.acts if week_at(a.at, "UTC").key == week) for week in WEEKS]
    for number, at in enumerate(latest):
        closes_at = OPENS_AT + (number + 1) * WEEK
        assert timedelta(hours=20) <= closes_at - at < timedelta(hours=40)
    early = [a.at for a in world.ledger.acts if a.low is not None and OPENS_AT <= a.at < OPENS_AT + WEEK]
    assert sum(at < OPENS_AT + WEEK / 3 for at in early) > len(early) / 2


async def test_a_machine_that_is_too_slow_loses_acts_rather_than_doing_them_late() -> None:
    stage = MemoryStage()
    asleep_from, asleep_to = OPENS_AT + WEEK * 0.3, OPENS_AT + WEEK * 0.9
    stage.at(asleep_from, lambda: stage.clocks.skip((asleep_to - asleep_from).total_seconds()))
    world = await lived(stage, followers=300)
    assert not [a for a in settled(world.ledger.acts) if asleep_from < a.at < OPENS_AT + WEEK]
    assert world.ledger.truth("s", WEEKS[0]).named["all"].n > 20
    assert world.ledger.truth("s", WEEKS[1]).named["all"].n > 100


async def test_a_question_asked_too_late_gets_no_answers() -> None:
    world = await lived(MemoryStage(delay=WEEK * 0.9, weeks=1), followers=100)
    assert settled(world.ledger.acts) == []
    assert world.ledger.truth("s", WEEKS[0]).named["tg-group"].n == 0


async def test_answers_under_the_question_of_the_week_before_do_not_count() -> None:
    world = await lived(followers=3000)
    old = [a for a in world.ledger.acts if a.frozen]
    assert {a.channel for a in old} >= {"tg-buttons", "dc-buttons", "x-replies"}
    for act in old:
        assert act.post is not None
        assert act.accepted
        closes_at = week_at(act.post.at, "UTC").closes_at
        assert closes_at + timedelta(hours=24) <= act.at
        assert act not in world.ledger.answers("s", act.week).values()


async def test_those_who_said_stop_or_blocked_write_no_more() -> None:
    world = await lived(followers=3000, seed=4)
    for kind in ("stop", "block"):
        left = {(a.account, a.person): a.seq for a in world.ledger.acts if a.kind == kind}
        assert len(left) >= 3
        after = [a for a in world.ledger.acts if a.seq > left.get((a.account, a.person), a.seq)]
        assert not [a for a in after if a.direct or kind == "block"]
    assert world.ledger.unwelcome == []


async def test_a_bot_that_does_not_heed_stop_is_noticed() -> None:
    world = await lived(MemoryStage(heeds_stop=False), followers=3000, seed=4)
    stopped = {(a.account, a.person) for a in world.ledger.acts if a.kind == "stop" and a.week != WEEKS[-1]}
    assert len(stopped) > 2
    assert {(post.account, post.to) for post in world.ledger.unwelcome} == stopped


async def test_small_worlds_show_whether_a_stop_is_heeded() -> None:
    world = await lived(followers=50)
    assert {act.account for act in world.ledger.acts if act.kind == "stop"} == {"tg", "dc", "bird"}


async def test_what_people_write_besides_scores_holds_no_number_and_no_stop() -> None:
    world = await lived(followers=1000)
    written = {a.text for a in world.ledger.acts if a.kind in ("comment", "greeting")}
    assert len(written) > 8
    its = [phrases()[each] for each in PLAIN.languages]
    every = {text for each in its for text in (*each.comments, *each.complaints, *each.thanks, *each.greetings)}
    assert written <= every
    assert not [
        text
        for text in every
        if re.search(r"\d|\b(stop|cancel|end|quit|para|baja|halt|arr[eê]t|one|two)\b", text, re.I)
    ]
    digits = {a.text for a in world.ledger.acts if a.kind == "text"}
    assert digits == {str(score) for score in range(11)}


async def test_comments_answer_a_question_and_come_once_a_week() -> None:
    world = await lived(followers=1000)
    comments = [a for a in world.ledger.acts if a.kind == "comment"]
    turns = Counter((a.account, a.person, week_at(a.at, "UTC").key) for a in comments)
    assert set(turns.values()) == {1}
    for comment in comments:
        before = [
            a for a in world.ledger.acts[: comment.seq] if (a.account, a.person) == (comment.account, comment.person)
        ]
        assert any(a.kind in ("tap", "text") for a in before)


async def test_a_survey_from_one_to_ten_gets_no_zero() -> None:
    world = await lived(MemoryStage(scores=range(1, 11)), followers=500, scale={"s": "1-10"})
    scores = {a.low for a in world.ledger.acts if a.low is not None}
    assert scores == set(range(1, 11))
    assert world.ledger.faults == []


async def test_a_score_that_a_ballot_lacks_is_a_fault_and_no_act() -> None:
    world = await lived(MemoryStage(scores=range(1, 11), weeks=1), followers=300, scale="0-10")
    assert any("no option for 0" in fault for fault in world.ledger.faults)
    assert any("no button for 0" in fault for fault in world.ledger.faults)
    zeros = [a for a in world.ledger.acts if a.low == 0]
    assert {a.kind for a in zeros} <= {"text"}


async def test_a_tap_that_fails_is_tried_again_and_counts_once_it_works() -> None:
    failures: Counter[str] = Counter()

    def works(person: str) -> bool:
        failures[person] += 1
        return failures[person] > 2

    stage = MemoryStage(tap_works=works, weeks=1)
    world = await lived(stage, followers=60)
    taps = [a for a in world.ledger.acts if a.kind == "tap"]
    assert {a.accepted for a in taps} == {True, False}
    answered = world.ledger.answers("s", WEEKS[0])
    assert {(a.account, a.person) for a in taps} <= answered.keys()

    never = await lived(MemoryStage(tap_works=lambda _: False, weeks=1), followers=60)
    tries = Counter((a.person, a.post.id if a.post else "") for a in never.ledger.acts if a.kind == "ask_me")
    assert set(tries.values()) == {3}
    assert never.ledger.truth("s", WEEKS[0]).named["dc-buttons"].n == 0
    given_up = [fault for fault in never.ledger.faults if "tapped three times and was not answered" in fault]
    assert len(given_up) == len(never.ledger.faults) >= len(tries)
    assert world.ledger.faults == []


async def test_votes_on_x_stay_and_nobody_votes_twice_for_the_same() -> None:
    world = await lived(followers=1500)
    on_x = Counter((a.person, a.week) for a in world.ledger.acts if a.channel == "x-poll")
    assert set(on_x.values()) == {1}
    standing: dict[tuple[str, str, str], int | None] = {}
    for act in world.ledger.acts:
        if act.post is not None and act.post.options:
            key = (act.account, act.post.id, act.person)
            assert standing.get(key) != act.low
            standing[key] = act.low
            assert act.accepted


async def test_open_votes_are_what_the_platform_shows() -> None:
    stage = MemoryStage()
    world = await lived(stage, followers=800)
    polls = [p for p in world.ledger.posts if p.options]
    for poll in polls:
        votes = Counter(stage.stand_ins[poll.platform].votes[poll.place, poll.id].values())
        if not poll.names_voters:
            channel = "x-poll" if poll.platform == "x" else "tg-channel"
            counted = world.ledger.truth("s", week_at(poll.at, "UTC").key).open[channel]
            assert counted.n == votes.total()
            assert counted.promoters == votes[9] + votes[10]
            assert counted.passives == votes[7] + votes[8]


async def test_the_crowd_draws_votes_where_they_show() -> None:
    world = await lived(followers=2000, seed=2)
    follows = {(p.account, p.id) for people in world.people.values() for p in people if p.temperament.follows}
    votes = [
        a for a in world.ledger.acts if a.kind == "vote" and (a.account, a.person) in follows and a.account != "bird"
    ]
    popular = Counter(a.low for a in votes).most_common(1)[0][1]
    assert popular > len(votes) / 3


async def test_direct_messages_stay_few_however_large_the_crowd() -> None:
    stage = MemoryStage()
    world = World(stage, CHANNELS, followers=20_000, seed=1, zone="UTC")
    direct = {account: sum(p.direct for p in people) for account, people in world.people.items()}
    assert direct == {"tg": 100, "dc": 120, "bird": 400}
    small = World(MemoryStage(), CHANNELS, followers=50, seed=1, zone="UTC")
    assert all(sum(p.direct for p in people) >= 5 for people in small.people.values())


async def test_two_accounts_of_a_platform_two_surveys_and_two_zones() -> None:
    stage = MemoryStage(weeks=2)
    far = "Pacific/Auckland"
    channels = tuple(
        ChannelPlan("far" if c.account == "tg" else "s", c.name, c.account, c.place, c.kind) for c in CHANNELS
    )
    stage.channels = channels
    world = await lived(stage, followers=200, zones={"far": far})
    # The bot asks shortly after Monday 00:00 UTC, which is Monday 13:00 in Auckland.
    week = world.ledger.week("far", OPENS_AT)
    assert week.closes_at == OPENS_AT + WEEK - timedelta(hours=13)
    for act in world.ledger.acts:
        if act.survey == "far" and act.low is not None and act.week == week.key and not act.frozen:
            assert act.at <= week.last_act_at
    assert world.ledger.truth("far", week.key).named["tg-buttons"].n > 2
    assert world.ledger.truth("s", WEEKS[0]).named["dc-buttons"].n > 2
    assert set(world.ledger.truth("far", week.key).named) == {"all", "tg-group", "tg-buttons", "tg-direct"}


async def test_an_error_of_a_stand_in_ends_the_world() -> None:
    stage = MemoryStage()

    def breaks(person: str) -> bool:
        raise ConnectionError(f"no way to {person}")

    stage.tap_works = breaks
    with pytest.raises(ConnectionError, match="no way to"):
        await lived(stage, followers=60)


async def test_quiet_waits_for_what_is_in_flight_and_due() -> None:
    stage = MemoryStage(weeks=1, takes=timedelta(hours=2))
    world = World(stage, CHANNELS, followers=100, seed=1, zone="UTC", wait=stage.pause)
    await world.quiet()  # nothing has begun
    seen: list[int] = []
    waiting: list[asyncio.Task[None]] = []

    async def hush() -> None:
        seen.append(len(stage.in_flight))
        await world.quiet()
        seen.append(len(stage.in_flight))

    stage.at(OPENS_AT + timedelta(hours=12), lambda: waiting.append(asyncio.ensure_future(hush())))
    await stage.play(world)
    await asyncio.wait_for(waiting[0], 10)
    before, after = seen
    assert before > 0
    assert after == 0


async def test_nothing_is_done_about_posts_that_ask_nothing() -> None:
    stage = MemoryStage(weeks=1, channels=())
    world = World(stage, CHANNELS, followers=60, seed=1, zone="UTC", wait=stage.pause)
    stage.at(OPENS_AT, lambda: stage.show("tg", "-99", "NPS 43, from 0 to 10"))
    stage.at(OPENS_AT, lambda: stage.show("dc", "12", "Welcome"))
    await stage.play(world)
    asked = [post for post in world.ledger.posts if post.place != "direct"]
    assert [post.text for post in asked] == ["NPS 43, from 0 to 10", "Welcome"]
    assert world.ledger.asks() == []
    assert {act.account for act in world.ledger.acts} == {"tg", "bird"}
