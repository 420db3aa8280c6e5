"""The processes that run apps, as the database knows them, and who of them is gone.

Everything here works inside a transaction that the caller has begun. Moments are by the database's
clock, so that a clock that jumps on one machine takes no run from anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ingle.storage.database import Recording
from ingle.storage.run_tables import runs, workers

__all__ = ["add_worker", "all_workers", "beat", "is_worker", "release", "silent_workers"]

# SQLite has no locks of rows, and needs none: no other transaction writes meanwhile.
_SELECT_WORKER = (
    sa.select(workers.c.id)
    .where(workers.c.id == sa.bindparam("worker", type_=sa.String))
    .with_for_update(read=True)
)


def add_worker(transaction: sa.Connection, worker: str, place: str) -> None:
    """Make this process known."""
    now = _now(transaction)
    transaction.execute(
        sa.insert(workers).values(id=worker, place=place, began_at=now, seen_at=now)
    )


def beat(transaction: sa.Connection, worker: str) -> bool:
    """Say that this process lives; False if others have taken it for dead."""
    changed = transaction.execute(
        sa.update(workers).where(workers.c.id == worker).values(seen_at=_now(transaction))
    )
    return changed.rowcount == 1


def is_worker(recording: Recording, worker: str) -> bool:
    """Whether nobody has taken this process for dead; nobody can until the transaction ends."""
    return recording.execute(_SELECT_WORKER, [{"worker": worker}]).first() is not None


def all_workers(transaction: sa.Connection) -> Sequence[str]:
    """All that are known."""
    return transaction.scalars(sa.select(workers.c.id)).all()


def silent_workers(transaction: sa.Connection, lease_s: float) -> Sequence[str]:
    """Those that have not been heard of for so long."""
    chosen = sa.select(workers.c.id).where(workers.c.seen_at < _now(transaction) - lease_s)
    return transaction.scalars(chosen).all()


def release(transaction: sa.Connection, gone: Iterable[str]) -> None:
    """Forget these workers: they can record nothing more, and their runs wait for others."""
    for worker in gone:
        transaction.execute(sa.delete(workers).where(workers.c.id == worker))
        transaction.execute(
            sa.update(runs)
            .where(runs.c.owner == worker, runs.c.state == "running")
            .values(owner=None, state="waiting")
        )


def _now(transaction: sa.Connection) -> sa.ColumnElement[Any]:
    """Unix seconds."""
    if transaction.dialect.name == "sqlite":
        return (sa.func.julianday("now") - 2440587.5) * 86400.0
    return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
