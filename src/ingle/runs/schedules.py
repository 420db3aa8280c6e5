"""Apps that run by themselves: once, every so often, or by a crontab.

Any number of processes may serve the schedules of one database: each occasion is taken by one of
them, in one statement, which names the run before that is started. A process that dies in between
leaves it to another to start that very run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from ingle.apps.fields import read_input
from ingle.errors import IngleError, InvalidRequest, RunNotFound, StorageError
from ingle.ids import new_id
from ingle.runs.as_json import read_json, read_json_as, write_json
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Runs
from ingle.runs.timing import Timing, next_after, occasions
from ingle.storage.database import Database
from ingle.storage.schedules import Row, ScheduleRows

__all__ = ["Schedule", "Schedules"]

_LOOK_S = 5.0
"""How often it is looked what is due at least: others add schedules, and clocks jump."""

_LATE_S = 60.0
"""An occasion that is later than this was missed; before, whoever serves was merely busy."""

_ABANDONED_S = 60.0
"""Longer than a run ever takes to be started."""

_CLOCK_S = 3600.0
"""A clock that goes back by less repeats no occasion; one that goes back by more was wrong."""

_logger = logging.getLogger(__name__)
_timing = msgspec.json.Decoder(Timing)


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """An app that runs by itself, with this input. Times are Unix seconds.

    `missed` counts the occasions that went by and were not made up for; `fault` says why the run of
    the last one could not be started.
    """

    id: str
    app: str
    input: dict[str, Any]
    timing: Timing
    is_paused: bool
    created_at: float
    next_at: float | None = None
    last_at: float | None = None
    last_run: str | None = None
    missed: int = 0
    fault: str | None = None


class Schedules:
    """The schedules of one database. `clock` gives Unix seconds."""

    def __init__(
        self,
        database: Database,
        published: PublishedApps,
        runs: Runs,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = ScheduleRows(database)
        self._published = published
        self._runs = runs
        self._clock = clock

    async def add(
        self,
        app: str,
        input: Mapping[str, Any],  # noqa: A002 -- what it is called everywhere
        timing: Timing,
        key_id: str | None = None,
    ) -> Schedule:
        """Let the published app of this slug run by itself; each run is of the version of its day.

        Raises:
            AppNotFound: nothing of this slug is published.
            InvalidRequest: the input is not what the app asks for, or the time has passed.
            StorageError: the database failed, and nothing was added.
        """
        found = await asyncio.to_thread(self._published.find, app)
        read_input(found.fields, input)
        now, schedule = self._clock(), new_id("schedule")
        if timing.at is not None and timing.at <= now:
            raise InvalidRequest("`at` has passed already. Name a time to come.", param="timing.at")
        await asyncio.to_thread(
            self._rows.add,
            id=schedule,
            app=app,
            key_id=key_id,
            input=write_json(dict(input)),
            timing=msgspec.json.encode(timing).decode(),
            is_paused=False,
            next_at=timing.at if timing.at is not None else next_after(timing, now, now),
            created_at=now,
        )
        return await self.get(schedule)

    async def get(self, schedule: str, key_id: str | None = None) -> Schedule:
        """The schedule of this id.

        Raises:
            NotFound: there is none, or it is another key's.
            StorageError: the database failed.
        """
        return _schedule(await asyncio.to_thread(self._rows.find, schedule, key_id))

    async def list(self, key_id: str | None = None) -> Sequence[Schedule]:
        """All schedules, the oldest first; those of a key, if one is given.

        Raises:
            StorageError: the database failed.
        """
        return [_schedule(row) for row in await asyncio.to_thread(self._rows.list, key_id)]

    async def pause(self, schedule: str, key_id: str | None = None) -> None:
        """Let it rest; what would have happened meanwhile does not count as missed.

        Raises:
            NotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        await asyncio.to_thread(self._rows.change, schedule, key_id, is_paused=True)

    async def resume(self, schedule: str, key_id: str | None = None) -> None:
        """Let it go on, from now.

        Raises:
            NotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        row = await asyncio.to_thread(self._rows.find, schedule, key_id)
        following = row.next_at
        if (timing := _timing_of(row)).at is None:
            following = next_after(timing, self._clock(), row.created_at)
        await asyncio.to_thread(
            self._rows.change, schedule, key_id, is_paused=False, next_at=following
        )

    async def remove(self, schedule: str, key_id: str | None = None) -> None:
        """Remove it; its runs stay.

        Raises:
            NotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        await asyncio.to_thread(self._rows.remove, schedule, key_id)

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None, None]:
        """While this is open, runs are started when their time has come."""
        serving = asyncio.create_task(self._serve())
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    async def look(self) -> float:
        """Start what is due now; how many seconds there are to the next occasion at most.

        Raises:
            StorageError: the database failed; what is not done is due at the next look.
        """
        now = self._clock()
        for row in await asyncio.to_thread(self._rows.ahead, now + _CLOCK_S):
            await self._set_right(row, now)
        for row in await asyncio.to_thread(self._rows.abandoned, now - _ABANDONED_S):
            if await asyncio.to_thread(self._rows.take, row, last_at=now):
                _logger.warning("The run %s of %s is started late", row.starting, row.id)
                await self._start(row, row.starting)
        for row in await asyncio.to_thread(self._rows.due, now):
            await self._take(row, now)
        following = await asyncio.to_thread(self._rows.next_at)
        return _LOOK_S if following is None else min(_LOOK_S, max(0.0, following - self._clock()))

    async def _serve(self) -> None:
        while True:
            wait_s = _LOOK_S
            try:
                wait_s = await self.look()
            except StorageError as error:
                _logger.error("Schedules were not looked at: %s", error)  # noqa: TRY400
            except Exception:
                _logger.exception("Schedules were not looked at, which was not foreseen")
            await asyncio.sleep(wait_s)

    async def _set_right(self, row: Row, now: float) -> None:
        """The clock that said when it last ran was wrong, and so is when it runs next."""
        timing = _timing_of(row)
        following = (
            row.next_at if timing.at is not None else next_after(timing, now, row.created_at)
        )
        if await asyncio.to_thread(self._rows.take, row, last_at=now, next_at=following):
            _logger.warning("The clock went back: the schedule %s counts from now on", row.id)

    async def _take(self, row: Row, now: float) -> None:
        """Take an occasion, if no other process does, and start its run."""
        timing = _timing_of(row)
        count = occasions(timing, row.next_at, now, row.created_at)
        is_late = now - row.next_at > _LATE_S
        is_wanted = not is_late or timing.missed == "once"
        missed = count - 1 if is_wanted else count
        run = new_id("run") if is_wanted else None
        values = {
            "next_at": next_after(timing, now, row.created_at),
            "missed": row.missed + missed,
            **({"last_at": now, "starting": run} if is_wanted else {}),
        }
        if not await asyncio.to_thread(self._rows.take, row, **values):
            return
        if missed:
            _logger.warning(
                "The schedule %s of %s has missed %d occasions%s",
                *(row.id, row.app, missed, "" if is_wanted else ", which are skipped"),
            )
        if run is not None:
            await self._start(row, run)

    async def _start(self, row: Row, run: str) -> None:
        fault = None
        try:
            if not await self._is_there(run):
                await self._begin(row, run)
        except StorageError:
            if not await self._is_there(run):  # else another process was faster
                raise
        except IngleError as error:
            fault = error.message
            _logger.warning("The schedule %s could not run %s: %s", row.id, row.app, fault)
        await asyncio.to_thread(self._rows.started, row, run, fault)

    async def _is_there(self, run: str) -> bool:
        try:
            await self._runs.get(run)
        except RunNotFound:
            return False
        return True

    async def _begin(self, row: Row, run: str) -> None:
        found = await asyncio.to_thread(self._published.get, row.app)
        await self._runs.start(
            found.app,
            read_json(row.input),
            text=found.text,
            slug=found.slug,
            version=found.version,
            key_id=row.key_id,
            run_id=run,
        )


def _timing_of(row: Row) -> Timing:
    return read_json_as(_timing, row.timing)


def _schedule(row: Row) -> Schedule:
    return Schedule(
        id=row.id,
        app=row.app,
        input=read_json(row.input),
        timing=_timing_of(row),
        is_paused=row.is_paused,
        created_at=row.created_at,
        next_at=row.next_at,
        last_at=row.last_at,
        last_run=row.last_run_id,
        missed=row.missed,
        fault=row.fault,
    )
