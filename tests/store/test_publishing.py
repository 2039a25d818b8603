"""The weekly post, from a filled store: the numbers, their messages, and that they are planned once."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.account import Limits
from core.ballot import Scale
from core.change import Period
from core.events import Totals
from core.message import Line, Strong
from core.nps import Tally
from core.proof import fingerprint
from core.publishing import correction, hear, messages, plan_report, report_key, week_report, window_weeks
from core.reasons import Reason, Theme
from core.report import ChannelTally
from core.routes import Team
from core.store import erasure, published, quoted
from core.store.outbox import Kind
from core.store.tallies import asked_waves
from core.survey import next_wave, wave_by_key, week_wave
from tests.store.stage import ACCOUNT, BALLOT, CHANNELS, NOW, SURVEY, WAVES, Stage, poll_ref

TEAM = Team(name="team", account=ACCOUNT, place="-1009")
LIMITS = Limits(post_chars=4_000, caption_chars=1_000)


def week(stage: Stage, wave: int, *, promoters: int, detractors: int, votes: int) -> None:
    """Typed answers of as many people, always the same, and votes in the group and in the news."""
    at = WAVES[wave].opens_at + timedelta(days=1)
    base = wave * 100_000
    scores = [10] * promoters + [0] * detractors
    stage.deliver(*(stage.typed(base + n, f"p{n}", str(score), at=at) for n, score in enumerate(scores)))
    stage.post("group", wave)
    stage.post("news", wave, named=False)
    group = poll_ref("group", wave)
    stage.deliver(*(stage.vote(base + 5_000 + n, f"v{n}", group, 7, at=at) for n in range(votes)))
    stage.deliver(Totals(ref=poll_ref("news", wave), totals=(3, *(0,) * 9, 1 + wave), as_of=at, final=True))


def fill(stage: Stage) -> None:
    week(stage, 0, promoters=20, detractors=10, votes=4)
    week(stage, 1, promoters=25, detractors=10, votes=6)


def test_the_numbers_of_a_week(stage: Stage) -> None:
    fill(stage)
    with stage.database.reading() as connection:
        report = week_report(connection, SURVEY, WAVES[1])
    assert (report.survey, report.title, report.scale, report.wave) == ("acme", "Acme", Scale.ZERO_TO_TEN, WAVES[1])
    its = {"group": Tally(0, 6, 0), "dm": Tally(25, 0, 10)}
    shown, asked = {"group": frozenset({BALLOT.code})}, frozenset({"group", "news"})
    assert report.week == Period(weeks=1, channels=its, ballots=shown, asked=asked)
    before = {"group": Tally(0, 4, 0), "dm": Tally(20, 0, 10)}
    assert report.week_before == Period(weeks=1, channels=before, ballots=shown, asked=asked)
    assert report.open is not None
    assert report.open_before is not None
    assert (report.open.channels, report.open_before.channels) == ({"news": Tally(2, 0, 3)}, {"news": Tally(1, 0, 3)})
    assert (report.window.weeks, report.window.channels, report.window_before.channels) == (2, its, {})
    assert report.channels == (
        ChannelTally(channel="group", open=False, tally=Tally(0, 6, 0)),
        ChannelTally(channel="forum", open=False, tally=Tally()),
        ChannelTally(channel="news", open=True, tally=Tally(2, 0, 3)),
        ChannelTally(channel="lobby", open=False, tally=Tally()),
        ChannelTally(channel="chat", open=False, tally=Tally()),
        ChannelTally(channel="timeline", open=False, tally=Tally()),
        ChannelTally(channel="dm", open=False, tally=Tally(25, 0, 10)),
    )


def test_the_window_counts_who_stayed_away_this_week_too(stage: Stage) -> None:
    week(stage, 0, promoters=30, detractors=0, votes=2)
    week(stage, 1, promoters=10, detractors=5, votes=0)
    with stage.database.reading() as connection:
        report = week_report(connection, SURVEY, WAVES[1])
        before = week_report(connection, SURVEY, WAVES[0])
    assert report.week.total == Tally(10, 0, 5)
    assert report.window.total == Tally(10 + 15, 2, 5)
    assert before.window.total == Tally(30, 2, 0)
    assert (before.week_before.total, before.open_before) == (Tally(), Period(weeks=1, channels={}))


def test_a_week_without_anything(stage: Stage) -> None:
    empty = week_wave(SURVEY, NOW + timedelta(days=100))
    with stage.database.reading() as connection:
        report = week_report(connection, SURVEY, empty)
    nothing = Period(weeks=1, channels={})
    assert (report.week, report.week_before, report.open, report.window) == (nothing, nothing, None, nothing)
    assert [channel.tally for channel in report.channels] == [Tally()] * len(CHANNELS)


def test_a_report_is_planned_once_whatever_is_counted_later(stage: Stage) -> None:
    fill(stage)
    with stage.database.engine.begin() as connection:
        keys = plan_report(connection, SURVEY, WAVES[1], TEAM, LIMITS, NOW)
    assert keys == [report_key("acme", WAVES[1].key, "team", part) for part in (0, 1)]
    planned = stage.rows("outbox")
    week(stage, 1, promoters=0, detractors=40, votes=0)
    with stage.database.engine.begin() as connection:
        assert plan_report(connection, SURVEY, WAVES[1], TEAM, Limits(post_chars=100), NOW) == []
    reports = [row for row in planned if row["kind"] == Kind.REPORT]
    assert [row for row in stage.rows("outbox") if row["kind"] == Kind.REPORT] == reports
    assert [(row["account"], row["place"], row["key"]) for row in reports] == [(ACCOUNT, "-1009", key) for key in keys]


def test_long_lists_of_channels_are_parted_between_lines(stage: Stage) -> None:
    fill(stage)
    with stage.database.reading() as connection:
        report = week_report(connection, SURVEY, WAVES[1])
    whole = messages(report, "en")
    parted = messages(report, "en", Limits(post_chars=280))
    assert len(whole) == 2 < len(parted)
    assert all(len(message.plain) <= 280 for message in parted)
    assert [part for message in parted for part in message.parts] == [p for message in whole for p in message.parts]
    assert isinstance(parted[0].parts[0], Strong)
    assert Line("group (named): NPS –, n 6: promoters 0, passives 6, detractors 0") in whole[1].parts


def test_a_wave_on_another_scale_is_not_compared_nor_pooled(stage: Stage) -> None:
    fill(stage)
    with stage.database.reading() as connection:
        other = week_report(connection, replace(SURVEY, scale=Scale.ONE_TO_TEN), WAVES[1])
    assert (other.week.total, other.week_before.total, other.window.total) == (Tally(), Tally(), Tally())
    assert other.rescaled


def survey_of(stage: Stage, *a_week: int) -> None:
    """Weeks in a row in each of which so many new people answer."""
    for wave, n in enumerate(a_week):
        stage.post("group", wave)
        at = WAVES[wave].opens_at + timedelta(days=1)
        ref = poll_ref("group", wave)
        stage.deliver(*(stage.vote(wave * 1000 + k, f"{wave}-{k}", ref, 9, at=at) for k in range(n)))


@pytest.mark.parametrize(("a_week", "width"), [((400, 0), 1), ((100, 400), 4), ((99, 400), 13)])
def test_the_first_week_settles_the_window(stage: Stage, a_week: tuple[int, int], width: int) -> None:
    survey_of(stage, *a_week)
    with stage.database.reading() as connection:
        found = {window_weeks(connection, SURVEY, wave) for wave in WAVES[:2]}
        assert found == {width}
        assert week_report(connection, replace(SURVEY, window_weeks=2), WAVES[1]).window.weeks == 2


def test_then_the_weeks_before_the_quarter_do(stage: Stage) -> None:
    survey_of(stage, 400, 5)
    with stage.database.reading() as connection:
        assert [window_weeks(connection, SURVEY, wave) for wave in (WAVES[0], WAVES[3])] == [1, 1]
        assert window_weeks(connection, SURVEY, wave_by_key(SURVEY, "2027-W01")) == 13


THEMES = (Theme(name="delivery", titles={"en": "Delivery"}, words=("parcel*", "late")),)


def complaints(stage: Stage) -> None:
    """Three unhappy people write, one twice; and a happy one."""
    stage.post("group", 0)
    said = [
        ("ann", "2/10 my parcel was late"),
        ("bob", "0/10. parcels come late, ask Mrs Dalloway"),
        ("cy", "3/10 late again"),
        ("cy", "late, I say"),
        ("di", "6/10 the desk was rude"),
        ("eve", "10/10 lovely shoes every time"),
    ]
    stage.deliver(*(stage.typed(n, who, text, at=NOW + timedelta(minutes=n)) for n, (who, text) in enumerate(said)))


def test_what_the_unhappy_name_stands_below_the_numbers(stage: Stage) -> None:
    complaints(stage)
    themed = replace(SURVEY, themes=THEMES)
    with stage.database.reading() as connection:
        report = week_report(connection, themed, WAVES[0], hear(stage.database, themed, WAVES[0]))
        assert report.reasons == (Reason(theme=THEMES[0], named=3, of=4),)
    assert hear(stage.database, SURVEY, WAVES[0]).reasons == (Reason(phrase="late", named=3, of=4),)
    for message in messages(report, "en"):
        assert Line("Delivery: named by 3 of 4 unhappy people who wrote.") in message.parts


def allow(stage: Stage, *people: str) -> None:
    """They say that they may be quoted."""
    with stage.database.engine.begin() as connection:
        for person in people:
            its = text("SELECT id FROM person WHERE platform_id = :it").bindparams(it=person)
            found = connection.execute(its).scalar_one()
            yes = text("UPDATE response SET quotable = :yes WHERE person_id = :it")
            connection.execute(yes, {"yes": True, "it": found})


QUOTED = [["quote", "“parcels come late, ask Mrs ███” (0)"], ["quote", "“lovely shoes every time” (10)"]]


def quotes_in(stage: Stage) -> list[list[str]]:
    """What stands in the planned report as quotations."""
    bodies = [json.loads(row["body"]) for row in stage.rows("outbox") if row["kind"] == Kind.REPORT]
    return [part for body in bodies for part in body["parts"] if part[0] == "quote"]


def test_only_who_allows_it_is_quoted_and_only_to_the_company(stage: Stage) -> None:
    complaints(stage)
    themed = replace(SURVEY, themes=THEMES)
    assert hear(stage.database, themed, WAVES[0]).quotes == ()
    allow(stage, "bob", "eve")
    heard = hear(stage.database, themed, WAVES[0])
    with stage.database.engine.begin() as connection:
        plan_report(
            connection,
            themed,
            WAVES[0],
            replace(TEAM, inside=False),
            LIMITS,
            NOW,
            heard=heard,
            absent=["tg"],
        )
    (only,) = [row["body"] for row in stage.rows("outbox") if row["kind"] == Kind.REPORT]
    assert not re.search("parcel|named by|tg", only)
    with stage.database.engine.begin() as connection:
        company = replace(TEAM, name="company", quotes=False)
        keys = plan_report(connection, themed, WAVES[0], company, LIMITS, NOW, heard=heard)
        plan_report(connection, SURVEY, WAVES[1], company, LIMITS, NOW, heard=heard)
    assert quotes_in(stage) == []
    (shown,) = [row["body"] for row in stage.rows("outbox") if row["key"] == keys[0]]
    assert "unhappy people who wrote" in shown
    with stage.database.engine.begin() as connection:
        plan_report(connection, themed, WAVES[0], replace(TEAM, name="other"), LIMITS, NOW, heard=heard)
    assert quotes_in(stage) == QUOTED


def test_whoever_takes_it_back_or_is_forgotten_is_no_longer_quoted(stage: Stage) -> None:
    complaints(stage)
    allow(stage, "bob", "eve")
    themed = replace(SURVEY, themes=THEMES)
    heard = hear(stage.database, themed, WAVES[0])
    with stage.database.engine.begin() as connection:
        plan_report(connection, themed, WAVES[0], TEAM, LIMITS, NOW, heard=heard)
    assert quotes_in(stage) == QUOTED
    before = [row for row in stage.rows("outbox") if row["kind"] == Kind.REPORT]
    person = {row["platform_id"]: row["id"] for row in stage.rows("person")}
    with stage.database.engine.begin() as connection:
        quoted.withdraw(connection, person["bob"])
        quoted.withdraw(connection, person["ann"])
    assert quotes_in(stage) == QUOTED[1:]
    assert [row["person_id"] for row in stage.rows("quoted")] == [person["eve"]]
    stage.deliver(stage.typed(90, "eve", "please delete my data"))
    assert [one.text for one in hear(stage.database, themed, WAVES[0]).quotes] == ["parcels come late, ask Mrs ███"]
    with stage.database.engine.begin() as connection:
        for leaving in erasure.leaving(connection):
            erasure.blank(connection, leaving, [])
    assert quotes_in(stage) == []
    after = [row for row in stage.rows("outbox") if row["kind"] == Kind.REPORT]
    assert [json.loads(row["body"])["placeholder"] for row in after] == [
        json.loads(row["body"])["placeholder"] for row in before
    ]


def test_what_came_after_the_post_is_corrected_in_the_next(stage: Stage) -> None:
    fill(stage)

    def said(wave: int) -> list[str]:
        with stage.database.engine.begin() as connection:
            (key, *_) = plan_report(connection, SURVEY, WAVES[wave], TEAM, LIMITS, NOW)
        (body,) = [row["body"] for row in stage.rows("outbox") if row["key"] == key]
        return [part[1] for part in json.loads(body)["parts"]]

    assert not [line for line in said(0) if "Correction" in line]
    late = WAVES[0].closes_at + timedelta(hours=10)
    group = poll_ref("group", 0)
    stage.deliver(*(stage.vote(50_000 + n, f"late {n}", group, 0, at=late) for n in range(2)))
    assert [line for line in said(1) if "Correction" in line] == ["Correction: last week 29, now 22."]
    assert not [line for line in said(2) if "Correction" in line]


def test_a_week_that_was_not_asked_makes_no_correction(stage: Stage) -> None:
    """The window is as wide as it was then, though less of it was asked."""
    two = replace(SURVEY, window_weeks=2)
    survey_of(stage, 40, 40, 0, 40)
    unasked = text("DELETE FROM outbox WHERE wave_id = (SELECT id FROM wave WHERE key = :it)")
    with stage.database.engine.begin() as connection:
        connection.execute(unasked, {"it": WAVES[2].key})
        assert week_report(connection, two, WAVES[3]).window.weeks == 1
        plan_report(connection, two, WAVES[3], TEAM, LIMITS, NOW)
        said = published.posted(connection, SURVEY.name, WAVES[3].key, TEAM.name)
        assert said is not None
        assert said.width == 2
        assert correction(connection, two, next_wave(SURVEY, WAVES[3]), TEAM.name) is None


def test_the_trend_is_what_was_posted_the_oldest_first(stage: Stage) -> None:
    fill(stage)
    with stage.database.engine.begin() as connection:
        for wave in WAVES[:3]:
            plan_report(connection, SURVEY, wave, TEAM, LIMITS, NOW)
        found = published.trend(connection, SURVEY.name, TEAM.name)
        proofs = published.proofs(connection, SURVEY.name, WAVES[1].key)
        now = fingerprint(week_report(connection, SURVEY, WAVES[1]))
    assert [(point.wave, point.score) for point in found[:2]] == [(WAVES[0].key, 29), (WAVES[1].key, 37)]
    assert all(point.low < point.score < point.high for point in found[:2])
    assert proofs[TEAM.name]["fingerprint"] == now


def test_a_text_that_happens_to_come_does_not_make_a_week_of_asking(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "hello"))
    with stage.database.reading() as connection:
        assert asked_waves(connection, SURVEY.name, str(SURVEY.scale)) == {}
