"""The ledger: the counting rule, told by examples and held by properties; what it calls an ask, and asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.ledger import Act, Count, Ledger, count
from sandbox.reading import ChannelPlan, Channels, Scores
from sandbox.seam import Post, PostButton
from sandbox.weeks import week_at

ZONE = "Europe/Berlin"
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
FIRST, SECOND = "2026-W47", "2026-W48"
POLL = ChannelPlan("s", "poll", "tg", "-1", "poll")
BROADCAST = ChannelPlan("s", "broadcast", "tg", "-2", "poll")
BUTTONS = ChannelPlan("s", "buttons", "tg", "-3", "buttons")
DIRECT = ChannelPlan("s", "direct", "tg", "direct", "direct")
REPLIES = ChannelPlan("s", "replies", "x", "timeline", "replies")
TWEET_POLL = ChannelPlan("s", "tweet", "x", "timeline", "poll")
PLANS = (POLL, BROADCAST, BUTTONS, DIRECT, REPLIES, TWEET_POLL)
SCORES = tuple(str(score) for score in range(11))
KEYS = tuple(PostButton(label, f"k:{label}") for label in SCORES)


def new_ledger() -> Ledger:
    return Ledger(Channels(PLANS, {"s": 0}), {"s": ZONE})


def post(
    channel: ChannelPlan, at: datetime, *, id: str = "1", to: str | None = None, text: str = "How likely?"
) -> Post:
    poll = channel.kind == "poll"
    return Post(
        platform="x" if channel.account == "x" else "telegram",
        account=channel.account,
        place=channel.place,
        to=to,
        id=id,
        text=text,
        at=at,
        options=SCORES if poll else (),
        names_voters=channel is POLL,
        buttons=KEYS if channel.kind in ("buttons", "direct") else (),
    )


@dataclass(frozen=True)
class Did:
    """One act of a made-up history."""

    person: str
    kind: str
    channel: ChannelPlan
    score: int
    week: int = 0
    hours: int = 10
    """After the week's question."""
    accepted: bool | None = True


def history(acts: Sequence[Did]) -> Ledger:
    ledger = new_ledger()
    posts = {(c.name, w): post(c, MONDAY + timedelta(weeks=w), id=f"{c.name}{w}") for c in PLANS for w in range(3)}
    for seen in posts.values():
        if seen.place != "direct":
            ledger.see(seen)
    for act in acts:
        asked = posts[act.channel.name, act.week]
        ledger.record(
            act.kind,
            act.channel,
            at=asked.at + timedelta(hours=act.hours),
            platform=asked.platform,
            person=act.person,
            post=None if act.kind == "text" and act.channel is DIRECT else asked,
            scores=None if act.kind == "retract" else Scores(act.score, act.score),
            accepted=act.accepted,
        )
    return ledger


WAYS = [("vote", POLL), ("retract", POLL), ("vote", BROADCAST), ("retract", BROADCAST), ("vote", TWEET_POLL)]
WAYS += [("tap", BUTTONS), ("tap", DIRECT), ("text", DIRECT), ("text", REPLIES)]


@st.composite
def dids(draw: st.DrawFn) -> Did:
    kind, channel = draw(st.sampled_from(WAYS))
    return Did(
        draw(st.sampled_from("abc")),
        kind,
        channel,
        draw(st.integers(0, 10)),
        week=draw(st.integers(0, 2)),
        # Typed alone it belongs to its own time, so it stays within its week here.
        hours=draw(st.sampled_from((1, 100) if (kind, channel) == ("text", DIRECT) else (1, 100, 150, 182, 183, 400))),
        accepted=draw(st.sampled_from((True, True, True, False, None))),
    )


histories = st.lists(dids(), max_size=25)


def counts(did: Did) -> bool:
    """MONDAY is 10:00 in Berlin, so the week closes 158 hours later and freezes 182 hours later."""
    return did.accepted is True and did.hours < 182


