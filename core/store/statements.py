"""Reading and writing many rows at once, in the dialect of the database, at the speed of its driver.

SQLAlchemy's Core costs more per row than the row itself, so a statement is compiled once and then handed to the
driver with plain tuples, or with one list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Dialect, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType
from sqlmodel import SQLModel


def table(model: type[SQLModel]) -> Table:
    """The table of a model."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


class _Values(FunctionElement[Any]):
    """The values in one parameter, as rows."""

    name = "values_in"
    inherit_cache = True
    type = NullType()


@compiles(_Values, "sqlite")
def _as_json(element: _Values, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"  # noqa: S608 - a placeholder


@compiles(_Values, "postgresql")
def _as_array(element: _Values, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}))"


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a column holds one of the values in the parameter ``name``, which ``many`` has prepared.

    SQLAlchemy's own ``IN`` is compiled anew for each number of values, which costs as much as the query.
    """
    return column.bool_op("IN")(_Values(bindparam(name, type_=ARRAY(column.type))))


def many(connection: Connection, values: Iterable[int] | Iterable[str]) -> Any:
    """The values (at least one) as the parameter of ``among``."""
    return json.dumps(list(values)) if connection.dialect.name == "sqlite" else list(values)


class Lookup:
    """A ``SELECT`` prepared once per dialect. Rows come as the driver gives them: times as they are stored (see
    ``stamp``), on SQLite booleans as 0 and 1."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._prepared = cache(self._compile)

    def _compile(self, dialect_name: str) -> tuple[str, tuple[str, ...]]:
        compiled = self._statement.compile(dialect=_dialect(dialect_name))
        return str(compiled), tuple(compiled.positiontup or ())

    def __call__(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """The rows for these values of the parameters."""
        sql, names = self._prepared(connection.dialect.name)
        return connection.exec_driver_sql(sql, tuple(values[name] for name in names)).all()


def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        return SQLiteDialect(paramstyle="qmark")
    return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]


class Upsert:
    """``INSERT … ON CONFLICT`` over the given columns of a model, prepared once per dialect.

    Rows are tuples in the order of ``columns``. Without ``update`` a row that is already there is left as it is;
    ``update`` maps a column to an expression of the old row and the new one (``excluded``), ``where`` says when.
    """

    def __init__(
        self,
        model: type[SQLModel],
        columns: Sequence[str],
        *,
        key: Sequence[str],
        update: Callable[[Any, Any], dict[str, Any]] | None = None,
        where: Callable[[Any, Any], ColumnElement[bool]] | None = None,
    ) -> None:
        self._table = table(model)
        self._columns = tuple(columns)
        self._key = tuple(key)
        self._update = update
        self._where = where
        self._sql = cache(self._compile)

    def _compile(self, dialect_name: str) -> str:
        kind = {"sqlite": sqlite, "postgresql": postgresql}[dialect_name]
        statement = kind.insert(self._table)
        if self._update is None:
            statement = statement.on_conflict_do_nothing(index_elements=self._key)
        else:
            old, new = self._table.c, statement.excluded
            statement = statement.on_conflict_do_update(
                index_elements=self._key,
                set_=self._update(old, new),
                where=self._where(old, new) if self._where is not None else None,
            )
        compiled = statement.compile(dialect=_dialect(dialect_name), column_keys=list(self._columns))
        if tuple(compiled.positiontup or ()) != self._columns:
            # The driver gets bare tuples: the order of the columns must be the table's.
            raise AssertionError(f"name the columns in this order: {compiled.positiontup}")
        return str(compiled)

    def __call__(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write the rows."""
        found = list(rows)
        if found:
            connection.exec_driver_sql(self._sql(connection.dialect.name), found)


def stamp(connection: Connection) -> Callable[[datetime], Any]:
    """How a time is handed to the driver as SQLAlchemy would store it: text without a zone on SQLite."""
    if connection.dialect.name == "sqlite":
        return _as_text
    return lambda moment: moment


def _as_text(moment: datetime) -> str:
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]  # without the zone
