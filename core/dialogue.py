"""What to answer, given what was understood: pure. Answers that must arrive go through the outbox, the rest at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial

from core.account import NOTHING, Answer
from core.buttons import Purpose, Seal
from core.message import Button, Form, Line, Message, Part, Quote, text
from core.nps import Group
from core.orders import not_here
from core.redaction import calm
from core.survey import Survey
from core.words import Words, words_for


class Meaning(StrEnum):
    """What a reply turned out to be."""

    SCORED = "scored"
    COMMENTED = "commented"
    UNCLEAR = "unclear"
    """Perhaps a score, but not which."""
    JOINED = "joined"
    """They asked for direct messages."""
    STOPPED = "stopped"
    ERASE = "erase"
    """They want to be forgotten."""
    MY_DATA = "my_data"
    """They want to see what is kept of them."""
    QUOTED = "quoted"
    """They said whether the team may quote them."""
    HELP = "help"
    NOT_HERE = "not_here"
    """They ask for what a team asks for in its own place."""
    LATE = "late"
    FORGED = "forged"
    SILENT = "silent"
    """Nothing that wants an answer."""


@dataclass(frozen=True, slots=True)
class KnownWeek:
    """What is kept of one person's week."""

    key: str
    """``2026-W47``."""
    scores: tuple[int, int] | None
    """The lowest and the highest score that their answer stands for."""
    comments: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Situation:
    """All that the answer depends on."""

    meaning: Meaning
    survey: Survey
    language: str
    tapped: bool
    """Whether they tapped or filled in a form: then something can be shown at once."""
    direct: bool
    """Whether it happened in direct messages."""
    private_answers: bool
    """Whether a tap in this place can be answered with a message for that person alone."""
    buttons: int = 0
    """How many buttons a message there may have."""
    post_chars: int = 0
    """How long a message there may be."""
    quotable: bool | None = None
    """Whether the team may quote what they wrote this week; ``None``: they have not said."""
    known: tuple[KnownWeek, ...] = ()
    """MY_DATA: what is kept of them, the oldest first."""
    group: Group | None = None
    score: int | None = None
    wave: str = ""
    """Code of the wave."""
    person: str = ""
    """``account:id``: for whom personal buttons are sealed."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to answer: ``now`` is best effort, ``later`` goes through the outbox to the person's direct messages."""

    now: Answer = NOTHING
    later: Message | None = None


_QUIET = Reaction()


def react(situation: Situation, seal: Seal) -> Reaction:
    """The answer to one reply."""
    survey, words = situation.survey, words_for(situation.language)
    match situation.meaning:
        case Meaning.SCORED:
            return _thanks(situation, seal)
        case Meaning.COMMENTED:
            return _may_we_quote(situation, seal)
        case Meaning.UNCLEAR if situation.direct:
            return Reaction(later=_again(situation, seal))
        case Meaning.JOINED if not situation.tapped:
            return Reaction(later=text(words("Welcome back. We will ask you here, once a week at most.")))
        case Meaning.STOPPED:
            said = words("Done. We will not write to you again. To come back, write START.")
            return Reaction(later=text(survey.own("stop", situation.language) or said))
        case Meaning.ERASE:
            said = words(
                "Done. What you wrote is erased, and your name with it; your scores stay in the totals, as nobody's. "
                "We will not write to you again."
            )
            return Reaction(later=text(said))
        case Meaning.HELP:
            return Reaction(later=_help(situation))
        case Meaning.MY_DATA:
            return Reaction(later=_my_data(situation))
        case Meaning.NOT_HERE if situation.direct:
            return Reaction(later=not_here(situation.language).message)
        case _ if situation.tapped:
            return Reaction(Answer(toast=_toast(situation.meaning, words)))
        case _:
            return _QUIET


def _toast(meaning: Meaning, words: Words) -> str | None:
    """The short answer to a tap."""
    match meaning:
        case Meaning.JOINED:
            return words("Done. We will ask you here by direct message.")
        case Meaning.QUOTED:
            return words("Noted. Thank you.")
        case Meaning.LATE:
            return words("This question is closed. Thank you all the same.")
        case Meaning.FORGED:
            return words("This button is not for you, or no longer valid.")
        case _:
            return None


def _again(situation: Situation, seal: Seal) -> Message:
    """Asks for the number alone, with buttons where there are any."""
    words, lowest = words_for(situation.language), situation.survey.scale.lowest
    asked = words("Which number from {lowest} to 10 do you mean?", lowest=lowest)
    scores = range(lowest, 11) if situation.buttons >= 11 else ()
    token = partial(seal.token, Purpose.INVITED, situation.wave, person=situation.person)
    return Message((Line(asked),), tuple(Button(str(score), token(score)) for score in scores))


