"""What comes of the orders about a week's fix: who owns it, and that it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.agenda import Decision, part
from core.buttons import Purpose, Seal, wave_code
from core.cases import Teammate
from core.done import Done, of
from core.message import Button, Message
from core.orders import WAVE, Order
from core.redaction import shortened
from core.routes import Team
from core.saying import one_line
from core.store import decisions
from core.store.database import Connection
from core.survey import Survey, previous_wave, week_wave
from core.words import Words, words_for

LONGEST = 80
"""Characters of what a fix is called."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """Answers one order about the fix of a survey."""

    connection: Connection
    survey: Survey
    team: Team
    now: datetime
    seal: Seal

    def owned(self, order: Order, who: Teammate) -> Done:
        """Somebody owns it, in their own words if they have any."""
        words, (found, own) = self._words, self._meant(order)
        title = shortened(one_line(own), LONGEST) or (found.title if found is not None else "")
        if not title:
            return self._nothing()
        wave = week_wave(self.survey, self.now).key
        fix = found or Decision(self.survey.name, wave, self.team.name, title, self.now)
        if fix.owner not in ("", who.person):
            return Done("owned already", (_owner(fix, words),))

        def take(connection: Connection, at: datetime) -> Message | None:
            decisions.propose(connection, fix.survey, fix.wave, fix.team, title, at)
            if decisions.own(connection, fix, who, title, at):
                return None
            return _owner(decisions.decision(connection, fix.survey, fix.wave, fix.team) or fix, words)

        token = self.seal.token(Purpose.DONE, wave_code(self.survey.name, fix.wave))
        said = words("{owner} owns it: {title}. Tell us when it is done.", owner=who.shown, title=title)
        told = Message((part(said, title),), (Button(words("Done"), token),))
        return Done(f"owns {title}", (told,), change=take)

    def done(self, order: Order, who: Teammate) -> Done:
        """It is done; where nobody owned it, by who says so."""
        words, (found, _) = self._words, self._meant(order)
        if found is None:
            return self._nothing()
        title = found.title

        def finish(connection: Connection, at: datetime) -> Message | None:
            if not found.owner:
                decisions.own(connection, found, who, title, at)
            if decisions.done(connection, found, at):
                return None
            return Message((part(words("It was done before: {title}.", title=title), title),))

        said = part(words("Done: {title}. The next post says so.", title=title), title)
        return Done(f"done: {title}", (Message((said,)),), change=finish)

    @property
    def _words(self) -> Words:
        return words_for(self.team.language)

    def _nothing(self) -> Done:
        words = self._words
        said = words("No fix is proposed. Write what you will do behind /own.")
        return Done("nothing proposed", (of(self.survey, said),))

    def _meant(self, order: Order) -> tuple[Decision | None, str]:
        """The fix that an order means, and what else it says: that of the wave on its button, else the latest of this
        week and the last that is not done."""
        code, _, rest = order.text.partition(" ")
        by_code = codes(self.survey, self.now)
        if code.startswith(WAVE):
            key = by_code.get(code.removeprefix(WAVE), "")
            return decisions.decision(self.connection, self.survey.name, key, self.team.name), rest
        keys = list(by_code.values())[:2]
        found = (decisions.decision(self.connection, self.survey.name, key, self.team.name) for key in keys)
        return next((one for one in found if one is not None and one.done_at is None), None), order.text


def codes(survey: Survey, now: datetime) -> dict[str, str]:
    """By their codes the keys of the waves whose fix can be owned: this week's, and of the three before."""
    wave, found = week_wave(survey, now), dict[str, str]()
    for _ in range(4):
        found[wave_code(survey.name, wave.key)] = wave.key
        wave = previous_wave(survey, wave)
    return found


def _owner(fix: Decision, words: Words) -> Message:
    said = words("{owner} owns it already: {title}.", owner=fix.owner_shown, title=fix.title)
    return Message((part(said, fix.title),))
