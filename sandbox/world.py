"""The world of followers: one crowd on all platforms, which acts when the bot asks, and whose ledger is the truth.

Watches what the bot posts, decides who answers what and when (``sandbox/people.py``), has it done in time
(``sandbox/agenda.py``) through the human side of the stand-ins (``sandbox/follow.py``), which writes each act down
(``sandbox/ledger.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from sandbox.agenda import Agenda, Pause, pause
from sandbox.clocks import Clocks
from sandbox.follow import Hands, Step
from sandbox.ledger import Ledger
from sandbox.office import Errand, Office, TeamPlan
from sandbox.people import Do, Intention, Minds, Person, populate
from sandbox.reading import ChannelPlan, Channels, dm_button, form_button, kind_of
from sandbox.seam import AccountPlan, Post, PostButton, StandIn
from sandbox.speech import PLAIN, Speech
from sandbox.weeks import FREEZE, Week

__all__ = ["ChannelPlan", "Stage", "TeamPlan", "World"]

_OPENING = timedelta(hours=6)
"""In so long a time after the start most people who write first have done so."""


class Stage(Protocol):
    """What the world needs of a ``sandbox.server.Sandbox``."""

    @property
    def accounts(self) -> Sequence[AccountPlan]: ...
    @property
    def clocks(self) -> Clocks: ...
    @property
    def stand_ins(self) -> Mapping[str, StandIn]: ...
    @property
    def watchers(self) -> list[Callable[[Post], None]]: ...


@dataclass(slots=True)
class _Round:
    """One survey's week on one account: what has been posted, and what waits for a post that is still to come."""

    week: Week
    number: int
    posts: dict[str, Post] = field(default_factory=dict)
    waiting: defaultdict[str, list[tuple[Person, Intention]]] = field(default_factory=lambda: defaultdict(list))


