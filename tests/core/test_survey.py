"""Surveys and waves: weeks tile time in every zone, whatever its clocks did, and reports fall due once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.ballot import Scale
from core.survey import (
    Survey,
    Wave,
    freezes_at,
    next_wave,
    previous_wave,
    report_due,
    wave_by_key,
    week_wave,
)

PARIS = Survey(name="acme", brand="Acme", zone="Europe/Paris")
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Paris",
        "America/New_York",
        "America/St_Johns",  # its clocks once went back at 00:01, over midnight
        "America/Havana",
        "Asia/Tehran",  # no 00:00 on Monday 2021-03-22
        "Asia/Kathmandu",
        "Africa/Cairo",
        "Australia/Lord_Howe",  # half an hour of summer time
        "Pacific/Apia",  # no 2011-12-30 at all
        "Pacific/Kiritimati",
        "America/Nuuk",
    ]
)
SURVEYS = st.builds(lambda zone: Survey(name="acme", brand="Acme", zone=zone), ZONES)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2036, 12, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
DAYS = st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_week_of_the_team() -> None:
    wave = week_wave(PARIS, utc("2026-11-18T12:00"))
    assert wave == Wave("acme", "2026-W47", utc("2026-11-15T23:00"), utc("2026-11-22T23:00"))
    assert freezes_at(wave) == utc("2026-11-23T23:00")
    assert report_due(wave, "Mon 09:00", "Europe/Paris") == utc("2026-11-23T08:00")


@pytest.mark.parametrize(
    ("key", "hours"), [("2026-W13", 167), ("2026-W43", 169), ("2026-W44", 168), ("2026-W53", 168), ("2027-W01", 168)]
)
def test_weeks_through_changes_of_the_clock(key: str, hours: int) -> None:
    wave = wave_by_key(PARIS, key)
    assert wave.closes_at - wave.opens_at == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("moment", "key"),
    [
        ("2026-12-31T12:00", "2026-W53"),
        ("2027-01-01T12:00", "2026-W53"),
        ("2027-01-03T22:59:59", "2026-W53"),
        ("2027-01-03T23:00", "2027-W01"),
        ("2024-12-30T00:00", "2025-W01"),
    ],
)
def test_weeks_through_the_end_of_a_year(moment: str, key: str) -> None:
    assert week_wave(PARIS, utc(moment)).key == key


def test_a_monday_without_midnight_opens_with_its_first_moment() -> None:
    tehran = Survey(name="acme", brand="Acme", zone="Asia/Tehran")
    wave = wave_by_key(tehran, "2021-W12")
    assert wave.opens_at == utc("2021-03-21T20:30")
    assert wave.opens_at.astimezone(ZoneInfo("Asia/Tehran")).hour == 1
    assert previous_wave(tehran, wave).closes_at == wave.opens_at


def test_two_sundays_do_not_open_a_week_twice() -> None:
    """In 1987 St. John's set its clocks back from Sunday 00:01 to Saturday; Kwajalein skipped a day in 1993."""
    for zone in ("America/St_Johns", "Pacific/Kwajalein"):
        survey = Survey(name="acme", brand="Acme", zone=zone)
        wave = wave_by_key(survey, "1987-W40")
        for _ in range(400):
            wave = next_wave(survey, wave)
            assert timedelta(days=6) <= wave.closes_at - wave.opens_at <= timedelta(days=7, hours=2)


@given(SURVEYS, MOMENTS)
@example(Survey(name="acme", brand="Acme", zone="Asia/Tehran"), utc("2021-03-21T20:30"))
def test_every_moment_lies_in_exactly_one_wave(survey: Survey, moment: datetime) -> None:
    wave = week_wave(survey, moment)
    assert moment in wave
    assert moment not in previous_wave(survey, wave)
    assert moment not in next_wave(survey, wave)
    assert wave.opens_at.tzinfo is wave.closes_at.tzinfo is UTC
    local = wave.opens_at.astimezone(ZoneInfo(survey.zone))
    assert local.strftime("%G-W%V") == wave.key


@given(SURVEYS, MOMENTS, st.integers(2, 60))
def test_waves_tile(survey: Survey, moment: datetime, count: int) -> None:
    waves = [week_wave(survey, moment)]
    for _ in range(count):
        waves.append(next_wave(survey, waves[-1]))
    for one, following in pairwise(waves):
        assert one.opens_at < one.closes_at == following.opens_at
        assert previous_wave(survey, following) == one
    assert len({wave.key for wave in waves}) == count + 1
    assert [wave.key for wave in waves] == sorted(wave.key for wave in waves)


