"""What people do: an intention becomes an act on a platform, and an entry in the ledger in the same moment."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sandbox.clocks import Clocks
from sandbox.ledger import Act, Ledger
from sandbox.people import Do, Intention, Minds, Person
from sandbox.reading import Scores, option_for, score_buttons, scores_of
from sandbox.seam import Post, PostButton, StandIn
from sandbox.speech import Speech

_TRIES = 3
"""So often a person taps while the app says that the tap failed."""


@dataclass(slots=True)
class Step:
    """One thing to do: what is meant, by whom, about which post."""

    person: Person
    what: Intention
    post: Post | None = None
    last_at: datetime | None = None
    """After this it is not done any more."""
    button: PostButton | None = None
    """The button to tap, where the intention does not tell."""
    tries: int = 1

    @property
    def direct(self) -> bool:
        """Whether it is done in direct messages."""
        return self.post is None or self.post.place == "direct"


_Call = tuple[Coroutine[Any, Any, object], Act]


class Hands:
    """Performs steps. ``again`` puts a step back on the agenda for a later time."""

    def __init__(
        self,
        clocks: Clocks,
        stand_ins: Mapping[str, StandIn],
        ledger: Ledger,
        minds: Minds,
        speech: Speech,
        again: Callable[[datetime, Step], None],
    ) -> None:
        self._clocks = clocks
        self._stand_ins = stand_ins
        self._ledger = ledger
        self._minds = minds
        self._speech = speech
        self._again = again
        self._standing: dict[tuple[str, str, str, str], Scores] = {}

    async def perform(self, step: Step) -> None:
        """Do it, unless it is too late or the person has turned away."""
        person = step.person
        too_late = step.last_at is not None and self._clocks.now() > step.last_at
        if too_late or person.gone or (person.stopped and step.direct):
            return
        call = self._call(step)
        if call is None:
            return
        coroutine, act = call
        outcome = await coroutine  # the act is on the bot's stream before this first suspends
        act.accepted = outcome is not None and outcome is not False
        if act.kind in ("start", "greeting", "ask_me"):
            person.opened = act.accepted
        elif act.kind in ("vote", "retract") and act.accepted and act.post is not None:
            self._keep(step, act.post, act)
        if act.accepted or step.what.do is Do.LINGER:
            return
        if act.kind in ("tap", "ask_me"):
            self._tap_again(step)
        elif act.kind in ("vote", "text") and step.post is not None:
            self._fault(f"{person.id} could not answer: the {act.kind} was refused", step.post)

    def _tap_again(self, step: Step) -> None:
        """A tap failed: try it once more, or be sure that something is wrong."""
        if step.tries < _TRIES:
            self._again(self._clocks.now() + timedelta(minutes=10), replace(step, tries=step.tries + 1))
        elif step.post is not None:
            self._fault(f"{step.person.id} tapped three times and was not answered", step.post)

    def _call(self, step: Step) -> _Call | None:
        """What is done and its entry in the ledger, made in one stretch; ``None`` when there is nothing to do."""
        post = step.post
        match step.what.do:
            case Do.ANSWER | Do.LINGER if post is not None:
                if post.options:
                    return self._vote(step, post)
                if score_buttons(post) and not (step.what.typed and step.direct):
                    return self._tap(step, post)
                return self._type(step, post)
            case Do.RETRACT if post is not None:
                return self._retract(step, post)
            case Do.COMMENT if post is not None:
                return self._comment(step, post)
            case Do.THANK:
                return self._write(step, "thanks", self._speech.thanks(step.person.language, self._rng(step)))
            case Do.ASK_ME if post is not None and step.button is not None and not step.person.opened:
                return self._human(step).tap(step.person.id, post, step.button), self._act(step, "ask_me")
            case Do.START:
                return self._human(step).open_direct(step.person.account, step.person.id), self._act(step, "start")
            case Do.BLOCK:
                step.person.gone = True
                return self._blocking(step), self._act(step, "block", alone=True)
            case Do.STOP:
                step.person.stopped = True
                return self._write(step, "stop", self._speech.stop(step.person.language, self._rng(step)))
            case Do.GREET:
                return self._write(step, "greeting", self._speech.greeting(step.person.language, self._rng(step)))
        return None

    def _human(self, step: Step) -> StandIn:
        return self._stand_ins[step.person.platform]

    def _rng(self, step: Step) -> Random:
        return self._minds.rng(step.person, step.what.do, step.what.share)

    def _act(self, step: Step, kind: str, *, scores: Scores | None = None, text: str = "", alone: bool = False) -> Act:
        """``alone``: it refers to no post, so that it belongs to the week in which it is done."""
        return self._ledger.record(
            kind,
            step.what.channel,
            at=self._clocks.now(),
            platform=step.person.platform,
            person=step.person.id,
            post=None if alone else step.post,
            direct=step.direct,
            scores=scores,
            text=text,
        )

    def _vote(self, step: Step, post: Post) -> _Call | None:
        stand_in = self._human(step)
        option = option_for(post.options, step.what.score)
        totals = stand_in.visible_totals(post) if step.what.follows else None
        if totals and max(totals) > 0:
            option = totals.index(max(totals))
        scores = None if option is None else self._scores(post.options[option], post)
        if option is None or scores is None:
            self._fault(f"no option for {step.what.score}", post)
            return None
        if self._standing.get(_ballot(step, post)) == scores:
            return None  # an app has no way to choose the same option again
        return stand_in.vote(step.person.id, post, option), self._act(step, "vote", scores=scores)

    def _retract(self, step: Step, post: Post) -> _Call | None:
        if _ballot(step, post) not in self._standing:
            return None
        return self._human(step).vote(step.person.id, post, None), self._act(step, "retract")

    def _keep(self, step: Step, post: Post, act: Act) -> None:
        """Remember which vote stands."""
        self._standing.pop(_ballot(step, post), None)
        if act.low is not None and act.high is not None:
            self._standing[_ballot(step, post)] = Scores(act.low, act.high)

    def _tap(self, step: Step, post: Post) -> _Call | None:
        buttons = score_buttons(post)
        index = option_for([button.label for button in buttons], step.what.score)
        scores = None if index is None else self._scores(buttons[index].label, post)
        if index is None or scores is None:
            self._fault(f"no button for {step.what.score}", post)
            return None
        self._remember(step, post)
        return self._human(step).tap(step.person.id, post, buttons[index]), self._act(step, "tap", scores=scores)

    def _type(self, step: Step, post: Post) -> _Call:
        rng, who, what = self._rng(step), step.person, step.what
        lowest = self._minds.lowest(what.channel.survey)
        if step.direct and not what.plain and self._speech.hesitates(rng):
            who.unsure = (self._ledger.week(what.channel.survey, self._clocks.now()).key, replace(what, plain=True))
            return self._write(step, "unclear", self._speech.unclear(what.score, lowest, who.language, rng))
        text = str(what.score) if what.plain else self._speech.score(what.score, lowest, who.language, rng)
        scores = Scores(what.score, what.score)
        if step.direct:
            self._remember(step, post)
            return self._write(step, "text", text, scores)
        written = self._human(step).write(who.account, who.id, text, place=post.place, reply_to=post)
        return written, self._act(step, "text", scores=scores, text=text)

    def _remember(self, step: Step, post: Post) -> None:
        if step.direct:
            survey = step.what.channel.survey
            step.person.answered.add((survey, self._ledger.week(survey, post.at).key))

    def _comment(self, step: Step, post: Post) -> _Call:
        text = self._speech.comment(step.what.score, step.person.language, self._rng(step))
        if step.button is None:
            return self._write(step, "comment", text)
        return self._human(step).fill(step.person.id, post, step.button, text), self._act(step, "comment", text=text)

    def _write(self, step: Step, kind: str, text: str, scores: Scores | None = None) -> _Call:
        written = self._human(step).write(step.person.account, step.person.id, text)
        return written, self._act(step, kind, scores=scores, text=text, alone=True)

    async def _blocking(self, step: Step) -> bool:
        await self._human(step).block(step.person.account, step.person.id)
        return True

    def _scores(self, label: str, post: Post) -> Scores | None:
        scores = scores_of(label)
        if scores is None or scores.straddles:
            self._fault(f"nobody can tell what {label!r} means", post)
            return None
        return scores

    def _fault(self, words: str, post: Post) -> None:
        self._ledger.faults.append(f"{post.account} {post.place} {post.id}: {words}")


def _ballot(step: Step, post: Post) -> tuple[str, str, str, str]:
    return (post.account, post.place, post.id, step.person.id)
