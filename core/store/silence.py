"""After a silence of the stream in which taps were lost: asking once for those that may have been among them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, exists, select

from core.dialogue import tap_again
from core.envelope import dump
from core.events import Silence
from core.models import Outbox, Person, Response, WaveRow
from core.store.known import Known
from core.store.outbox import Kind, Priority, State
from core.store.statements import Upsert, stamp, table

_OUTBOX = table(Outbox)
_PERSON = table(Person)
_RESPONSE = table(Response)
_WAVE = table(WaveRow)

BACKLOG_S = 15.0
"""So long, in wall seconds, nobody is asked to tap again: what the platform kept may hold their tap."""

_plan = Upsert(
    Outbox,
    (
        *("key", "account", "kind", "person_id", "place", "body", "wave_id", "channel", "priority", "state"),
        *("planned_at", "due_at", "not_after", "receipt", "error"),
    ),
    key=("key",),
)


def ask_to_tap_again(connection: Connection, known: Known, account: str, silence: Silence) -> int:
    """Plan, once per person and wave, to ask for another tap: those whose invitation was there before the silence
    ended, whose wave is still open, and who have not answered nor want to hear no more. It is an answer to what they
    may have done, not another invitation. Returns how many may be concerned."""
    now = known.clock.now()
    answered = exists().where(
        _RESPONSE.c.person_id == _PERSON.c.id, _RESPONSE.c.wave_id == _WAVE.c.id, _RESPONSE.c.low.is_not(None)
    )
    invited = (
        _OUTBOX.c.account == account,
        _OUTBOX.c.kind == str(Kind.INVITATION),
        _OUTBOX.c.state == str(State.SENT),
        _OUTBOX.c.settled_at <= silence.until,
    )
    willing = (_PERSON.c.opened.is_(True), _PERSON.c.stopped.is_(False), _PERSON.c.blocked.is_(False))
    rows = connection.execute(
        select(
            *(_PERSON.c.id, _PERSON.c.language, _OUTBOX.c.channel),
            *(_WAVE.c.id, _WAVE.c.survey, _WAVE.c.key, _WAVE.c.closes_at),
        )
        .join_from(_OUTBOX, _PERSON, _PERSON.c.id == _OUTBOX.c.person_id)
        .join(_WAVE, _WAVE.c.id == _OUTBOX.c.wave_id)
        .where(*invited, *willing, _WAVE.c.opens_at <= now, _WAVE.c.closes_at > now, ~answered)
    ).all()
    written = stamp(connection)
    moment, due = written(now), written(now + timedelta(seconds=BACKLOG_S * known.clock.speed))
    planned = []
    for person, language, channel, wave_id, survey_name, wave, closes_at in rows:
        survey = known.routes.surveys.get(survey_name)
        if survey is None:
            continue
        body = dump(tap_again(survey.brand, survey.speaks(language)))
        key = f"again:{survey_name}:{wave}:{account}/{person}:0"
        planned.append(
            (
                *(key, account, str(Kind.ANSWER), person, "", body, wave_id, channel),
                *(int(Priority.ANSWER), str(State.PLANNED), moment, due, written(closes_at), "", ""),
            )
        )
    _plan(connection, planned)
    if planned:
        known.wake(account)
    return len(planned)