class World:
    """Followers of all planned channels. ``scale`` is ``0-10`` or ``1-10``, for all surveys or by survey.

    Raises ``ValueError`` for channels that could not be told apart.
    """

    def __init__(
        self,
        sandbox: Stage,
        channels: Sequence[ChannelPlan],
        *,
        followers: int,
        seed: int,
        zone: str,
        scale: str | Mapping[str, str] = "0-10",
        zones: Mapping[str, str] | None = None,
        speech: Speech = PLAIN,
        teams: Sequence[TeamPlan] = (),
        wait: Pause = pause,
    ) -> None:
        surveys = {plan.survey for plan in channels}
        scales = {survey: scale if isinstance(scale, str) else scale.get(survey, "0-10") for survey in surveys}
        lowest = {survey: int(scales[survey].partition("-")[0]) for survey in surveys}
        self._clocks = sandbox.clocks
        self._stand_ins = sandbox.stand_ins
        self._channels = Channels(channels, lowest)
        self.ledger = Ledger(self._channels, {survey: (zones or {}).get(survey, zone) for survey in surveys})
        self._minds = Minds(seed, lowest)
        self._public: defaultdict[tuple[str, str], list[ChannelPlan]] = defaultdict(list)
        for plan in channels:
            if plan.kind != "direct":
                self._public[plan.survey, plan.account].append(plan)
        asked = {plan.account for plan in channels}
        platforms = {account.name: account.platform for account in sandbox.accounts if account.name in asked}
        writable = [plan.account for plan in channels if plan.kind == "direct"]
        self.people = populate(platforms, writable, followers, seed, speech, self._join)
        self._persons = {(p.account, p.id): p for people in self.people.values() for p in people}
        self._rounds: dict[tuple[str, str, str], _Round] = {}
        self._first: dict[str, Week] = {}
        self._latecomers = set(platforms)
        self._hands = Hands(self._clocks, self._stand_ins, self.ledger, self._minds, speech, self._schedule)
        self._agenda: Agenda[Step | Errand] = Agenda(self._clocks, self._perform, wait)
        every = {account.name: account.platform for account in sandbox.accounts}
        self.office = Office(self._clocks, self._stand_ins, every, teams, self.ledger, self._agenda.add)
        sandbox.watchers.append(self._posted)

    def _join(self, platform: str, name: str, language: str) -> str:
        return self._stand_ins[platform].add_person(name=name, language=language)

    async def run(self) -> None:
        """People act as posts appear, until cancelled. Raises what a stand-in raises."""
        for account in self.people:
            self._open_direct(account, self._clocks.now(), late=False)
        await self._agenda.run()

    async def _perform(self, step: Step | Errand) -> None:
        await (self.office.perform(step) if isinstance(step, Errand) else self._hands.perform(step))

    def hold(self, held: bool) -> None:
        """Nobody begins anything while held; what becomes due waits."""
        self._agenda.hold(held)

    async def quiet(self) -> None:
        """Returns when no act is in flight or due."""
        await self._agenda.quiet()

    # What people notice

    def _posted(self, post: Post) -> None:
        channel = self.ledger.see(post)
        self.office.see(post)
        if post.edited:
            return
        if post.to is None:
            self._offered(post)
        elif self.office.wrote(post):
            self._helped(post)
            return
        if channel is None:
            self._asked_again(post)
            self._answered(post)
        elif channel.kind == "direct":
            self._invited(channel, post)
        else:
            self._asked(channel, post)

    def _number(self, survey: str, week: Week) -> int:
        return max(0, week.since(self._first.setdefault(survey, week)))

    def _asked(self, channel: ChannelPlan, post: Post) -> None:
        """A question in public: everybody on the account makes plans for the week when its first question appears."""
        week = self.ledger.week(channel.survey, post.at)
        key = (channel.survey, channel.account, week.key)
        now = self._rounds.get(key)
        if now is None:
            now = self._rounds[key] = _Round(week, self._number(channel.survey, week))
            self._agenda.plan(self._make_plans(channel.survey, channel.account, now))
        if channel.name not in now.posts:
            now.posts[channel.name] = post
            for person, intention in now.waiting.pop(channel.name, ()):
                self._intend(now, person, intention)
        if channel.account in self._latecomers:
            self._latecomers.discard(channel.account)
            self._open_direct(channel.account, post.at, late=True)

    def _make_plans(self, survey: str, account: str, now: _Round) -> Iterator[None]:
        public = self._public[survey, account]
        for person in self.people[account]:
            for intention in self._minds.in_public(person, survey, now.number, public):
                if intention.channel.name in now.posts:
                    self._intend(now, person, intention)
                else:
                    now.waiting[intention.channel.name].append((person, intention))
            yield

    def _intend(self, now: _Round, person: Person, intention: Intention) -> None:
        post = now.posts[intention.channel.name]
        if intention.do is not Do.LINGER:
            self._add(person, intention, post, since=post.at, week=now.week)
            return
        before = self._rounds.get((intention.channel.survey, person.account, now.week.before.key))
        old = before.posts.get(intention.channel.name) if before else None
        if old is not None:
            since = max(post.at, now.week.opens_at + FREEZE + timedelta(hours=3))
            self._add(person, intention, old, since=since, week=now.week)

    def _add(
        self,
        person: Person,
        intention: Intention,
        post: Post,
        *,
        since: datetime,
        week: Week,
        button: PostButton | None = None,
    ) -> None:
        left = week.last_act_at - since
        if left > timedelta(0):
            step = Step(person, intention, post, week.last_act_at, button)
            self._schedule(since + left * intention.share, step)

    def _schedule(self, at: datetime, step: Step) -> None:
        self._agenda.add(at, step.person.follower, step)

    def _offered(self, post: Post) -> None:
        """A button that opens direct messages: some tap it in the first week, some in the second."""
        button, channel = dm_button(post), self._channels.direct(post.account)
        if button is None or channel is None:
            return
        week = self.ledger.week(channel.survey, post.at)
        number = self._number(channel.survey, week)
        for person in self.people[post.account]:
            rng = self._minds.rng(person, "ask me")
            if person.direct and not person.opened and (number > 0 or person.turn < 5 or rng.random() < 0.8):
                intention = Intention(0.3 * rng.betavariate(1, 4), Do.ASK_ME, channel)
                self._add(person, intention, post, since=post.at, week=week, button=button)

    def _invited(self, channel: ChannelPlan, post: Post) -> None:
        person = self._persons.get((post.account, post.to or ""))
        if person is None or person.stopped:
            return
        week = self.ledger.week(channel.survey, post.at)
        for intention in self._minds.when_invited(person, channel, self._number(channel.survey, week)):
            self._add(person, intention, post, since=post.at, week=week)

    def _asked_again(self, post: Post) -> None:
        """Who left open what they meant says it plainly when they are asked for it within the same week."""
        person, channel = self._persons.get((post.account, post.to or "")), self._channels.direct(post.account)
        if person is None or person.unsure is None or channel is None:
            return
        if kind_of(post, self._channels.lowest[channel.survey]) != "direct":
            return
        (key, meant), person.unsure = person.unsure, None
        week = self.ledger.week(channel.survey, post.at)
        if week.key == key:
            share = self._minds.rng(person, key, "again").uniform(0.003, 0.02)
            again = replace(meant, share=share, typed=False)
            self._add(person, again, post, since=post.at, week=week)

    def _answered(self, post: Post) -> None:
        """Thanks that ask why: those who like to talk say so, once a week, in a form where a button opens one."""
        person = self._persons.get((post.account, post.to or ""))
        if person is None or not person.temperament.chats:
            return
        button = form_button(post) if person.platform == "discord" else None
        channel = self._where(post)
        if channel is None or (button is None and (post.place != "direct" or "?" not in post.text)):
            return
        week = self.ledger.week(channel.survey, post.at)
        turn = (channel.survey, week.key)
        if turn in person.commented or (post.place == "direct" and turn not in person.answered):
            return
        person.commented.add(turn)
        share = self._minds.rng(person, *turn, "why").uniform(0.003, 0.02)
        score = self._minds.score(person, channel.survey, self._number(channel.survey, week))
        comment = Intention(share, Do.COMMENT, channel, score)
        self._add(person, comment, post, since=post.at, week=week, button=button)

    def _helped(self, post: Post) -> None:
        """Somebody of the team wrote to them: they say thanks."""
        person, channel = self._persons.get((post.account, post.to or "")), self._channels.direct(post.account)
        if person is not None and channel is not None and not person.stopped:
            week = self.ledger.week(channel.survey, post.at)
            self._add(person, Intention(0.01, Do.THANK, channel), post, since=post.at, week=week)

    def _where(self, post: Post) -> ChannelPlan | None:
        if post.place == "direct":
            return self._channels.direct(post.account)
        return next((c for c in self._channels.plans if (c.account, c.place) == (post.account, post.place)), None)

    def _open_direct(self, account: str, since: datetime, *, late: bool) -> None:
        """People write first on X and press Start on Telegram: most at once, some when the first question is out."""
        channel = self._channels.direct(account)
        if channel is None:
            return
        for person in self.people[account]:
            rng = self._minds.rng(person, "open")
            if person.direct and person.platform != "discord" and (rng.random() < 0.3) == late:
                do = Do.START if person.platform == "telegram" else Do.GREET
                step = Step(person, Intention(0, do, channel))
                self._schedule(since + _OPENING * rng.random(), step)
