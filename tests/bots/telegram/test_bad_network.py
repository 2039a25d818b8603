"""The account through a network that loses answers after they were applied: nothing is lost and nothing said twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import pytest
from aiohttp import ClientSession, web

from bots.telegram import TelegramAccount
from bots.telegram.transport import Beginning, NotSent, Transport
from core.errors import AccountUnavailable, NotOurs, OutcomeUnknown
from core.events import PollSeen, Reply
from core.message import text
from tests.bots.telegram.scripted import begun, forms
from tests.bots.telegram.test_account import world as world
from tests.bots.telegram.world import World, group, poll

PAGE = "<html>Bad Gateway</html>"


@asynccontextmanager
async def losing(world: World, share: float, seed: int) -> AsyncIterator[TelegramAccount]:
    """The world's bot behind a proxy that passes every request on, and spoils this share of the answers."""
    rng, ways = random.Random(seed), cycle(("reset", "page", "half"))

    async def forward(request: web.Request) -> web.Response:
        url, body = f"{world.sandbox.url}{request.path_qs}", await request.read()
        kind = {"Content-Type": request.headers.get("Content-Type", "")}
        async with session.request(request.method, url, data=body, headers=kind) as answered:
            payload, status = await answered.read(), answered.status
        if rng.random() >= share or request.path.endswith("getMe"):
            return web.Response(body=payload, status=status, content_type="application/json")
        match next(ways):
            case "reset":
                raise asyncio.CancelledError
            case "page":
                return web.Response(text=PAGE, status=502, content_type="text/html")
            case _:
                return web.Response(body=payload[: len(payload) // 2], content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    async with ClientSession() as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}/telegram".format(*runner.addresses[0][:2])
        token = world.sandbox.credentials["tg"]["token"]
        async with TelegramAccount("tg", token, base_url=url, clock=world.clock, forms=forms) as account:
            yield account
        await runner.cleanup()


async def test_every_vote_comes_and_each_under_one_id(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.account.poll(await group(world), poll(world), "k", begin=begun)
    post, people = world.posts[-1], [world.app.add_person(name=f"P{n}") for n in range(150)]
    async with losing(world, 0.4, seed=1) as account:
        task = asyncio.create_task(account.listen(world.deliver, {}, lambda: None))
        for n, person in enumerate(people):
            await world.app.vote(person, post, n % 11)
            if n % 15 == 14:
                arrived = set(people[: n + 1])
                await world.until(lambda: {e.person for e in world.events if isinstance(e, Reply)} >= arrived)  # noqa: B023
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    ids = Counter((event.person, event.id) for event in world.events if isinstance(event, Reply))
    assert len(ids) == len(people)
    assert caplog.text.count("no updates now") >= 2


async def test_what_was_sent_and_never_answered_stands_there_once(world: World) -> None:
    place = await group(world)
    async with losing(world, 1.0, seed=2) as account:
        with pytest.raises(OutcomeUnknown):
            await account.say(place, text("hello"), "k1", begin=begun)
        with pytest.raises(OutcomeUnknown):
            await account.poll(place, poll(world), "k2", begin=begun)
        assert [post.text for post in world.posts] == ["hello", "How likely?"]
    await world.app.vote(world.person, world.posts[-1], 3)
    assert {type(event) for event in await world.caught_up()} == {PollSeen, Reply}


async def test_an_edit_may_be_repeated_until_it_is_heard_of(world: World) -> None:
    receipt = await world.account.say(await group(world), text("soon"), "k", begin=begun)
    async with losing(world, 1.0, seed=3) as account:
        for _ in range(2):
            with pytest.raises(AccountUnavailable):
                await account.edit(receipt, text("NPS 40"))
    await world.account.edit(receipt, text("NPS 40"))
    assert [(post.text, post.edited) for post in world.posts] == [("soon", False), ("NPS 40", True)]


async def test_nothing_is_begun_before_there_is_a_connection(world: World) -> None:
    begins: list[str] = []

    async def begin() -> None:
        begins.append("begun")

    transport, token = Transport(4), world.sandbox.credentials["tg"]["token"]
    await transport.initialize()
    try:
        with Beginning(begin), pytest.raises(NotSent):
            await transport.do_request("http://127.0.0.1:1/bot1:a/sendMessage", "POST")
        assert begins == []
        for _ in range(2):  # a new connection, and one that is there
            with Beginning(begin):
                await transport.do_request(f"{world.sandbox.url}/telegram/bot{token}/getMe", "POST")
        assert begins == ["begun", "begun"]
        await transport.do_request(f"{world.sandbox.url}/telegram/bot{token}/getMe", "POST")
        assert begins == ["begun", "begun"]
    finally:
        await transport.shutdown()


async def test_what_may_not_begin_never_leaves(world: World) -> None:
    place = await group(world)

    async def refuse() -> None:
        raise NotOurs("tg", "another process serves this account now")

    with pytest.raises(NotOurs):
        await world.account.say(place, text("hello"), "k1", begin=refuse)
    with pytest.raises(NotOurs):
        await world.account.poll(place, poll(world), "k2", begin=refuse)
    assert world.posts == []
    await world.account.say(place, text("hello"), "k3", begin=begun)
    assert [post.text for post in world.posts] == ["hello"]