def present(acts: Sequence[Did]) -> Did | None:
    """One person's named answer of one week, told backwards: the rule a second time, in another shape."""
    if not acts:
        return None
    *earlier, last = acts
    if last.kind != "retract":
        return last
    before = present(earlier)
    return None if before is not None and before.kind == "vote" else before


def named(did: Did) -> bool:
    return did.channel not in (BROADCAST, TWEET_POLL)


def expected(acts: Sequence[Did], week: int) -> dict[tuple[str, str], Did]:
    people = {(did.channel.account, did.person) for did in acts}
    answers = {}
    for account, person in people:
        own = [d for d in acts if (d.channel.account, d.person, d.week) == (account, person, week)]
        answers[account, person] = present([d for d in own if counts(d) and named(d)])
    return {who: did for who, did in answers.items() if did is not None}


def tally(scores: Sequence[int]) -> Count:
    return Count(sum(s >= 9 for s in scores), sum(7 <= s <= 8 for s in scores), sum(s <= 6 for s in scores))


@given(histories)
def test_named_answers_are_the_last_ones_that_stand(acts: list[Did]) -> None:
    ledger = history(acts)
    for number, week in enumerate((FIRST, SECOND)):
        answers = expected(acts, number)
        truth = ledger.truth("s", week)
        assert truth.named["all"] == tally([did.score for did in answers.values()])
        for channel in PLANS:
            if channel not in (BROADCAST, TWEET_POLL):
                own = [did.score for did in answers.values() if did.channel is channel]
                assert truth.named.get(channel.name, Count()) == tally(own)


@given(histories)
def test_open_votes_are_counted_as_they_stand(acts: list[Did]) -> None:
    truth = history(acts).truth("s", FIRST)
    for channel in (BROADCAST, TWEET_POLL):
        standing: dict[str, int] = {}
        for did in acts:
            if did.channel is channel and did.week == 0 and counts(did):
                standing.pop(did.person, None)
                if did.kind == "vote":
                    standing[did.person] = did.score
        assert truth.open[channel.name] == tally(list(standing.values()))


@given(histories)
def test_all_is_the_sum_of_the_channels(acts: list[Did]) -> None:
    truth = history(acts).truth("s", FIRST)
    for side in (truth.named, truth.open):
        channels = [each for name, each in side.items() if name != "all"]
        total = side["all"]
        assert total.n == sum(each.n for each in channels)
        assert total.promoters == sum(each.promoters for each in channels)
        assert total.detractors == sum(each.detractors for each in channels)


@given(histories)
def test_what_was_refused_or_came_too_late_changes_nothing(acts: list[Did]) -> None:
    kept = [did for did in acts if counts(did)]
    for week in (FIRST, SECOND):
        assert history(acts).truth("s", week) == history(kept).truth("s", week)


@given(histories)
def test_only_the_order_of_each_persons_own_acts_matters(acts: list[Did]) -> None:
    by_person = sorted(acts, key=lambda did: did.person)
    assert history(acts).truth("s", FIRST) == history(by_person).truth("s", FIRST)


@given(histories)
def test_a_window_counts_each_person_once_with_the_latest_week(acts: list[Did]) -> None:
    ledger = history(acts)
    weeks = [expected(acts, number) for number in range(2)]
    assert ledger.window("s", [FIRST]) == ledger.truth("s", FIRST).named["all"]
    both = {**weeks[0], **weeks[1]}
    assert ledger.window("s", [SECOND, FIRST]) == tally([did.score for did in both.values()])
    assert ledger.window("s", [FIRST, FIRST, SECOND]).n == len(weeks[0].keys() | weeks[1].keys())


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_nps_rounds_half_away_from_zero(promoters: int, passives: int, detractors: int) -> None:
    counted = Count(promoters, passives, detractors)
    if counted.n == 0:
        assert counted.nps is None
        return
    exact = Fraction(100 * (promoters - detractors), counted.n)
    rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), ROUND_HALF_UP)
    assert counted.nps == int(rounded)


