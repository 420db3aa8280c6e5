"""The events of a run while it runs, for any number of listeners.

A listener reads at its own speed from the one list that there is: a slow one stalls nobody, and
one that comes late, or again, misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ingle.runs.events import Event, is_last

__all__ = ["RunLog"]


class RunLog:
    """The events of one run, in their sequence; belongs to one event loop.

    `first` is the number of the first event: a run that another process began goes on above all
    that its listeners may have seen.
    """

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._events: list[Event] = []
        self._waiting: asyncio.Future[None] | None = None
        self.is_over = False

    @property
    def next(self) -> int:
        """The number that the next event must have."""
        return self._first + len(self._events)

    @property
    def events(self) -> Sequence[Event]:
        """All events so far."""
        return self._events

    def append(self, event: Event) -> None:
        """Tell all listeners."""
        self._events.append(event)
        if self._waiting is not None:
            self._waiting.set_result(None)
            self._waiting = None
        if is_last(event):
            self.is_over = True

    async def listen(self, after: int = -1) -> AsyncGenerator[Sequence[Event], None]:
        """The events with a number above `after`, as many at a time as there are; ends with the
        run's last one."""
        index = max(0, after + 1 - self._first)
        while True:
            if index < len(self._events):
                events = self._events[index:]
                index += len(events)
                yield events
            elif self.is_over:
                return
            else:
                if self._waiting is None:
                    self._waiting = asyncio.get_running_loop().create_future()
                await asyncio.shield(self._waiting)
