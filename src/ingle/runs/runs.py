"""Runs of apps: started, followed, looked at, stopped, and gone on with.

Each is recorded as it goes, so that it goes on after this process is killed, and can be looked at
when it is over. A caller with a key sees the runs of that key only; without one, all.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.apps.fields import read_input
from ingle.errors import Conflict, InvalidRequest, RunNotFound
from ingle.ids import new_id
from ingle.runs.as_json import read_json, write_json
from ingle.runs.carrier import Carrier
from ingle.runs.events import Event, is_last
from ingle.runs.executor import Recorded, Work
from ingle.runs.history import COLUMNS, RunRecord, recorded_of, run_record, table_row
from ingle.runs.log import RunLog
from ingle.runs.published import PublishedApps
from ingle.runs.replay import replayed
from ingle.runs.run import Given, Run
from ingle.runs.worker import LEASE_S
from ingle.storage.database import Database
from ingle.storage.runs import RunFilter, RunRows

__all__ = ["Run", "RunFilter", "Runs"]

_MOST_AT_A_TIME = 1000
_PAGE = 200
_ALL = RunFilter()


class Runs:
    """The runs of one database, from one process and its event loop. Use it as a context: on
    leaving, what runs is stopped, and goes on when `share` is called again, here or elsewhere.
    """

    def __init__(
        self,
        database: Database,
        published: PublishedApps,
        work: Work,
        *,
        work_of_key: Callable[[str], Work] | None = None,
        at_once: int = 64,
        keep_days: float | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        """At most `at_once` runs go on at a time here; others wait. Runs that were over for
        `keep_days` are removed; None keeps all. `work_of_key` gives what does the work of a key's
        runs, where that is not `work`."""
        self._rows = RunRows(database)
        self._published = published
        self._carrier = Carrier(
            database,
            self._rows,
            published,
            work,
            work_of_key=work_of_key,
            at_once=at_once,
            keep_days=keep_days,
            lease_s=lease_s,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._carrier.close()

    async def share(self) -> None:
        """Take up the runs of processes that are gone, and those that wait, from now on.

        Raises:
            StorageError: the database failed.
        """
        await self._carrier.share()

    async def start(
        self,
        app: App,
        input: Mapping[str, Any],  # noqa: A002 -- what it is called everywhere
        *,
        text: str,
        slug: str | None = None,
        version: int | None = None,
        session: str | None = None,
        key_id: str | None = None,
        run_id: str | None = None,
        history: list[dict[str, Any]] | None = None,
        source: str = "",
        is_kept: bool = True,
    ) -> Run:
        """A run of the app, which has begun, or waits for room.

        `text` is the app's definition, with which the run goes on whatever becomes of the app.
        `history` are the messages of a chat before this one. `source` is a word for where it was
        asked for, such as `openai`. A run that is not `is_kept` is not
        recorded: it ends with this process, and nothing is known of it afterwards.

        Raises:
            InvalidRequest: the input is not what the app asks for.
            StorageError: the run cannot be recorded, and has not begun.
        """
        given = Given(read_input(app.fields, input), history)
        run = self._run(run_id or new_id("run"), app, key_id, is_kept=is_kept)
        about = {
            "app": slug or app.slug,
            "version": version,
            "session_id": session,
            "parent_id": None,
            "source": source,
        }
        await self._carrier.start(run, given, *_of_text(about, app, text))
        return run

    async def follow(
        self, run_id: str, after: int = -1, key_id: str | None = None
    ) -> AsyncGenerator[Sequence[Event], None]:
        """The events with a number above `after`, wherever the run is, and be it over.

        The last of them is the run's last one. Only if this process stops it ends without it.

        Raises:
            RunNotFound: there is no such run, or it is another key's.
            StorageError: the database failed.
        """
        active = self._carrier.active
        run = active.get(run_id)
        if run is None:
            await asyncio.to_thread(self._rows.find, run_id, key_id)
        elif key_id is not None and run.key_id != key_id:
            raise _no_run(run_id)
        while True:
            run = active.get(run_id)
            if run is not None:
                found = run.log.listen(after)
            else:
                found = replayed(self._rows, run_id, after, lambda: self._has_moved(run_id))
            async with aclosing(found) as lists:
                async for events in lists:
                    after = events[-1].sequence
                    yield events
                    if is_last(events[-1]):
                        return
            if active.get(run_id) is run or self._carrier.is_closing:
                return

    def log(self, run_id: str, key_id: str | None = None) -> RunLog | None:
        """The log of a run that is carried out here; None for any other, and for another key's."""
        run = self._carrier.active.get(run_id)
        return run.log if run is not None and key_id in (None, run.key_id) else None

    async def get(self, run_id: str, key_id: str | None = None) -> RunRecord:
        """The run and how its steps have ended so far.

        Raises:
            RunNotFound: there is none that was recorded, or it is another key's.
            StorageError: the database failed.
        """
        row = await asyncio.to_thread(self._rows.find, run_id, key_id)
        return run_record(row, await asyncio.to_thread(self._rows.steps, run_id))

    async def list(
        self, chosen: RunFilter = _ALL, *, before: str | None = None, limit: int = 50
    ) -> Sequence[RunRecord]:
        """Runs without their steps, the newest first, beginning after the one named `before`.

        Raises:
            InvalidRequest: `limit` is not from 1 to 1,000.
            StorageError: the database failed.
        """
        if not 1 <= limit <= _MOST_AT_A_TIME:
            raise InvalidRequest(
                f"{limit} runs cannot be listed at a time. Take 1 to {_MOST_AT_A_TIME:,}, and the "
                "rest after the last of them.",
                param="limit",
            )
        if chosen.text is not None:
            # As it stands in JSON, where a quote or a line's end is written with a backslash.
            chosen = replace(chosen, text=write_json(chosen.text)[1:-1])
        rows = await asyncio.to_thread(self._rows.page, chosen, before=before, limit=limit)
        return [run_record(row) for row in rows]

    async def table(self, chosen: RunFilter = _ALL) -> AsyncGenerator[Sequence[str], None]:
        """The runs as rows of texts for a table, after one with the columns' names.

        Raises:
            StorageError: the database failed.
        """
        yield COLUMNS
        before = None
        while runs := await self.list(chosen, before=before, limit=_PAGE):
            for run in runs:
                yield table_row(run)
            before = runs[-1].id

    async def cancel(self, run_id: str, key_id: str | None = None) -> None:
        """Stop the run, wherever it is; it is told to followers when it has stopped.

        Raises:
            RunNotFound: there is none, or it is another key's.
            Conflict: it has ended or failed.
            StorageError: the database failed; it goes on.
        """
        run = self._carrier.active.get(run_id)
        if run is not None and (key_id is None or run.key_id == key_id):
            self._carrier.cancel(run)
            return
        await asyncio.to_thread(self._rows.find, run_id, key_id)
        state = await self._carrier.cancel_recorded(run_id)
        if state in ("ended", "failed"):
            raise Conflict(f"The run {run_id!r} cannot be cancelled: it has {state}.")

    async def resume(self, run_id: str, key_id: str | None = None) -> Run:
        """Go on with a run that failed or was cancelled, from its last recorded step.

        Raises:
            RunNotFound: there is none, or it is another key's.
            Conflict: it ended well, or is not over.
            InvalidApp: its text is no app that can run here.
            StorageError: the database failed.
        """
        row = await asyncio.to_thread(self._rows.find, run_id, key_id)
        app = await asyncio.to_thread(self._load, row)
        await self._carrier.begin()
        await asyncio.to_thread(self._rows.let_wait, run_id, key_id)
        run = self._run(run_id, app, row.key_id)
        self._carrier.wait_for_room(run)
        return run

    async def retry(
        self,
        run_id: str,
        from_step: str | None = None,
        edits: Mapping[str, Any] | None = None,
        key_id: str | None = None,
    ) -> Run:
        """A new run of the same text and input, that does not run again what it need not.

        Steps that ended in the old run keep their outputs, but `from_step` and those that need it
        run again; if it is None, those that failed do. `edits` gives outputs by a step's name, which
        hold as if the step had ended with them, so those that need it run again; and `input` for
        another input, with which all steps run again before which none is named.

        Raises:
            RunNotFound: there is none, or it is another key's.
            InvalidRequest: there is no such step, or the input is not what the app asks for.
            InvalidApp: its text is no app that can run here.
            StorageError: the database failed, and the new run has not begun.
        """
        row = await asyncio.to_thread(self._rows.find, run_id, key_id)
        ends = recorded_of(await asyncio.to_thread(self._rows.steps, run_id))
        app = await asyncio.to_thread(self._load, row)
        edited = dict(edits or {})
        values = read_json(row.input)
        if "input" in edited:
            values = read_input(app.fields, edited.pop("input"))
            if from_step is None:
                ends = {}
        for name in (*edited, *(() if from_step is None else (from_step,))):
            if name not in {step.name for step in app.steps}:
                raise InvalidRequest(f"The app {row.app!r} has no step {name!r}.", param="step")
        now = time.time()
        again = _needing(app, edited.keys() | ({from_step} if from_step is not None else set()))
        kept = {name: end for name, end in ends.items() if name not in again}
        kept |= {
            name: Recorded(name, output, started_at=now, ended_at=now)
            for name, output in edited.items()
        }
        run = self._run(new_id("run"), app, row.key_id)
        about = {
            "app": row.app,
            "version": row.version,
            "session_id": row.session_id,
            "parent_id": run_id,
            "source": row.source,
        }
        given = Given(values, read_json(row.history), kept)
        await self._carrier.start(run, given, *_of_text(about, app, row.text))
        return run

    async def rate(
        self,
        run_id: str,
        thumb: int | None = None,
        comment: str | None = None,
        key_id: str | None = None,
    ) -> None:
        """Keep what someone thinks of the run: a thumb up (1) or down (-1), and words.

        Raises:
            RunNotFound: there is none, or it is another key's.
            InvalidRequest: the thumb is another number.
            StorageError: the database failed; nothing was changed.
        """
        if thumb not in (None, 1, -1):
            raise InvalidRequest(
                f"A thumb is 1 or -1, up or down, and not {thumb!r}.", param="thumb"
            )
        await asyncio.to_thread(
            self._rows.set_feedback, run_id, key_id, thumb=thumb, comment=comment
        )

    async def remove(self, run_id: str, key_id: str | None = None) -> None:
        """Remove the run with its steps and events.

        Raises:
            RunNotFound: there is none, or it is another key's.
            Conflict: it is not over.
            StorageError: the database failed; nothing was changed.
        """
        await asyncio.to_thread(self._rows.remove, run_id, key_id)

    def _has_moved(self, run_id: str) -> bool:
        return run_id in self._carrier.active or self._carrier.is_closing

    def _run(self, run_id: str, app: App, key_id: str | None, *, is_kept: bool = True) -> Run:
        return Run(run_id, app, RunLog(), key_id, is_kept, self._carrier.cancel)

    def _load(self, row: sa.Row[Any]) -> App:  # Any: mypy does not know a row's columns
        return load(row.text, row.app, self._published.find_if_there)


def _of_text(
    about: Mapping[str, Any], app: App, text: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a run is of, and the row of its text."""
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    shown = {"name": app.name, "type": app.type, "description": app.description}
    return {**about, "definition": sha256}, {"sha256": sha256, "text": text, **shown}


def _needing(app: App, names: set[str]) -> set[str]:
    """These steps and all that need them; each comes after those that it needs."""
    found = set(names)
    for step in app.steps:
        if step.needs & found:
            found.add(step.name)
    return found


def _no_run(run_id: str) -> RunNotFound:
    return RunNotFound(f"There is no run {run_id!r}. `ingle runs list` shows those that there are.")
