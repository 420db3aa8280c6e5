"""The events of a run while it runs, for any number of listeners.

A listener reads at its own speed from the one list that there is: a slow one stalls nobody, and
one that comes late, or again, misses nothing.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Sequence

from ingle.runs.events import Event, is_last

__all__ = ["RunLog"]

_MOST_AT_ONCE = 256
"""So many events a listener gets at once, at most: one that is far behind takes no heap of memory."""


class RunLog:
    """The events of one run, in their sequence; belongs to one event loop.

    `first` is the number of the first event: a run that another process began goes on above all
    that its listeners may have seen.
    """

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self._events: list[Event] = []
        self._encoded: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self.is_over = False

    @property
    def next(self) -> int:
        """The number that the next event must have."""
        return self._events[-1].sequence + 1 if self._events else self.first

    @property
    def events(self) -> Sequence[Event]:
        """All events so far."""
        return self._events

    def append(self, event: Event) -> None:
        """Tell all listeners. Nothing is told after the last event, nor after `close`."""
        if self.is_over:
            return
        self._events.append(event)
        self.is_over = is_last(event)
        if self._waiting:
            self._wake()

    def close(self) -> None:
        """Let all listeners end without a last event: the run goes on, but not to be heard here."""
        self.is_over = True
        self._wake()

    async def listen(self, after: int = -1) -> AsyncGenerator[Sequence[Event], None]:
        """The events with a number above `after`, as many at a time as there are; ends with the
        run's last one, or when the log is closed."""
        index = bisect_right(self._events, after, key=_sequence)
        while await self._is_more(index):
            events = self._events[index : index + _MOST_AT_ONCE]
            index += len(events)
            yield events

    async def listen_encoded(
        self, encode: Callable[[Event], bytes], after: int = -1
    ) -> AsyncGenerator[bytes, None]:
        """The same events as bytes, joined. Each is encoded once, for all who listen this way; so
        `encode` is the same for all of them."""
        index = bisect_right(self._events, after, key=_sequence)
        encoded = self._encoded
        while await self._is_more(index):
            stop = min(len(self._events), index + _MOST_AT_ONCE)
            if len(encoded) < stop:
                encoded += map(encode, self._events[len(encoded) : stop])
            yield b"".join(encoded[index:stop])
            index = stop

    async def _is_more(self, index: int) -> bool:
        """Whether there is an event at this index, or never will be; waits until one is certain."""
        while index >= len(self._events):
            if self.is_over:
                return False
            # One for each listener: cancelling who waits for it cancels a future, too.
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        return True

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)


def _sequence(event: Event) -> int:
    return event.sequence