@given(SURVEYS, MOMENTS)
def test_a_key_finds_its_wave(survey: Survey, moment: datetime) -> None:
    wave = week_wave(survey, moment)
    assert wave_by_key(survey, wave.key) == wave


@pytest.mark.parametrize(
    "key",
    ["", "2026", "2026-47", "2026-W", "2026-W0", "2026-W00", "2027-W53", "2026-W54", "26-W47", "２０２６-W47", "x"],
)
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="year and ISO week such as"):
        wave_by_key(PARIS, key)


@pytest.mark.parametrize(
    ("key", "when", "zone", "due"),
    [
        ("2026-W47", "Mon 09:00", "America/New_York", "2026-11-23T14:00"),
        ("2026-W47", "Sun 23:00", "UTC", "2026-11-22T23:00"),  # the very moment of the close
        ("2026-W47", "Sun 22:59", "UTC", "2026-11-29T22:59"),
        ("2026-W47", "Sun 23:30", "America/New_York", "2026-11-23T04:30"),  # where it is still Sunday
        ("2026-W47", "Fri 17:00", "Asia/Tokyo", "2026-11-27T08:00"),
        ("2026-W12", "Sun 02:30", "Europe/Paris", "2026-03-29T01:00"),  # jumped over: due at the jump
        ("2026-W12", "Sun 03:00", "Europe/Paris", "2026-03-29T01:00"),
        ("2026-W42", "Sun 02:30", "Europe/Paris", "2026-10-25T00:30"),  # comes twice: due the first time
    ],
)
def test_reports_fall_due(key: str, when: str, zone: str, due: str) -> None:
    assert report_due(wave_by_key(PARIS, key), when, zone) == utc(due)


@given(SURVEYS, MOMENTS, DAYS, st.integers(0, 23), st.integers(0, 59), ZONES)
def test_a_report_is_due_within_a_week_of_the_close(
    survey: Survey, moment: datetime, day: str, hour: int, minute: int, zone: str
) -> None:
    wave = week_wave(survey, moment)
    due = report_due(wave, f"{day} {hour:02}:{minute:02}", zone)
    assert due.tzinfo is UTC
    assert wave.closes_at <= due <= wave.closes_at + timedelta(days=7, hours=2)
    local = due.astimezone(ZoneInfo(zone))
    earlier = (due - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    jumped = local.utcoffset() != earlier.utcoffset()
    assert jumped or local.strftime("%a %H:%M:%S") == f"{day} {hour:02}:{minute:02}:00"


@pytest.mark.parametrize(
    "when", ["", "Mon", "1 09:00", "mon 09:00", "Monday 09:00", "Mon 9:00", "Mon 24:00", "Mon 09:60", "Mon 09:00 "]
)
def test_other_moments_are_refused(when: str) -> None:
    with pytest.raises(ValueError, match="such as 'Mon 09:00'"):
        report_due(wave_by_key(PARIS, "2026-W47"), when, "UTC")
    with pytest.raises(ValueError, match="such as 'Mon 09:00'"):
        Survey(name="acme", brand="Acme", ask=when)


@pytest.mark.parametrize("zone", ["", "Paris", "Europe/Pari", "../etc/passwd", "/etc/localtime", "Europe", "\x00"])
def test_other_zones_are_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="such as 'Europe/Paris'"):
        Survey(name="acme", brand="Acme", zone=zone)


def test_a_survey_without_languages_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one language"):
        Survey(name="acme", brand="Acme", languages=())


def test_the_question_in_the_language_that_fits() -> None:
    survey = Survey(name="acme", brand="Acme", languages=("en", "fr"), questions={"fr": "Et Acme, sur 10 ?"})
    assert survey.question("fr-CA") == survey.question("fr") == "Et Acme, sur 10 ?"
    assert survey.speaks("FR-ca") == "fr"
    assert Survey(name="a", brand="A", languages=("en", "pt-BR", "pt")).speaks("pt-br") == "pt-BR"
    assert survey.question("de") == survey.question() == survey.question("en-GB")
    assert survey.question().startswith("How likely are you to recommend Acme to a friend or colleague? 0 =")
    assert Survey(name="a", brand="Acme", languages=("fr",)).question("en").startswith("Quelle est la probabilité")
    assert "1 = not" in Survey(name="a", brand="Acme", scale=Scale.ONE_TO_TEN).question()
    assert hash(survey) == hash(Survey(name="acme", brand="Acme", languages=("en", "fr")))
