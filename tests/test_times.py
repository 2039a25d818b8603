"""How long things may take stands in several rooms; what holds between them is what makes a take-over safe.

See docs/decisions/0011-leases-with-fencing.md for the reasoning.
"""

from __future__ import annotations

import pytest

from bots.discord import faults as discord_times
from bots.discord.session import LIVES_S
from bots.telegram import transport as telegram_times
from bots.telegram.hearing import NOTED_EVERY_S, TAP_LIFE_S
from bots.times import TIME_S
from bots.x import transport as x_times
from core.clock import AGREE_S
from core.resolving import SETTLE_S
from core.sender import BEGIN_S, GRACE_S
from core.store.leases import LEASE_S, LOCK_S, MARGIN_S, RENEW_S

SENDS_S = {"telegram": telegram_times.CALL_S, "discord": discord_times.SEND_S, "x": x_times.SEND_S}
"""The longest request of each platform, in wall seconds from its beginning."""


def test_what_is_on_its_way_is_over_within_the_life_of_a_lease() -> None:
    assert max(SENDS_S.values()) < LEASE_S <= 10


def test_nobody_looks_before_the_last_request_of_the_holder_before_is_over() -> None:
    """It began while the lease was still theirs, left within ``BEGIN_S``, and was given up after its time."""
    assert BEGIN_S + max(SENDS_S.values()) < SETTLE_S


def test_who_cannot_renew_gives_up_before_the_lease_runs_out() -> None:
    assert RENEW_S < LEASE_S - MARGIN_S
    assert 2 * RENEW_S + LOCK_S < LEASE_S - MARGIN_S + RENEW_S, "one renewal that failed must not end it"


def test_somebody_else_serves_the_account_soon() -> None:
    """Within 15 s of a pause: the lease runs out, is asked for again, and may wait for its row."""
    assert LEASE_S + RENEW_S + LOCK_S < 15


def test_a_stop_lets_little_go_unknown() -> None:
    assert GRACE_S < LEASE_S


@pytest.mark.parametrize("life_s", [TAP_LIFE_S - NOTED_EVERY_S, LIVES_S])
def test_whoever_takes_over_knows_how_long_ago_the_holder_before_was_there(life_s: float) -> None:
    """By the clock of another machine. Each agrees with the platforms, whose time has whole seconds and is under way
    for ``TIME_S``; so far apart the two are at worst, and 15 s pass while nobody serves the account."""
    apart_s = 2 * (AGREE_S + TIME_S + 1)
    assert 15 + apart_s < life_s / 2
