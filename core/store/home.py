"""Where a database is at home: on a sandbox, or on the platforms. What made-up followers answered must never stand in a
real score, nor the other way round."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from core.errors import StoreError
from core.models import Kept, WaveRow
from core.store.database import Database
from core.store.opening import open_engine, schema_of
from core.store.statements import Upsert, table

_KEPT = table(Kept)
_WAVE = table(WaveRow)
_NAME = "sandbox"

_keep = Upsert(Kept, ("name", "value"), key=("name",))


def settle(connection: Connection, sandbox: str) -> str:
    """It is at home on this sandbox, or on the platforms (``""``), unless somebody was faster. Returns where it is."""
    _keep(connection, [(_NAME, sandbox)])
    return str(connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == _NAME)).scalar_one())


def is_used(connection: Connection) -> bool:
    """Whether anything was ever asked."""
    return connection.execute(select(_WAVE.c.id).limit(1)).first() is not None


def of(database: Database) -> str | None:
    """Which sandbox a database is at home on: empty on the platforms, ``None`` where nobody has said."""
    with database.reading() as connection:
        found = connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == _NAME)).scalar_one_or_none()
    return None if found is None else str(found)


def refusal(url: str, *, made_up: bool) -> str:
    """Why a database cannot be used, for made-up answers or for real ones; empty where nothing is known against it.
    Nothing is made. Raises ``SettingsError`` when the address cannot be used."""
    engine = open_engine(url)
    file = Path(engine.url.database or "").absolute()
    try:
        if engine.dialect.name == "sqlite" and not file.exists():
            return "" if file.parent.is_dir() else f"there is no folder {file.parent}; see service.database"
        with engine.connect().execution_options(reading=True) as connection:
            if schema_of(connection) is None:
                return ""
            home = connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == _NAME)).scalar_one_or_none()
        if home is not None:
            strange(home, home or "a sandbox" if made_up else "")
    except StoreError as error:
        return str(error)
    finally:
        engine.dispose()
    return ""


def strange(home: str, sandbox: str) -> str:
    """What is to be said about a database that was at home elsewhere; empty where nothing is. Raises ``StoreError``
    when it must not be used here."""
    if home == sandbox:
        return ""
    if not sandbox:
        raise StoreError(
            "service.database: it holds what the sandbox's made-up followers answered; name another file to go live"
        )
    if not home:
        raise StoreError(
            "service.database: it holds what real people answered; give the sandbox a file of its own, for instance "
            "with VOUCH_SERVICE__DATABASE=sqlite:///sandbox.db"
        )
    return (
        "it was filled on another sandbox: what was asked there is not asked again. To begin anew, stop `vouch run`, "
        "and remove the file and what lies beside it (`rm vouch.db*`), or name another one"
    )