def _thanks(situation: Situation, seal: Seal) -> Reaction:
    words = words_for(situation.language)
    asked = _why(situation.survey, situation.group, situation.language)
    if situation.tapped and situation.private_answers:
        token = seal.token(Purpose.WHY, situation.wave, person=situation.person)
        return Reaction(Answer(message=Message(asked.parts, (Button(words("Tell us why"), token, form=True),))))
    toast = words("Thank you. We noted {score}.", score=situation.score) if situation.tapped else None
    # A public answer in the place would show others what was answered: only direct messages are answered in words.
    return Reaction(Answer(toast=toast), asked if situation.direct else None)


@cache
def _why(survey: Survey, group: Group | None, language: str) -> Message:
    return text(why(survey, group, language))


def why(survey: Survey, group: Group | None, language: str) -> str:
    """Thanks, and the one question that follows, in words for the group; then what the brand has to say: a reason to
    tell, a reward, which never depends on the score, and to promoters how to recommend it."""
    words = words_for(language)
    match group:
        case Group.PROMOTER:
            name, said = "promoter", words("Thank you! What do you like most?")
        case Group.DETRACTOR:
            name = "detractor"
            said = words("Thank you for being honest. What went wrong? The team reads every answer.")
        case _:
            name, said = "passive", words("Thank you. What could we do better?")
    more = [f"reason_{name}", "reward", *(("referral",) if group is Group.PROMOTER else ())]
    lines = [survey.own(f"thanks_{name}", language) or said, *(survey.own(each, language) for each in more)]
    return "\n".join(line for line in lines if line)


def _may_we_quote(situation: Situation, seal: Seal) -> Reaction:
    """Thanks for a comment; whoever has not said yet is asked whether the team may quote it, where a tap can answer."""
    words = words_for(situation.language)
    thanks = words("Thank you. The team will read it.")
    shown = situation.private_answers if situation.tapped else situation.direct
    if situation.quotable is not None or situation.buttons < 2 or not shown:
        return Reaction(Answer(toast=thanks)) if situation.tapped else _QUIET
    token = partial(seal.token, Purpose.QUOTE, situation.wave, person=situation.person)
    asked = Message(
        (Line(thanks), Line(words("May the team quote it, without your name?"))),
        (Button(words("Yes"), token(1)), Button(words("No"), token(0))),
    )
    return Reaction(Answer(message=asked)) if situation.tapped else Reaction(later=asked)


def _help(situation: Situation) -> Message:
    """Who asks and why, how to answer, how to stop, and what becomes of it all."""
    survey, words = situation.survey, words_for(situation.language)
    said = words(
        "{brand} asks how likely you are to recommend it, once a week. Answer with a number; "
        "the team reads your answer. To stop, write STOP.",
        brand=survey.brand,
    )
    return text(f"{survey.own('help', situation.language) or said}\n{_privacy(situation)}")


def _privacy(situation: Situation) -> str:
    survey, words = situation.survey, words_for(situation.language)
    said = words(
        "{brand} keeps what you answer and write, and nobody else gets it. /mydata shows it, /forget erases it.",
        brand=survey.brand,
    )
    return survey.own("privacy", situation.language) or said


def _my_data(situation: Situation) -> Message:
    """What is kept of a person, the newest first, as much as fits into one message."""
    words = words_for(situation.language)
    parts: list[Part] = [Line(words("What {brand} has kept of you:", brand=situation.survey.brand))]
    last = Line(_privacy(situation))
    room = situation.post_chars // 2 - len(last.text)  # marks that are escaped take more
    for week in reversed(situation.known):
        its = _week(week)
        room -= sum(len(part.text) + 1 for part in its)
        if room < 0:
            parts.append(Line("\u2026"))
            break
        parts += its
    if not situation.known:
        parts.append(Line(words("Nothing but that you wrote to us.")))
    return Message((*parts, last))


_LONGEST = 300
"""So much of one comment is shown."""


def _shortened(comment: str) -> str:
    """The beginning of a long comment."""
    comment = calm(comment)
    return comment if len(comment) <= _LONGEST else f"{comment[: _LONGEST - 1]}\u2026"


def _week(week: KnownWeek) -> list[Part]:
    low, high = week.scores or (None, None)
    score = "\u2013" if low is None else str(low) if low == high else f"{low}\u2013{high}"
    return [Line(f"{week.key}: {score}"), *(Quote(_shortened(comment)) for comment in week.comments)]


def tap_again(brand: str, language: str) -> Message:
    """To somebody who was invited and whose tap may have been lost."""
    words = words_for(language)
    return text(
        words(
            "{brand} here: we were away for a while. If you tapped a number and got no thanks, please tap it again; "
            "it counts once.",
            brand=brand,
        )
    )


def why_form(token: str, language: str) -> Form:
    """The form behind "Tell us why"."""
    words = words_for(language)
    return Form(words("Tell us why"), words("What is the main reason?"), token)
