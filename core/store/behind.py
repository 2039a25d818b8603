"""What stands behind a week's numbers: who was invited, who wrote, and how those moved who answered twice in a row."""

from __future__ import annotations

from sqlalchemy import Connection, and_, case, func, select

from core.models import Comment, Outbox, Response
from core.report import Movement
from core.store.outbox import Kind, State
from core.store.statements import table

_COMMENT = table(Comment)
_OUTBOX = table(Outbox)
_RESPONSE = table(Response)

GLAD, UNHAPPY = 9, 6
"""From this score on, and up to this one."""


def movement(connection: Connection, before_id: int, now_id: int) -> Movement:
    """How those moved who answered in one wave and then in the next."""
    before, now = _RESPONSE.alias("before"), _RESPONSE.alias("now")
    higher, lower = now.c.low > before.c.high, now.c.high < before.c.low
    won = and_(before.c.high <= UNHAPPY, now.c.low >= GLAD)
    counted = [func.coalesce(func.sum(case((its, 1), else_=0)), 0) for its in (higher, lower, won)]
    same = and_(now.c.person_id == before.c.person_id, now.c.wave_id == now_id)
    query = select(func.count(), *counted).select_from(before.join(now, same))
    known = (before.c.low.is_not(None), now.c.low.is_not(None))
    return Movement(*connection.execute(query.where(before.c.wave_id == before_id, *known)).one())


def wrote(connection: Connection, wave_id: int) -> dict[str, int]:
    """By channel, how many people who answered also wrote."""
    same = and_(_COMMENT.c.person_id == _RESPONSE.c.person_id, _COMMENT.c.wave_id == _RESPONSE.c.wave_id)
    people = func.count(func.distinct(_RESPONSE.c.person_id))
    query = select(_RESPONSE.c.channel, people).select_from(_COMMENT.join(_RESPONSE, same))
    said = (_COMMENT.c.wave_id == wave_id, _COMMENT.c.text != "", _RESPONSE.c.low.is_not(None))
    return dict(connection.execute(query.where(*said).group_by(_RESPONSE.c.channel)).all())


def invited(connection: Connection, wave_id: int) -> dict[str, int]:
    """By channel, how many people an invitation was sent to."""
    its = (_OUTBOX.c.wave_id == wave_id, _OUTBOX.c.kind == str(Kind.INVITATION), _OUTBOX.c.state == str(State.SENT))
    query = select(_OUTBOX.c.channel, func.count()).where(*its).group_by(_OUTBOX.c.channel)
    return dict(connection.execute(query).all())
