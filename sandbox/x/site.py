"""What the rooms of the stand-in share: clocks, rules, records, bills, faults, and who is told of a post."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import Watcher
from sandbox.x.rates import Bill
from sandbox.x.records import Network


@dataclass
class Faults:
    """What can be broken from outside, while it runs."""

    out_of_credits: bool = False
    """Every call is answered with 402."""
    outage: bool = False
    """Every call is answered with 503 and a page of HTML."""
    lose_answers: int = 0
    """So many of the next writes are carried out, and then the connection is cut instead of an answer."""


@dataclass
class Site:
    """What all parts of X share: clocks, rules, the network, faults and bills."""

    clocks: Clocks
    rules: Rules
    watcher: Watcher
    network: Network
    faults: Faults = field(default_factory=Faults)
    bills: dict[str, Bill] = field(default_factory=dict)
    """By account."""
