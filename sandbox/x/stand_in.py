"""``XStandIn``: X's API v2 for the bot, and X's app for the people."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from decimal import Decimal

from aiohttp import web

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post, PostButton, Watcher
from sandbox.x.front import Front
from sandbox.x.oauth import App, Gate, derived, new_app
from sandbox.x.posting import LENGTH, TIMELINE
from sandbox.x.rates import Bill
from sandbox.x.records import Member, Network, Poll, Tweet
from sandbox.x.site import Faults, Site
from sandbox.x.text import mentioned, weighted_length

_FIRST_PERSON = 1_500_000_000_000_000_000
_BRANDS_FROM = 1_400_000_000_000_000_000
_BRANDS = 10**15
_JOINED_BEFORE = timedelta(days=365)


class XStandIn:
    """Keeps ``sandbox.seam.StandIn``."""

    platform = "x"

    def __init__(self, clocks: Clocks, rules: Rules, watcher: Watcher) -> None:
        self._network = Network(clocks)
        self._site = Site(clocks, rules, watcher, self._network)
        self._gate = Gate(clocks, rules)
        self._front = Front(self._site, self._gate)
        self._brands: dict[str, Member] = {}
        self._people = 0

    @property
    def faults(self) -> Faults:
        """What can be broken: credits, the whole service, answers."""
        return self._site.faults

    def cost_usd(self, account: str) -> Decimal:
        """What the calls of an account would have cost so far. Source: ``sandbox.x.rates.PRICES``."""
        return self._site.bills[account].usd

    def bill(self, account: str) -> dict[str, int]:
        """How many items of each price an account has used."""
        return dict(self._site.bills[account].items)

    def application(self) -> web.Application:
        return self._front.application()

    def add_account(self, plan: AccountPlan) -> dict[str, str]:
        digest = int.from_bytes(hashlib.sha256(plan.name.encode()).digest()[:8], "big")
        member = Member(
            id=_BRANDS_FROM + digest % _BRANDS,
            username=self._free_username(plan),
            name=plan.title,
            created_at=self._site.clocks.now() - _JOINED_BEFORE,
            account=plan.name,
        )
        self._network.join(member)
        self._brands[plan.name] = member
        self._site.bills[plan.name] = Bill()
        app = new_app(plan.name, member)
        self._gate.add(app)
        return _credentials(app)

    def _free_username(self, plan: AccountPlan) -> str:
        """At most 15 of ``A-Za-z0-9_``, and not taken."""
        wanted = re.sub(r"[^A-Za-z0-9_]", "", plan.title)[:15] or "brand"
        if wanted.lower() not in self._network.by_username:
            return wanted
        return f"{wanted[:9]}{derived(plan.name, 'username', 6)}"

    def add_place(self, plan: PlacePlan) -> None:
        """Nothing to do: timelines and direct messages are just there."""

    def add_person(self, *, name: str, language: str = "en") -> str:
        self._people += 1
        member_id = _FIRST_PERSON + self._people * 4099
        joined = self._site.clocks.now() - _JOINED_BEFORE
        self._network.join(Member(member_id, f"follower{self._people}", name, joined))
        return str(member_id)

    async def open_direct(self, account: str, person: str, payload: str = "") -> bool:
        """Nothing is needed before the person writes, and the bot learns nothing."""
        return account in self._brands and int(person) in self._network.members

    async def write(
        self, account: str, person: str, text: str, *, place: str = "direct", reply_to: Post | None = None
    ) -> str | None:
        """A direct message, or a post that mentions the brand and answers ``reply_to``. Refused when the person has
        blocked the brand, and when the text does not fit."""
        brand, member = self._brands[account], self._network.members[int(person)]
        if (brand.id, member.id) in self._network.blocks or not text:
            return None
        if place != TIMELINE:
            return str(self._network.message(brand.id, member.id, text, from_brand=False).id)
        parent = self._network.tweets.get(int(reply_to.id)) if reply_to is not None else None
        if (reply_to is not None and parent is None) or weighted_length(text) > LENGTH:
            return None
        names_brand = brand.username.lower() in mentioned(text) or (parent is not None and parent.author is brand)
        said = text if names_brand else f"@{brand.username} {text}"
        return str(self._network.post(member, said, reply_to=parent).id)

    async def vote(self, person: str, post: Post, option: int | None) -> bool:
        """Once, while the poll is open; it can neither be changed nor taken back."""
        found = self._poll(post)
        if found is None or option is None or not 0 <= option < len(found[1].options):
            return False
        tweet, poll = found
        voter, rules = int(person), self._site.rules
        if (tweet.author.id, voter) in self._network.blocks:
            return False
        if (voter in poll.voters and rules.on("x.poll.once")) or (
            self._network.closed(poll) and rules.on("x.poll.ends")
        ):
            return False
        poll.voters.add(voter)
        poll.votes[option] += 1
        return True

    def promote(self, account: str, place: str, person: str) -> None:
        """X has no teams."""

    async def tap(self, person: str, post: Post, button: PostButton) -> bool:
        """X has no buttons."""
        return False

    async def fill(self, person: str, post: Post, button: PostButton, text: str) -> bool:
        """X has no forms."""
        return False

    async def block(self, account: str, person: str) -> None:
        self._network.blocks.add((self._brands[account].id, int(person)))

    def visible_totals(self, post: Post) -> tuple[int, ...] | None:
        """X shows the result to who has voted (too late to follow it) and to everybody once the poll has ended."""
        found = self._poll(post)
        if found is None or (not self._network.closed(found[1]) and self._site.rules.on("x.poll.hidden")):
            return None
        return tuple(found[1].votes)

    def _poll(self, post: Post) -> tuple[Tweet, Poll] | None:
        tweet = self._network.tweets.get(int(post.id))
        return None if tweet is None or tweet.poll is None else (tweet, tweet.poll)


def _credentials(app: App) -> dict[str, str]:
    return {
        "consumer_key": app.consumer_key,
        "consumer_secret": app.consumer_secret,
        "access_token": app.access_token,
        "access_token_secret": app.access_token_secret,
        "bearer_token": app.bearer_token,
        "user_bearer_token": app.user_bearer_token,
        "base_url": "/",
    }
