"""The rows of runs: how they are written, claimed, found and removed.

It knows the rows only, not what a run is. Everything here blocks, so async callers go through
`asyncio.to_thread`; statements are for a `Writer`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingle.errors import Conflict, RunNotFound
from ingle.storage.database import Database, Statement
from ingle.storage.run_tables import app_versions, apps, batches, definitions, events, runs, steps

__all__ = [
    "ADD_EVENTS",
    "ADD_RUN",
    "ADD_STEP",
    "END_RUN",
    "KEEP_DEFINITION",
    "RunFilter",
    "RunRows",
]

Row = sa.Row[Any]  # Any: mypy does not know a row's columns

FINAL = ("ended", "failed", "cancelled")
"""The states of runs that go on no more."""

_MOST_REMOVED = 500
"""How many runs are removed in one transaction, so that others can write in between."""


def _keep(insert: Any) -> Statement:  # Any: the two share no type that says so
    names = ("sha256", "text", "name", "type", "description")
    row: dict[str, Any] = {name: sa.bindparam(name) for name in names}
    statement: Statement = insert(definitions).values(row).on_conflict_do_nothing()
    return statement


KEEP_DEFINITION: Mapping[str, Statement] = {
    "sqlite": _keep(sqlite.insert),
    "postgresql": _keep(postgresql.insert),
}
ADD_RUN = sa.insert(runs)
ADD_STEP = sa.insert(steps)
ADD_EVENTS = sa.insert(events)
END_RUN = (
    sa.update(runs)
    .where(runs.c.id == sa.bindparam("run"))
    .values(
        state=sa.bindparam("new_state"),
        owner=None,
        ended_at=sa.bindparam("at"),
        output=sa.bindparam("new_output"),
        fault=sa.bindparam("new_fault"),
        prompt_tokens=sa.bindparam("prompt"),
        completion_tokens=sa.bindparam("completion"),
    )
)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are meant; None is any. `text` stands somewhere in their input or output.

    `since` and `until` bound when they were made, in Unix seconds.
    """

    app: str | None = None
    state: str | None = None
    session: str | None = None
    key_id: str | None = None
    parent: str | None = None
    since: float | None = None
    until: float | None = None
    text: str | None = None


