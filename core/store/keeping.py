"""One transaction's work on what arrived: know the people, find the wave, read, count, answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, not_, or_, select

from core.account import NOTHING, Answer, Limits
from core.dialogue import Meaning, Situation, react
from core.envelope import dump
from core.events import Consent, ConsentKind, Cursor, Reply, Totals, Via, Votes
from core.models import ConsentRow, Count, CursorRow, Outbox, Person, ReplyRow, Response
from core.reading import keepable
from core.store.directory import KnownAsk
from core.store.doubts import asked_in_doubt
from core.store.known import Known
from core.store.meaning import Read, understand
from core.store.outbox import Kind, Priority, State
from core.store.people import KnownPerson, Name, People
from core.store.responses import Responses
from core.store.statements import Lookup, Upsert, among, many, stamp, table
from core.store.voters import fill

_PERSON = table(Person)
_REPLY = table(ReplyRow)
_CONSENT = table(ConsentRow)
_RESPONSE = table(Response)

_kept_replies, _kept_consents = (
    Lookup(select(kept.c.event).where(kept.c.account == bindparam("account"), among(kept.c.event, "ids")))
    for kept in (_REPLY, _CONSENT)
)

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
_set_cursors = Upsert(
    CursorRow, ("account", "name", "value"), key=("account", "name"), update=lambda old, new: {"value": new.value}
)
_set_counts = Upsert(
    Count,
    ("account", "ref", "totals", "as_of", "final"),
    key=("account", "ref"),
    update=lambda old, new: {"totals": new.totals, "as_of": new.as_of, "final": new.final},
    # What a poll ended with stands; until then the newer totals do.
    where=lambda old, new: or_(new.final, and_(not_(old.final), new.as_of >= old.as_of)),
)
_plan = Upsert(
    Outbox,
    (
        *("key", "account", "kind", "person_id", "place", "body", "channel", "priority", "state"),
        *("planned_at", "due_at", "not_after", "receipt", "error"),
    ),
    key=("key",),
)


NO_LIMITS_KNOWN = Limits(post_chars=0)
"""Of a place that has not come up yet."""

ANSWER_LIFE = timedelta(days=3)
"""An answer that could not be said for so long is not said any more: thanks would come out of nowhere."""


class Keeping:
    """Works on events, then ``save`` writes everything at once."""

    def __init__(self, known: Known, connection: Connection) -> None:
        self._known = known
        self._connection = connection
        self._stamp = stamp(connection)
        now = known.clock.now()
        self._now, self._stale = self._stamp(now), self._stamp(now + ANSWER_LIFE)
        self._answerable_since = now - ANSWER_LIFE
        self._responses = Responses(connection, lambda id: known.directory.wave_by_id(connection, id))
        self._people = People(connection)
        self._replies: list[tuple[Any, ...]] = []
        self._cursors: dict[tuple[str, str], str] = {}
        self._totals: list[tuple[Any, ...]] = []
        self._planned: list[tuple[Any, ...]] = []
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
        seen = self._seen(events)
        fresh: list[tuple[int, str, Reply | Consent]] = []
        for index, account, event in events:
            if (account, event.id) not in seen:
                seen.add((account, event.id))
                fresh.append((index, account, event))
        wanted: dict[Name, str | None] = {}
        for _, account, event in fresh:
            wanted.setdefault((account, event.person), event.language)
        self._people.know(wanted)
        asks = self._asks([(account, event) for _, account, event in fresh if isinstance(event, Reply)])
        reads = {
            index: understand(self._known, self._connection, account, event, asks)
            for index, account, event in fresh
            if isinstance(event, Reply)
        }
        self._load(fresh, reads)
        answers: dict[int, Answer] = {}
        for index, account, event in fresh:
            person = self._people.met((account, event.person), event.language)
            if isinstance(event, Consent):
                self._people.allow(person, event.id, event.kind, event.evidence, event.place, event.at, event.explicit)
            else:
                answers[index] = self._reply(person, event, reads[index])
        return answers

    def votes(self, account: str, votes: Votes) -> None:
        """A poll's whole list of voters."""
        ask = self._known.directory.asks(self._connection, [(account, votes.ref)]).get((account, votes.ref))
        if ask is not None:
            fill(self._connection, self._people, self._responses, account, ask, votes)

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
        _set_cursors(connection, [(*name, value) for name, value in self._cursors.items()])
        _set_counts(connection, self._totals)
        _plan(connection, self._planned)
        for account in {row[1] for row in self._planned}:
            self._known.wake(account)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _seen(self, events: Iterable[tuple[int, str, Reply | Consent]]) -> set[tuple[str, str]]:
        if self._replaying:
            return set()
        seen: set[tuple[str, str]] = set()
        by_account: dict[str, list[Reply | Consent]] = {}
        for _, account, event in events:
            by_account.setdefault(account, []).append(event)
        for account, its in by_account.items():
            for kind, kept in ((Reply, _kept_replies), (Consent, _kept_consents)):
                ids = [event.id for event in its if isinstance(event, kind)]
                if ids:
                    found = kept(self._connection, account=account, ids=many(self._connection, ids))
                    seen.update((account, id) for (id,) in found)
        return seen

    def _asks(self, replies: Sequence[tuple[str, Reply]]) -> Mapping[tuple[str, str], KnownAsk]:
        """The posts that replies refer to. One that is in doubt is known by its week: nobody answers it in another."""
        refs = {(account, reply.ref) for account, reply in replies if reply.ref is not None}
        found = self._known.directory.asks(self._connection, refs)
        nameless = {(account, r.ref, r.ref_at) for account, r in replies if r.ref is not None and r.ref_at is not None}
        doubted = {account: self._doubted(account) for account, ref, _ in nameless if (account, ref) not in found}
        for account, ref, ref_at in nameless:
            its = [ask for ask in doubted.get(account, ()) if ref_at in ask.wave.wave]
            if its:
                found.setdefault((account, ref), its[0])
        return found

    def _doubted(self, account: str) -> list[KnownAsk]:
        return [
            KnownAsk(
                id=None, wave=self._known.directory.wave_by_id(self._connection, wave), channel=channel, ballot=None
            )
            for wave, channel in asked_in_doubt(self._connection, account)
        ]

    def _load(self, fresh: Iterable[tuple[int, str, Reply | Consent]], reads: Mapping[int, Read]) -> None:
        people = {self._people[(account, e.person)].id for index, account, e in fresh if index in reads}
        waves = {read.wave.id for read in reads.values() if read.wave is not None}
        if waves:
            self._responses.load(people, waves)

    def _reply(self, person: KnownPerson, reply: Reply, read: Read) -> Answer:
        at = self._stamp(reply.at)
        meaning, outcome = self._count(person, reply, read, at)
        self._replies.append(
            (
                *(person.account, reply.id, person.id, str(reply.via), at, reply.order, reply.ref, reply.option),
                *(
                    reply.withdrawn,
                    reply.place,
                    reply.token and keepable(reply.token),
                    reply.text and keepable(reply.text),
                    read.wave.id if read.wave else None,
                    outcome,
                ),
            )
        )
        direct = reply.place == ""
        if direct and person.blocked:  # they write, so they can be reached again
            person.blocked, person.changed = False, True
        # Nor is what was written so long ago: on the day of going live that is a month of other people's errands.
        if direct and person.account in self._known.answers_only and reply.at > self._answerable_since:
            person.owed, person.changed = person.owed + 1, True
        if meaning is Meaning.SILENT or read.survey is None:
            return NOTHING
        limits = self._known.limits.get((person.account, reply.place or "direct"), NO_LIMITS_KNOWN)
        reaction = react(
            Situation(
                meaning=meaning,
                brand=read.survey.brand,
                language=read.survey.speaks(reply.language or person.language),
                tapped=reply.via in (Via.TAP, Via.FORM),
                direct=direct,
                private_answers=limits.private_answers,
                buttons=limits.buttons,
                scale=read.survey.scale,
                group=read.band.group if read.band else None,
                score=read.band.low if read.band else None,
                wave=read.wave.code if read.wave else "",
                person=f"{person.account}:{person.platform_id}",
            ),
            self._known.seal,
        )
        goodbye = meaning in (Meaning.STOPPED, Meaning.ERASE)
        if reaction.later is not None and (goodbye or not person.stopped):
            priority = Priority.GOODBYE if goodbye else Priority.ANSWER
            # Asked again once a week, however often they write what cannot be told.
            to = f"{person.platform_id}.again" if meaning is Meaning.UNCLEAR else reply.id
            self._answer_later(person, to, read, dump(reaction.later), priority)
        return reaction.now

    def _count(self, person: KnownPerson, reply: Reply, read: Read, at: Any) -> tuple[Meaning, str]:
        """Let a reply count. Returns what it meant and the outcome that is kept with it."""
        if read.meaning in (Meaning.STOPPED, Meaning.ERASE) and read.band is not None:
            self._score(person, reply, read, at)  # 8, but please stop writing to me
        match read.meaning:
            case Meaning.STOPPED:
                meaning = Meaning.SILENT if person.stopped else Meaning.STOPPED
                self._allow(person, reply, ConsentKind.WITHDRAWN, "wrote stop")
                return meaning, "consent"
            case Meaning.ERASE:
                self._allow(person, reply, ConsentKind.WITHDRAWN, "asked for erasure")
                return Meaning.ERASE, "consent"
            case Meaning.JOINED:
                self._allow(person, reply, ConsentKind.GRANTED, "asked for direct messages")
                return Meaning.JOINED, "consent"
            case Meaning.SCORED if read.wave is not None:
                return self._score(person, reply, read, at)
            case Meaning.COMMENTED | Meaning.UNCLEAR if read.wave is not None:
                kept = self._responses.of(person.id, read.wave)
                if reply.at >= read.wave.freezes_at:
                    return Meaning.LATE, "late"
                if kept is None:
                    return (read.meaning if read.meaning is Meaning.UNCLEAR else Meaning.SILENT), "comment"
                if read.comment:
                    self._responses.comment(kept, read.comment)
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
        if read.comment and taken and (kept := self._responses.of(person.id, wave)) is not None:
            self._responses.comment(kept, read.comment)
        spoken = reply.via is not Via.VOTE
        return (Meaning.SCORED if spoken and taken else Meaning.SILENT), "counted" if taken else "older"

    def _allow(self, person: KnownPerson, reply: Reply, kind: ConsentKind, evidence: str) -> None:
        self._people.allow(person, reply.id, kind, evidence, reply.place, reply.at, explicit=True)

    def _answer_later(self, person: KnownPerson, to: str, read: Read, body: str, priority: Priority) -> None:
        """Plan an answer, once for ever under the name ``to``."""
        wave = read.wave.wave.key if read.wave else ""
        key = f"answer:{read.survey.name if read.survey else ''}:{wave}:{person.account}/{to}:0"
        whom = (key, person.account, str(Kind.ANSWER), person.id, "")
        what = (body, read.channel, int(priority), str(State.PLANNED))
        self._planned.append((*whom, *what, self._now, self._now, self._stale, "", ""))


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
