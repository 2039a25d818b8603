"""What an ask and an invitation look like in a place: chosen from its limits, never from the platform's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.account import Limits, Place, Poll
from core.ballot import Ballot, finest, labels
from core.buttons import Purpose, Seal
from core.errors import SettingsError
from core.message import Button, Line, Message, Strong
from core.routes import Channel, ChannelKind
from core.store.directory import KnownWave
from core.survey import Survey
from core.words import words_for


@dataclass(frozen=True, slots=True)
class Asked:
    """What to post, the ballot that it shows, and whether we can learn who answers."""

    body: Message | Poll
    ballot: Ballot | None
    named: bool


def ask_in(survey: Survey, wave: KnownWave, channel: Channel, place: Place, seal: Seal, *, direct: bool) -> Asked:
    """The public ask of a channel. ``direct``: the survey also asks by direct message on this account.

    Raises ``SettingsError`` when the place cannot carry this kind of channel.
    """
    match channel.kind:
        case ChannelKind.POLL:
            return _poll(survey, wave, channel, place)
        case ChannelKind.BUTTONS:
            return _buttons(survey, wave, channel, place, seal, direct=direct)
        case ChannelKind.REPLIES:
            words = words_for(survey.languages[0])
            answer = words("Reply with a number from {lowest} to 10.", lowest=survey.scale.lowest)
            return Asked(Message((Line(survey.question()), Line(answer))), None, named=True)
        case ChannelKind.DIRECT:
            raise SettingsError(f"channels.{channel.name}: direct messages have no public ask")


def invitation(
    survey: Survey, wave: KnownWave, limits: Limits, seal: Seal, person: str, language: str | None
) -> Message:
    """The question to one person (``account:id``), with buttons where the platform has them."""
    spoken = survey.speaks(language)
    words = words_for(spoken)
    how = words("Answer with a number from {lowest} to 10. To stop, write STOP.", lowest=survey.scale.lowest)
    buttons = _scores(survey, wave, seal, Purpose.INVITED, person) if limits.buttons >= 11 else ()
    return Message((Line(survey.question(spoken)), Line(how)), buttons)


def _poll(survey: Survey, wave: KnownWave, channel: Channel, place: Place) -> Asked:
    limits, words = place.limits, words_for(survey.languages[0])
    if not limits.poll_options:
        raise SettingsError(
            f"channels.{channel.name}: no poll can be posted in {channel.place}; give the bot the right to (Create "
            f"Polls), or choose another kind"
        )
    try:
        ballot = finest(survey.scale, options=limits.poll_options, option_chars=limits.option_chars, words=words)
    except ValueError as error:
        raise SettingsError(
            f"channels.{channel.name}: {channel.place} cannot show a poll ({error}); choose another kind"
        ) from error
    poll = Poll(
        question=survey.question(),
        options=labels(ballot, words, option_chars=limits.option_chars),
        closes_at=wave.wave.closes_at + _apart(survey, channel, limits),
    )
    return Asked(poll, ballot, named=limits.poll_names_voters)


def _apart(survey: Survey, channel: Channel, limits: Limits) -> timedelta:
    """A second of its own for each poll that cannot be looked for: by its end it is known again if the answer to
    posting it is lost."""
    return timedelta(0) if limits.looks else timedelta(seconds=survey.channels.index(channel.name))


def _buttons(survey: Survey, wave: KnownWave, channel: Channel, place: Place, seal: Seal, *, direct: bool) -> Asked:
    if place.limits.buttons < 11:
        raise SettingsError(f"channels.{channel.name}: {channel.place} shows no buttons; choose another kind")
    words = words_for(survey.languages[0])
    buttons = _scores(survey, wave, seal, Purpose.SCORE, "")
    if direct and place.limits.tap_opens_direct:
        buttons = (*buttons, Button(words("Ask me by DM"), seal.token(Purpose.DIRECT, wave.code)))
    return Asked(Message((Strong(survey.question()),), buttons), None, named=True)


def _scores(survey: Survey, wave: KnownWave, seal: Seal, purpose: Purpose, person: str) -> tuple[Button, ...]:
    return tuple(
        Button(str(score), seal.token(purpose, wave.code, score, person)) for score in range(survey.scale.lowest, 11)
    )
