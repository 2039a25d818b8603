"""How a follower reads what the bot posted: which channel asks here, and what a label stands for.

A post is told by its form alone, as a person would: options make it a poll, labels with scores make it buttons,
a direct message or a post on the timeline asks when it shows score buttons or names both ends of the scale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sandbox.seam import Post, PostButton

_NUMBER = re.compile(r"\d+")
_DIRECT = re.compile(r"\b(?:DM|MP|PN)s?\b|direct|privé|privad", re.IGNORECASE)
_OUT_OF_TEN = re.compile(r"\d+\s*(?:/|(?:out\s+)?of|von|sur|de|su)\s*10\b")
"""``0/10``, ``0 out of 10``: an answer repeated, not a scale."""


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """A place on an account where a survey asks. ``kind`` is ``poll``, ``buttons``, ``direct`` or ``replies``."""

    survey: str
    name: str
    account: str
    place: str
    """``direct`` and ``timeline``, or a place id."""
    kind: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores that one option or button stands for."""

    low: int
    high: int

    @property
    def group(self) -> int:
        """1 for promoters (9–10), 0 for passives (7–8), -1 for detractors (0–6)."""
        return 1 if self.low >= 9 else 0 if self.low >= 7 else -1

    @property
    def straddles(self) -> bool:
        """Whether it holds scores of two groups, so that nobody can say what was meant."""
        return Scores(self.high, self.high).group != self.group


@lru_cache(maxsize=1024)
def scores_of(label: str) -> Scores | None:
    """What a label stands for: ``7``, ``9–10 very likely``, ``0 to 3``; ``None`` when it names no score."""
    numbers = [int(number) for number in _NUMBER.findall(label)]
    if not 1 <= len(numbers) <= 2 or max(numbers) > 10:
        return None
    return Scores(min(numbers), max(numbers))


def option_for(labels: Sequence[str], score: int) -> int | None:
    """The index of the label that stands for a score."""
    for index, label in enumerate(labels):
        scores = scores_of(label)
        if scores is not None and scores.low <= score <= scores.high:
            return index
    return None


def score_buttons(post: Post) -> list[PostButton]:
    """The buttons that stand for scores."""
    return [button for button in post.buttons if scores_of(button.label) is not None]


def dm_button(post: Post) -> PostButton | None:
    """The button by which a person asks to be asked directly: ``Ask me by DM``, ``En message privé``."""
    return next((b for b in post.buttons if scores_of(b.label) is None and _DIRECT.search(b.label)), None)


def form_button(post: Post) -> PostButton | None:
    """The button that may open a form: neither a score nor the way to direct messages."""
    return next((b for b in post.buttons if scores_of(b.label) is None and b != dm_button(post)), None)


def names_scale(text: str, lowest: int) -> bool:
    """Whether a text names both ends of the scale as numbers."""
    numbers = {int(number) for number in _NUMBER.findall(_OUT_OF_TEN.sub(" ", text))}
    return {lowest, 10} <= numbers


def kind_of(post: Post, lowest: int) -> str | None:
    """The kind of channel whose question this post is; ``None`` when it asks nothing.

    An answer on the timeline (``reply_to``), a private answer to a tap (``to``) and what comes with a picture are none.
    """
    if post.place == "direct":
        return "direct" if len(score_buttons(post)) > 1 or names_scale(post.text, lowest) else None
    if post.to is not None or post.reply_to is not None:
        return None
    if post.options:
        return "poll"
    if len(score_buttons(post)) > 1:
        return "buttons"
    return "replies" if post.place == "timeline" and not post.pictures else None


class Channels:
    """The channels by where and how they ask. Raises ``ValueError`` when two could not be told apart."""

    def __init__(self, plans: Iterable[ChannelPlan], lowest: Mapping[str, int]) -> None:
        self.plans = tuple(plans)
        self.lowest = lowest
        self._by_form: dict[tuple[str, str, str], ChannelPlan] = {}
        for plan in self.plans:
            form = (plan.account, plan.place, plan.kind)
            if form in self._by_form:
                raise ValueError(f"channels {self._by_form[form].name} and {plan.name} ask in the same place and way")
            self._by_form[form] = plan

    def asking(self, post: Post) -> ChannelPlan | None:
        """The channel that asks by this post; ``None`` when no question of a channel is in it."""
        for kind in ("poll", "buttons", "direct", "replies"):
            plan = self._by_form.get((post.account, post.place, kind))
            if plan is not None and kind_of(post, self.lowest[plan.survey]) == kind:
                return plan
        return None

    def direct(self, account: str) -> ChannelPlan | None:
        """The channel of an account's direct messages."""
        return self._by_form.get((account, "direct", "direct"))
