"""What comes of each order: its answer, and what it changes. Everything is read when it is carried out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from core.account import Place
from core.buttons import Seal
from core.caring import Caring
from core.cases import Teammate
from core.clock import Clock
from core.deciding import Deciding, codes
from core.details import tally_line
from core.done import Done, of
from core.fitting import split
from core.message import Line, Message, Part, Quote, Strong, text
from core.nps import nps
from core.orders import WAVE, Name, Order, offered
from core.proposing import agenda
from core.publishing import for_team, hear, messages, week_report, written
from core.quotes import Quoted
from core.reasons import Theme, Voice, voices
from core.redaction import redacted, shortened
from core.report import WeekReport
from core.routes import ChannelKind, Routes, Team
from core.saying import one_line, reason_part
from core.store import asks, commands, published, tallies
from core.store.comments import written_in
from core.store.database import Connection, Database
from core.survey import Survey, Wave, wave_by_key, week_wave
from core.threads import in_thread
from core.words import Words, words_for

MOST_QUOTES = 8
LONGEST = 200
"""Letters of a comment that is shown."""

EXPORTED = 52
"""Weeks at most."""


_Told = tuple[tuple[Message, ...], tuple[Quoted, ...]]
"""Messages, and whose words stand in them."""
_CHANGE = (Name.ASK, Name.PAUSE, Name.RESUME, Name.OWN, Name.DONE)
_CASES = (Name.CASES, Name.TAKE, Name.REPLY, Name.CLOSE)
_FREE = (*_CASES, Name.OWN, Name.DONE)


class Answering:
    """Answers orders."""

    def __init__(
        self, database: Database, routes: Routes, seal: Seal, clock: Clock, answers_only: Collection[str] = ()
    ) -> None:
        """``answers_only``: accounts on which nobody is written to first; see ``Presence``."""
        self._answers_only = answers_only
        self._database = database
        self._routes = routes
        self._seal = seal
        self._clock = clock

    async def to(self, order: Order, team: Team, place: Place, who: Teammate) -> Done:
        """Carry out an order of a team, given by somebody who may."""
        words = words_for(team.language)
        mine = [survey for survey in self._routes.surveys.values() if team.name in survey.teams]
        by_name = {survey.name: survey for survey in mine}
        first, _, rest = order.text.partition(" ")
        order = replace(order, text=rest.strip()) if first in by_name else order
        if order.name in _FREE:  # what stands behind these is somebody's own words
            named = [by_name[first]] if first in by_name else []
        else:
            named = [survey for survey in mine if survey.name in order.words.split()]
        if order.name is Name.HELP:
            return Done("told what there is", (_help(words),))
        if not mine:
            return Done("no survey", (text(words("No survey reports here.")),))
        if order.name in _CASES and team.cases:
            return _fitted(await in_thread(partial(self._cared, order, named or mine, who, words)), place)
        tapped = self._is_of_a_wave(order, mine)
        if order.name in _CHANGE and len(mine) > 1 and not (named or tapped):  # nothing is changed by guessing
            names = ", ".join(survey.name for survey in mine)
            return Done(
                "no survey named", (text(words("Several surveys report here. Name one: {names}.", names=names)),)
            )
        survey = tapped or (named or mine)[0]
        order = replace(order, words=" ".join(word for word in order.words.split() if word != survey.name))
        match order.name:
            case Name.ASK:
                looks = "preview" in order.words.lower().split()
                return await in_thread(partial(self._would_ask if looks else self._asked, survey, words))
            case Name.PAUSE | Name.RESUME:
                return _paused(survey, words, paused=order.name is Name.PAUSE)
            case Name.OWN | Name.DONE:
                return await in_thread(partial(self._decided, order, survey, team, who))
            case _:
                return await in_thread(partial(self._told, order, survey, team, place))

    def _is_of_a_wave(self, order: Order, mine: Sequence[Survey]) -> Survey | None:
        """The survey on whose button somebody tapped."""
        code, now = order.text.partition(" ")[0].removeprefix(WAVE), self._clock.now()
        return next((survey for survey in mine if code in codes(survey, now)), None)

    def _cared(self, order: Order, surveys: Sequence[Survey], who: Teammate, words: Words) -> Done:
        by_name = {survey.name: survey for survey in surveys}
        with self._database.reading() as connection:
            caring = Caring(connection, by_name, self._clock.now(), self._seal, words)
            match order.name:
                case Name.TAKE:
                    return caring.taken(order, who)
                case Name.REPLY:
                    return caring.replied(order, who)
                case Name.CLOSE:
                    return caring.closed(order)
                case _:
                    return caring.listed()

    def _decided(self, order: Order, survey: Survey, team: Team, who: Teammate) -> Done:
        with self._database.reading() as connection:
            deciding = Deciding(connection, survey, team, self._clock.now(), self._seal)
            return deciding.owned(order, who) if order.name is Name.OWN else deciding.done(order, who)

    def _asked(self, survey: Survey, words: Words) -> Done:
        with self._database.reading() as connection:
            if commands.is_paused(connection, survey.name):
                return Done("paused", (of(survey, words("Paused: nobody is asked. /resume goes on.")),))
        wave = week_wave(survey, self._clock.now()).key
        said = words("This week's question is asked now, wherever it was not asked yet.")

        def change(connection: Connection, now: datetime) -> None:
            commands.ask_now(connection, survey.name, wave)

        return Done(f"asks {survey.name} {wave}", (of(survey, said),), change=change)

    def _would_ask(self, survey: Survey, words: Words) -> Done:
        """Whom ``/ask`` would ask."""
        wave = week_wave(survey, self._clock.now())
        channels = [self._routes.channels[name] for name in survey.channels]
        direct = [channel.account for channel in channels if channel.kind is ChannelKind.DIRECT]
        with self._database.reading() as connection:
            asked, n = asks.still_to_ask(connection, survey.name, wave.key, direct, self._answers_only)
        left = [c.name for c in channels if c.kind is not ChannelKind.DIRECT and c.name not in asked]
        if left:
            said = words(
                "Nothing was sent. Still to be asked this week, in public: {channels}.", channels=", ".join(left)
            )
        else:
            said = words("Nothing was sent. This week's question was asked in public everywhere.")
        people = [words("People who would be invited by direct message now: {n}.", n=n)] if direct else []
        return Done("told whom it would ask", (Message((Line(said), *map(Line, people))),))

    def _told(self, order: Order, survey: Survey, team: Team, place: Place) -> Done:
        words = words_for(team.language)
        quotes: tuple[Quoted, ...] = ()
        match order.name:
            case Name.SCORE:
                with self._database.reading() as connection:
                    report = week_report(connection, survey, week_wave(survey, self._clock.now()))
                said: tuple[Message, ...] = (_score(report, words),)
            case Name.REPORT:
                said, quotes = self._report(order, survey, team)
            case Name.EXPORT:
                with self._database.reading() as connection:
                    said = (_export(connection, survey, words),)
            case Name.WHY if team.quotes:
                said, quotes = self._why(order, survey, words)
            case Name.COMMENTS if team.quotes:
                said, quotes = self._comments(survey, words)
            case _:
                said = (text(words("Nobody's own words are shown here.")),)
        limits = place.limits
        parts = tuple(part for one in said for part in split(one, limits.post_chars, limits.caption_chars))
        return Done(f"told {survey.name}", parts, quotes)

    def _report(self, order: Order, survey: Survey, team: Team) -> _Told:
        """The post of the week that is named, of the running one (``preview``), or of the last that was asked."""
        now = week_wave(survey, self._clock.now())
        with self._database.reading() as connection:
            asked = tallies.asked_waves(connection, survey.name, str(survey.scale))
        keys = [key for key in asked if key < now.key]
        wave = next((found for word in order.words.split() if (found := _week(survey, word)) is not None), None)
        if wave is None and "preview" not in order.words.lower().split() and keys:
            wave = wave_by_key(survey, keys[-1])
        wave = wave or now
        if wave.key not in asked:
            words = words_for(team.language)
            return (text(words("Nothing was asked in week {week}.", week=wave.key)),), ()
        heard = for_team(hear(self._database, survey, wave), team)
        with self._database.reading() as connection:
            report = week_report(connection, survey, wave, heard)
            if wave == now and team.quotes:
                report = replace(report, agenda=agenda(connection, survey, report, team, self._clock.now()))
            before = published.trend(connection, survey.name, team.name, wave.key)
        return messages(report, team.language, before=before, advice=team.advice), report.quotes

    def _why(self, order: Order, survey: Survey, words: Words) -> _Told:
        """What unhappy people name; with a theme what those who allow it say of it."""
        wave = week_wave(survey, self._clock.now())
        theme = _theme(order, survey, words.language)
        if theme is None:
            found = hear(self._database, survey, wave).reasons
            if not found:
                return (text(words("Too few unhappy people wrote this week to name a reason.")),), ()
            return (Message(tuple(reason_part(reason, words) for reason in found)),), ()
        named = [one for one in self._voices(survey, wave) if theme.is_in(one.text)]
        about = {"title": one_line(theme.title(words.language)), "n": len(named)}
        return _shown(words("{title}, this week: {n} wrote about it.", **about), named, words)

    def _comments(self, survey: Survey, words: Words) -> _Told:
        """What people wrote this week, as far as they allow it to be shown."""
        heard = self._voices(survey, week_wave(survey, self._clock.now()))
        if not heard:
            return (of(survey, words("Nobody wrote this week.")),), ()
        return _shown(words("Comments this week: {n}.", n=len(heard)), heard, words)

    def _voices(self, survey: Survey, wave: Wave) -> list[Voice]:
        with self._database.reading() as connection:
            ids = tallies.asked_waves(connection, survey.name, str(survey.scale), [wave.key])
            found = written_in(connection, ids[wave.key]) if ids else []
        return voices(written(found))


def _help(words: Words) -> Message:
    lead = words("What you can ask for here. Only who administers this place may.")
    return Message((Strong(lead), *(Line(f"/{name}: {about}") for name, about in offered(words))))


def _score(report: WeekReport, words: Words) -> Message:
    about = {"title": one_line(report.title), "week": report.wave.key}
    parts: list[Part] = [Strong(words("{title}, week {week}, so far", **about))]
    if not report.asks_openly_only:
        parts.append(Line(tally_line(words("Named answers"), report.week.total, words)))
    if report.open is not None:
        parts.append(Line(tally_line(words("Open polls"), report.open.total, words)))
    return Message(tuple(parts))


def _fitted(done: Done, place: Place) -> Done:
    """Its messages in pieces that the place can show."""
    return replace(
        done, messages=tuple(piece for one in done.messages for piece in split(one, place.limits.post_chars))
    )


def _export(connection: Connection, survey: Survey, words: Words) -> Message:
    """The counts of each week, as a spreadsheet takes them. Numbers alone: nobody's words are in it."""
    asked = tallies.asked_waves(connection, survey.name, str(survey.scale))
    rows = [Line("week,promoters,passives,detractors,n,nps")]
    for key, id in list(asked.items())[-EXPORTED:]:
        its = tallies.total(tallies.window(connection, [id]).values())
        score = nps(its)
        counts = (its.promoters, its.passives, its.detractors, its.n, "" if score is None else score)
        rows.append(Line(",".join(map(str, (key, *counts)))))
    lead = words("Named answers of each week, for a spreadsheet ({scale}):", scale=survey.scale.value)
    return Message((Strong(lead), *rows))