def test_nps_of_a_half_goes_away_from_zero_on_both_sides() -> None:
    assert Count(5, 3, 0).nps == 63  # 62.5
    assert Count(0, 3, 5).nps == -63


def test_a_vote_taken_back_does_not_bring_back_the_answer_before_it() -> None:
    acts = [Did("a", "tap", BUTTONS, 9), Did("a", "vote", POLL, 3), Did("a", "retract", POLL, 0)]
    assert history(acts).truth("s", FIRST).named["all"] == Count()


def test_taking_back_a_vote_that_is_no_longer_the_answer_changes_nothing() -> None:
    acts = [Did("a", "vote", POLL, 3), Did("a", "tap", BUTTONS, 9), Did("a", "retract", POLL, 0)]
    truth = history(acts).truth("s", FIRST)
    assert truth.named["buttons"] == truth.named["all"] == Count(promoters=1)
    assert truth.named["poll"] == Count()


def test_the_same_id_on_two_accounts_is_two_persons() -> None:
    acts = [Did("a", "tap", BUTTONS, 9), Did("a", "text", REPLIES, 2)]
    assert history(acts).truth("s", FIRST).named["all"] == Count(promoters=1, detractors=1)


def test_a_tap_under_last_weeks_question_counts_for_last_week_until_it_is_frozen() -> None:
    late = [Did("a", "tap", BUTTONS, 9, hours=181)]
    frozen = [Did("a", "tap", BUTTONS, 9, hours=182)]
    assert history(late).truth("s", FIRST).named["all"] == Count(promoters=1)
    for week in (FIRST, SECOND):
        assert history(frozen).truth("s", week).named["all"] == Count()


def test_an_unsettled_act_does_not_count_until_it_is_taken() -> None:
    ledger = history([Did("a", "tap", BUTTONS, 9, accepted=None)])
    assert ledger.truth("s", FIRST).named["all"].n == 0
    ledger.acts[0].accepted = True
    assert ledger.truth("s", FIRST).named["all"].n == 1


def test_a_channel_that_asked_is_listed_even_when_nobody_answered() -> None:
    truth = history([]).truth("s", FIRST)
    assert truth.named == {name: Count() for name in ("all", "poll", "buttons", "replies")}
    assert truth.open == {name: Count() for name in ("all", "broadcast", "tweet")}


@pytest.mark.parametrize(
    ("zone", "at", "key", "hours"),
    [
        ("Europe/Berlin", "2026-11-15T22:59:59+00:00", "2026-W46", 168),
        ("Europe/Berlin", "2026-11-15T23:00:00+00:00", "2026-W47", 168),
        ("America/New_York", "2026-11-16T04:59:59+00:00", "2026-W46", 168),
        ("Europe/Berlin", "2026-03-25T12:00:00+00:00", "2026-W13", 167),
        ("Europe/Berlin", "2026-10-25T12:00:00+00:00", "2026-W43", 169),
        ("Asia/Kathmandu", "2027-01-03T18:14:00+00:00", "2026-W53", 168),
        ("Asia/Kathmandu", "2027-01-03T18:15:00+00:00", "2027-W01", 168),
    ],
)
def test_weeks_follow_the_zone(zone: str, at: str, key: str, hours: int) -> None:
    week = week_at(datetime.fromisoformat(at), zone)
    assert week.key == key
    assert week.closes_at - week.opens_at == timedelta(hours=hours)
    assert week.opens_at <= datetime.fromisoformat(at) < week.closes_at
    assert week_at(week.closes_at, zone).before == week


def test_an_ask_posted_again_in_a_week_is_doubled() -> None:
    ledger = new_ledger()
    first = post(BUTTONS, MONDAY, id="1")
    again = post(BUTTONS, MONDAY + timedelta(days=2), id="2")
    for seen in (first, post(POLL, MONDAY, id="3"), post(BUTTONS, MONDAY + timedelta(weeks=1), id="4")):
        assert ledger.see(seen) is not None
    assert ledger.doubled == []
    ledger.see(again)
    assert ledger.doubled == [again]
    assert {(a.channel, a.kind, a.week): a.n for a in ledger.asks()} == {
        ("buttons", "buttons", FIRST): 2,
        ("poll", "poll", FIRST): 1,
        ("buttons", "buttons", SECOND): 1,
    }


