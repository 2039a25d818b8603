"""What passes between the platform's process and the driver comes back as it was sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.contract import Arm, Hit
from tests.faults.recorded import Act, PostSeen, Request, Truth, Violation, WeekTruth
from tests.faults.told import Told

KINDS: tuple[type[Told], ...] = (Arm, Hit, Act, PostSeen, Request, Violation, WeekTruth)


@given(st.sampled_from(KINDS).flatmap(st.from_type))
def test_it_survives_the_wire(told: Told) -> None:
    again = type(told).of(json.loads(json.dumps(told.as_json())))
    assert repr(again) == repr(told)  # what is no number is not equal to itself


def test_nested_things_come_back_as_what_they_were() -> None:
    hit = Hit(happened=True, open={"claimed-sent": 2}, sending=("a", "b"))
    truth = Truth(at=1.0, wall=2.0, confirmations=3, hits=(hit,), refusals={"x 429 GET": 1})
    assert Truth.of(json.loads(json.dumps(truth.as_json()))) == truth


def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="Arm has no wondow"):
        Arm.of({"instance": "one", "wondow": "random"})
