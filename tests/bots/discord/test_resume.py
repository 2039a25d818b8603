"""A session is taken up again in another process: nothing that came meanwhile is missed, named anew or asked for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from bots.discord import DiscordAccount
from bots.discord.lanes import Spot
from bots.discord.session import LIVES_S, Orders, Session, session_of
from core.account import Answer, Direct
from core.clock import Clock, Wall
from core.events import Cursor, Event, Reply, Votes
from core.message import Message, text
from tests.bots.discord.conftest import Inbox, account_on, begin, listening
from tests.bots.discord.stage import CHANNEL, SCORES, Stage, staged, votes, week
from tests.bots.discord.wire import GUILD, VOTE, Wire


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(strict=True) as running:
        yield running


def sessions_of(stage: Stage) -> int:
    """How many sessions the bot has asked for."""
    return len(stage.discord.state.applications["dc"].identified)


@asynccontextmanager
async def killed(stage: Stage, inbox: Inbox, cursors: Mapping[str, str] | None = None) -> AsyncIterator[DiscordAccount]:
    """An account that listens in a process which is killed at the end: nothing is told to Discord."""
    account = stage.account()
    async with account, listening(account, inbox, cursors):
        yield account
        await stage.discord.drop_connections("dc", 4000)


def names(events: list[Event]) -> list[str]:
    return [event.id for event in events if isinstance(event, Reply)]


async def test_a_killed_process_misses_nothing_and_spares_the_session(stage: Stage, inbox: Inbox) -> None:
    ann, bob, eve = (stage.person(name) for name in ("ann", "bob", "eve"))
    async with killed(stage, inbox) as account:
        await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await stage.discord.vote(ann, stage.posts[0], 2)
        await inbox.have(1)
        await account.catch_up([], inbox)
    await stage.discord.vote(ann, stage.posts[0], 5)
    await stage.discord.vote(bob, stage.posts[0], 8)
    first_word = await stage.discord.write("dc", eve, "10")  # of a person who was never heard of
    later, began = Inbox(), time.monotonic()
    async with killed(stage, later, inbox.kept) as account:
        assert time.monotonic() - began < 4  # within the 5 s in which no new session may be asked for
        await account.catch_up([], later)
        assert votes(later.events) == [(ann, 2, True), (ann, 5, False), (bob, 8, False)]
        assert f"m{first_word}" in names(later.events)
        assert json.loads(later.kept["session"])["sequence"] > json.loads(inbox.kept["session"])["sequence"]
    assert sessions_of(stage) == 1
    assert votes(inbox.events) == [(ann, 2, False)]


async def test_what_was_not_kept_comes_again_under_the_same_name_at_the_same_place(stage: Stage, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with killed(stage, inbox) as account:
        await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await account.catch_up([], inbox)
        before = inbox.kept
        for option in (1, 2, 3):
            await stage.discord.vote(ann, stage.posts[0], option)
        await inbox.have(5)
    later = Inbox()
    async with killed(stage, later, before) as account:
        await account.catch_up([], later)
    assert names(later.events) == names(inbox.events)
    first, again = ([e.order for e in box.events if isinstance(e, Reply)] for box in (inbox, later))
    assert first == again == sorted(first)
    assert len(set(names(inbox.events))) == 5


async def test_who_listens_anew_in_the_same_process_is_brought_what_was_not_kept(stage: Stage, inbox: Inbox) -> None:
    ann = stage.person("ann")
    later = Inbox()
    async with stage.account() as account:
        async with listening(account, inbox):
            await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
            await account.catch_up([], inbox)
            before = inbox.kept
            inbox.hold = asyncio.Event()  # nothing can be kept from here on
            for option in (1, 2, 3):
                await stage.discord.vote(ann, stage.posts[0], option)
            await inbox.have(3)
        async with listening(account, later, before):
            await account.catch_up([], later)
    assert names(later.events)[: len(inbox.replies)] == names(inbox.events)
    assert votes(later.events)[-1] == (ann, 3, False)
    assert sessions_of(stage) == 1


class Cut(Inbox):
    """Keeps what is delivered after a while, and is told to stop at one of the calls."""

    def __init__(self, before: Mapping[str, str], at: int) -> None:
        super().__init__()
        self.all = dict(before)
        self.at, self.now = at, asyncio.Event()

    async def __call__(self, events: Sequence[Event]) -> Sequence[Answer]:
        self.at -= 1
        if self.at <= 0:
            self.now.set()
        for _ in range(self.at % 7):
            await asyncio.sleep(0)
        answers = await super().__call__(events)
        self.all |= {event.name: event.value for event in events if isinstance(event, Cursor)}
        return answers


async def test_stopped_at_any_moment_of_a_replay_nothing_of_it_is_missed(stage: Stage, inbox: Inbox) -> None:
    people = [stage.person(str(number)) for number in range(12)]
    async with killed(stage, inbox) as account:
        await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await account.catch_up([], inbox)
    kept, written, found = inbox.kept, set[str](), set[str]()
    for life in range(20):
        for person in people:
            await stage.discord.vote(person, stage.posts[0], life % 10)
            written.add(f"m{await stage.discord.write('dc', person, '10')}")
        cut = Cut(kept, at=1 + life * 3 % 17)
        async with stage.account() as account, listening(account, cut, kept), asyncio.timeout(8):
            await cut.now.wait()
        (session,) = stage.discord.state.applications["dc"].sessions.values()
        async with asyncio.timeout(8):
            while session.connected:  # noqa: ASYNC110 - else what comes now would be sent before what the next one asks for
                await asyncio.sleep(0.01)
        kept = cut.all
        found |= set(names(cut.events))
    last = Cut(kept, at=0)
    async with stage.account() as account, listening(account, last, kept):
        await account.catch_up([], last)
    found |= set(names(last.events))
    assert written <= found
    every = [int(name.partition(":")[2]) for name in found if name.startswith("v")]
    sent = {number for number, frame in session.kept if b'"t":"MESSAGE_POLL_VOTE' in frame}
    assert sent <= set(every)
    assert sessions_of(stage) == 1


async def test_the_barrier_and_taps_work_in_a_session_that_told_no_servers(stage: Stage, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with killed(stage, inbox) as account:
        receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "b", begin=begin)
        await account.catch_up([], inbox)
    later = Inbox()
    async with killed(stage, later, inbox.kept) as account:
        assert await stage.discord.tap(ann, stage.posts[1], stage.posts[1].buttons[9])
        await stage.discord.vote(ann, stage.posts[0], 7)
        await stage.discord.write("dc", ann, "my words", place=CHANNEL, reply_to=stage.posts[1])
        await account.catch_up([receipt], later)
    seen = {(e.via, e.place, e.token, e.option, e.text) for e in later.events if isinstance(e, Reply)}
    assert seen == {
        ("tap", CHANNEL, "score-9", None, ""),
        ("vote", CHANNEL, None, 7, ""),
        ("text", CHANNEL, None, None, "my words"),
    }
    snapshot = [event for event in later.events if isinstance(event, Votes)][-1]
    assert dict(snapshot.votes) == {ann: 7}
    assert snapshot.order > max(event.order for event in later.events if isinstance(event, Reply))


@pytest.mark.parametrize("how", ["over", "unknown", "too far"])
async def test_a_session_that_discord_does_not_have_any_more_is_begun_anew(how: str) -> None:
    inbox, later = Inbox(), Inbox()
    async with staged() as stage:  # new sessions at once
        ann = stage.person("ann")
        async with killed(stage, inbox) as account:
            receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
            await account.say(await account.place(CHANNEL), text("Hello"), "h", begin=begin)
            number = await stage.discord.write("dc", ann, "9")
            await inbox.have(1)
            await account.catch_up([], inbox)
        kept = json.loads(inbox.kept["session"])
        if how == "over":
            stage.discord.state.applications["dc"].sessions.clear()
        changed = {"over": {}, "unknown": {"id": "0" * 32}, "too far": {"sequence": 9999}}[how]
        missed = await stage.discord.write("dc", ann, "10, sorry")
        await stage.discord.vote(ann, stage.posts[0], 4)
        cursors = inbox.kept | {"session": json.dumps(kept | changed)}
        async with killed(stage, later, cursors) as account:
            await account.catch_up([receipt], later)
    assert names(later.events) == [f"m{missed}"]
    assert number != missed
    assert [dict(event.votes) for event in later.events if isinstance(event, Votes)][-1] == {ann: 4}
    assert json.loads(later.kept["session"])["base"] > kept["base"]


@pytest.mark.parametrize("change", [{"gateway": "wss://evil.example"}, {"seen_at": 0.0}, {"id": ""}, {"more": 1}])
async def test_a_session_is_taken_up_only_while_it_lives_and_at_our_host(
    wire: Wire, inbox: Inbox, change: dict[str, object]
) -> None:
    session = {"id": "s", "gateway": f"{wire.url.replace('http', 'ws')}/gateway", "base": 5, "sequence": 3}
    kept = {"session": json.dumps(session | {"seen_at": time.time()})}
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as account, listening(account, inbox, kept):
        assert (wire.identified, wire.resumed) == (0, 1)
    later = {"session": json.dumps(session | {"seen_at": time.time()} | change)}
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as again, listening(again, Inbox(), later):
        assert (wire.identified, wire.resumed) == (1, 1)


@pytest.mark.parametrize("off_s", [-400.0, 400.0])
async def test_a_session_is_taken_up_by_a_machine_whose_clock_is_wrong(
    stage: Stage, inbox: Inbox, off_s: float
) -> None:
    ann = stage.person("ann")
    async with killed(stage, inbox) as account:
        await account.say(await account.place(CHANNEL), text("Hello"), "h", begin=begin)
        await account.catch_up([], inbox)
    word = await stage.discord.write("dc", ann, "10")
    wall = Wall(lambda: time.time() + off_s)
    wall.compare([time.time()])
    later, account = Inbox(), stage.account(Clock(wall=wall))
    async with account, listening(account, later, inbox.kept):
        await account.catch_up([], later)
    assert names(later.events) == [f"m{word}"]
    assert sessions_of(stage) == 1
    assert json.loads(later.kept["session"])["seen_at"] == pytest.approx(time.time(), abs=60)


async def test_all_that_has_come_is_kept_before_a_session_that_told_no_servers_is_called_even(
    wire: Wire, inbox: Inbox
) -> None:
    session = {"id": "s", "gateway": f"{wire.url.replace('http', 'ws')}/gateway", "base": 5, "sequence": 3}
    kept = {"session": json.dumps(session | {"guild": int(GUILD), "seen_at": time.time()})}
    wire.before_chunk = [("MESSAGE_POLL_VOTE_ADD", {**VOTE, "user_id": str(number)}) for number in range(40)]
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as account, listening(account, inbox, kept):
        assert (wire.identified, wire.resumed) == (0, 1)
        await account.catch_up([], inbox)
        assert [person for person, _, _ in votes(inbox.events)] == [str(number) for number in range(40)]


async def test_heartbeats_tell_what_is_kept_not_what_has_come(wire: Wire, inbox: Inbox) -> None:
    wire.heartbeat_ms = 50
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as account, listening(account, inbox):
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        await inbox.have(1)
        inbox.hold = asyncio.Event()
        await wire.beats_until(lambda said: said == 3)  # READY, GUILD_CREATE and the vote
        await wire.dispatch("MESSAGE_POLL_VOTE_REMOVE", VOTE)
        await inbox.have(2)
        before = len(wire.beats)
        await wire.beats_until(lambda _: len(wire.beats) >= before + 3)
        assert set(wire.beats[before:]) == {3}
        inbox.hold.set()
        await wire.beats_until(lambda said: said == 4)


async def test_heartbeats_of_a_session_that_was_taken_up_tell_what_was_kept_before(wire: Wire, inbox: Inbox) -> None:
    wire.heartbeat_ms = 50
    session = {"id": "s", "gateway": f"{wire.url.replace('http', 'ws')}/gateway", "base": 5, "sequence": 3}
    kept = {"session": json.dumps(session | {"guild": int(GUILD), "seen_at": time.time()})}
    inbox.hold = asyncio.Event()
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as account, listening(account, inbox, kept):
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        await inbox.have(1)
        await wire.beats_until(lambda _: len(wire.beats) >= 3)
        assert set(wire.beats) == {3}


async def test_a_kill_while_the_history_is_read_loses_none_of_it(stage: Stage, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with killed(stage, inbox) as account:
        await stage.discord.write("dc", ann, "first")
        await inbox.have(1)
        await account.catch_up([], inbox)
    stage.discord.state.applications["dc"].sessions.clear()
    missed = await stage.discord.write("dc", ann, "second")
    stage.discord.state.applications["dc"].identified.clear()
    cut = Inbox()
    cut.hold = asyncio.Event()  # this process keeps nothing that it reads
    async with killed(stage, cut, inbox.kept):
        await cut.have(1)
    assert json.loads(cut.kept["session"])["owes"] is True
    later = Inbox()
    async with killed(stage, later, inbox.cursors | {"session": cut.kept["session"]}) as account:
        await account.catch_up([], later)
    assert names(later.events) == [f"m{missed}"]
    assert json.loads(later.kept["session"])["owes"] is False


async def test_who_answers_a_first_message_while_nobody_listens_is_heard(stage: Stage, inbox: Inbox) -> None:
    ann = stage.person("ann")
    application = stage.discord.state.applications["dc"]
    async with killed(stage, inbox) as account:
        before = dict(inbox.kept)

        async def begun() -> None:
            before.update(inbox.kept)  # what is kept when the message leaves: nothing more will be

        await account.say(Direct(ann), text("How likely?"), "k", begin=begun)
    application.sessions.clear()
    answer = await stage.discord.write("dc", ann, "stop")
    application.identified.clear()
    later = Inbox()
    async with killed(stage, later, before) as account:
        await account.catch_up([], later)
    assert names(later.events) == [f"m{answer}"]


def test_places_in_the_order_only_grow_whatever_the_clock_does() -> None:
    wall = [1e9]
    orders = Orders(Clock(wall=lambda: wall[0]))
    first = Session("a", "", orders.base())
    reached = [orders.now(first, 7), first.order_of(8), orders.now(first, 8), orders.now(first, 8), first.order_of(9)]
    wall[0] -= 400 * 86_400
    orders.reached(first.order_of(10))
    second = Session("b", "", orders.base())
    reached += [second.order_of(0), second.order_of(1), orders.now(second, 1), second.order_of(2)]
    assert reached == sorted(set(reached))
    assert first.name_of(3) != second.name_of(3)


def test_a_session_is_kept_whole() -> None:
    session = Session("a", "wss://gateway.discord.gg", 17, 4, 99, owes=True, seen_at=1e9)
    assert session_of({"session": session.cursor.value}) == session
    assert session_of({}) is None
    assert session_of({"session": "[]"}) is None
    assert session.lives(1e9 + LIVES_S - 1)
    assert not session.lives(1e9 + LIVES_S)
    assert Spot(1, 9) < Spot(2, 1)
