"""Every fault of the wire happens on a real connection, is applied or not as was said, and is written down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.discord import DiscordStandIn
from tests.faults.contract import StreamFault, WireFault
from tests.faults.platform import Platform
from tests.faults.remote import Remote

SETTINGS = Path(__file__).with_name("settings.toml")
ACCOUNT, DISCORD, GROUP = "acme-telegram", "acme-discord", "-1003000000009"
CUT = {"reset": aiohttp.ServerDisconnectedError, "hang": aiohttp.ServerDisconnectedError}
CUT |= {"truncated": aiohttp.ClientPayloadError}  # type: ignore[dict-item]


@dataclass
class Stage:
    """A platform, its client, and a bot by hand."""

    platform: Platform
    remote: Remote
    http: aiohttp.ClientSession

    async def call(self, method: str, **fields: Any) -> tuple[int, str]:
        token = self.platform.sandbox.credentials[ACCOUNT]["token"]
        url = f"{self.platform.sandbox.url}/telegram/bot{token}/{method}"
        async with self.http.post(url, json=fields) as answer:
            return answer.status, await answer.text()

    async def say(self, text: str) -> tuple[int, str]:
        return await self.call("sendMessage", chat_id=GROUP, text=text)

    def said(self) -> list[str]:
        return [post.text for post, _ in self.platform.seen.posts]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    platform = Platform(SETTINGS, seed=1, followers=12, week_s=60)
    async with platform.serving() as up, Remote(up.control) as remote, aiohttp.ClientSession() as http:
        await remote.world("hold")
        yield Stage(platform, remote, http)


@pytest.mark.parametrize("fault", sorted(CUT))
@pytest.mark.parametrize("applied", [True, False])
async def test_an_answer_is_cut(stage: Stage, fault: str, applied: bool) -> None:
    spoil = WireFault(platform="telegram", fault=fault, match="sends", applied=applied, retry_after_s=0.1)
    assert (await stage.remote.spoil(spoil)).ok
    with pytest.raises(CUT[fault]):
        await stage.say("first")
    assert (await stage.say("second"))[0] == 200
    assert stage.said() == (["first"] if applied else []) + ["second"]
    first, second = (await stage.remote.truth()).requests
    assert (first.text, first.cut, first.applied, first.status) == ("first", fault, applied, 0)
    assert (second.text, second.cut, second.applied, second.status) == ("second", "", True, 200)


@pytest.mark.parametrize(("fault", "status"), [("502", 502), ("html", 200)])
async def test_somebody_else_answers(stage: Stage, fault: str, status: int) -> None:
    await stage.remote.spoil(WireFault(platform="telegram", fault=fault, match="sendmessage"))
    got, page = await stage.say("first")
    assert (got, page[:6]) == (status, "<html>")
    truth = await stage.remote.truth()
    assert [(one.cut, one.applied) for one in truth.requests] == [(fault, True)]
    assert truth.injected == {f"telegram {fault}": 1}


async def test_somebody_else_answers_where_replies_were_to_come(stage: Stage) -> None:
    await stage.remote.spoil(WireFault(platform="telegram", fault="html", match="getupdates"))
    got, page = await stage.call("getUpdates", timeout=0)
    assert (got, page[:6]) == (200, "<html>")


async def test_what_is_lifted_happens_no_more(stage: Stage) -> None:
    await stage.remote.spoil(WireFault(platform="telegram", fault="502", match="sends", n=3))
    await stage.remote.spoil(StreamFault(account=ACCOUNT, fault="duplicate", n=2))
    assert (await stage.say("first"))[0] == 502
    assert (await stage.remote.lift()).ok
    assert (await stage.say("second"))[0] == 200
    assert (await stage.remote.truth()).injected == {"telegram 502": 1}


async def test_a_flood_takes_no_effect(stage: Stage) -> None:
    await stage.remote.spoil(WireFault(platform="telegram", fault="429", match="sends", n=2, retry_after_s=7))
    assert "retry after 7" in (await stage.say("first"))[1]
    assert (await stage.say("second"))[0] == 429
    assert (await stage.say("third"))[0] == 200
    assert stage.said() == ["third"]


async def test_what_does_not_match_is_left_alone(stage: Stage) -> None:
    await stage.remote.spoil(WireFault(platform="telegram", fault="502", match="reads"))
    await stage.remote.spoil(WireFault(platform="x", fault="502"))
    assert (await stage.say("first"))[0] == 200
    assert (await stage.call("getMe"))[0] == 502
    assert (await stage.call("getMe"))[0] == 200


async def test_an_unknown_fault_is_refused(stage: Stage) -> None:
    assert not (await stage.remote.spoil(WireFault(platform="telegram", fault="gremlin"))).ok
    assert not (await stage.remote.spoil(StreamFault(account=ACCOUNT, fault="reconnect"))).ok


async def test_an_edit_is_seen_as_what_stands_there_now(stage: Stage) -> None:
    await stage.say("first")
    await stage.call("editMessageText", chat_id=GROUP, message_id=stage.platform.seen.posts[0][0].id, text="better")
    assert (await stage.remote.truth()).posts[0].edits == ("better",)


async def test_a_second_poller_is_a_conflict_for_both(stage: Stage) -> None:
    first = asyncio.create_task(stage.call("getUpdates", timeout=10))
    await asyncio.sleep(0.1)
    await stage.remote.spoil(StreamFault(account=ACCOUNT, fault="second-poller", for_s=1.0))
    status, body = await asyncio.wait_for(first, 5)
    assert status == 409
    assert "terminated by other getUpdates" in body


async def test_updates_come_twice_in_another_order_and_malformed(stage: Stage) -> None:
    telegram = stage.platform.sandbox.stand_ins["telegram"]
    for name in ("One", "Two"):
        await telegram.open_direct(ACCOUNT, telegram.add_person(name=name))
    for fault in ("reorder", "duplicate", "malformed"):
        assert (await stage.remote.spoil(StreamFault(account=ACCOUNT, fault=fault))).ok
    _, body = await stage.call("getUpdates")
    found = [one["update_id"] for one in json.loads(body)["result"]]
    assert len(found) == 4
    assert len(set(found)) == 3
    assert found != sorted(found)
    assert len(stage.platform.seen.arrivals) == 2


@asynccontextmanager
async def signed_in(stage: Stage) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    token = stage.platform.sandbox.credentials[DISCORD]["token"]
    async with stage.http.ws_connect(f"{stage.platform.sandbox.url}/discord/gateway?v=10&encoding=json") as socket:
        await socket.receive_json()
        identify = {"token": token, "intents": 1 << 12, "properties": {}}
        await socket.send_json({"op": 2, "d": identify})
        assert (await socket.receive_json())["t"] == "READY"
        yield socket


@pytest.mark.parametrize(("fault", "op"), [("reconnect", 7), ("invalidate", 9)])
async def test_a_gateway_asks_to_come_again(stage: Stage, fault: str, op: int) -> None:
    async with signed_in(stage) as socket:
        await stage.remote.spoil(StreamFault(account=DISCORD, fault=fault))
        assert (await socket.receive_json())["op"] == op


@pytest.mark.parametrize(("code", "told"), [(4000, 4000), (1006, None)])
async def test_a_gateway_closes(stage: Stage, code: int, told: int | None) -> None:
    async with signed_in(stage) as socket:
        await stage.remote.spoil(StreamFault(account=DISCORD, fault="close", code=code))
        assert (await socket.receive()).data == told


async def test_a_malformed_event_is_nobodys(stage: Stage) -> None:
    async with signed_in(stage) as socket:
        await stage.remote.spoil(StreamFault(account=DISCORD, fault="malformed", n=9))
        kinds = {(await socket.receive_json())["t"] for _ in range(9)}
    assert len(kinds) > 1
    assert not stage.platform.seen.arrivals


async def test_a_message_is_known_when_it_was_on_the_wire_and_comes_twice(stage: Stage) -> None:
    discord = stage.platform.sandbox.stand_ins["discord"]
    assert isinstance(discord, DiscordStandIn)
    person = discord.add_person(name="One")
    async with signed_in(stage) as socket:
        message = await discord.write(DISCORD, person, "9")
        assert (await socket.receive_json())["d"]["content"] == "9"
        assert list(stage.platform.seen.arrivals) == [(DISCORD, f"m{message}")]
        await stage.remote.spoil(StreamFault(account=DISCORD, fault="duplicate"))
        assert (await socket.receive_json())["d"]["id"] == message


async def test_followers_hold_still_and_go_on(stage: Stage) -> None:
    still = await stage.remote.world("quiet", 5)
    assert (still.held, still.quiet, still.acts) == (True, True, 0)
    await stage.remote.world("go")
    async with asyncio.timeout(20):
        while (await stage.remote.world("quiet", 0.5)).acts == 0:
            pass
    truth = await stage.remote.truth()
    assert {act.kind for act in truth.acts} <= {"start", "greeting"}
    assert all(act.events and act.streamed for act in truth.acts if act.accepted)