class RunRows:
    """The runs of one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, worker: str, at: float, limit: int, only: Collection[str] | None = None
    ) -> Sequence[Row]:
        """Up to so many of the runs that wait, the oldest first, which are this worker's now.

        Each has `text`, `name`, `type` and `description` of its definition. What an earlier attempt
        told is removed, as the next tells all of it, and so are the steps that failed. `only` are
        the ids of those that may be taken.

        Raises:
            StorageError: the database failed; nothing was claimed.
        """
        chosen = sa.select(runs.c.id).where(runs.c.state == "waiting").order_by(runs.c.id)
        if only is not None:
            chosen = chosen.where(runs.c.id.in_(only))
        with self._database.writing() as transaction:
            ids = transaction.scalars(chosen.limit(limit)).all()
            if not ids:
                return []
            transaction.execute(sa.delete(events).where(events.c.run_id.in_(ids)))
            transaction.execute(
                sa.delete(steps).where(steps.c.run_id.in_(ids), steps.c.state == "failed")
            )
            transaction.execute(
                sa.update(runs)
                .where(runs.c.id.in_(ids))
                .values(
                    state="running",
                    owner=worker,
                    attempt=runs.c.attempt + 1,
                    started_at=sa.func.coalesce(runs.c.started_at, at),
                )
            )
            return transaction.execute(
                _WITH_TEXT.where(runs.c.id.in_(ids)).order_by(runs.c.id)
            ).all()

    def find(self, run: str, key_id: str | None) -> Row:
        """The run of this id, with its definition, if this key may see it; None may see all.

        Raises:
            RunNotFound: there is none, or it is another key's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _found(transaction, run, key_id)

    def owners(self, ids: Collection[str]) -> Mapping[str, tuple[str, str | None]]:
        """The state of each of these runs and its worker, by id.

        Raises:
            StorageError: the database failed.
        """
        table = runs.c
        with self._database.reading() as transaction:
            rows = transaction.execute(
                sa.select(table.id, table.state, table.owner).where(table.id.in_(ids))
            ).all()
        return {row.id: (row.state, row.owner) for row in rows}

    def steps(self, run: str) -> Sequence[Row]:
        """How its steps have ended so far, in that order.

        Raises:
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return transaction.execute(
                sa.select(steps).where(steps.c.run_id == run).order_by(steps.c.ended_at)
            ).all()

    def page(self, chosen: RunFilter, *, before: str | None, limit: int) -> Sequence[Row]:
        """Runs, the newest first, beginning with the one that is older than `before`.

        Raises:
            StorageError: the database failed.
        """
        query = sa.select(runs).where(*_conditions(chosen)).order_by(runs.c.id.desc())
        if before is not None:
            query = query.where(runs.c.id < before)
        with self._database.reading() as transaction:
            return transaction.execute(query.limit(limit)).all()

    def events(self, run: str, after: int, limit: int = 100) -> tuple[Row, Sequence[str]]:
        """The run's row, and chunks of its events that hold some with a number above `after`.

        Raises:
            RunNotFound: there is no such run any more.
            StorageError: the database failed.
        """
        table = events.c
        with self._database.reading() as transaction:
            row = _found(transaction, run, None)
            chunks = transaction.scalars(
                sa.select(table.chunk)
                .where(table.run_id == run, table.last > after)
                .order_by(table.sequence)
                .limit(limit)
            ).all()
        return row, chunks

    def want_cancel(self, run: str, at: float, last: Mapping[str, Any]) -> str:
        """Have the run cancelled: the state that it is in now.

        One that waits is cancelled at once, and `last` is the row of its last event. One that runs
        is cancelled by its worker, which asks `cancel_wanted`.

        Raises:
            RunNotFound: there is none.
            StorageError: the database failed; nothing was changed.
        """
        table = runs.c
        with self._database.writing() as transaction:
            state = _found(transaction, run, None).state
            if state == "running":
                transaction.execute(
                    sa.update(runs).where(table.id == run).values(is_cancel_wanted=True)
                )
            elif state == "waiting":
                transaction.execute(
                    sa.update(runs).where(table.id == run).values(state="cancelled", ended_at=at)
                )
                transaction.execute(sa.insert(events).values(**last))
                state = "cancelled"
        return str(state)

    def cancel_wanted(self, worker: str) -> Sequence[str]:
        """This worker's runs that someone wants to be cancelled.

        Raises:
            StorageError: the database failed.
        """
        table = runs.c
        with self._database.reading() as transaction:
            return transaction.scalars(
                sa.select(table.id).where(
                    table.owner == worker, table.state == "running", table.is_cancel_wanted
                )
            ).all()

    def let_wait(self, run: str, key_id: str | None) -> None:
        """Make a run that failed or was cancelled wait for a worker, which goes on with it.

        Raises:
            RunNotFound: there is none, or it is another key's.
            Conflict: it ended well, or is not over.
            StorageError: the database failed; nothing was changed.
        """
        table = runs.c
        with self._database.writing() as transaction:
            row = _found(transaction, run, key_id)
            if row.state not in ("failed", "cancelled"):
                raise Conflict(
                    f"The run {run!r} cannot be resumed: it is {row.state}. Only one that failed "
                    "or was cancelled can; a retry runs any again."
                )
            transaction.execute(
                sa.update(runs)
                .where(table.id == run)
                .values(
                    state="waiting",
                    output=None,
                    fault=None,
                    ended_at=None,
                    is_cancel_wanted=False,
                )
            )
            transaction.execute(sa.delete(events).where(events.c.run_id == run))

    def set_feedback(
        self, run: str, key_id: str | None, *, thumb: int | None, comment: str | None
    ) -> None:
        """Keep what someone thinks of the run, in place of what was kept before.

        Raises:
            RunNotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, run, key_id)
            transaction.execute(
                sa.update(runs).where(runs.c.id == run).values(thumb=thumb, comment=comment)
            )

    def remove(self, run: str, key_id: str | None) -> None:
        """Remove the run with its steps and events.

        Raises:
            RunNotFound: there is none, or it is another key's.
            Conflict: it is not over.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            row = _found(transaction, run, key_id)
            if row.state not in FINAL:
                raise Conflict(f"The run {run!r} is {row.state}. Cancel it before it is removed.")
            transaction.execute(sa.delete(runs).where(runs.c.id == run))

    def remove_ended(self, before: float) -> int:
        """Remove runs that were over before this moment, and how many those were.

        The texts that nothing refers to any more go too.

        Raises:
            StorageError: the database failed; what was removed before it did stays removed.
        """
        table = runs.c
        old = (
            sa.select(table.id)
            .where(table.ended_at < before, table.state.in_(FINAL))
            .limit(_MOST_REMOVED)
        )
        count = 0
        while True:
            with self._database.writing() as transaction:
                ids = transaction.scalars(old).all()
                if not ids:
                    transaction.execute(_DELETE_UNUSED_TEXTS)
                    return count
                transaction.execute(sa.delete(runs).where(table.id.in_(ids)))
            count += len(ids)


_WITH_TEXT = sa.select(
    runs, definitions.c.text, definitions.c.name, definitions.c.type, definitions.c.description
).join(definitions, definitions.c.sha256 == runs.c.definition)

_DELETE_UNUSED_TEXTS = sa.delete(definitions).where(
    *(
        ~sa.exists().where(column == definitions.c.sha256)
        for column in (
            runs.c.definition,
            apps.c.draft,
            app_versions.c.definition,
            batches.c.definition,
        )
    )
)


def _found(transaction: sa.Connection, run: str, key_id: str | None) -> Row:
    row = transaction.execute(_WITH_TEXT.where(runs.c.id == run)).first()
    # Whoever may not see it is not told that it is there.
    if row is None or (key_id is not None and row.key_id != key_id):
        raise RunNotFound(f"There is no run {run!r}. `ingle runs list` shows those that there are.")
    return row


def _conditions(chosen: RunFilter) -> list[sa.ColumnElement[bool]]:
    table = runs.c
    equal = {
        table.app: chosen.app,
        table.state: chosen.state,
        table.session_id: chosen.session,
        table.key_id: chosen.key_id,
        table.parent_id: chosen.parent,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if chosen.since is not None:
        conditions.append(table.created_at >= chosen.since)
    if chosen.until is not None:
        conditions.append(table.created_at < chosen.until)
    if chosen.text is not None:
        conditions.append(
            sa.or_(
                table.input.icontains(chosen.text, autoescape=True),
                table.output.icontains(chosen.text, autoescape=True),
            )
        )
    return conditions
