"""Which answers the counting rule allows, where the platform hides the order or nobody saw an acknowledgement."""

from __future__ import annotations

from tests.faults.allowed import Given, Weight, allowed
from tests.faults.hand_made import BOT, GUILD, act

NINE, THREE = Given(9, 9, "poll"), Given(3, 3, "direct")


def test_the_order_is_free_where_the_platform_hides_it() -> None:
    typed = act(1, "text", GUILD, "bo", "direct", low=3, direct=True)
    vote = act(2, "vote", GUILD, "bo", "poll", low=9)
    back = act(3, "retract", GUILD, "bo", "poll")
    sure, hidden = Weight.SURE, Weight.HIDDEN
    assert allowed([(typed, sure), (vote, sure)]) == {NINE}
    assert allowed([(vote, sure), (typed, sure)]) == {THREE}
    assert allowed([(typed, sure), (vote, hidden)]) == {NINE, THREE}
    assert allowed([(vote, hidden), (typed, sure)]) == {NINE, THREE}
    assert allowed([(vote, hidden)]) == {NINE}
    assert allowed([(vote, sure), (back, hidden)]) == {None}
    assert allowed([(vote, hidden), (back, hidden)]) == {None}
    assert allowed([(vote, sure), (typed, sure), (back, hidden)]) == {THREE}


def test_what_was_not_acknowledged_may_count_or_not() -> None:
    first, second = (act(n, "tap", GUILD, "bo", "poll", low=low) for n, low in ((1, 9), (2, 3)))
    assert allowed([(first, Weight.SURE), (second, Weight.MAYBE)]) == {NINE, Given(3, 3, "poll")}
    assert allowed([(first, Weight.MAYBE)]) == {NINE, None}
    assert allowed([(first, Weight.NEVER)]) == {None}


def test_a_retraction_takes_back_the_present_vote_only() -> None:
    vote, back = act(1, "vote", BOT, "ann", "poll", low=9), act(3, "retract", BOT, "ann", "poll")
    typed = act(2, "text", BOT, "ann", "direct", low=3)
    sure = Weight.SURE
    assert allowed([(vote, sure), (back, sure)]) == {None}
    assert allowed([(vote, sure), (typed, sure), (back, sure)]) == {THREE}
