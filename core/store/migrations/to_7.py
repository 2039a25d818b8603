"""From 6 to 7: no number is given to two cases."""

from __future__ import annotations

from alembic.operations import Operations


def upgrade(op: Operations) -> None:
    """The step. PostgreSQL's sequence never goes back."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("cases", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
