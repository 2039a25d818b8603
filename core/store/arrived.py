"""What is known already of events that have just come: which of them were kept before, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, select

from core.events import Consent, Reply
from core.models import ConsentRow, ReplyRow
from core.store.directory import Directory, KnownAsk
from core.store.doubts import asked_in_doubt
from core.store.statements import Lookup, among, many, table

_kept_replies, _kept_consents = (
    Lookup(select(kept.c.event).where(kept.c.account == bindparam("account"), among(kept.c.event, "ids")))
    for kept in (table(ReplyRow), table(ConsentRow))
)


def kept_before(connection: Connection, events: Iterable[tuple[int, str, Reply | Consent]]) -> set[tuple[str, str]]:
    """(account, id) of those that were kept before."""
    found: set[tuple[str, str]] = set()
    by_account: dict[str, list[Reply | Consent]] = {}
    for _, account, event in events:
        by_account.setdefault(account, []).append(event)
    for account, its in by_account.items():
        for kind, kept in ((Reply, _kept_replies), (Consent, _kept_consents)):
            ids = [event.id for event in its if isinstance(event, kind)]
            if ids:
                found.update((account, id) for (id,) in kept(connection, account=account, ids=many(connection, ids)))
    return found


def asks_of(
    connection: Connection, directory: Directory, replies: Sequence[tuple[str, Reply]]
) -> Mapping[tuple[str, str], KnownAsk]:
    """The posts that replies refer to. One that is in doubt is known by its week: nobody answers it in another."""
    refs = {(account, reply.ref) for account, reply in replies if reply.ref is not None}
    found = directory.asks(connection, refs)
    nameless = {(account, r.ref, r.ref_at) for account, r in replies if r.ref is not None and r.ref_at is not None}
    doubted = {
        account: _doubted(connection, directory, account) for account, ref, _ in nameless if (account, ref) not in found
    }
    for account, ref, ref_at in nameless:
        its = [ask for ask in doubted.get(account, ()) if ref_at in ask.wave.wave]
        if its:
            found.setdefault((account, ref), its[0])
    return found


def _doubted(connection: Connection, directory: Directory, account: str) -> list[KnownAsk]:
    return [
        KnownAsk(id=None, wave=directory.wave_by_id(connection, wave), channel=channel, ballot=None)
        for wave, channel in asked_in_doubt(connection, account)
    ]
