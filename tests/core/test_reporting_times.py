"""When reports fall due: on the team's own clock, once for each week, in every zone and through every change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.survey import Survey, next_wave, report_due, week_wave

ZONES = st.sampled_from(
    ["UTC", "Europe/Paris", "America/New_York", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Tehran"]
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
WHEN = st.builds(
    lambda day, hour, minute: f"{day} {hour:02}:{minute:02}",
    st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
    st.integers(0, 23),
    st.integers(0, 59),
)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("2026-03-18T12:00", "2026-03-23T08:00"),  # winter
        ("2026-03-25T12:00", "2026-03-30T07:00"),  # the clocks went forward on the Sunday between
        ("2026-10-21T12:00", "2026-10-26T08:00"),  # and back
    ],
)
def test_nine_on_monday_in_paris_is_nine_in_summer_and_winter(asked: str, due: str) -> None:
    survey = Survey(name="s", brand="Acme", zone="Europe/Paris")
    wave = week_wave(survey, datetime.fromisoformat(asked).replace(tzinfo=UTC))
    found = report_due(wave, "Mon 09:00", "Europe/Paris")
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert f"{found.astimezone(ZoneInfo('Europe/Paris')):%a %H:%M}" == "Mon 09:00"


@given(zone=ZONES, there=ZONES, moment=MOMENTS, when=WHEN, weeks=st.integers(1, 60))
def test_each_week_has_one_moment_and_they_come_in_order(
    zone: str, there: str, moment: datetime, when: str, weeks: int
) -> None:
    survey = Survey(name="s", brand="Acme", zone=zone)
    wave = week_wave(survey, moment)
    last = None
    for _ in range(weeks):
        due = report_due(wave, when, there)
        assert wave.closes_at <= due < wave.closes_at + timedelta(days=8)
        assert last is None or last < due
        wave, last = next_wave(survey, wave), due
