"""The tables. All SQL that uses them is in ``core/store/``.

Times are aware and UTC. A person's platform id stands in ``person`` alone, so that erasing a person leaves the tallies.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from core import desk_tables
from core.columns import BAND, CLUSTERED, ZERO, Moment

SCHEMA = 9
"""Version of the schema, kept in ``kept`` under ``schema``."""


BESIDE = (desk_tables,)
"""Where the other tables of the schema are."""


class Kept(SQLModel, table=True):
    """Single values: the schema version, the key that buttons are sealed with."""

    name: str = Field(primary_key=True)
    value: str


class WaveRow(SQLModel, table=True):
    """One period of asking of one survey."""

    __tablename__ = "wave"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("survey", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    survey: str
    key: str
    code: str = Field(unique=True)
    """Eight characters that stand for (survey, key) on buttons."""
    scale: str
    opens_at: datetime = Field(sa_type=Moment)
    closes_at: datetime = Field(sa_type=Moment, index=True)


class Ask(SQLModel, table=True):
    """A public post of the question: planned together with its outbox row, known by its refs once it is posted."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    """The outbox key that it was posted under."""
    wave_id: int = Field(foreign_key="wave.id", index=True)
    channel: str
    account: str
    kind: str
    ballot: str
    """Code of the ballot that was shown; empty where people write."""
    named: bool
    """Whether we can learn who answered."""
    place: str
    message: str = ""
    """The platform's id of the post, once it is posted."""
    posted_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)


class Ref(SQLModel, table=True):
    """A name under which replies refer to an ask, or to an invitation (then without ``ask_id``)."""

    account: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    wave_id: int = Field(foreign_key="wave.id")
    channel: str
    ask_id: int | None = Field(default=None, foreign_key="ask.id", index=True)


