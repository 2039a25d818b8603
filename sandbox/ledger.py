"""The exact record of what people did and what the bot posted, and the counting rule in code of its own.

The rule: a person is one platform id on one account and has one answer per survey and week, the last in the order of
acts. A vote or tap belongs to the week in which its post was posted, a typed answer to the week of the post that it
replies to, else to its own. Taking a vote back takes the answer back if that vote is the present answer; an earlier
answer does not come back. From 24 h after the end of its week an answer is frozen. What the platform refused does not
count. A poll that names nobody is counted apart: the votes as they stand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sandbox.arithmetic import score
from sandbox.reading import ChannelPlan, Channels, Scores
from sandbox.seam import Post
from sandbox.weeks import Week, week_at

_UNDERWAY = timedelta(days=1)
"""A message so soon after a stop may have been underway when the bot could not know yet (calendar time)."""

ANSWERS = ("vote", "tap", "text")
"""Kinds of acts that give an answer."""
COUNTED = (*ANSWERS, "retract")
"""Kinds of acts that the counting rule looks at."""
OPENING = ("start", "greeting", "ask_me")
"""By these a person asks for direct messages."""


@dataclass(slots=True)
class Act:
    """One thing that one person did."""

    seq: int
    at: datetime
    """Calendar time."""
    platform: str
    account: str
    person: str
    survey: str
    channel: str
    kind: str
    """``vote retract tap text`` count; ``unclear comment stop block start greeting ask_me`` do not."""
    week: str
    """The week to which it belongs."""
    post: Post | None = None
    """What it votes on, is tapped on or replies to."""
    direct: bool = False
    """Whether it was done in direct messages."""
    low: int | None = None
    high: int | None = None
    text: str = ""
    accepted: bool | None = None
    """Whether the platform took it; ``None`` until that is known."""
    frozen: bool = False
    """Whether it came too late to count."""

    @property
    def open(self) -> bool:
        """Whether it is a vote in a poll that names nobody."""
        return self.post is not None and bool(self.post.options) and not self.post.names_voters


@dataclass(frozen=True, slots=True)
class Count:
    """How many answered, by group."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @property
    def n(self) -> int:
        """How many answers."""
        return self.promoters + self.passives + self.detractors

    @property
    def nps(self) -> int | None:
        """The Net Promoter Score, half rounded away from zero; ``None`` when nobody answered."""
        return score(self.promoters, self.passives, self.detractors)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a report of one week must say: per channel and ``all`` together.

    A channel is listed when it asked in that week, even if nobody answered.
    """

    named: Mapping[str, Count]
    open: Mapping[str, Count]


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a channel asked in a week."""

    survey: str
    channel: str
    kind: str
    week: str
    n: int


def count(acts: Iterable[Act]) -> Count:
    """The count of acts that are answers."""
    groups: Counter[int] = Counter()
    for act in acts:
        assert act.low is not None
        assert act.high is not None
        groups[Scores(act.low, act.high).group] += 1
    return Count(groups[1], groups[0], groups[-1])


