"""What people may expect of a brand that writes to them, judged from the ledger: asked once a week, thanked once, and
left alone after a stop.

Some bounds are shares rather than "all", because a platform's rate may not carry a crowd within a week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sandbox.ledger import OPENING, Act, Ledger
from sandbox.reading import ChannelPlan
from sandbox.seam import Post
from sandbox.weeks import Week

MOST = 0.8
"""So many of those who may expect something must get it."""

IN_TIME = 0.6
"""Who opened direct messages in this part of a week may expect to be asked in it."""

BUSY = 0.75
"""Who still invites such people after this part of a week is held up by the rate, and not judged by ``MOST``."""

PRIVATE_ANSWERS = frozenset({"discord"})
"""Where taps are answered in private by a call without a nonce: a library whose answer was lost says it again, and
nobody can prevent it. Messages there carry a nonce."""

_SPAN = timedelta(days=9)
"""So far back an act may be that is answered only now: a week, and some time for the answer."""

_LEAVING = ("stop", "block")
_ANSWERED = ("tap", "text", "unclear", "comment", "stop")

_Name = tuple[str, str]
"""Account and person."""


class Manners:
    """The judge. ``weeks`` names, by survey, the weeks that were lived to their end; answers may be ``late``."""

    def __init__(self, ledger: Ledger, weeks: Mapping[str, Sequence[str]], *, late: timedelta = timedelta(0)) -> None:
        self._late = late
        self._ledger = ledger
        self._weeks = weeks
        self._invitations: defaultdict[_Name, list[Post]] = defaultdict(list)
        self._answers: defaultdict[_Name, list[Post]] = defaultdict(list)
        self._acts: defaultdict[_Name, list[Act]] = defaultdict(list)
        for post in ledger.posts:
            if post.place == "direct" and post.to is not None:
                asks = ledger.channels.asking(post) is not None
                (self._invitations if asks else self._answers)[post.account, post.to].append(post)
        for act in ledger.acts:
            self._acts[act.account, act.person].append(act)

    def faults(self) -> list[str]:
        """What was not as people may expect, one sentence each."""
        ledger = self._ledger
        return [
            *self._asked_otherwise_than_once(),
            *self._never_invited(),
            *(f"{post.account}: {post.to} was invited twice" for post in ledger.doubled if post.to is not None),
            *(f"{post.account}: {post.to} was written to after a stop" for post in ledger.unwelcome),
            *self.said_twice(),
            *self._unanswered(),
        ]

    def _plans(self, *, direct: bool) -> Iterator[tuple[ChannelPlan, Week]]:
        for plan in self._ledger.channels.plans:
            if (plan.kind == "direct") == direct:
                for key in self._weeks.get(plan.survey, ()):
                    yield plan, self._week(plan.survey, key)

    def _week(self, survey: str, key: str) -> Week:
        year, _, number = key.partition("-W")
        thursday = datetime.fromisocalendar(int(year), int(number), 4)
        return self._ledger.week(survey, thursday.replace(hour=12, tzinfo=UTC))

    def _asked_otherwise_than_once(self) -> Iterator[str]:
        asked = {(one.channel, one.week): one.n for one in self._ledger.asks()}
        for plan, week in self._plans(direct=False):
            n = asked.get((plan.name, week.key), 0)
            if n != 1:
                yield f"{week.key} {plan.name}: asked {n} times"

    # Invitations

    def _never_invited(self) -> Iterator[str]:
        for plan, week in self._plans(direct=True):
            invited, waiting = self._expecting(plan, week)
            busy = any(at >= _part(week, BUSY) for at in invited)
            everybody = len(invited) + waiting
            if waiting > 1 and len(invited) < MOST * everybody and not (invited and busy):
                yield f"{week.key} {plan.name}: {waiting} of {everybody} who could expect it were not invited"

    def _expecting(self, plan: ChannelPlan, week: Week) -> tuple[list[datetime], int]:
        """Of those who may expect an invitation: when they got it, and how many did not."""
        invited: list[datetime] = []
        waiting = 0
        for name, acts in self._acts.items():
            if name[0] != plan.account or not self._may_expect(acts, week):
                continue
            got = [post.at for post in self._invitations[name] if week.opens_at <= post.at < week.closes_at]
            if got:
                invited.append(got[0])
            elif not _has_answered(acts, plan.survey, week) and self._can_be_written_to(name, week):
                waiting += 1
        return invited, waiting

    def _may_expect(self, acts: Sequence[Act], week: Week) -> bool:
        opened = any(act.kind in OPENING and act.accepted and act.at < _part(week, IN_TIME) for act in acts)
        return opened and not any(act.kind in _LEAVING and act.at < week.closes_at for act in acts)

    def _can_be_written_to(self, name: _Name, week: Week) -> bool:
        """On X one answers only: they must have written since they were last written to."""
        if self._acts[name][0].platform != "x":
            return True
        until = _part(week, IN_TIME)
        wrote = [act.at for act in self._acts[name] if act.direct and act.accepted and act.at < until]
        posts = (*self._invitations[name], *self._answers[name])
        return bool(wrote) and not any(max(wrote) <= post.at < until for post in posts)

    # Answers

    def said_twice(self) -> Iterator[str]:
        """The same words again although nothing new was done. After a stop nothing may be said twice."""
        for name, posts in self._answers.items():
            acts = [act for act in self._acts[name] if act.direct and act.kind in _ANSWERED]
            stopped = next((act.at for act in acts if act.kind == "stop"), None)
            said: defaultdict[str, list[datetime]] = defaultdict(list)
            for post in posts:
                if post.platform in PRIVATE_ANSWERS and not post.key:
                    continue
                since = post.at - _SPAN
                before = [at for at in said[post.text] if at > since]
                # What the earliest of these answered counts too, although it may have been done before the span.
                answered = max((act.at for act in acts if before and act.at <= before[0]), default=since)
                answered = min(answered, before[0] - self._late) if before else answered
                done = sum(min(since, answered) <= act.at <= post.at for act in acts)
                again = stopped is not None and any(at >= stopped for at in before)
                if again or (before and len(before) >= done):
                    yield f"{name[0]}: {name[1]} was told twice: {post.text!r}"
                said[post.text].append(post.at)

    def _unanswered(self) -> Iterator[str]:
        """Scores that were typed in time and stops, and no answer within their week."""
        for plan in self._ledger.channels.plans:
            if plan.kind != "direct":
                continue
            weeks = self._weeks.get(plan.survey, ())
            acts = [a for a in self._ledger.acts if a.channel == plan.name and a.direct and a.accepted]
            lived = [a for a in acts if a.week in weeks and not a.frozen]
            left = {(a.person, a.week) for a in lived if a.kind in _LEAVING}
            typed = [a for a in lived if a.kind == "text" and a.platform != "x" and (a.person, a.week) not in left]
            silent = [act for act in typed if not self._got_answer(act)]
            if len(silent) > 1 and len(silent) > (1 - MOST) * len(typed):
                yield f"{plan.name}: {len(silent)} of {len(typed)} typed scores got no thanks within their week"
            stops = [a for a in lived if a.kind == "stop"]
            silent = [act for act in stops if not self._got_answer(act)]
            if len(silent) > (1 - MOST) * len(stops):
                yield f"{plan.name}: {len(silent)} of {len(stops)} who said stop got no goodbye"

    def _got_answer(self, act: Act) -> bool:
        closes_at = self._week(act.survey, act.week).closes_at
        return any(act.at <= post.at < closes_at for post in self._answers[act.account, act.person])


def _part(week: Week, share: float) -> datetime:
    return week.opens_at + (week.closes_at - week.opens_at) * share


def _has_answered(acts: Sequence[Act], survey: str, week: Week) -> bool:
    """Whether they gave an answer of their own in this week, anywhere on the account: then none is asked for."""
    return any(a.low is not None and not a.open and (a.survey, a.week) == (survey, week.key) for a in acts)
