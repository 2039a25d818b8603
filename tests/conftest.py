"""What all tests may use: the command, and a list for what goes over the wire, checked against the specifications."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sandbox.server import Exchange
from tests.command import Vouch
from tests.specs.wire import violations

# Properties are tried with the same examples every time, so that a red run is somebody's change and not chance.
# VOUCH_TEST_EXAMPLES=5000 tries so many new ones. No deadline: how busy a machine is says nothing about them.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None, max_examples=int(os.environ.get("VOUCH_TEST_EXAMPLES", "100")))
settings.load_profile("new" if "VOUCH_TEST_EXAMPLES" in os.environ else "same")

# What is started in the background ignores Ctrl-C, and so would the commands that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def exchanges() -> Iterator[list[Exchange]]:
    """``Sandbox(..., on_exchange=exchanges.append)``: when the test is over, all that went over the wire must keep to
    the platforms' specifications."""
    found: list[Exchange] = []
    yield found
    assert violations(found) == []


@pytest.fixture
def vouch(tmp_path: Path) -> Vouch:
    """The command line, in an empty folder."""
    return Vouch(tmp_path)
