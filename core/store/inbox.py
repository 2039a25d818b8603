"""Keeping what arrives: ``deliver`` returns once it is committed, with what to answer.

Everything here happens in the writer's transaction, many deliveries together. An event that was kept before changes
and answers nothing. What must arrive as an answer is an outbox row of the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from core.account import NOTHING, Answer, Deliver
from core.buttons import DESK, Purpose, Seal, Tapped
from core.clock import Clock
from core.errors import StoreError
from core.events import Consent, Cursor, Event, PollSeen, Reply, Silence, Totals, Via, Votes
from core.orders import NO_CASE, at_once, how_to_reply, not_here, order_of, passed_on, written
from core.routes import Routes
from core.store import case_refs, commands
from core.store.database import Database
from core.store.directory import Directory
from core.store.doubts import adopt
from core.store.fencing import Held, standing
from core.store.keeping import Keeping
from core.store.known import Known
from core.store.silence import ask_to_tap_again

log = logging.getLogger(__name__)

CHUNK = 1_000
"""Most events that are worked on together."""


@dataclass(slots=True)
class Delivery:
    """What one call of ``deliver`` brought: a job of the writer that runs together with its neighbours."""

    inbox: Inbox
    account: str
    events: Sequence[Event]
    held: Held | None = None

    @property
    def merged(self) -> Callable[[Connection, Sequence[Delivery]], list[Sequence[Answer] | StoreError]]:
        """Runs neighbouring deliveries as one, see ``core/store/database.py``."""
        return self.inbox.keep

    def __call__(self, connection: Connection) -> Sequence[Answer] | StoreError:
        """Keep this delivery alone."""
        return self.inbox.keep(connection, [self])[0]


class Inbox(Known):
    """The way in."""

    def __init__(
        self,
        database: Database,
        routes: Routes,
        seal: Seal,
        clock: Clock,
        *,
        directory: Directory | None = None,
        wake: Callable[[str], None] = lambda account: None,
    ) -> None:
        super().__init__(routes, seal, clock, directory or Directory(), wake)
        self.database = database
        database.on_rollback.append(self.directory.forget)

    def deliver(self, account: str, held: Held | None = None) -> Deliver:
        """The ``Deliver`` of one account: it keeps things only while this lease of it stands, else raises
        ``StoreError``. Without a lease it is for whoever has the database to themselves."""

        async def deliver(events: Sequence[Event]) -> Sequence[Answer]:
            if not events:
                return ()
            return await self.database.write(Delivery(self, account, events, held))  # type: ignore[arg-type]

        return deliver

    def keep(self, connection: Connection, deliveries: Sequence[Delivery]) -> list[Sequence[Answer] | StoreError]:
        """Keep deliveries, in order; one list of answers each, or the error of one that is not ours to keep."""
        helds = {delivery.held for delivery in deliveries if delivery.held is not None}
        stand: set[Held | None] = {None, *standing(connection, helds)}
        flat = [(d.account, event) for d in deliveries if d.held in stand for event in d.events]
        answers: list[Answer] = []
        for run in _runs(flat):
            answers += self._keep(connection, run)
        found: list[Sequence[Answer] | StoreError] = []
        at = 0
        for delivery in deliveries:
            if delivery.held in stand:
                found.append(answers[at : at + len(delivery.events)])
                at += len(delivery.events)
            else:
                found.append(StoreError(f"{delivery.account}: another process serves this account now"))
        return found

    def replay(self, connection: Connection, account: str, refs: Sequence[str]) -> None:
        """Take up what had waited for these posts to be known."""
        Keeping(self, connection).replay(account, refs)

    def _keep(self, connection: Connection, events: Sequence[tuple[str, Event]]) -> list[Answer]:
        keeping = Keeping(self, connection)
        people: list[tuple[int, str, Reply | Consent]] = []
        for index, (account, event) in enumerate(events):
            match event:
                case Reply() if self._is_the_desks(account, event):
                    pass  # see ``_commands``
                case Reply() | Consent():
                    people.append((index, account, event))
                case Cursor():
                    keeping.cursor(account, event)
                case Totals():
                    keeping.totals(account, event)
                case Votes():
                    keeping.votes(account, event)
                case PollSeen():
                    if refs := adopt(connection, account, event, self.clock.now()):
                        self.replay(connection, account, refs)
                case Silence():
                    if n := ask_to_tap_again(connection, self, account, event):
                        log.warning("%s: taps were lost while Vouch was away: %d invited may tap again", account, n)
        answered = {**keeping.people(people), **self._commands(connection, events)}
        keeping.save()
        return [answered.get(index, NOTHING) for index in range(len(events))]

    def _commands(self, connection: Connection, events: Sequence[tuple[str, Event]]) -> dict[int, Answer]:
        """Keep what teams ask for in their own places; whatever else is said there is between them."""
        answers: dict[int, Answer] = {}
        here: list[tuple[str, Reply, str]] = []
        for index, (account, event) in enumerate(events):
            if not isinstance(event, Reply) or not self._is_the_desks(account, event) or event.edited:
                continue
            language = self.desks.get((account, event.place))
            asked = self._asked(connection, account, event) if language is not None else ""
            if language is not None and asked:
                here.append((account, event, asked))
                answers[index] = at_once(language)
            elif language is not None and event.via is Via.TAP:
                answers[index] = how_to_reply(language)
            else:
                answers[index] = not_here(event.language)  # shown where a command must be answered
        if here:
            commands.take(connection, here)
        return answers

    def _asked(self, connection: Connection, account: str, reply: Reply) -> str:
        """What is asked for, as a command is written; empty where nothing is."""
        tapped = self._tapped(account, reply)
        if tapped is not None:
            # Where no form has opened, the customer is answered by answering the message.
            only_how = tapped.purpose is Purpose.REPLY and reply.via is Via.TAP
            return "" if only_how else written(tapped, reply.text)
        if order_of(reply.text) is not None:
            return reply.text
        if reply.ref is None or not reply.text.strip() or reply.text.lstrip().startswith("/"):
            return ""  # a command that was mistyped is nothing that a customer should read
        case = case_refs.about(connection, account, reply.ref)
        if case is None and case_refs.in_doubt(connection, account, reply.place, reply.ref, reply.at):
            case = NO_CASE  # it may be the answer to a customer: they are told to name the case
        return passed_on(case, reply.text) if case is not None else ""

    def _is_the_desks(self, account: str, reply: Reply) -> bool:
        """Whether it is a command, or was said or tapped in a team's own place: there it is between them."""
        if reply.via is Via.COMMAND or (reply.via is Via.TEXT and (account, reply.place) in self.desks):
            return True
        return (account, reply.place) in self.desks and self._tapped(account, reply) is not None

    def _tapped(self, account: str, reply: Reply) -> Tapped | None:
        """What a button of the desk says."""
        if reply.token is None or reply.via not in (Via.TAP, Via.FORM):
            return None
        tapped = self.seal.open(reply.token, f"{account}:{reply.person}")
        return tapped if tapped is not None and tapped.purpose in DESK else None


def _runs(events: Iterable[tuple[str, Event]]) -> Iterator[list[tuple[str, Event]]]:
    """Events to work on together, in order: at most ``CHUNK``. What is compared with everything that is kept goes
    alone."""
    run: list[tuple[str, Event]] = []
    for account, event in events:
        alone = isinstance(event, Votes | PollSeen | Silence)
        if run and (alone or len(run) == CHUNK):
            yield run
            run = []
        run.append((account, event))
        if alone:
            yield run
            run = []
    if run:
        yield run
