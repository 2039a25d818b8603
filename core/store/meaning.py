"""What a reply means: which wave and channel it belongs to, and which band it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from core.buttons import DESK, Purpose
from core.dialogue import Meaning
from core.events import Reply, Via
from core.nps import SINGLE, Band
from core.orders import Name, order_of
from core.reading import asks_for_data, comes_back, keepable
from core.reading import read as read_text
from core.routes import ChannelKind, Route
from core.store.directory import KnownAsk, KnownWave
from core.store.known import Known
from core.survey import Survey


@dataclass(slots=True, kw_only=True)
class Read:
    """A reply, understood. ``outcome`` is what is kept with it when it does not count."""

    meaning: Meaning
    outcome: str = "unread"
    survey: Survey | None = None
    wave: KnownWave | None = None
    channel: str = ""
    ask_id: int | None = None
    band: Band | None = None
    """The score, also beside the wish to stop."""
    comment: str = ""
    allowed: bool | None = None
    """QUOTED: whether they said yes."""


_UNREAD = Read(meaning=Meaning.SILENT)


def understand(
    known: Known, connection: Connection, account: str, reply: Reply, asks: Mapping[tuple[str, str], KnownAsk]
) -> Read:
    """What the reply means. ``asks`` holds the posts that replies of this transaction refer to."""
    ask = asks.get((account, reply.ref)) if reply.ref is not None else None
    match reply.via:
        case Via.VOTE:
            return _vote(known, reply, ask)
        case Via.TAP | Via.FORM:
            return _tap(known, connection, account, reply, ask)
        case Via.TEXT:
            return _text(known, connection, account, reply, ask)
        case Via.COMMAND:
            return _UNREAD


def _vote(known: Known, reply: Reply, ask: KnownAsk | None) -> Read:
    if ask is None:
        return Read(meaning=Meaning.SILENT, outcome="waiting")
    if ask.ballot is None or (reply.option is None and not reply.withdrawn):
        return _UNREAD
    if reply.option is not None and not 0 <= reply.option < len(ask.ballot.bands):
        return _UNREAD
    return Read(
        meaning=Meaning.SCORED,
        survey=known.routes.surveys.get(ask.wave.wave.survey),
        wave=ask.wave,
        channel=ask.channel,
        ask_id=ask.id,
        band=ask.ballot.bands[reply.option] if reply.option is not None else None,
    )


def _tap(known: Known, connection: Connection, account: str, reply: Reply, ask: KnownAsk | None) -> Read:
    tapped = known.seal.open(reply.token or "", f"{account}:{reply.person}")
    wave = known.directory.wave_by_code(connection, tapped.wave) if tapped is not None else None
    survey = known.routes.surveys.get(wave.wave.survey) if wave is not None else None
    if tapped is None or tapped.purpose in DESK or wave is None or survey is None:
        any_route = known.routes.at(account, "", ChannelKind.DIRECT) or _any_route(known, account)
        return Read(meaning=Meaning.FORGED, outcome="forged", survey=any_route.survey if any_route else None)
    kind = ChannelKind.BUTTONS if tapped.purpose in (Purpose.SCORE, Purpose.DIRECT) else ChannelKind.DIRECT
    route = known.routes.within(survey.name, account, kind, reply.place)
    channel = ask.channel if ask is not None else route.channel.name if route is not None else ""
    if tapped.purpose is Purpose.DIRECT:
        return Read(meaning=Meaning.JOINED, survey=survey, wave=wave, channel=channel)
    if tapped.purpose is Purpose.WHY:
        return Read(meaning=Meaning.COMMENTED, survey=survey, wave=wave, channel=channel, comment=keepable(reply.text))
    if tapped.purpose is Purpose.QUOTE:
        return Read(meaning=Meaning.QUOTED, survey=survey, wave=wave, channel=channel, allowed=tapped.score == 1)
    if tapped.score is None or not survey.scale.lowest <= tapped.score <= 10 or not channel:
        return _UNREAD
    return Read(
        meaning=Meaning.SCORED,
        survey=survey,
        wave=wave,
        channel=channel,
        ask_id=ask.id if ask is not None else None,
        band=SINGLE[tapped.score],
    )


def _text(known: Known, connection: Connection, account: str, reply: Reply, ask: KnownAsk | None) -> Read:
    kind = ChannelKind.DIRECT if reply.place == "" else ChannelKind.REPLIES
    route = known.routes.at(account, reply.place, kind)
    if route is None:
        return _UNREAD
    survey = route.survey
    if ask is not None and ask.wave.wave.survey in known.routes.surveys:
        survey, wave = known.routes.surveys[ask.wave.wave.survey], ask.wave
    else:
        wave = known.directory.wave_at(connection, survey, reply.written_at or reply.at)
    here = partial(Read, survey=survey, wave=wave, channel=route.channel.name)
    if (meaning := _no_answer(reply.text, kind)) is not None:
        return here(meaning=meaning)
    reading = read_text(reply.text, survey.scale, (reply.language,) if reply.language else ())
    if reading.score is not None:
        here = partial(here, band=SINGLE[reading.score], ask_id=ask.id if ask is not None else None)
    match reading.intent:
        case "score":
            return here(meaning=Meaning.SCORED, comment=reading.comment)
        case "stop":
            return here(meaning=Meaning.STOPPED, comment=reading.comment)
        case "delete":
            return here(meaning=Meaning.ERASE)
        case "help" if kind is ChannelKind.DIRECT and asks_for_data(reply.text):
            return here(meaning=Meaning.MY_DATA, outcome="help")
        case "help":
            return here(meaning=Meaning.HELP, outcome="help")
        case "comment" if reading.ambiguous:
            return here(meaning=Meaning.UNCLEAR, comment=reading.comment)
        case "comment":
            return here(meaning=Meaning.COMMENTED, comment=reading.comment)
        case _:
            return _UNREAD


def _no_answer(text: str, kind: ChannelKind) -> Meaning | None:
    """What is meant by what answers no question. A teammate may write a command of the desk in the wrong chat: its
    number is a case's and no score, its words are meant for a customer."""
    order = order_of(text)
    if order is not None and order.name is not Name.HELP:
        return Meaning.NOT_HERE
    return Meaning.JOINED if kind is ChannelKind.DIRECT and comes_back(text) else None


def _any_route(known: Known, account: str) -> Route | None:
    for survey in known.routes.surveys.values():
        for kind in ChannelKind:
            if (route := known.routes.within(survey.name, account, kind)) is not None:
                return route
    return None
