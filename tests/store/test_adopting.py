"""A poll whose answer was lost is known again when it comes by; what nobody can look for is settled by a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from core.account import Place, Poll
from core.clock import Clock
from core.events import PollSeen
from core.sender import Sender
from core.store import asks, doubts
from core.store.asks import NewAsk
from core.store.outbox import Kind, Planned
from tests.store.stage import ACCOUNT, BALLOT, CHANNELS, NOW, WAVES, Stage
from tests.store.test_resolving import POLL, row, soon, stage
from tests.store.voice import PLACE, Voice, hold

__all__ = ["stage"]


def ask(stage: Stage, channel: str, wave: int = 0, poll: Poll = POLL) -> str:
    known = stage.wave(WAVES[wave])
    key = asks.ask_key("acme", known.wave.key, channel)
    thing = Planned(
        key=key,
        account=ACCOUNT,
        kind=Kind.ASK,
        body=poll,
        place=CHANNELS[channel].place,
        wave_id=known.id,
        channel=channel,
        not_after=known.wave.closes_at,
    )
    with stage.database.engine.begin() as connection:
        new = NewAsk(thing=thing, kind=CHANNELS[channel].kind, ballot=BALLOT, named=True)
        asks.plan_asks(connection, [new], stage.now)
    return key


def seen(
    stage: Stage, poll: Poll = POLL, ref: str = "poll:7", closes_at: datetime | None = None
) -> tuple[str, ...] | None:
    with stage.database.engine.begin() as connection:
        came = PollSeen(ref=ref, question=poll.question, options=poll.options, closes_at=closes_at)
        return doubts.adopt(connection, ACCOUNT, came, NOW)


async def lost(stage: Stage, *keys: str) -> None:
    """Post these, and lose the answers."""
    places = {place.id: place for place in (PLACE, Place(id="-1002", kind=PLACE.kind, limits=PLACE.limits))}
    voice = Voice(stage)
    voice.loses |= set(keys)
    sender = Sender(voice, places, stage.database, hold(stage), Clock(wall=NOW.timestamp), stage.inbox.replay)
    await soon(sender.drain())
    assert {row(stage, key)["state"] for key in keys} == {"unknown"}


async def test_a_poll_that_comes_by_is_the_one_that_is_unknown(stage: Stage) -> None:
    key = ask(stage, "group")
    await lost(stage, key)
    assert str(row(stage, key)["error"]).endswith("; its first vote makes it known again")
    assert seen(stage, Poll(question="Another?", options=POLL.options, closes_at=NOW)) is None
    assert seen(stage, Poll(question=POLL.question, options=("1", "0"), closes_at=NOW)) is None
    assert seen(stage) == ("poll:7",)
    assert row(stage, key)["state"] == "sent"
    assert seen(stage, ref="poll:8") is None
    stage.deliver(stage.vote(1, "ann", "poll:7", 9), stage.vote(2, "bob", "poll:8", 9))
    assert set(stage.responses()) == {("ann", WAVES[0].key)}


async def test_a_poll_that_could_be_one_of_two_is_neither(stage: Stage) -> None:
    keys = [ask(stage, "group"), ask(stage, "forum")]
    await lost(stage, *keys)
    assert seen(stage) is None
    with stage.database.engine.begin() as connection:
        assert doubts.by_hand(connection, keys[1], NOW, said=False)
    assert seen(stage) == ("poll:7",)
    assert [row(stage, key)["state"] for key in keys] == ["sent", "planned"]


async def test_two_polls_with_the_same_words_are_told_apart_by_their_ends(stage: Stage) -> None:
    keys = [
        ask(stage, "group"),
        ask(stage, "forum", poll=replace(POLL, closes_at=POLL.closes_at + timedelta(seconds=1))),
    ]
    await lost(stage, *keys)
    assert seen(stage, closes_at=POLL.closes_at + timedelta(seconds=2)) is None
    assert seen(stage, closes_at=POLL.closes_at + timedelta(seconds=1)) == ("poll:7",)
    assert [row(stage, key)["state"] for key in keys] == ["unknown", "sent"]
    assert seen(stage, ref="poll:8", closes_at=POLL.closes_at) == ("poll:8",)
    assert [row(stage, key)["state"] for key in keys] == ["sent", "sent"]


async def test_a_person_who_has_looked_settles_it(stage: Stage) -> None:
    keys = [ask(stage, "group"), ask(stage, "forum")]
    await lost(stage, *keys)
    with stage.database.engine.begin() as connection:
        assert doubts.by_hand(connection, keys[0], NOW, said=True)
        assert doubts.by_hand(connection, keys[1], NOW, said=False)
        assert not doubts.by_hand(connection, keys[0], NOW, said=False)
        assert not doubts.by_hand(connection, "no such key", NOW, said=True)
        assert asks.open_polls(connection, ACCOUNT, NOW) == []
    assert [row(stage, key)["state"] for key in keys] == ["sent", "planned"]
    assert seen(stage) == ("poll:7",)  # what a person has seen is known by its first vote, too
    assert str(row(stage, keys[0])["receipt"]) != ""
