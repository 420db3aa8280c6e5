"""The rows of schedules: which apps run by themselves, and when next.

It knows the rows only, not what a timing means. Of several processes that take the same occasion
one gets it. Everything here blocks, so async callers go through `asyncio.to_thread`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ingle.errors import NotFound
from ingle.storage.database import Database
from ingle.storage.run_tables import schedules

__all__ = ["ScheduleRows"]

Row = sa.Row[Any]  # Any: mypy does not know a row's columns


class ScheduleRows:
    """The schedules of one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, **values: Any) -> None:
        """Add a schedule with these values of its columns.

        Raises:
            StorageError: the database failed; nothing was added.
        """
        with self._database.writing() as transaction:
            transaction.execute(sa.insert(schedules).values(values))

    def list(self, key_id: str | None) -> Sequence[Row]:
        """All schedules that this key may see, the oldest first; None may see all.

        Raises:
            StorageError: the database failed.
        """
        chosen = sa.select(schedules).order_by(schedules.c.id)
        if key_id is not None:
            chosen = chosen.where(schedules.c.key_id == key_id)
        with self._database.reading() as transaction:
            return transaction.execute(chosen).all()

    def find(self, schedule: str, key_id: str | None) -> Row:
        """The schedule of this id.

        Raises:
            NotFound: there is none, or it is another key's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _found(transaction, schedule, key_id)

    def change(self, schedule: str, key_id: str | None, **values: Any) -> None:
        """Put these values into its columns.

        Raises:
            NotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, schedule, key_id)
            transaction.execute(
                sa.update(schedules).where(schedules.c.id == schedule).values(values)
            )

    def remove(self, schedule: str, key_id: str | None) -> None:
        """Remove the schedule; its runs stay.

        Raises:
            NotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, schedule, key_id)
            transaction.execute(sa.delete(schedules).where(schedules.c.id == schedule))

    def due(self, now: float) -> Sequence[Row]:
        """Those whose next occasion has come.

        Raises:
            StorageError: the database failed.
        """
        table = schedules.c
        chosen = sa.select(schedules).where(~table.is_paused, table.next_at <= now)
        with self._database.reading() as transaction:
            return transaction.execute(chosen.order_by(table.next_at)).all()

    def next_at(self) -> float | None:
        """When the next occasion of all is; None if there is none.

        Raises:
            StorageError: the database failed.
        """
        table = schedules.c
        with self._database.reading() as transaction:
            found: float | None = transaction.scalar(
                sa.select(sa.func.min(table.next_at)).where(~table.is_paused)
            )
        return found

    def abandoned(self, before: float) -> Sequence[Row]:
        """Those with a run that was to be started before this moment and never was.

        Raises:
            StorageError: the database failed.
        """
        table = schedules.c
        chosen = sa.select(schedules).where(table.starting.is_not(None), table.last_at < before)
        with self._database.reading() as transaction:
            return transaction.execute(chosen).all()

    def ahead(self, moment: float) -> Sequence[Row]:
        """Those that say they last ran after this moment.

        Raises:
            StorageError: the database failed.
        """
        chosen = sa.select(schedules).where(schedules.c.last_at > moment)
        with self._database.reading() as transaction:
            return transaction.execute(chosen).all()

    def take(self, row: Row, **values: Any) -> bool:
        """Put these values in its columns if nobody has changed when it last and next runs.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        table = schedules.c
        same = (
            table.id == row.id,
            table.next_at.is_not_distinct_from(row.next_at),
            table.last_at.is_not_distinct_from(row.last_at),
            table.starting.is_not_distinct_from(row.starting),
            table.is_paused == row.is_paused,
        )
        with self._database.writing() as transaction:
            changed = transaction.execute(sa.update(schedules).where(*same).values(values))
        return changed.rowcount == 1

    def started(self, row: Row, run: str, fault: str | None) -> None:
        """Note that the run of its last occasion has begun, or why it has not.

        Raises:
            StorageError: the database failed.
        """
        table = schedules.c
        values: dict[str, Any] = {"starting": None, "fault": fault}
        if fault is None:
            values["last_run_id"] = run
        with self._database.writing() as transaction:
            transaction.execute(
                sa.update(schedules).where(table.id == row.id, table.starting == run).values(values)
            )


def _found(transaction: sa.Connection, schedule: str, key_id: str | None) -> Row:
    row = transaction.execute(sa.select(schedules).where(schedules.c.id == schedule)).first()
    if row is None or (key_id is not None and row.key_id != key_id):
        raise NotFound(
            f"There is no schedule {schedule!r}. `ingle schedules list` shows those that there are."
        )
    return row
