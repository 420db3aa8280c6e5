"""What is kept of one run while it runs: how its steps end, its events, and how it ends itself.

Ends of steps and of the run are there when `step_ended` and `run_ended` return. Events are written
every fifth of a second, so those of the last one may be lost with the process; what they told is
told again by whoever goes on with the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ingle.errors import InvalidRequest
from ingle.runs.as_json import write_json
from ingle.runs.chunks import joined
from ingle.runs.events import Event, RunCancelled, RunEnded, RunFailed, Usage, is_last
from ingle.runs.executor import Recorded
from ingle.runs.log import RunLog
from ingle.runs.masking import masked
from ingle.runs.worker import WorkerGone
from ingle.storage.runs import ADD_EVENTS, ADD_STEP, END_RUN
from ingle.storage.writer import Rows, Writer

__all__ = ["Recorder", "events_row", "step_row"]

_EMPTY: tuple[Any, ...] = (None, {}, [])


class Recorder:
    """The record of one run that this process carries out (a `Record` for `execute`)."""

    def __init__(
        self,
        run: str,
        log: RunLog,
        writer: Writer,
        on_gone: Callable[[], None],
        recorded: Iterable[Recorded] = (),
    ) -> None:
        """`on_gone` is called when it turns out that another process has the run now."""
        self._run = run
        self._on_gone = on_gone
        self._log = log
        self._writer = writer
        self._written = 0
        self._writing = asyncio.Lock()
        self._usages = [end.usage for end in recorded if end.usage is not None]
        self.is_ended = False
        """Whether it is kept how the run ended."""

    async def step_ended(self, run: str, recorded: Recorded) -> None:
        """Returns when it is kept for good.

        Raises:
            StorageError: it cannot be, or another process goes on with the run.
            InvalidRequest: the output is no JSON value.
        """
        if recorded.usage is not None:
            self._usages.append(recorded.usage)
        await self._write(lambda: [(ADD_STEP, step_row(run, recorded))])

    async def run_ended(self, run: str, last: RunEnded | RunFailed | RunCancelled) -> None:
        """Returns when the end, and all that was told before, is kept for good.

        Raises:
            StorageError: it cannot be, or another process goes on with the run.
            InvalidRequest: the output is no JSON value.
        """
        if self._log.is_over:  # closed: the run does not end here
            return
        await self._end([last])

    async def write_events(self) -> None:
        """Write what was told since the last time; what cannot be written now is kept for the next.

        Raises:
            StorageError: the database failed, or another process goes on with the run.
        """
        if self._writing.locked() or self._written == len(self._log.events):
            return
        async with self._writing:
            events = self._log.events[self._written :]
            await self._write(lambda: [(ADD_EVENTS, events_row(self._run, events))])
            self._written += len(events)

    async def write_end(self) -> None:
        """Write how the run ended, if that was told but could not be written.

        Raises:
            StorageError: it still cannot be.
        """
        if not self.is_ended and self._log.events and is_last(self._log.events[-1]):
            await self._end([])

    async def _end(self, more: Sequence[Event]) -> None:
        async with self._writing:
            events = [*self._log.events[self._written :], *more]
            usages = list(self._usages)
            await self._write(lambda: _end_rows(self._run, events, usages))
            self._written += len(events)
            self.is_ended = True

    async def _write(self, make: Callable[[], Rows]) -> None:
        try:
            await self._writer.write(make)
        except WorkerGone:
            self._on_gone()
            raise


def step_row(run: str, recorded: Recorded) -> dict[str, Any]:
    """The row of a step's end."""
    state = "skipped" if recorded.is_skipped else "failed" if recorded.has_failed else "ended"
    return {
        "run_id": run,
        "step": recorded.step,
        "state": state,
        "output": write_json(recorded.output) if state == "ended" else None,
        "usage": write_json(recorded.usage) if recorded.usage is not None else None,
        "fault": write_json(recorded.fault) if recorded.fault is not None else None,
        "input": _sent(recorded.input),
        "config": _sent(recorded.config),
        "started_at": recorded.started_at,
        "ended_at": recorded.ended_at,
    }


def events_row(run: str, events: Sequence[Event]) -> dict[str, Any]:
    """The row of some events that follow each other."""
    first, last = events[0].sequence, events[-1].sequence
    try:
        chunk = joined(events)
    except InvalidRequest:
        chunk = joined([event for event in events if _is_json(event)])
    return {"run_id": run, "sequence": first, "last": last, "chunk": chunk}


def _is_json(event: Event) -> bool:
    try:
        write_json(event)
    except InvalidRequest:
        return False
    return True


def _end_rows(run: str, events: Sequence[Event], usages: Sequence[Usage]) -> Rows:
    last = events[-1]
    ended: dict[str, Any] = {
        "run": run,
        "new_output": None,
        "new_fault": None,
        "prompt": sum(usage.prompt_tokens for usage in usages),
        "completion": sum(usage.completion_tokens for usage in usages),
    }
    match last:
        case RunEnded(output=output, at=at):
            ended |= {"new_state": "ended", "at": at, "new_output": write_json(output)}
        case RunFailed(fault=fault, at=at):
            ended |= {"new_state": "failed", "at": at, "new_fault": write_json(fault)}
        case RunCancelled(at=at):
            ended |= {"new_state": "cancelled", "at": at}
    return [(ADD_EVENTS, events_row(run, events)), (END_RUN, ended)]


def _sent(value: Any) -> str | None:
    return None if value in _EMPTY else write_json(masked(value))
