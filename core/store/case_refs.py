"""Which message in a team's place speaks of which case."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from core.cases import LIFE, case_of
from core.desk_tables import CaseRef
from core.models import Outbox
from core.store.forgotten import forgotten
from core.store.statements import Upsert, table

_REF = table(CaseRef)
_OUTBOX = table(Outbox)
_add = Upsert(CaseRef, ("account", "ref", "case_id"), key=("account", "ref"))


def refer(connection: Connection, account: str, key: str, refs: Iterable[str]) -> None:
    """A message to a team was said: to answer it is to answer the customer of its case."""
    id = case_of(key)
    if id is not None:
        _add(connection, [(account, ref, id) for ref in refs])


def about(connection: Connection, account: str, ref: str) -> int | None:
    """The case that a message of ours in a team's place speaks of."""
    its = (_REF.c.account == account, _REF.c.ref == ref)
    return connection.execute(select(_REF.c.case_id).where(*its)).scalar_one_or_none()


def in_doubt(connection: Connection, account: str, place: str, ref: str, at: datetime) -> bool:
    """Whether this message, answered at ``at``, may be one about a case of which nobody knows: the answer to posting it
    was lost or is on its way, though people read it already, or a restore forgot it. What is known to be another
    message is not in doubt."""
    there = (_OUTBOX.c.account == account, _OUTBOX.c.place == place, _OUTBOX.c.planned_at > at - LIFE)
    unheard = _OUTBOX.c.state.in_(["sending", "unknown"])
    unknown = select(_OUTBOX.c.id).where(*there, _OUTBOX.c.key.startswith("case:"), unheard)
    may_be = connection.execute(unknown.limit(1)).first() is not None
    if not may_be and not any(span.until > at - LIFE for span in forgotten(connection)):
        return False
    known = select(_OUTBOX.c.id).where(*there, _OUTBOX.c.receipt.contains(json.dumps(ref), autoescape=True))
    return connection.execute(known.limit(1)).first() is None
