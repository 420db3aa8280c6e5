"""Carrying out runs in this process: so many at once, each recorded, and none of them lost.

A run that has no room waits in the database, where any process with room may take it. This one
takes those of others only after `share`: a server does, a command does not.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

import sqlalchemy as sa

from ingle.apps.check import load
from ingle.errors import IngleError, StorageError
from ingle.runs.as_json import read_json, write_json
from ingle.runs.events import RunCancelled, RunFailed, fault_of, first_sequence
from ingle.runs.executor import NoRecord, Work, execute
from ingle.runs.history import recorded_of
from ingle.runs.log import RunLog
from ingle.runs.published import PublishedApps
from ingle.runs.record import Recorder, events_row, step_row
from ingle.runs.replay import replayed
from ingle.runs.run import Given, Run
from ingle.runs.worker import Worker, hold_lock
from ingle.storage.database import Database
from ingle.storage.runs import ADD_EVENTS, ADD_RUN, ADD_STEP, END_RUN, KEEP_DEFINITION, RunRows
from ingle.storage.writer import Rows, Writer

__all__ = ["Carrier"]

_BEAT_S = 1.0
"""How often others' wishes to cancel, processes that are gone and waiting runs are looked for."""

_EVENTS_S = 0.2
"""How often events are written: rarely for the disk, often for who follows from elsewhere."""

_DAY_S = 86400.0
_CLEAN_EVERY_S = 3600.0

_logger = logging.getLogger(__name__)


