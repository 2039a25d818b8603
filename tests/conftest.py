"""What all tests may use: a list for the sandbox's ``on_exchange``, checked in the end against the specifications."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import Exchange
from tests.specs.wire import violations


@pytest.fixture
def exchanges() -> Iterator[list[Exchange]]:
    """``Sandbox(..., on_exchange=exchanges.append)``: when the test is over, all that went over the wire must keep to
    the platforms' specifications."""
    found: list[Exchange] = []
    yield found
    assert violations(found) == []