def _paused(survey: Survey, words: Words, *, paused: bool) -> Done:
    went_on = words("It goes on: people are asked again.")
    said = words("Paused: nobody is asked. /resume goes on.") if paused else went_on

    def change(connection: Connection, now: datetime) -> None:
        commands.pause(connection, survey.name, paused)

    return Done(f"{'paused' if paused else 'resumed'} {survey.name}", (of(survey, said),), change=change)


def _week(survey: Survey, word: str) -> Wave | None:
    try:
        return wave_by_key(survey, word.upper())
    except ValueError:
        return None


def _theme(order: Order, survey: Survey, language: str) -> Theme | None:
    asked = order.words.casefold()
    return next(
        (t for t in survey.themes if asked and asked in (t.name.casefold(), t.title(language).casefold())), None
    )


def _shown(lead: str, heard: Sequence[Voice], words: Words) -> _Told:
    """The latest that may be shown, blacked out and shortened, and how many may not."""
    allowed = [voice for voice in heard if voice.quotable]
    quotes = tuple(_quoted(voice) for voice in allowed[-MOST_QUOTES:])
    hidden = len(heard) - len(allowed)
    parts: list[Part] = [Strong(lead), *(Quote(quoted.line) for quoted in quotes)]
    if hidden:
        parts.append(Line(words("Not shown, because they did not allow it: {n}.", n=hidden)))
    return (Message(tuple(parts)),), quotes


def _quoted(voice: Voice) -> Quoted:
    return Quoted(shortened(redacted(voice.text, ()), LONGEST), voice.band.label, voice.person)
