"""One transaction's work on what arrived: know the people, find the wave, read, count, answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, not_, or_, select

from core.account import NOTHING, Answer, Limits
from core.dialogue import Meaning, Situation, react
from core.events import Consent, ConsentKind, Cursor, Reply, Totals, Via, Votes
from core.models import ConsentRow, Count, Person, ReplyRow, Response
from core.nps import Band, Group
from core.reading import keepable
from core.store.answers import ANSWER_LIFE, Answers
from core.store.arrived import asks_of, kept_before
from core.store.cases import Opening
from core.store.comments import Comments
from core.store.conversing import ANSWERED_STILL, Conversing, is_said_to_us
from core.store.cursors import keep_cursors
from core.store.directory import KnownWave
from core.store.known import Known
from core.store.lastword import WORDS, is_word, place_of
from core.store.meaning import Read, understand
from core.store.mydata import known_of
from core.store.outbox import Priority
from core.store.people import KnownPerson, Name, People
from core.store.responses import Responses
from core.store.statements import Upsert, stamp, table
from core.store.voters import fill

_PERSON = table(Person)
_REPLY = table(ReplyRow)
_CONSENT = table(ConsentRow)
_RESPONSE = table(Response)

_REPLY_COLUMNS = (
    *("account", "event", "person_id", "via", "at", "ord", "ref", "option", "withdrawn", "place", "token", "text"),
    *("wave_id", "outcome"),
)
_add_replies = Upsert(ReplyRow, _REPLY_COLUMNS, key=("account", "event"))
_settle_replies = Upsert(
    ReplyRow,
    _REPLY_COLUMNS,
    key=("account", "event"),
    update=lambda old, new: {"wave_id": new.wave_id, "outcome": new.outcome},
)
_set_counts = Upsert(
    Count,
    ("account", "ref", "totals", "as_of", "final"),
    key=("account", "ref"),
    update=lambda old, new: {"totals": new.totals, "as_of": new.as_of, "final": new.final},
    # What a poll ended with stands; until then the newer totals do.
    where=lambda old, new: or_(new.final, and_(not_(old.final), new.as_of >= old.as_of)),
)
_ONCE = {Meaning.UNCLEAR: "again", Meaning.COMMENTED: "quote"}

NO_LIMITS_KNOWN = Limits(post_chars=0)
"""Of a place that has not come up yet."""


class Keeping:
    """Works on events, then ``save`` writes everything at once."""

    def __init__(self, known: Known, connection: Connection) -> None:
        self._known = known
        self._connection = connection
        self._stamp = stamp(connection)
        now = known.clock.now()
        self._answerable_since = now - ANSWER_LIFE
        self._answers = Answers(connection, now)
        self._cases, self._conversing = Opening(connection, now), Conversing(known, connection, now)
        self._comments = Comments(connection)
        self._responses = Responses(connection, lambda id: known.directory.wave_by_id(connection, id))
        self._people = People(connection, known.seal)
        self._replies: list[tuple[Any, ...]] = []
        self._cursors: dict[tuple[str, str], str] = {}
        self._totals: list[tuple[Any, ...]] = []
        self._to_show: list[tuple[KnownPerson, Reply, Read]] = []
        self._replaying = False

    # -- what names nobody -------------------------------------------------------------------------------------------

    def cursor(self, account: str, cursor: Cursor) -> None:
        """How far an adapter has read."""
        self._cursors[(account, cursor.name)] = cursor.value

    def totals(self, account: str, totals: Totals) -> None:
        """The totals of a poll, in the order in which they came."""
        self._totals.append((account, totals.ref, json.dumps(totals.totals), self._stamp(totals.as_of), totals.final))

    # -- what people did ---------------------------------------------------------------------------------------------

    def people(self, events: Sequence[tuple[int, str, Reply | Consent]]) -> Mapping[int, Answer]:
        """Take what people did, in order. Returns what to answer at once, by index."""
        seen = set() if self._replaying else kept_before(self._connection, events)
        fresh: list[tuple[int, str, Reply | Consent]] = []
        for index, account, event in events:
            if (account, event.id) not in seen:
                seen.add((account, event.id))
                fresh.append((index, account, event))
        wanted: dict[Name, str | None] = {}
        for _, account, event in fresh:
            wanted.setdefault((account, event.person), event.language)
        self._people.know(wanted)
        replies = [(account, event) for _, account, event in fresh if isinstance(event, Reply)]
        asks = asks_of(self._connection, self._known.directory, replies)
        reads = {
            index: understand(self._known, self._connection, account, event, asks)
            for index, account, event in fresh
            if isinstance(event, Reply)
        }
        self._load(fresh, reads)
        self._people.recall(
            (account, event.person)
            for index, account, event in fresh
            if (reads[index].meaning in WORDS if isinstance(event, Reply) else is_word(event))
        )
        answers: dict[int, Answer] = {}
        for index, account, event in fresh:
            person = self._people.met((account, event.person), event.language, event.at, returns=_returns(event))
            if person.parted:
                continue  # it came before they were forgotten, and comes again
            if isinstance(event, Consent):
                self._people.allow(person, event)
            elif person.erasing_at is not None and reads[index].meaning not in WORDS:
                self._keep_reply(person, event, None, "forgotten")
            else:
                answers[index] = self._reply(person, event, reads[index])
        return answers

    def votes(self, account: str, votes: Votes) -> None:
        """A poll's whole list of voters."""
        ask = self._known.directory.asks(self._connection, [(account, votes.ref)]).get((account, votes.ref))
        if ask is not None:
            for person, band in fill(self._connection, self._people, self._responses, account, ask, votes):
                self._care(person, ask.wave, band, votes.as_of)

    def replay(self, account: str, refs: Sequence[str]) -> None:
        """Take up replies that waited for these posts."""
        rows = self._connection.execute(
            select(_REPLY, _PERSON.c.platform_id)
            .join(_PERSON, _PERSON.c.id == _REPLY.c.person_id)
            .where(_REPLY.c.account == account, _REPLY.c.ref.in_(list(refs)), _REPLY.c.outcome == "waiting")
            .order_by(_REPLY.c.ord)
        ).mappings()
        self._replaying = True
        waited = [(index, account, _reply_of(row)) for index, row in enumerate(rows)]
        if waited:
            self.people(waited)
        self.save()

    def save(self) -> None:
        """Write everything."""
        connection = self._connection
        (_settle_replies if self._replaying else _add_replies)(connection, self._replies)
        self._people.save()
        self._responses.save()
        keep_cursors(connection, [(*name, value) for name, value in self._cursors.items()])
        _set_counts(connection, self._totals)
        self._comments.save()
        self._cases.save()
        self._conversing.save()
        for person, reply, read in self._to_show:  # all that they did before is written by now
            self._respond(person, reply, read, Meaning.MY_DATA)
        for account in self._answers.save():
            self._known.wake(account)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _load(self, fresh: Iterable[tuple[int, str, Reply | Consent]], reads: Mapping[int, Read]) -> None:
        people = {self._people[(account, e.person)].id for index, account, e in fresh if index in reads}
        self._conversing.load({self._people[(account, e.person)].id for _, account, e in fresh if is_said_to_us(e)})
        waves = {read.wave.id for read in reads.values() if read.wave is not None}
        if waves:
            self._responses.load(people, waves)

    def _reply(self, person: KnownPerson, reply: Reply, read: Read) -> Answer:
        meaning, outcome = self._count(person, reply, read, self._stamp(reply.at))
        self._keep_reply(person, reply, read.wave, outcome)
        if person.erasing_at is None and self._conversing.hears(person.id, reply, meaning):
            meaning = meaning if meaning in ANSWERED_STILL else Meaning.SILENT  # the team answers, not we
        if reply.edited:
            self._comments.edit(person.account, reply.message, read.comment)
        direct = reply.place == ""
        if direct and person.blocked:  # they write, so they can be reached again
            person.blocked, person.changed = False, True
        # Nor is what was written so long ago: on the day of going live that is a month of other people's errands.
        if direct and person.account in self._known.answers_only and reply.at > self._answerable_since:
            person.owed, person.changed = person.owed + 1, True
        if meaning is Meaning.MY_DATA:
            self._to_show.append((person, reply, read))
            return NOTHING
        return self._respond(person, reply, read, meaning)

    def _respond(self, person: KnownPerson, reply: Reply, read: Read, meaning: Meaning) -> Answer:
        goodbye = meaning in (Meaning.STOPPED, Meaning.ERASE)
        if meaning is Meaning.SILENT or read.survey is None or (reply.edited and not goodbye):
            return NOTHING
        direct = reply.place == ""
        limits = self._known.limits.get((person.account, reply.place or "direct"), NO_LIMITS_KNOWN)
        kept = self._responses.of(person.id, read.wave) if read.wave is not None else None
        reaction = react(
            Situation(
                meaning=meaning,
                survey=read.survey,
                language=read.survey.speaks(reply.language or person.language),
                tapped=reply.via in (Via.TAP, Via.FORM),
                direct=direct,
                private_answers=limits.private_answers,
                buttons=limits.buttons,
                post_chars=limits.post_chars,
                quotable=kept.quotable if kept is not None else None,
                known=known_of(self._connection, self._known.directory, person.id)
                if meaning is Meaning.MY_DATA
                else (),
                group=read.band.group if read.band else None,
                score=read.band.low if read.band else None,
                wave=read.wave.code if read.wave else "",
                person=f"{person.account}:{person.platform_id}",
            ),
            self._known.seal,
        )
        if reaction.later is not None and (goodbye or not person.stopped):
            priority = Priority.GOODBYE if goodbye else Priority.ANSWER
            # These are asked once a week, however often they write.
            once = _ONCE.get(meaning)
            self._answers.plan(
                person, f"{person.platform_id}.{once}" if once else reply.id, read, reaction.later, priority
            )
        return reaction.now

    def _keep_reply(self, person: KnownPerson, reply: Reply, wave: KnownWave | None, outcome: str) -> None:
        """Write down what arrived; of somebody who is being forgotten, only that it did."""
        says = person.erasing_at is None
        self._replies.append(
            (
                *(person.account, reply.id, person.id, str(reply.via), self._stamp(reply.at), reply.order),
                *(reply.ref if says else None, reply.option, reply.withdrawn, reply.place),
                *(reply.token and keepable(reply.token) if says else None, keepable(reply.text) if says else ""),
                *(wave.id if wave else None, outcome),
            )
        )

    def _count(self, person: KnownPerson, reply: Reply, read: Read, at: Any) -> tuple[Meaning, str]:
        """Let a reply count. Returns what it meant and the outcome that is kept with it."""
        if read.meaning in (Meaning.STOPPED, Meaning.ERASE) and read.band is not None and person.erasing_at is None:
            self._score(person, reply, read, at)  # 8, but please stop writing to me
        match read.meaning:
            case Meaning.STOPPED:
                was_stopped = person.stopped
                holds = self._allow(person, reply, ConsentKind.WITHDRAWN, "wrote stop")
                return Meaning.STOPPED if holds and not was_stopped else Meaning.SILENT, "consent"
            case Meaning.ERASE:
                return Meaning.ERASE if self._people.erase(person, reply) else Meaning.SILENT, "consent"
            case Meaning.QUOTED if read.wave is not None:
                response = self._responses.of(person.id, read.wave)
                if response is not None and read.allowed is not None:
                    self._responses.quote(response, read.allowed)
                return read.meaning, read.outcome
            case Meaning.JOINED:
                holds = self._allow(person, reply, ConsentKind.GRANTED, "asked for direct messages")
                return Meaning.JOINED if holds else Meaning.SILENT, "consent"
            case Meaning.SCORED if read.wave is not None:
                return self._score(person, reply, read, at)
            case Meaning.COMMENTED | Meaning.UNCLEAR if read.wave is not None:
                kept = self._responses.of(person.id, read.wave)
                if reply.at >= read.wave.freezes_at:
                    return Meaning.LATE, "late"
                self._comment(person, reply, read, read.wave, at)
                if kept is not None and kept.band is not None:
                    self._care(person, read.wave, kept.band, reply.at)
                if kept is None:
                    return (read.meaning if read.meaning is Meaning.UNCLEAR else Meaning.SILENT), "comment"
                return Meaning.COMMENTED, "comment"
            case _:
                return read.meaning, read.outcome

    def _score(self, person: KnownPerson, reply: Reply, read: Read, at: Any) -> tuple[Meaning, str]:
        wave = read.wave
        if wave is None or reply.at >= wave.freezes_at:
            return Meaning.LATE, "late"
        if reply.withdrawn:
            if read.ask_id is None:
                return Meaning.SILENT, "unread"
            back = self._responses.withdraw(person.id, wave, read.ask_id, read.band, reply.order, str(reply.via))
            return Meaning.SILENT, "counted" if back else "older"
        if read.band is None:
            return Meaning.SILENT, "unread"
        taken = self._responses.answer(
            person.id,
            wave,
            read.band,
            channel=read.channel,
            ask_id=read.ask_id,
            via=str(reply.via),
            ord=reply.order,
            at=at,
        )
        if taken:
            self._comment(person, reply, read, wave, at)
            self._care(person, wave, read.band, reply.at)
        spoken = reply.via is not Via.VOTE
        return (Meaning.SCORED if spoken and taken else Meaning.SILENT), "counted" if taken else "older"

    def _care(self, person: KnownPerson, wave: KnownWave, band: Band, at: datetime) -> None:
        """Who is unhappy and can be answered is a case, where a team cares."""
        if band.group is Group.DETRACTOR and wave.wave.survey in self._known.caring and person.reachable:
            self._cases.open(person.id, wave.id, wave.wave.survey, at)

    def _comment(self, person: KnownPerson, reply: Reply, read: Read, wave: KnownWave, at: Any) -> None:
        if read.comment:
            message = reply.message or reply.id
            self._comments.write(person.account, message, person.id, wave.id, read.comment, at)

    def _allow(self, person: KnownPerson, reply: Reply, kind: ConsentKind, evidence: str) -> bool:
        its = Consent(
            id=reply.id,
            person=reply.person,
            kind=kind,
            at=reply.at,
            order=place_of(reply),
            evidence=evidence,
            place=reply.place,
        )
        return self._people.allow(person, its)


def _returns(event: Reply | Consent) -> bool:
    """Whether somebody turns to us by this, rather than away."""
    return event.kind is ConsentKind.GRANTED if isinstance(event, Consent) else not event.withdrawn


def _reply_of(row: RowMapping) -> Reply:
    return replace(
        Reply(id=row["event"], person=row["platform_id"], via=Via(row["via"]), at=row["at"], order=row["ord"]),
        place=row["place"],
        ref=row["ref"],
        option=row["option"],
        withdrawn=row["withdrawn"],
        token=row["token"],
        text=row["text"],
    )