@dataclass
class Ledger:
    """Acts and posts in the order in which they happened. ``zones`` gives each survey's time zone."""

    channels: Channels
    zones: Mapping[str, str]
    acts: list[Act] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    doubled: list[Post] = field(default_factory=list)
    """Asks posted again in the same channel and week, and invitations sent again to the same person in a week."""
    unwelcome: list[Post] = field(default_factory=list)
    """Direct messages later than a day after the person's stop, but for one goodbye; who asks anew takes it back."""
    faults: list[str] = field(default_factory=list)
    """What people could not make sense of, such as a poll in which their score is missing, or a tap in vain."""

    def __post_init__(self) -> None:
        self._asks: Counter[tuple[str, str, str, str]] = Counter()
        self._polls: dict[tuple[str, str, str], bool] = {}
        self._weeks: defaultdict[tuple[str, str], list[Act]] = defaultdict(list)
        self._invited: dict[tuple[str, str, str, str], tuple[Post, int]] = {}
        self._direct_acts: Counter[tuple[str, str]] = Counter()
        self._stopped: dict[tuple[str, str], Act] = {}
        self._late_goodbyes: set[tuple[str, str]] = set()

    def week(self, survey: str, at: datetime) -> Week:
        """The week of a survey at a time."""
        return week_at(at, self.zones[survey])

    # What the bot posted

    def see(self, post: Post) -> ChannelPlan | None:
        """Write down a post. Returns the channel that asks by it, if any. An edited post takes the place of its earlier
        words and asks nothing new.

        A direct message asks when it shows the scale. The second one to a person in a week is an answer when the
        person has written or tapped there since and it has other words ("please send a number from 0 to 10", "changed
        your mind? 0 to 10"); otherwise the person has been invited twice.
        """
        put(self.posts, post)
        if post.edited:
            return None
        channel = self.channels.asking(post)
        self._heed_stop(post, asks=channel is not None)
        if channel is None:
            return None
        week = self.week(channel.survey, post.at)
        key = (channel.survey, channel.name, channel.kind, week.key)
        if channel.kind != "direct":
            if self._asks[key]:
                self.doubled.append(post)
            if post.options:
                self._polls[channel.survey, channel.name, week.key] = post.names_voters
        elif not self._invites(channel.survey, week, post):
            return None
        self._asks[key] += 1
        return channel

    def _invites(self, survey: str, week: Week, post: Post) -> bool:
        person = (post.account, post.to or "")
        key = (survey, week.key, *person)
        done = self._direct_acts[person]
        if key in self._invited:
            first, done_then = self._invited[key]
            if first.text != post.text and done > done_then:
                return False
            self.doubled.append(post)
        self._invited[key] = (post, done)
        return True

    def _heed_stop(self, post: Post, *, asks: bool) -> None:
        person = (post.account, post.to or "")
        stopped = self._stopped.get(person)
        late = stopped is not None and stopped.accepted and post.at - stopped.at > _UNDERWAY
        if post.place != "direct" or not late:
            return
        if asks or person in self._late_goodbyes:
            self.unwelcome.append(post)
        self._late_goodbyes.add(person)

    # What people did

    def record(
        self,
        kind: str,
        channel: ChannelPlan,
        *,
        at: datetime,
        platform: str,
        person: str,
        post: Post | None = None,
        direct: bool = False,
        scores: Scores | None = None,
        text: str = "",
        accepted: bool | None = None,
    ) -> Act:
        """Write down an act in the moment in which it is done; ``accepted`` is settled on the act later."""
        week = self.week(channel.survey, post.at if post is not None else at)
        act = Act(
            seq=len(self.acts),
            at=at,
            platform=platform,
            account=channel.account,
            person=person,
            survey=channel.survey,
            channel=channel.name,
            kind=kind,
            week=week.key,
            post=post,
            direct=direct,
            low=scores.low if scores else None,
            high=scores.high if scores else None,
            text=text,
            accepted=accepted,
            frozen=at >= week.frozen_at,
        )
        self.acts.append(act)
        if kind in COUNTED:
            self._weeks[channel.survey, week.key].append(act)
        if direct:
            self._direct_acts[act.account, person] += 1
        if kind == "stop":
            self._stopped[act.account, person] = act
        elif kind in OPENING:  # whether or not it was heard: who does so wants to be asked again
            self._stopped.pop((act.account, person), None)
        return act

    # The counting rule

    def answers(self, survey: str, week: str) -> dict[tuple[str, str], Act]:
        """The present named answer of each (account, person) in a week."""
        present: dict[tuple[str, str], Act] = {}
        for act in self._counted(survey, week):
            person = (act.account, act.person)
            if act.open:
                continue
            if act.kind != "retract":
                present[person] = act
            elif person in present and _same_vote(present[person], act):
                del present[person]
        return present

    def open_votes(self, survey: str, week: str) -> list[Act]:
        """The votes as they stand in the polls that name nobody."""
        standing: dict[tuple[str, str, str, str], Act] = {}
        for act in self._counted(survey, week):
            if not act.open or act.post is None:
                continue
            key = (act.account, act.post.place, act.post.id, act.person)
            standing.pop(key, None)
            if act.kind == "vote":
                standing[key] = act
        return list(standing.values())

    def _counted(self, survey: str, week: str) -> Iterable[Act]:
        return (act for act in self._weeks[survey, week] if act.accepted and not act.frozen)

    def truth(self, survey: str, week: str) -> Truth:
        """What the counting rule makes of a week such as ``2026-W47``."""
        named: list[str] = []
        unnamed: list[str] = []
        for asking, channel, _, key in self._asks:
            if (asking, key) == (survey, week):
                (named if self._polls.get((survey, channel, week), True) else unnamed).append(channel)
        return Truth(
            _by_channel(self.answers(survey, week).values(), named),
            _by_channel(self.open_votes(survey, week), unnamed),
        )

    def window(self, survey: str, weeks: Sequence[str]) -> Count:
        """The named answers of several weeks, each person counted once, with the answer of the latest week."""
        latest: dict[tuple[str, str], Act] = {}
        for week in sorted(set(weeks)):
            latest.update(self.answers(survey, week))
        return count(latest.values())

    def as_read(self, scores: Mapping[int, Scores | None]) -> Ledger:
        """The same ledger as somebody has it who read these acts, by ``seq``, as saying these scores, or none."""
        other = Ledger(self.channels, self.zones)
        other._asks, other._polls = self._asks, self._polls
        for act in self.acts:
            if act.seq in scores:
                read = scores[act.seq]
                low, high = (read.low, read.high) if read is not None else (None, None)
                act = replace(act, kind="text" if read is not None else "comment", low=low, high=high)
            other.acts.append(act)
            if act.kind in COUNTED:
                other._weeks[act.survey, act.week].append(act)
        return other

    # What was asked

    def asks(self) -> list[Asked]:
        """How often each channel asked in public, per week."""
        return [Asked(*key, n) for key, n in self._asks.items() if key[2] != "direct"]

    def invitations(self) -> list[Asked]:
        """How many invitations each channel sent, per week."""
        return [Asked(*key, n) for key, n in self._asks.items() if key[2] == "direct"]


def put(posts: list[Post], post: Post) -> None:
    """Add a post to those that people see; an edited one takes the place of the post that it was."""
    if post.edited:
        for at in range(len(posts) - 1, -1, -1):
            if _name(posts[at]) == _name(post):
                posts[at] = post
                return
    posts.append(post)


def _name(post: Post) -> tuple[str, str, str, str | None, str]:
    return (post.platform, post.account, post.place, post.to, post.id)


def _same_vote(answer: Act, retraction: Act) -> bool:
    if answer.post is None or retraction.post is None:
        return False
    same_post = (answer.post.place, answer.post.id) == (retraction.post.place, retraction.post.id)
    return answer.kind == "vote" and same_post


def _by_channel(answers: Iterable[Act], channels: Sequence[str]) -> dict[str, Count]:
    groups: dict[str, list[Act]] = {channel: [] for channel in channels}
    everything: list[Act] = []
    for act in answers:
        groups.setdefault(act.channel, []).append(act)
        everything.append(act)
    return {"all": count(everything), **{channel: count(acts) for channel, acts in groups.items()}}
