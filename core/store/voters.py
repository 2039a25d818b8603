"""A poll's whole list of voters, which does not tell when somebody voted: it fills what the stream missed, and never
overrides what came by another way."""

from __future__ import annotations

from sqlalchemy import Connection, select

from core.events import Via, Votes
from core.models import Response
from core.nps import Band
from core.store.directory import KnownAsk
from core.store.people import KnownPerson, People
from core.store.responses import Kept, Responses
from core.store.statements import stamp, table

_RESPONSE = table(Response)


def fill(
    connection: Connection, people: People, responses: Responses, account: str, ask: KnownAsk, votes: Votes
) -> list[tuple[KnownPerson, Band]]:
    """Let the list count: who is on it and has given nothing else answers so, and who is on it no more takes back.
    Returns whose answer was news."""
    news: list[tuple[KnownPerson, Band]] = []
    if ask.id is None or ask.ballot is None:
        return news
    people.know({(account, person): None for person, _ in votes.votes})
    voted = [(people[(account, person)], option) for person, option in dict(votes.votes).items()]
    standing = connection.execute(
        select(_RESPONSE.c.person_id).where(
            _RESPONSE.c.wave_id == ask.wave.id, _RESPONSE.c.ask_id == ask.id, _RESPONSE.c.via == str(Via.VOTE)
        )
    ).scalars()
    there = {person.id for person, _ in voted}
    gone = set(standing) - there
    everybody = [*there, *gone]
    if everybody:
        responses.load(everybody, [ask.wave.id])
    via, at = str(Via.VOTE), stamp(connection)(votes.as_of)
    for person, option in voted:
        band = ask.ballot.bands[option] if 0 <= option < len(ask.ballot.bands) else None
        if band is None or not _is_news(responses.of(person.id, ask.wave), ask, band):
            continue
        if responses.answer(
            person.id, ask.wave, band, channel=ask.channel, ask_id=ask.id, via=via, ord=votes.order, at=at
        ):
            news.append((person, band))
    for id in gone:
        responses.withdraw(id, ask.wave, ask.id, None, votes.order, via)
    return news


def _is_news(kept: Kept | None, ask: KnownAsk, band: Band) -> bool:
    if kept is None:
        return True
    by_another_way = kept.band is not None and kept.ask_id != ask.id
    return kept.band != band and not by_another_way and kept.via in ("", str(Via.VOTE))
