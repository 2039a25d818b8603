"""Where the account connects to, whom it never gives its token, and how it keeps a day's sessions."""

from __future__ import annotations

import asyncio
import time

import pytest
import yarl

from bots.discord import DiscordAccount
from bots.discord.gateway import Gateway, identify_wait_s, is_family
from core.clock import Clock
from core.errors import AccountRefused
from tests.bots.discord.conftest import TOKEN, Inbox, account_on, listening
from tests.bots.discord.wire import VOTE, Wire


def account_at(wire: Wire, token: str = TOKEN) -> DiscordAccount:
    """An account that is told nothing but ``base_url``."""
    return DiscordAccount(
        "dc", token, base_url=f"{wire.url}/api/v10", clock=Clock(), forms=lambda token: None, identify_every_s=0.05
    )


async def test_with_a_base_url_alone_its_host_is_asked_for_the_gateway(wire: Wire, inbox: Inbox) -> None:
    async with account_at(wire) as account, listening(account, inbox):
        assert wire.identified == 1
        assert await wire.asked("GET", "/gateway/bot")


@pytest.mark.parametrize("address", ["ws://gateway.discord.gg", "wss://gateway.discord.gg/", "wss://evil.example"])
async def test_the_token_does_not_follow_to_another_host(wire: Wire, inbox: Inbox, address: str) -> None:
    wire.gateway_url = address
    async with account_at(wire) as account:
        with pytest.raises(AccountRefused, match="gateway_url"):
            async with listening(account, inbox):
                pass


async def test_a_host_that_does_not_say_its_gateway_needs_a_person(wire: Wire, inbox: Inbox) -> None:
    wire.on("GET", "/gateway/bot", {"code": 0, "message": "404: Not Found"}, 404)
    async with account_at(wire) as account:
        with pytest.raises(AccountRefused, match="gateway_url"):
            async with listening(account, inbox):
                pass
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as account, listening(account, inbox):
        assert wire.identified == 1


async def test_we_come_back_to_the_same_host_whatever_the_session_says(wire: Wire, inbox: Inbox) -> None:
    wire.resume_url = "wss://evil.example"
    async with account_at(wire) as account, listening(account, inbox):
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        await inbox.have(1)
        await wire.hang_up(4000)
        await wire.sessions(2)
        assert (wire.identified, wire.resumed) == (1, 1)


async def test_a_second_account_elsewhere_is_refused_and_the_first_goes_on(wire: Wire) -> None:
    async with Wire() as elsewhere, account_at(wire):
        with pytest.raises(AccountRefused, match="base_url"):
            async with account_at(elsewhere):
                pass
        async with account_at(wire, "another"):
            pass
        assert elsewhere.requests == []
    async with Wire() as elsewhere, account_at(elsewhere):
        assert elsewhere.requests != []


@pytest.mark.parametrize(
    ("host", "told_by", "family"),
    [
        ("gateway.discord.gg", "https://discord.com/api/v10", True),
        ("gateway-us-east1-b.discord.gg", "wss://gateway.discord.gg/", True),
        ("discord.gg.evil.example", "https://discord.com/api/v10", False),
        ("evildiscord.gg", "https://discord.com/api/v10", False),
        ("discord.gg", "https://api.example", False),
        ("gateway.api.example", "https://api.example", True),
        ("notapi.example", "https://api.example", False),
        ("localhost", "http://127.0.0.1:80", True),
        (None, "https://discord.com", False),
    ],
)
def test_who_belongs_together(host: str | None, told_by: str, family: bool) -> None:
    assert is_family(host, yarl.URL(told_by)) is family


def test_an_encrypted_account_is_never_led_to_an_open_line() -> None:
    gateway = Gateway("dc", TOKEN, "https://discord.com/api/v10", "")
    assert gateway.may_dial(yarl.URL("wss://gateway.discord.gg"))
    assert not gateway.may_dial(yarl.URL("ws://gateway.discord.gg"))


async def test_the_last_sessions_of_a_day_are_left_alone(wire: Wire, inbox: Inbox) -> None:
    wire.sessions_left, wire.new_day_after_ms = 50, 50
    async with account_at(wire) as account:
        listener = asyncio.create_task(account.listen(inbox, {}, lambda: None))
        await wire.asked("GET", "/gateway/bot", times=2)
        assert wire.identified == 0
        wire.sessions_left = 1000
        await wire.sessions(1)
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def test_an_account_that_is_made_anew_remembers_its_sessions(wire: Wire, inbox: Inbox) -> None:
    base_url = f"{wire.url}/api/v10"
    async with account_at(wire) as account, listening(account, inbox):
        pass
    again, other = Gateway("dc", TOKEN, base_url, ""), Gateway("dc", "another", base_url, "")
    assert identify_wait_s(again.identified, time.monotonic(), 5.0) > 0
    assert identify_wait_s(other.identified, time.monotonic(), 5.0) == 0
