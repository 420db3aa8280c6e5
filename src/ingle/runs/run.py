"""A run, as whoever started it holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingle import errors
from ingle.apps.app import App
from ingle.errors import IngleError
from ingle.runs.events import RunCancelled, RunEnded, RunFailed, error_of
from ingle.runs.executor import Recorded
from ingle.runs.log import RunLog

__all__ = ["Given", "Run"]


@dataclass(frozen=True, slots=True)
class Given:
    """What a run begins with: `values` were read (`read_input`), and `recorded` need not run."""

    values: Mapping[str, Any]
    history: list[dict[str, Any]] | None = None
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    attempt: int = 1


@dataclass(eq=False, slots=True)
class Run:
    """A run of an app; `log` has its events as they happen.

    It goes on whether or not anybody holds this or waits for it.
    """

    id: str
    app: App
    log: RunLog
    key_id: str | None
    is_kept: bool
    _cancel: Callable[[Run], None] = field(repr=False)
    task: asyncio.Task[None] | None = None
    error: Exception | None = None
    has_begun: bool = False
    is_cancel_wanted: bool = False

    async def output(self) -> Any:
        """The app's output, when the run has ended. Who stops waiting does not stop the run.

        Raises:
            StepFailed: a step failed.
            RunCancelled: someone stopped it.
            StorageError: it cannot be recorded.
            Busy: Ingle stops; the run goes on when it starts again.
        """
        async for _ in self.log.listen(self.log.next - 1):
            pass
        last = self.log.events[-1] if self.log.events else None
        match last:
            case RunEnded(output=output):
                return output
            case RunFailed(fault=fault):
                raise self.error if isinstance(self.error, IngleError) else error_of(fault)
            case RunCancelled():
                raise errors.RunCancelled(f"The run {self.id} was cancelled.")
        raise errors.Busy(
            f"The run {self.id} goes on, but not here: Ingle stops, or another process took it. "
            "Ask for it by its id later."
        )

    def cancel(self) -> None:
        """Stop it, wherever it runs; nothing happens if it is over."""
        self._cancel(self)
