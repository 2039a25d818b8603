"""Everything that the adapters send and the sandbox answers, held against the platforms' own specifications.

Each adapter does all that it can do, through the interface that core knows, against the sandbox over sockets; and a
week of a brand is lived by the ordinary service.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bots import PLATFORMS, open_account
from connecting import Connections, connections
from core.account import NOTHING, Account, Answer, Direct, Place, Poll, Receipt
from core.clock import Clock
from core.errors import AccountError
from core.events import Cursor, Event, Reply
from core.message import Button, Form, Line, Link, Message, Quote, Strong, text
from core.settings import Settings
from demo.live import Demo
from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post, StandIn
from sandbox.server import Exchange, Sandbox
from tests.architecture import ROOT
from tests.bots.pictures import REPORT
from tests.specs.wire import SPECS_PRESENT, endpoint, violations

pytestmark = pytest.mark.skipif(not SPECS_PRESENT, reason="the platforms' specifications are not beside the checkout")

SPEED = 43_000.0
WAIT_S = 15.0
PLACE = {"telegram": "-1001000000001", "discord": "1100000000000000001", "x": "timeline"}
FORM = Form(title="Tell us why", label="What made you choose this score?", token="why-token")

CALLS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "telegram": (
        r"bot\.([a-z_]+)\(",
        {
            "initialize": "getMe",
            "get_chat": "getChat",
            "get_chat_member": "getChatMember",
            "get_webhook_info": "getWebhookInfo",
            "raw_updates": "getUpdates",
            "send_message": "sendMessage",
            "send_photo": "sendPhoto",
            "send_poll": "sendPoll",
            "edit_message_text": "editMessageText",
            "edit_message_media": "editMessageMedia",
            "edit_message_caption": "editMessageCaption",
            "stop_poll": "stopPoll",
            "set_my_commands": "setMyCommands",
            "get_chat_administrators": "getChatAdministrators",
            "answer_callback_query": "answerCallbackQuery",
            "shutdown": "",
        },
    ),
    "discord": (
        r"\b(?:_stream\.(login|fetch_\w+)|(?:http|guild|response|asked|where)\.([a-z_]+)\b)",
        {
            "login": "GET /users/@me",
            "request": "GET /gateway/bot",
            "fetch_channel": "GET /channels/{}",
            "fetch_guild": "GET /guilds/{}",
            "fetch_member": "GET /guilds/{}/members/{}",
            "send_message": "POST /channels/{}/messages",
            "start_private_message": "POST /users/@me/channels",
            "start_thread_with_message": "POST /channels/{}/messages/{}/threads",
            "end_poll": "POST /channels/{}/polls/{}/expire",
            "get_poll_answer_voters": "GET /channels/{}/polls/{}/answers/{}",
            "get_message": "GET /channels/{}/messages/{}",
            "first": "POST /interactions/{}/{}/callback",
            "later": "POST /webhooks/{}/{}",
            "history": "GET /channels/{}/messages",
            "logs_from": "GET /channels/{}/messages",
            "get_channel": "GET /channels/{}",
            "edit_message": "PATCH /channels/{}/messages/{}",
            "bulk_upsert_guild_commands": "PUT /applications/{}/guilds/{}/commands",
            **dict.fromkeys(("id", "headers", "status", "read", "close", "at_it"), ""),
        },
    ),
    "x": (
        r"\bx\.([a-z_]+)\(",
        {
            "get_me": "GET /2/users/me",
            "get_users_mentions": "GET /2/users/{}/mentions",
            "get_direct_message_events": "GET /2/dm_events, GET /2/dm_conversations/with/{}/dm_events",
            "get_tweets": "GET /2/tweets",
            "get_users_tweets": "GET /2/users/{}/tweets",
            "create_tweet": "POST /2/tweets",
            "request": "POST /2/media/upload",
            "create_direct_message": "POST /2/dm_conversations/with/{}/messages",
        },
    ),
}
"""How an adapter's source calls its library, and what each call is on the wire: nothing where it stays here, and more
than one thing where it depends on what is asked for."""

OF_THE_LIBRARY = {"GET /oauth2/applications/@me"}
"""What discord.py asks by itself when it signs in."""


@dataclass
class Stage:
    """A sandbox of one platform with one person, and what was delivered."""

    sandbox: Sandbox
    found: Connections
    exchanges: list[Exchange]
    posts: list[Post] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    answer: Answer = NOTHING
    platform: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def app(self) -> StandIn:
        return self.sandbox.stand_ins[self.platform]

    @property
    def clock(self) -> Clock:
        return self.found.clock

    @property
    def seen(self) -> Counter[str]:
        return Counter(map(endpoint, self.exchanges))

    @property
    def cursors(self) -> dict[str, str]:
        return {event.name: event.value for event in self.events if isinstance(event, Cursor)}

    def account(self) -> Account:
        forms: Callable[[str], Form | None] = lambda token: FORM if token.startswith("why") else None  # noqa: E731
        return open_account(self.platform, "brand", self.found.options["brand"], self.clock, forms)

    async def deliver(self, events: Sequence[Event]) -> Sequence[Answer]:
        """Keep the events. A tap on ``slow`` is kept only once the adapter has asked for patience."""
        self.events.extend(events)
        self.news.set()
        if self.platform == "discord" and any(isinstance(e, Reply) and e.token == "slow" for e in events):
            before = self.seen["POST /interactions/{}/{}/callback"]
            await self.until(lambda: self.seen["POST /interactions/{}/{}/callback"] > before)
        return [self.answer] * len(events)

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not true():
                self.news.clear()
                await self.news.wait()

    def exchanged(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.news.set()

    def replies(self) -> list[Reply]:
        return [event for event in self.events if isinstance(event, Reply)]


@asynccontextmanager
async def standing(platform: str, exchanges: list[Exchange]) -> AsyncIterator[Stage]:
    places = [PlacePlan("brand", PLACE[platform], "group")] if platform != "x" else []
    async with Sandbox(
        [AccountPlan("brand", platform)],
        places,
        clocks=Clocks(speed=SPEED),
        rules=Rules(off={"discord.gateway.concurrency"}),  # 5 s between two sessions, which need not be waited for
        on_exchange=lambda exchange: stage.exchanged(exchange),
    ) as sandbox:
        settings = Settings.model_validate(
            {"sandbox": {"url": sandbox.url}, "accounts": {"brand": {"platform": platform}}}
        )
        stage = Stage(sandbox, await connections(settings), exchanges, platform=platform)
        sandbox.watchers.append(stage.posts.append)
        yield stage


@asynccontextmanager
async def listening(stage: Stage, account: Account) -> AsyncIterator[None]:
    ready = asyncio.Event()
    task = asyncio.create_task(account.listen(stage.deliver, stage.cursors, ready.set))
    try:
        await asyncio.wait_for(ready.wait(), WAIT_S)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def message(*tokens: str) -> Message:
    """A message of every part, with buttons."""
    parts = (
        Strong("A question"),
        Line("How likely? @all"),
        Quote("<b>see</b> evil.com"),
        Link("More", "https://a.example/b"),
    )
    return Message(parts, tuple(Button(token, token, form=token.startswith("why")) for token in tokens))


async def begin() -> None:
    """Whoever asks may say it."""


async def speak(stage: Stage, account: Account, to: Place | Direct, body: Message) -> None:
    """Say it, then look for it and edit it where that can be done."""
    since = stage.clock.now()
    said = await account.say(to, body, str(to), begin=begin)
    limits = (await account.place(PLACE[stage.platform])).limits
    if limits.looks:
        found = await account.look(to, body, str(to), since)
        assert isinstance(found, Receipt)
        assert found.message == said.message
    if limits.edits:
        await account.edit(said, Message((*body.parts, Line("Edited.")), body.buttons))


async def picture(stage: Stage, account: Account, place: Place) -> None:
    """Say something with a picture and something below it; and make such a thing of something said, where that can be
    done."""
    since = stage.clock.now()
    first = await account.say(place, REPORT, "report:0", begin=begin)
    below = await account.say(place, text("The details."), "report:1", under=first, begin=begin)
    assert [bool(post.pictures) for post in stage.posts[-2:]] == [True, False]
    if place.limits.looks:
        found = await account.look(place, REPORT, "report:0", since)
        assert isinstance(found, Receipt)
        assert found.message == first.message
    elif place.limits.edits:
        await account.edit(below, REPORT)
        assert stage.posts[-1].pictures
        await account.edit(below, text("Other words below it."))


async def act(stage: Stage, account: Account, ann: str, bob: str) -> None:
    """All that an account can do, and all that people can answer."""
    app = stage.app
    place = await account.place(PLACE[stage.platform])
    assert (await account.place("direct")).limits.post_chars > 0
    options = tuple(str(score) for score in range(11))[: place.limits.poll_options]
    closes_at = stage.clock.now() + timedelta(days=7)
    poll = await account.poll(
        place, Poll(question="How likely?", options=options, closes_at=closes_at), "poll", begin=begin
    )
    asked = stage.posts[-1]
    assert asked.options == options
    for person, option in ((ann, 1), (bob, 0), (ann, 2), (ann, None)):
        await app.vote(person, asked, option)
    buttons = ("9", "slow", "why") if place.limits.buttons else ()
    await speak(stage, account, place, message(*buttons))
    shown = stage.posts[-1]
    assert [button.data for button in shown.buttons] == list(buttons)
    for answer in (Answer(), Answer(toast="Thanks!"), Answer(message=text("Thanks!", Button("Why", "why", form=True)))):
        stage.answer = answer
        for button in shown.buttons[: 2 if answer.message else 1]:
            assert await app.tap(ann, shown, button)
    for button in shown.buttons[2:]:
        await app.fill(ann, shown, button, "It just works.")
    for person in (ann, bob):
        assert await app.open_direct("brand", person, "spring")
        assert await app.write("brand", person, "9, thank you")
    await account.say(Direct(bob), text("How likely?"), "another invitation", begin=begin)
    await picture(stage, account, place)
    await account.offer(place, [("score", "the score so far")], to_all=False)
    assert not (await account.standing(place, ann)).admin
    direct = () if (await account.place("direct")).limits.buttons == 0 else ("9", "8")
    await speak(stage, account, Direct(ann), message(*direct))
    for button in stage.posts[-1].buttons:
        await app.tap(ann, stage.posts[-1], button)
    await app.write("brand", ann, "10", reply_to=stage.posts[-1])
    await app.write("brand", bob, "7", place=PLACE[stage.platform], reply_to=shown)
    await account.catch_up([poll], stage.deliver)
    assert {reply.text for reply in stage.replies()} >= {"9, thank you", "10", "7"}
    assert await account.close(poll) is not None
    await app.block("brand", ann)
    with suppress(AccountError):
        await account.say(Direct(ann), text("Are you there?"), "after the block", begin=begin)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_all_that_an_adapter_can_do_keeps_to_the_specification(platform: str, exchanges: list[Exchange]) -> None:
    async with standing(platform, exchanges) as stage:
        ann, bob = stage.app.add_person(name="Ann"), stage.app.add_person(name="Bob")
        async with stage.account() as account, listening(stage, account):
            await act(stage, account, ann, bob)
        assert await stage.app.write("brand", bob, "5")  # nobody listens
        async with stage.account() as account, listening(stage, account):
            await account.catch_up([], stage.deliver)
            await stage.until(lambda: "5" in {reply.text for reply in stage.replies()})
    known = {each for called in CALLS[platform][1].values() for each in called.split(", ") if each}
    assert set(stage.seen) - OF_THE_LIBRARY == known


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_call_of_an_adapter_is_left_out(platform: str) -> None:
    pattern, known = CALLS[platform]
    sources = [path.read_text("utf-8") for path in (ROOT / "bots" / platform).glob("*.py")]
    found = {name for source in sources for groups in re.findall(pattern, source) for name in _names(groups)}
    assert found == set(known)


def _names(groups: str | tuple[str, ...]) -> list[str]:
    return [name for name in ([groups] if isinstance(groups, str) else groups) if name]


async def test_a_week_of_a_brand_keeps_to_the_specifications(exchanges: list[Exchange]) -> None:
    demo = Demo(Path(ROOT, "settings.toml"), followers=50, seed=1, weeks=1, show=lambda text: None)
    demo.sandbox.on_exchange = exchanges.append
    outcome = await demo.run()
    assert outcome.ok, outcome.faults
    assert {exchange.platform for exchange in exchanges} == set(PLATFORMS)
    assert len(exchanges) > 200


async def test_a_wrong_answer_is_seen(exchanges: list[Exchange]) -> None:
    async with standing("telegram", exchanges) as stage, stage.account():
        pass
    good = exchanges[0]
    assert violations([good]) == []
    assert violations([replace(good, response_body=good.response_body.replace(b'"is_bot"', b'"is_boy"'))]) != []
    assert violations([replace(good, path=good.path.replace("getMe", "getYou"))]) != []
