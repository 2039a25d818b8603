"""One Telegram stand-in on loopback, driven by aiogram, with clocks in the test's hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import ClientDecodeError, TelegramAPIError
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Update
from aiohttp import ClientSession, web

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Exchange
from sandbox.telegram import TelegramStandIn

GROUP, CHANNEL, BASIC = -1001000000001, -1001000000002, -4001
START = datetime(2026, 11, 16, 9, tzinfo=UTC)


Refusal = TypeVar("Refusal", bound=TelegramAPIError)


class Rig:
    """A brand's bot ``tg`` in a supergroup, a channel and a basic group; Ann pressed Start, Bob did not.

    A second bot, ``other``, is in the same supergroup.
    """

    def __init__(self, session: AiohttpSession, off: Collection[str] = (), clocks: Clocks | None = None) -> None:
        self._session = session
        self.at = 1_800_000_000.0
        self.clocks = clocks or Clocks(start=START, wire=lambda: self.at)
        self.posts: list[Post] = []
        self.exchanges: list[Exchange] = []
        self.stand_in = TelegramStandIn(self.clocks, Rules(frozenset(off)), self.posts.append)
        plans = (AccountPlan("tg", "telegram"), AccountPlan("other", "telegram"))
        self.tokens = [*(self.stand_in.add_account(plan)["token"] for plan in plans), "1234567890:" + "A" * 35]
        for account, place, kind in (
            ("tg", GROUP, "group"),
            ("other", GROUP, "group"),
            ("tg", CHANNEL, "broadcast"),
            ("tg", BASIC, "group"),
        ):
            self.stand_in.add_place(PlacePlan(account, str(place), kind))
        self.ann = self.stand_in.add_person(name="Ann")
        self.bob = self.stand_in.add_person(name="Bob", language="de")
        self._offset = 0
        self._asked = asyncio.Event()

    async def __aenter__(self) -> Self:
        api = self.stand_in.application()
        api.middlewares.append(self._record)
        app = web.Application(client_max_size=50 * 2**20)
        app.add_subapp("/telegram", api)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/telegram"
        self._session.api = TelegramAPIServer.from_base(self.url)
        self.bot, self.other, self.wrong = (Bot(token, session=self._session) for token in self.tokens)
        await self.stand_in.open_direct("tg", self.ann)
        await self.updates()
        await self.updates()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _record(self, request: web.Request, **by_name: Any) -> web.StreamResponse:
        """Keeps what went over the wire. ``_asked`` is set when the answer is under way: the body is there already."""
        body = await request.read()
        self._asked.set()
        response: web.StreamResponse = await by_name["handler"](request)
        raw = response.body if isinstance(response, web.Response) else b""
        self.exchanges.append(
            Exchange(
                platform="telegram",
                method=request.method,
                path=request.path.removeprefix("/telegram"),
                query=dict(request.query),
                request_headers=dict(request.headers),
                request_body=body,
                status=response.status,
                response_headers=dict(response.headers),
                response_body=raw if isinstance(raw, bytes) else b"",
            )
        )
        return response

    async def raw(self, method: str, **fields: Any) -> Any:
        """A call without aiogram, for answers that its newer Bot API reads otherwise. Returns the body."""
        url = f"{self.url}/bot{self.tokens[0]}/{method}"
        async with ClientSession() as session, session.post(url, json=fields) as response:
            return await response.json()

    def wait(self, seconds: float) -> None:
        """Let time pass on the wire (and so on the calendar)."""
        self.at += seconds

    async def updates(self, **how: Any) -> list[Update]:
        """What is new, confirmed by the next call. Waits out the pause for asking twice from the same place."""
        self.wait(3)
        found = await self.bot.get_updates(**{"offset": self._offset or None, "timeout": 0, **how})
        self._offset = found[-1].update_id + 1 if found else self._offset
        return found

    async def polling(self, **how: Any) -> asyncio.Task[list[Update]]:
        """Ask for updates; returns the call, which waits by now if it ever will."""
        self._asked.clear()
        call = asyncio.create_task(self.bot.get_updates(**how))
        await asyncio.wait_for(self._asked.wait(), 5)
        return call

    async def poll(self, place: int = GROUP, **how: Any) -> Post:
        """Send a poll of two options and return it as people see it."""
        self.wait(1)
        await self.bot.send_poll(**{"chat_id": place, "question": "How likely?", "options": ["No", "Yes"], **how})
        return self.posts[-1]

    async def buttons(self, data: str = "9") -> Post:
        """Send one button to Ann and return it as she sees it."""
        self.wait(1)
        await self.bot.send_message(self.ann, "How likely?", reply_markup=keyboard([[data]]))
        return self.posts[-1]

    async def taps(self, count: int) -> list[str]:
        """Have Ann tap a button, now and so often; returns the ids of the callback queries."""
        post = await self.buttons()
        for _ in range(count):
            await self.stand_in.tap(self.ann, post, post.buttons[0])
        found = await self.bot.get_updates(offset=self._offset, timeout=0)
        self._offset = found[-1].update_id + 1
        return [update.callback_query.id for update in found if update.callback_query]

    async def tapped(self) -> str:
        """Have Ann tap a button; returns the callback query's id."""
        return (await self.taps(1))[0]


Check = Callable[[Rig], Awaitable[None]]
ROWS: dict[str, Check] = {}
"""Rule → what must hold while it is enforced and fails when it is not."""


def row(rule: str) -> Callable[[Check], Check]:
    """Enter a check into the table."""

    def enter(check: Check) -> Check:
        assert rule not in ROWS, rule
        ROWS[rule] = check
        return check

    return enter


def keyboard(rows: list[list[str]]) -> InlineKeyboardMarkup:
    """An inline keyboard of callback data."""
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=data[:8], callback_data=data) for data in one] for one in rows]
    )


async def refused(call: Awaitable[Any], kind: type[Refusal], why: str) -> Refusal:
    """The call must be refused in this way, in these words."""
    refusal: TelegramAPIError | None = None
    try:
        await call
    except ClientDecodeError:
        """Taken, and answered with something else than this method returns."""
    except TelegramAPIError as error:
        refusal = error
    assert isinstance(refusal, kind), f"refused in another way, or not: {refusal!r}"
    assert why in refusal.message, refusal.message
    return refusal