class Person(SQLModel, table=True):
    """One platform id on one account, and whether we may write to them directly."""

    __table_args__ = (
        UniqueConstraint("account", "platform_id"),
        Index(
            "person_erasing",
            "erasing_at",
            sqlite_where=text("erasing_at IS NOT NULL"),
            postgresql_where=text("erasing_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    platform_id: str
    language: str | None = None
    opened: bool = False
    """They opened the way to direct messages."""
    stopped: bool = False
    """They said stop."""
    blocked: bool = False
    """They blocked the account, or cannot be reached."""
    owed: int = 0
    """How many of their direct messages were not answered: kept where we may write only in answer."""
    erasing_at: datetime | None = Field(default=None, sa_type=Moment)
    """Since when they are being forgotten, see ``core/store/erasure.py``."""


class ConsentRow(SQLModel, table=True):
    """What a person allowed or took back: append only."""

    __tablename__ = "consent"  # pyright: ignore[reportAssignmentType]

    account: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    kind: str
    evidence: str
    place: str
    at: datetime = Field(sa_type=Moment)


class LastWord(SQLModel, table=True):
    """When a person last said stop, said start, or asked to be forgotten, see ``core/store/lastword.py``."""

    __tablename__ = "last_word"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CLUSTERED,)

    person_id: int = Field(foreign_key="person.id", primary_key=True)
    what: str = Field(primary_key=True)
    """``stop``, ``start`` or ``erase``."""
    at: datetime = Field(sa_type=Moment)
    ord: int | None = Field(default=None, sa_type=BigInteger)
    """Its place among what people of this account did; empty where only its time is known."""


class ReplyRow(SQLModel, table=True):
    """What arrived, each thing once: the history behind every response. Not indexed by person: each reply would touch
    one more page at random, for the sake of an erasure that may as well read the table."""

    __tablename__ = "reply"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index(
            "reply_waiting",
            "account",
            "ref",
            sqlite_where=text("outcome = 'waiting'"),
            postgresql_where=text("outcome = 'waiting'"),
        ),
        CLUSTERED,
    )

    account: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    via: str
    at: datetime = Field(sa_type=Moment)
    ord: int = Field(sa_type=BigInteger)
    ref: str | None = None
    option: int | None = None
    withdrawn: bool = False
    place: str = ""
    token: str | None = None
    text: str = ""
    wave_id: int | None = Field(default=None, foreign_key="wave.id")
    outcome: str
    """``counted``, ``comment``, ``consent``, ``waiting`` for its ask, or why it does not count: ``late``, ``older``,
    ``forged``, ``forgotten``, ``unread``."""


class Response(SQLModel, table=True):
    """What is kept: one per wave and person, the latest."""

    __table_args__ = (CheckConstraint(BAND), CLUSTERED)

    person_id: int = Field(foreign_key="person.id", primary_key=True)
    wave_id: int = Field(foreign_key="wave.id", primary_key=True, index=True)
    later_id: int | None = None
    """The wave in which this person answered the same survey again."""
    channel: str
    ask_id: int | None = None
    via: str
    low: int | None
    high: int | None
    ord: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    quotable: bool | None = None
    """Whether the team may quote what they wrote; ``None`` until they say."""


class Comment(SQLModel, table=True):
    """What a person wrote beside a score, a message each. Erasing the person erases it."""

    __table_args__ = (CLUSTERED,)

    account: str = Field(primary_key=True)
    message: str = Field(primary_key=True)
    """What the platform calls the message; where that cannot be edited, the event."""
    person_id: int = Field(foreign_key="person.id", index=True)
    wave_id: int = Field(foreign_key="wave.id", index=True)
    text: str
    at: datetime = Field(sa_type=Moment)


class Rollup(SQLModel, table=True):
    """How many responses, by wave, channel, the wave of the same person's next answer (0: none yet), and band. The wave
    comes first: a window is a few ranges of it."""

    __table_args__ = (CLUSTERED,)

    wave_id: int = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    later_id: int = Field(primary_key=True)
    low: int = Field(primary_key=True)
    high: int = Field(primary_key=True)
    n: int


class Count(SQLModel, table=True):
    """The present totals of a poll: its open answers where it names nobody, else a cross-check."""

    account: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    totals: str
    """A JSON list, option by option."""
    as_of: datetime = Field(sa_type=Moment)
    final: bool


class Outbox(SQLModel, table=True):
    """Each thing that we say, claimed before it is spoken."""

    __table_args__ = (
        Index("outbox_due", "account", "state", "priority", "id"),
        Index(
            "outbox_asked",
            "wave_id",
            "person_id",
            sqlite_where=text("wave_id IS NOT NULL"),
            postgresql_where=text("wave_id IS NOT NULL"),
        ),
        Index(
            "outbox_channel",
            "wave_id",
            "channel",
            sqlite_where=text("wave_id IS NOT NULL"),
            postgresql_where=text("wave_id IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    """``{kind}:{survey}:{wave}:{target}:{part}``"""
    account: str
    kind: str
    """``ask``, ``invitation``, ``answer`` or ``report``."""
    person_id: int | None = None
    """To whom, in a direct message; else ``place``."""
    place: str = ""
    body: str
    """The message or poll as JSON, see ``core/envelope.py``."""
    wave_id: int | None = None
    channel: str = ""
    priority: int
    state: str = "planned"
    """See ``core/store/outbox.py``."""
    planned_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment)
    not_after: datetime | None = Field(default=None, sa_type=Moment)
    claimed_at: datetime | None = Field(default=None, sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    receipt: str = ""
    error: str = ""
    looks: int = Field(default=0, sa_column_kwargs=ZERO)
    """How often it was looked for on the platform while it was unknown; -1: nothing more can be found out."""
    fence: int = Field(default=0, sa_column_kwargs=ZERO)
    """The lease under which it was claimed, see ``Lease``."""
    spent: int = Field(default=0, sa_column_kwargs=ZERO)
    """How many messages of the person's (``Person.owed``) its claim uses up: given back when it was not said."""


class Lease(SQLModel, table=True):
    """Which process serves an account. Only the holder of the latest fence may claim, begin and keep."""

    account: str = Field(primary_key=True)
    fence: int
    """Grows by one with each new holder."""
    session: str
    """The holder: one run of one process."""
    until: datetime = Field(sa_type=Moment)
    """By the database's own clock."""


class Gap(SQLModel, table=True):
    """By how much a poll's own totals differ from the votes that we know by name. Never turned into people."""

    ask_id: int = Field(primary_key=True, foreign_key="ask.id")
    totals: str
    """What the platform says, a JSON list, option by option."""
    known: str
    """What we know, likewise."""
    as_of: datetime = Field(sa_type=Moment)


class Published(SQLModel, table=True):
    """What a weekly post said, once for each team: what came later is held against it, and the trend is made of it."""

    __table_args__ = (CLUSTERED,)

    survey: str = Field(primary_key=True)
    wave: str = Field(primary_key=True)
    """The week's key, such as ``2026-W47``."""
    team: str = Field(primary_key=True)
    score: int | None
    """Of the headline, and the range that chance allows, in points; ``None`` under ten answers."""
    low: int | None
    high: int | None
    verdict: str
    """``Verdict`` of ``core/change.py``."""
    counts: str
    """All counts behind it as JSON, see ``core/proof.py``."""
    fingerprint: str
    at: datetime = Field(sa_type=Moment)


class QuotedRow(SQLModel, table=True):
    """Whose words stand in which message of a report."""

    __tablename__ = "quoted"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CLUSTERED,)

    key: str = Field(primary_key=True)
    """Of the outbox."""
    person_id: int = Field(primary_key=True, foreign_key="person.id", index=True)
    text: str
    """The quotation as it is shown."""


class CursorRow(SQLModel, table=True):
    """How far an adapter has read."""

    __tablename__ = "cursor"  # pyright: ignore[reportAssignmentType]

    account: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str
