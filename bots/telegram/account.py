"""``TelegramAccount``: one bot token as an account of ours, over the real python-telegram-bot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from urllib.parse import urlsplit

from telegram.error import InvalidToken, TelegramError

from bots.telegram import places
from bots.telegram.batch import Reader
from bots.telegram.faults import fault, refused_token
from bots.telegram.hearing import Hearing
from bots.telegram.send import Sender
from bots.telegram.stream import Stream
from bots.telegram.transport import RawBot, Transport
from core.account import Address, Begin, Deliver, Forms, Look, Place, Poll, Receipt, Standing
from core.clock import Clock
from core.errors import SettingsError
from core.events import Totals
from core.message import Message

POLLING_CONNECTIONS = 2
SENDING_CONNECTIONS = 32


class TelegramAccount:
    """One bot. ``base_url`` is Telegram's address or a stand-in's; ``/bot<token>`` is added here.

    Raises ``SettingsError`` when the token would leave this machine unencrypted.

    Telegram has no forms: a button that would open one is delivered as a tap, and the form's label is the note shown.
    """

    def __init__(
        self,
        name: str,
        token: str,
        *,
        base_url: str = "https://api.telegram.org",
        clock: Clock,
        forms: Forms,
    ) -> None:
        # At DEBUG the library writes the address of every bot, token and all.
        logging.getLogger("telegram").setLevel(logging.WARNING)
        self._name = name
        moved: dict[int, int] = {}
        self._moved = moved
        address = _address(name, base_url)
        try:
            self._bot = RawBot(
                token,
                base_url=f"{address}/bot",
                base_file_url=f"{address}/file/bot",
                request=Transport(SENDING_CONNECTIONS),
                get_updates_request=Transport(POLLING_CONNECTIONS),
            )
        except InvalidToken:
            raise refused_token(name) from None
        posted: set[str] = set()
        self._reader = Reader(name, self._bot, clock, moved, posted)
        self._stream = Stream(name, self._bot, self._reader, Hearing(name, clock), forms)
        self._sender = Sender(name, self._bot, clock, moved, posted)

    @property
    def name(self) -> str:
        """The account's name in ``settings.toml``."""
        return self._name

    @property
    def set_aside(self) -> int:
        """How many malformed updates were passed over since the start."""
        return self._reader.set_aside

    async def __aenter__(self) -> TelegramAccount:
        try:
            await self._bot.initialize()
        except InvalidToken:
            await self._bot.shutdown()
            raise refused_token(self._name) from None
        except TelegramError as error:
            await self._bot.shutdown()
            raise fault(self._name, error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._bot.shutdown()

    async def place(self, id: str) -> Place:
        """See ``Account.place``."""
        return await places.find(self._name, self._bot, id, self._moved)

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        """See ``Account.listen``. Telegram itself keeps how far we have read; the cursors say when we last had."""
        await self._stream.listen(deliver, cursors, ready)

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        """See ``Account.poll``."""
        return await self._sender.poll(place, poll, place.limits, begin)

    async def say(
        self,
        to: Address,
        message: Message,
        key: str,
        *,
        under: Receipt | None = None,
        not_after: datetime | None = None,
        begin: Begin,
    ) -> Receipt:
        """See ``Account.say``. What goes ``under`` a message is a reply to it."""
        return await self._sender.say(to, message, not_after, begin, under)

    async def edit(self, said: Receipt, message: Message) -> None:
        """See ``Account.edit``. Only what was said as a text; it may get a picture."""
        await self._sender.edit(said, message)

    async def look(
        self,
        to: Address,
        body: Message | Poll,
        key: str,
        since: datetime,
        *,
        under: Receipt | None = None,
        others: Collection[str] = (),
    ) -> Receipt | Look:
        """See ``Account.look``. The Bot API shows a bot nothing of what it has said."""
        return Look.CANNOT_TELL

    async def offer(self, place: Place, commands: Sequence[tuple[str, str]], *, to_all: bool) -> None:
        """See ``Account.offer``. Shown to everybody in the chat; who may use them is asked when they do."""
        await places.offer(self._name, self._bot, place, commands, self._moved)

    async def standing(self, place: Place, person: str) -> Standing:
        """See ``Account.standing``. Who has left, was banned or never was there is nothing."""
        return await places.standing(self._name, self._bot, place, person, self._moved)

    async def close(self, poll: Receipt) -> Totals | None:
        """See ``Account.close``. ``None`` when the poll had ended already, or when nobody knows its message because the
        answer was lost: its totals come by the stream, then at its ``close_date``."""
        return await self._sender.close(poll)

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        """See ``Account.catch_up``. All that Telegram can give is its queue: polls cannot be read, only stopped."""
        await self._stream.catch_up(deliver)


def _address(name: str, base_url: str) -> str:
    """The address that the token is sent to: https, or a stand-in on this machine. Raises ``SettingsError``."""
    try:
        url = urlsplit(base_url)
    except ValueError:
        url = urlsplit("")
    here = url.hostname in ("127.0.0.1", "::1", "localhost")
    # What follows ``?`` or ``#`` and what precedes ``@`` is no host; the library fills in what stands in braces.
    if (
        not url.hostname
        or not (url.scheme == "https" or (url.scheme == "http" and here))
        or set("?#@{}") & set(base_url)
    ):
        raise SettingsError(f"accounts.{name}.base_url: give an https:// address, or http:// on this machine")
    return base_url.rstrip("/")
