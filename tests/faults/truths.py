"""Everything that a judge needs, out of the ledger and the record of the wires."""

from __future__ import annotations

import time
from datetime import timedelta

from sandbox import ledger as lived
from sandbox.discord import DiscordStandIn
from sandbox.ledger import Ledger
from sandbox.manners import Manners
from sandbox.seam import Post
from sandbox.telegram import TelegramStandIn
from sandbox.telegram.updates import DAY_S, TAP_LIFE_S
from sandbox.world import World
from tests.faults.recorded import Act, Count, PostSeen, Request, Truth, WeekTruth
from tests.faults.seen import Call, Deed, Seen

INTERACTION_S = 3.0
ANSWER_LIFE = timedelta(days=3)
"""So late an answer may be said after a death: then it stands beside the next one."""


def truth(world: World, seen: Seen, discord: DiscordStandIn, telegram: TelegramStandIn) -> Truth:
    """All of it, as it stands now."""
    ledger = world.ledger
    places = {plan.name: plan.place for plan in ledger.channels.plans}
    numbers = {id(post): number for number, (post, _) in enumerate(seen.posts)}
    return Truth(
        at=seen.clocks.now().timestamp(),
        wall=time.time(),
        acts=tuple(_act(act, places, seen, discord) for act in ledger.acts),
        posts=tuple(
            _post(number, post, request, ledger, seen, telegram) for number, (post, request) in enumerate(seen.posts)
        ),
        requests=tuple(_request(call) for call in seen.calls),
        violations=tuple(seen.violations),
        confirmations=seen.confirmations,
        weeks=tuple(_weeks(ledger)),
        doubled=tuple(numbers[id(post)] for post in ledger.doubled),
        unwelcome=tuple(numbers[id(post)] for post in ledger.unwelcome),
        # Of what people may expect, the rest is judged otherwise or not at all: how often they were asked and who was
        # written to after a stop stands above; who was not invited or thanked may have been cut off by a kill, where
        # nobody may say it again, and that is what ``share`` and ``unknown`` count.
        unmannerly=tuple(Manners(ledger, {}, late=ANSWER_LIFE).said_twice()),
        faults=tuple(ledger.faults),
        hits=tuple(seen.hits),
        refusals=dict(seen.refusals),
        counts=dict(seen.counts),
        injected=dict(seen.injected),
        lives=tuple(seen.lives),
    )


def _act(act: lived.Act, places: dict[str, str], seen: Seen, discord: DiscordStandIn) -> Act:
    deed = seen.deeds.get(act.seq) or Deed(0.0)
    arrivals = [one for event in deed.events if (one := seen.arrivals.get((act.account, event))) is not None]
    confirmed = [one.confirmed for one in arrivals if one.confirmed is not None]
    place = act.post.place if act.post is not None else "direct" if act.direct else places.get(act.channel, "")
    return Act(
        seq=act.seq,
        at=act.at.timestamp(),
        wall=deed.wall,
        platform=act.platform,
        account=act.account,
        person=act.person,
        survey=act.survey,
        channel=act.channel,
        kind=act.kind,
        week=act.week,
        low=act.low,
        high=act.high,
        text=act.text,
        accepted=act.accepted,
        frozen=act.frozen,
        open=act.open,
        direct=act.direct,
        place=place,
        post=act.post.id if act.post is not None else "",
        events=tuple(deed.events),
        streamed=deed.streamed,
        wired=min((one.wired for one in arrivals), default=None),
        confirmed=min(confirmed, default=None),
        lost=_lost(act, deed, confirmed=bool(confirmed), discord=discord),
    )


def _lost(act: lived.Act, deed: Deed, *, confirmed: bool, discord: DiscordStandIn) -> str:
    """Why the platform gave up on it, if it did."""
    if confirmed or not deed.wall:
        return ""
    age_s = time.time() - deed.wall
    if act.platform == "telegram":
        life_s = TAP_LIFE_S if act.kind in ("tap", "ask_me", "order") else DAY_S
        return "expired" if deed.events and age_s > life_s else ""
    if act.platform != "discord":
        return ""
    interaction = discord.interactions.by_id.get(deed.interaction)
    if interaction is None:
        # Votes stand in the poll, direct messages in the history: a message in a place is told only to a session.
        in_place = act.kind in ("text", "comment") and not act.direct
        return "no stream" if in_place and not deed.streamed else ""
    if interaction.answered:
        return "deferred"
    return "expired" if age_s > INTERACTION_S else ""


def _post(number: int, post: Post, request: int, ledger: Ledger, seen: Seen, telegram: TelegramStandIn) -> PostSeen:
    channel = ledger.channels.asking(post)
    where = post.to or post.place
    return PostSeen(
        number=number,
        request=request,
        platform=post.platform,
        account=post.account,
        place=post.place,
        to=post.to,
        id=post.id,
        text=post.text,
        at=post.at.timestamp(),
        options=post.options,
        names_voters=post.names_voters,
        buttons=tuple(button.label for button in post.buttons),
        reply_to=post.reply_to,
        key=post.key,
        edits=tuple(seen.edits.get((post.account, where, post.id), ())),
        channel=channel.name if channel is not None else "",
        poll=telegram.poll_id(post) if post.platform == "telegram" and post.options else "",
    )


def _request(call: Call) -> Request:
    what = call.what
    return Request(
        number=call.number,
        wall=call.wall,
        at=call.at,
        instance=call.instance,
        platform=call.platform,
        account=what.account,
        method=call.method,
        path=call.path,
        text=what.text,
        place=what.place,
        to=what.to,
        nonce=what.nonce,
        applied=call.applied,
        status=call.status if call.answered_at else 0,
        fault=call.fault,
        cut=call.cut,
    )


def _weeks(ledger: Ledger) -> list[WeekTruth]:
    asks: dict[tuple[str, str], dict[str, int]] = {}
    for asked in (*ledger.asks(), *ledger.invitations()):
        asks.setdefault((asked.survey, asked.week), {})[asked.channel] = asked.n
    found: list[WeekTruth] = []
    for (survey, week), channels in sorted(asks.items()):
        counted = ledger.truth(survey, week)
        named = {name: _count(count) for name, count in counted.named.items()}
        unnamed = {name: _count(count) for name, count in counted.open.items()}
        found.append(WeekTruth(survey=survey, week=week, named=named, open=unnamed, asks=channels))
    return found


def _count(count: lived.Count) -> Count:
    return Count(promoters=count.promoters, passives=count.passives, detractors=count.detractors)