def test_a_person_invited_twice_in_a_week_is_doubled_unless_the_second_answers_them() -> None:
    ledger = new_ledger()
    hour = timedelta(hours=1)
    invitation = post(DIRECT, MONDAY, id="1", to="a", text="How likely, 0-10?")
    assert ledger.see(invitation) is DIRECT
    assert ledger.see(post(DIRECT, MONDAY, id="2", to="b", text="How likely, 0-10?")) is DIRECT
    reworded = post(DIRECT, MONDAY + hour, id="3", to="a", text="Still there? 0-10?")
    ledger.see(reworded)
    assert ledger.doubled == [reworded]
    ledger.record("comment", DIRECT, at=MONDAY + 2 * hour, platform="telegram", person="a", direct=True, text="what")
    again = post(DIRECT, MONDAY + 3 * hour, id="4", to="a", text="Please send a number, 0 to 10")
    assert ledger.see(again) is None
    assert ledger.doubled == [reworded]
    verbatim = post(DIRECT, MONDAY + 3 * hour, id="5", to="a", text="Still there? 0-10?")
    ledger.see(verbatim)
    assert ledger.doubled == [reworded, verbatim]
    assert ledger.see(post(DIRECT, MONDAY + timedelta(weeks=1), id="6", to="a")) is DIRECT


def test_an_invitation_after_stop_is_unwelcome_once_the_platform_took_the_stop() -> None:
    ledger = new_ledger()
    ledger.record("stop", DIRECT, at=MONDAY, platform="telegram", person="a", direct=True, accepted=False)
    ledger.see(post(DIRECT, MONDAY, id="1", to="a"))
    assert ledger.unwelcome == []
    ledger.record("stop", DIRECT, at=MONDAY, platform="telegram", person="a", direct=True, accepted=True)
    later = post(DIRECT, MONDAY + timedelta(weeks=1), id="2", to="a")
    ledger.see(later)
    assert ledger.unwelcome == [later]
    ledger.record("ask_me", DIRECT, at=MONDAY + timedelta(weeks=2), platform="telegram", person="a", accepted=True)
    ledger.see(post(DIRECT, MONDAY + timedelta(weeks=2, days=2), id="3", to="a"))
    assert ledger.unwelcome == [later]


def test_what_is_no_question_is_kept_and_not_counted_as_an_ask() -> None:
    ledger = new_ledger()
    thanks = Post("telegram", "tg", "direct", "a", "1", "Thanks! What is the main reason?", MONDAY)
    private = Post("discord", "tg", "-3", "a", "2", "Thanks", MONDAY, buttons=(PostButton("Tell us why", "w"),))
    report = Post("telegram", "tg", "-99", None, "3", "NPS 40 from 0 to 10", MONDAY)
    under = Post("x", "x", "timeline", None, "4", "Thank you", MONDAY, reply_to="9")
    posts = [thanks, private, report, under]
    assert [ledger.see(each) for each in posts] == [None] * 4
    assert ledger.posts == posts
    assert ledger.asks() == ledger.invitations() == []


def test_channels_that_nobody_could_tell_apart_are_refused() -> None:
    twin = ChannelPlan("other", "twin", "tg", "-3", "buttons")
    with pytest.raises(ValueError, match="buttons and twin"):
        Channels([BUTTONS, twin], {"s": 0, "other": 0})


def test_counting_an_act_without_a_score_is_an_error() -> None:
    act = Act(0, MONDAY, "telegram", "tg", "a", "s", "poll", "retract", FIRST)
    with pytest.raises(AssertionError):
        count([act])
