"""More than can be kept: taps and messages pass votes; what votes are dropped is paged when there is room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.intake import Intake
from bots.discord.lanes import Lanes, Part, Spot
from core.errors import AccountUnavailable
from core.events import Cursor, Reply, Via, Votes
from tests.bots.discord.conftest import Inbox

NOW = datetime.now(UTC)


def reply(number: int, person: str = "5", via: Via = Via.VOTE, ref: str = "msg:1") -> Reply:
    option = number % 10 if via is Via.VOTE else None
    return Reply(id=f"{via}{number}", person=person, via=via, at=NOW, order=number, ref=ref, option=option)


def mark(spot: Spot) -> Cursor:
    return Cursor(name="session", value=str(spot.sequence))


class Stream:
    """An intake of at most three waiting votes, and a gateway that counts."""

    def __init__(self, inbox: Inbox) -> None:
        self.intake = Intake("dc", mark, most_votes=3)
        self.intake.open(inbox)
        self.number = 0

    def bring(self, person: str = "5", via: Via = Via.VOTE, ref: str = "msg:1") -> str:
        self.number += 1
        self.intake.newest = Spot(1, self.number)
        event = reply(self.number, person, via, ref)
        if via is Via.VOTE:
            self.intake.vote(event)
        else:
            self.intake.put((event,))
        return event.id


@pytest.fixture
async def stream(inbox: Inbox) -> AsyncIterator[Stream]:
    running = Stream(inbox)
    yield running
    running.intake.close()


def ids(inbox: Inbox) -> list[str]:
    return [event.id for event in inbox.events if isinstance(event, Reply)]


async def test_a_tap_and_a_word_go_before_the_votes_of_others(stream: Stream, inbox: Inbox) -> None:
    first, second = stream.bring("1"), stream.bring("2")
    tap, word = stream.bring("3", Via.TAP), stream.bring("4", Via.TEXT)
    await stream.intake.drained()
    assert ids(inbox) == [tap, word, first, second]


async def test_who_voted_and_then_wrote_is_heard_in_that_order(stream: Stream, inbox: Inbox) -> None:
    other, vote = stream.bring("1"), stream.bring("2")
    word, again = stream.bring("2", Via.TEXT), stream.bring("2")
    await stream.intake.drained()
    assert ids(inbox) == [vote, word, other, again]


async def test_taps_are_delivered_while_the_store_is_busy_with_votes(stream: Stream, inbox: Inbox) -> None:
    inbox.hold = asyncio.Event()
    for number in range(5):
        stream.bring(f"1{number}")
        await asyncio.sleep(0)  # a turn of the loop each: a call each
        await asyncio.sleep(0)
    tap = stream.bring("3", Via.TAP)
    await inbox.have(4)
    assert ids(inbox)[-1] == tap
    inbox.hold.set()
    await stream.intake.drained()
    assert len(ids(inbox)) == 6


async def test_when_too_many_wait_the_poll_is_paged_once_there_is_room(stream: Stream, inbox: Inbox) -> None:
    kept = [stream.bring(f"1{number}") for number in range(3)]
    for number in range(4):
        stream.bring(f"2{number}")
    word = stream.bring("30", Via.TEXT)
    asked: list[Reply] = []
    later: list[str] = []

    async def page(vote: Reply) -> Votes:
        asked.append(vote)
        assert ids(inbox) == [word, *kept]
        later.append(stream.bring("40"))  # while it is read: it comes live
        return Votes(ref="msg:1", votes=(("20", 4),), as_of=NOW, order=99)

    assert stream.intake.owes.is_set()
    await stream.intake.pay(page)
    await stream.intake.drained()
    assert [vote.person for vote in asked] == ["20"]
    assert [event.ref for event in inbox.events if isinstance(event, Votes)] == ["msg:1"]
    assert later[0] in ids(inbox)
    assert not stream.intake.owes.is_set()


async def test_the_stream_is_not_kept_beyond_what_is_owed(stream: Stream, inbox: Inbox) -> None:
    for number in range(4):
        stream.bring(f"1{number}")  # the fourth is dropped
    stream.bring("30", Via.TEXT)
    await stream.intake.drained()
    assert max(map(int, inbox.sessions)) == 3  # a restart would bring the fourth again

    async def unavailable(_: Reply) -> Votes:
        raise AccountUnavailable("dc", "no")

    async def gone(_: Reply) -> None:
        return None

    with pytest.raises(AccountUnavailable):
        await stream.intake.pay(unavailable)
    stream.intake.put(())
    await stream.intake.drained()
    assert max(map(int, inbox.sessions)) == 3
    await stream.intake.pay(gone)
    stream.intake.put(())
    await stream.intake.drained()
    assert max(map(int, inbox.sessions)) == 5


async def test_a_poll_that_is_owed_since_an_ended_session_does_not_hold_up_the_next_one(inbox: Inbox) -> None:
    intake = Intake("dc", lambda spot: Cursor(name="session", value=f"{spot.session}:{spot.sequence}"), most_votes=0)
    intake.open(inbox)
    intake.newest = Spot(1, 5)
    intake.vote(reply(5))
    assert intake.owes.is_set()
    intake.newest = intake.begun = Spot(2, 1)
    intake.put(())
    await intake.drained()
    assert inbox.sessions == ["2:1"]
    assert intake.kept == intake.begun
    intake.close()


async def test_no_more_is_read_while_too_many_taps_wait(inbox: Inbox) -> None:
    intake = Intake("dc", most_urgent=3)
    intake.open(inbox)
    inbox.hold = asyncio.Event()
    for number in range(6):  # all calls are busy
        intake.put((reply(number, via=Via.TAP),))
        await inbox.have(number + 1)
    for number in range(6, 9):
        await intake.room()
        intake.put((reply(number, via=Via.TAP),))
    room = asyncio.create_task(intake.room())
    await asyncio.sleep(0)
    assert not room.done()
    inbox.hold.set()
    await room
    await intake.drained()
    assert len(ids(inbox)) == 9
    intake.close()


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([Via.VOTE, Via.TAP])), max_size=40), st.integers(1, 5))
def test_nobody_overtakes_themselves_and_nothing_is_left(doings: list[tuple[int, Via]], most: int) -> None:
    lanes, expected = Lanes(), dict[str, list[int]]()
    for number, (who, via) in enumerate(doings):
        part = Part((reply(number, str(who), via),), None, Spot(1, number), number)
        expected.setdefault(str(who), []).append(number)
        if via is Via.VOTE:
            lanes.add_vote(str(who), part)
        else:
            lanes.add(part)
    found: dict[str, list[int]] = {}
    while lanes:
        for part in lanes.take(most, votes_too=True):
            (event,) = part.events
            assert isinstance(event, Reply)
            found.setdefault(event.person, []).append(part.number)
    assert found == expected
    assert lanes.votes == 0