class Carrier:
    """Carries out runs on one event loop, at most `at_once`. Close it in the end.

    It is known as a worker, and has a thread that writes, from the first run that is recorded on.
    """

    def __init__(
        self,
        database: Database,
        rows: RunRows,
        published: PublishedApps,
        work: Work,
        *,
        work_of_key: Callable[[str], Work] | None,
        at_once: int,
        keep_days: float | None,
        lease_s: float,
    ) -> None:
        self.active: dict[str, Run] = {}
        """The runs that are carried out here, by id, until it is recorded how they ended."""
        self._database = database
        self._rows = rows
        self._published = published
        self._work = work
        self._work_of_key = work_of_key
        self._free = at_once
        self._keep_days = keep_days
        self._lease_s = lease_s
        self._keep_definition = KEEP_DEFINITION["sqlite" if database.file else "postgresql"]
        self._worker: Worker | None = None
        self._writer: Writer | None = None
        self._held = AsyncExitStack()
        self._beginning = asyncio.Lock()
        self._recorders: dict[str, Recorder] = {}
        self._has_recorders = asyncio.Event()
        self._line: deque[tuple[Run, Given]] = deque()
        self._waiting: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_kept_up = False
        self._is_sharing = False
        self._is_claiming = False
        self.is_closing = False
        self._may_wait_elsewhere = False
        self._cleaned_at = 0.0

    async def start(
        self, run: Run, given: Given, about: Mapping[str, Any], definition: Mapping[str, Any]
    ) -> None:
        """Record the run and carry it out, or let it wait for room.

        `about` is the part of its row that says what it is of, `definition` the row of its text.

        Raises:
            StorageError: it cannot be recorded, and does not run.
        """
        if not run.is_kept:
            self._line.append((run, given))
            self._next()
            return
        writer, worker = await self._ready()
        has_room = self._free > 0 and not self._waiting
        now = time.time()
        row = {**about, "id": run.id, "key_id": run.key_id, "created_at": now}
        row |= {"prompt_tokens": 0, "completion_tokens": 0}
        if has_room:
            self._free -= 1
            row |= {"state": "running", "owner": worker.id, "attempt": 1, "started_at": now}
        else:
            row |= {"state": "waiting", "owner": None, "attempt": 0, "started_at": None}

        def rows() -> Rows:
            history = None if given.history is None else write_json(given.history)
            added = {**row, "input": write_json(given.values), "history": history}
            steps = [(ADD_STEP, step_row(run.id, end)) for end in given.recorded.values()]
            return [(self._keep_definition, definition), (ADD_RUN, added), *steps]

        try:
            await writer.write(rows)
        except BaseException:
            if has_room:
                self._leave()
            raise
        if has_room:
            self._carry(run, given)
        else:
            self.wait_for_room(run)

    def wait_for_room(self, run: Run) -> None:
        """Carry out a run that waits in the database as soon as there is room, here or elsewhere.

        `begin` was awaited before.
        """
        self._waiting[run.id] = run
        self._next()

    async def begin(self) -> Worker:
        """This process as a worker.

        Raises:
            StorageError: the database failed, or the worker's lock cannot be had.
        """
        return (await self._ready())[1]

    async def share(self) -> None:
        """From now on, take runs that wait, and those of processes that are gone.

        Raises:
            StorageError: the database failed.
        """
        worker = await self.begin()
        await asyncio.to_thread(worker.release_gone)
        self._is_sharing = self._may_wait_elsewhere = True
        self._next()

    def cancel(self, run: Run) -> None:
        """Cancel a run, once; one that has not begun, as soon as it does."""
        if run.is_cancel_wanted:
            return
        run.is_cancel_wanted = True
        if run.has_begun and run.task is not None:
            run.task.cancel()
        elif run.is_kept and run.id not in self.active:
            self._spawn(self._cancel_recorded(run.id))

    async def cancel_recorded(self, run: str) -> str:
        """Have a run cancelled that is not carried out here; the state that it is in now.

        Raises:
            RunNotFound: there is none.
            StorageError: the database failed; nothing was changed.
        """
        worker = await self.begin()
        await asyncio.to_thread(worker.release_gone)
        row = await asyncio.to_thread(self._rows.find, run, None)
        last = RunCancelled(first_sequence(row.attempt + 1), time.time())
        told = events_row(run, [last])
        state = await asyncio.to_thread(self._rows.want_cancel, run, last.at, told)
        if state == "cancelled" and run in self._waiting:
            self._waiting.pop(run).log.append(last)
        return state

    async def _cancel_recorded(self, run: str) -> None:
        try:
            await self.cancel_recorded(run)
        except IngleError as error:
            _logger.warning("The run %s could not be cancelled. %s", run, error)

    async def close(self) -> None:
        """Stop. Runs that are recorded go on where, or when, another process takes them; others are
        cancelled."""
        self.is_closing = True
        stopped = {run.task for run in self.active.values() if run.task is not None}
        for run in [
            *self.active.values(),
            *self._waiting.values(),
            *(run for run, _ in self._line),
        ]:
            if run.is_kept or not run.has_begun:
                run.log.close()
            if run.task is not None:
                run.task.cancel()
        for task in self._tasks:
            task.cancel()
        if stopped := stopped | self._tasks:
            await asyncio.wait(stopped)
        writer, worker = self._writer, self._worker
        if writer is not None and worker is not None:
            await writer.close()
            try:
                await asyncio.to_thread(worker.end)
            except StorageError as error:
                _logger.warning("The runs of this process wait for it to be found gone. %s", error)
        await self._held.aclose()

    async def _ready(self) -> tuple[Writer, Worker]:
        async with self._beginning:
            if self._writer is None or self._worker is None:
                worker = Worker(self._database, self._lease_s)
                await self._held.enter_async_context(hold_lock(worker))
                await asyncio.to_thread(worker.begin)
                order = (self._keep_definition, ADD_RUN, ADD_STEP, ADD_EVENTS, END_RUN)
                self._worker, self._writer = worker, Writer(self._database, order, worker.guard)
                if not self._is_kept_up:
                    self._is_kept_up = True
                    self._spawn(self._keep_up())
                    self._spawn(self._write_events())
            return self._writer, self._worker

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Carrying out

    def _carry(self, run: Run, given: Given) -> None:
        run.log.first = first_sequence(given.attempt)
        self.active[run.id] = run
        run.task = asyncio.create_task(self._carry_out(run, given), name=run.id)

    async def _carry_out(self, run: Run, given: Given) -> None:
        run.has_begun = True
        if run.is_cancel_wanted and run.task is not None:
            run.task.cancel()  # it takes effect where `execute` first waits, which tells of it
        record = self._recorder(run, given) if run.is_kept else NoRecord()
        work = self._work
        if run.key_id is not None and self._work_of_key is not None:
            work = self._work_of_key(run.key_id)
        try:
            await execute(
                run.app,
                given.values,
                run=run.id,
                log=run.log,
                work=work,
                record=record,
                recorded=given.recorded,
                history=given.history,
                attempt=given.attempt,
            )
        except asyncio.CancelledError:
            pass  # told as the run's last event
        except Exception as error:  # noqa: BLE001 -- told as the run's last event
            run.error = error
        finally:
            self._forget(run.id)
            self._leave()

    def _recorder(self, run: Run, given: Given) -> Recorder:
        if self._writer is None:
            raise StorageError("This process lost its runs to others before this one began.")
        ends = given.recorded.values()
        recorder = Recorder(run.id, run.log, self._writer, self._give_up, ends)
        self._recorders[run.id] = recorder
        self._has_recorders.set()
        return recorder

    def _forget(self, run: str) -> None:
        """Keep a run that is over only while it is not recorded how it ended."""
        recorder = self._recorders.get(run)
        if recorder is None or recorder.is_ended or self.is_closing:
            self.active.pop(run, None)
            self._recorders.pop(run, None)

    def _leave(self) -> None:
        self._free += 1
        self._next()

    # Waiting for room

    def _next(self) -> None:
        """Use the room that there is."""
        if self.is_closing:
            return
        while self._line and self._free > 0:
            run, given = self._line.popleft()
            self._free -= 1
            self._carry(run, given)
        has_need = self._waiting or (self._is_sharing and self._may_wait_elsewhere)
        if self._free > 0 and has_need and not self._is_claiming:
            self._is_claiming = True
            self._spawn(self._claim())

    async def _claim(self) -> None:
        room, self._free = self._free, 0
        rows: list[sa.Row[Any]] = []  # Any: mypy does not know a row's columns
        only = None if self._is_sharing else tuple(self._waiting)
        try:
            worker = await self.begin()
            found = await asyncio.to_thread(self._rows.claim, worker.id, time.time(), room, only)
            rows.extend(found)
        except StorageError as error:
            _logger.warning("Runs that wait cannot be taken. %s", error)  # the next beat tries
        finally:
            self._free += room - len(rows)
            self._is_claiming = False
        self._may_wait_elsewhere = len(rows) == room
        for row in rows:
            self._spawn(self._take(row))

    async def _take(self, row: sa.Row[Any]) -> None:
        """Carry out a run that was claimed, from its last recorded step on."""
        run = self._waiting.pop(row.id, None)
        log = run.log if run is not None else RunLog()
        log.first = first_sequence(row.attempt)
        try:
            ends = recorded_of(await asyncio.to_thread(self._rows.steps, row.id))
            if run is None:
                find_app = self._published.find_if_there
                app = await asyncio.to_thread(load, row.text, row.app, find_app)
                run = Run(row.id, app, log, row.key_id, True, self.cancel)
        except IngleError as error:
            await self._fail(row.id, log, error)
            self._leave()
            return
        given = Given(read_json(row.input), read_json(row.history), ends, row.attempt)
        run.is_cancel_wanted = run.is_cancel_wanted or row.is_cancel_wanted
        self._carry(run, given)

    async def _fail(self, run: str, log: RunLog, error: IngleError) -> None:
        """Tell and record that a run cannot go on."""
        writer, _ = await self._ready()
        last = RunFailed(log.next, fault_of(error), time.time())
        recorder = Recorder(run, log, writer, self._give_up)
        try:
            await recorder.run_ended(run, last)
        except StorageError as fault:
            _logger.warning("It was not recorded that the run %s failed. %s", run, fault)
        finally:
            log.append(last)

    # Keeping up

    async def _write_events(self) -> None:
        is_failing = False
        while True:
            await self._has_recorders.wait()
            await asyncio.sleep(_EVENTS_S)
            results = await asyncio.gather(
                *(recorder.write_events() for recorder in self._recorders.values()),
                return_exceptions=True,
            )
            faults = [result for result in results if result is not None]
            if faults and not is_failing:
                _logger.warning("Events are not recorded for now. %s", faults[0])
            is_failing = bool(faults)
            if not self._recorders:
                self._has_recorders.clear()

    async def _keep_up(self) -> None:
        is_failing = False
        while True:
            await asyncio.sleep(_BEAT_S)
            try:
                await self._beat()
                is_failing = False
            except StorageError as error:
                if not is_failing:
                    _logger.warning("Runs are not kept up for now. %s", error)
                is_failing = True

    async def _beat(self) -> None:
        worker = await self.begin()
        if not await asyncio.to_thread(worker.beat):
            self._give_up()
            return
        for run, recorder in list(self._recorders.items()):
            if self.active[run].log.is_over:
                await recorder.write_end()
                self._forget(run)
        if self._recorders:
            for run in await asyncio.to_thread(self._rows.cancel_wanted, worker.id):
                if run in self.active:
                    self.cancel(self.active[run])
        if self._waiting:
            found = await asyncio.to_thread(self._rows.owners, tuple(self._waiting))
            for run, (state, owner) in found.items():
                if state != "waiting" and owner != worker.id and run in self._waiting:
                    self._spawn(self._relay(self._waiting.pop(run)))
        if self._is_sharing:
            await asyncio.to_thread(worker.release_gone)
            self._may_wait_elsewhere = True
            await self._clean()
        self._next()

    async def _relay(self, run: Run) -> None:
        """Tell here what happens in a run that waited here and that another process has taken."""
        try:
            async for events in replayed(self._rows, run.id, -1, poll_s=_BEAT_S):
                for event in events:
                    run.log.append(event)
        except IngleError as error:
            _logger.warning("What happens in the run %s cannot be told. %s", run.id, error)
        finally:
            run.log.close()

    async def _clean(self) -> None:
        if self._keep_days is None or time.monotonic() < self._cleaned_at + _CLEAN_EVERY_S:
            return
        self._cleaned_at = time.monotonic()
        before = time.time() - self._keep_days * _DAY_S
        if count := await asyncio.to_thread(self._rows.remove_ended, before):
            _logger.info("%d runs older than %g days were removed.", count, self._keep_days)

    def _give_up(self) -> None:
        """Stop all runs that are recorded, as other processes go on with them, and begin anew."""
        if self._writer is None:
            return
        _logger.warning(
            "This process was silent for more than %g s, so others go on with its %d runs.",
            self._lease_s,
            len(self._recorders),
        )
        self._spawn(self._part_with(self._writer, self._held))
        self._writer = self._worker = None
        self._held = AsyncExitStack()
        for run in list(self._recorders):
            lost = self.active.pop(run)
            lost.log.close()
            if lost.task is not None:
                lost.task.cancel()
        self._recorders.clear()

    async def _part_with(self, writer: Writer, held: AsyncExitStack) -> None:
        await writer.close()
        await held.aclose()
