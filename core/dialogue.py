"""What to answer, given what was understood: pure. Answers that must arrive go through the outbox, the rest at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial

from core.account import NOTHING, Answer
from core.ballot import Scale
from core.buttons import Purpose, Seal
from core.message import Button, Form, Line, Message, text
from core.nps import Group
from core.words import words_for


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
    """They want their answers erased; so far that stops all messages, and a person must do the rest."""
    HELP = "help"
    LATE = "late"
    FORGED = "forged"
    SILENT = "silent"
    """Nothing that wants an answer."""


@dataclass(slots=True, kw_only=True)
class Situation:
    """All that the answer depends on."""

    meaning: Meaning
    brand: str
    language: str
    tapped: bool
    """Whether they tapped or filled in a form: then something can be shown at once."""
    direct: bool
    """Whether it happened in direct messages."""
    private_answers: bool
    """Whether a tap in this place can be answered with a message for that person alone."""
    buttons: int = 0
    """How many buttons a message there may have."""
    scale: Scale = Scale.ZERO_TO_TEN
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
    words = words_for(situation.language)
    match situation.meaning:
        case Meaning.SCORED:
            return _thanks(situation, seal)
        case Meaning.COMMENTED if situation.tapped:
            return Reaction(Answer(toast=words("Thank you. The team will read it.")))
        case Meaning.UNCLEAR if situation.direct:
            return Reaction(later=_again(situation, seal))
        case Meaning.JOINED if situation.tapped:
            return Reaction(Answer(toast=words("Done. We will ask you here by direct message.")))
        case Meaning.JOINED:
            return Reaction(later=text(words("Welcome back. We will ask you here, once a week at most.")))
        case Meaning.STOPPED:
            return Reaction(later=text(words("Done. We will not write to you again. To come back, write START.")))
        case Meaning.ERASE:
            said = words(
                "We will not write to you again. To have your answers erased as well, please ask {brand}.",
                brand=situation.brand,
            )
            return Reaction(later=text(said))
        case Meaning.HELP:
            return Reaction(
                later=text(
                    words(
                        "{brand} asks how likely you are to recommend it, once a week. Answer with a number; "
                        "the team reads your answer. To stop, write STOP.",
                        brand=situation.brand,
                    )
                )
            )
        case Meaning.LATE if situation.tapped:
            return Reaction(Answer(toast=words("This question is closed. Thank you all the same.")))
        case Meaning.FORGED if situation.tapped:
            return Reaction(Answer(toast=words("This button is not for you, or no longer valid.")))
        case _:
            return _QUIET


def _again(situation: Situation, seal: Seal) -> Message:
    """Asks for the number alone, with buttons where there are any."""
    words, lowest = words_for(situation.language), situation.scale.lowest
    asked = words("Which number from {lowest} to 10 do you mean?", lowest=lowest)
    scores = range(lowest, 11) if situation.buttons >= 11 else ()
    token = partial(seal.token, Purpose.INVITED, situation.wave, person=situation.person)
    return Message((Line(asked),), tuple(Button(str(score), token(score)) for score in scores))


def _thanks(situation: Situation, seal: Seal) -> Reaction:
    words = words_for(situation.language)
    asked = _why(situation.group, situation.language)
    if situation.tapped and situation.private_answers:
        token = seal.token(Purpose.WHY, situation.wave, person=situation.person)
        return Reaction(Answer(message=Message(asked.parts, (Button(words("Tell us why"), token, form=True),))))
    toast = words("Thank you. We noted {score}.", score=situation.score) if situation.tapped else None
    # A public answer in the place would show others what was answered: only direct messages are answered in words.
    return Reaction(Answer(toast=toast), asked if situation.direct else None)


@cache
def _why(group: Group | None, language: str) -> Message:
    return text(why(group, language))


def why(group: Group | None, language: str) -> str:
    """Thanks, and the one question that follows, in words for the group."""
    words = words_for(language)
    match group:
        case Group.PROMOTER:
            return words("Thank you! What do you like most?")
        case Group.DETRACTOR:
            return words("Thank you for being honest. What went wrong? The team reads every answer.")
        case _:
            return words("Thank you. What could we do better?")


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
