"""The tables of the teams' own places: what was asked for there, whose a fix is, and the cases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.columns import CLUSTERED, EMPTY, Moment


class CommandRow(SQLModel, table=True):
    """What somebody asked for in a team's place, and what became of it: what waits, and the audit log."""

    __tablename__ = "command"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CLUSTERED,)

    account: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    place: str
    person: str
    """The platform's id of who asked. Teammates are no followers: they have no row in ``person``."""
    said: str
    at: datetime = Field(sa_type=Moment)
    state: str = Field(index=True)
    """``waiting``, ``done``, ``refused`` or ``expired``."""
    outcome: str = ""
    """What was done, or why not, in plain words."""
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    name: str = Field(default="", sa_column_kwargs=EMPTY)
    """How the platform shows who asked."""


class DecisionRow(SQLModel, table=True):
    """The one fix that a weekly post proposes to a team, who owns it, and since when it is done."""

    __tablename__ = "decision"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CLUSTERED,)

    survey: str = Field(primary_key=True)
    wave: str = Field(primary_key=True)
    """The week's key, such as ``2026-W47``."""
    team: str = Field(primary_key=True)
    title: str
    """What is to be fixed, in the team's words."""
    proposed_at: datetime = Field(sa_type=Moment)
    account: str = ""
    """Where the owner is known under ``owner``, the platform's id."""
    owner: str = ""
    owner_name: str = ""
    owned_at: datetime | None = Field(default=None, sa_type=Moment)
    done_at: datetime | None = Field(default=None, sa_type=Moment)
    reminded_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the lead was told that nobody owns it."""


class CaseRow(SQLModel, table=True):
    """An unhappy person who can be answered: opened with their answer, worked on by the team."""

    __tablename__ = "cases"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("person_id", "wave_id"),
        Index("cases_told", "survey", "told_at"),
        Index("cases_last", "survey", "last_at"),
        {"sqlite_autoincrement": True},  # no number is given twice
    )

    id: int | None = Field(default=None, primary_key=True)
    """The number that the team calls it by."""
    person_id: int = Field(foreign_key="person.id")
    wave_id: int = Field(foreign_key="wave.id")
    survey: str
    state: str = "open"
    """``open``, ``taken``, ``answered`` (by us), ``heard`` (they answered) or ``closed``."""
    opened_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)
    """When either side had its last word."""
    told_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the team was told of it."""
    account: str = ""
    """Where the owner is known under ``owner``, the platform's id."""
    owner: str = ""
    owner_name: str = ""
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the team answered first."""
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    outcome: str = ""
    """How it ended, in the team's words."""


class CaseRef(SQLModel, table=True):
    """A message in a team's place that speaks of one case: to answer it is to answer the customer."""

    __tablename__ = "case_ref"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CLUSTERED,)

    account: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    case_id: int = Field(foreign_key="cases.id")


class RelayRow(SQLModel, table=True):
    """What was passed on to a customer, until it is known to have arrived or the team was told that it did not."""

    __tablename__ = "relay"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CLUSTERED,)

    key: str = Field(primary_key=True)
    """Of the outbox."""
    case_id: int = Field(foreign_key="cases.id")
