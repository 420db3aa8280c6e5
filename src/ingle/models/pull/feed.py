"""What happens to pulls, as numbered events that any number of listeners read at their own pace.

A listener that was away names the last number it saw and misses nothing: what is kept is the newest
progress of each pull, which makes older ones outdated, and whatever is more than progress. No
listener has a queue, so a slow one costs nothing and stalls nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal

from ingle.models.pull.status import PullStatus

__all__ = ["ENDS", "EventKind", "Feed", "PullEvent"]

EventKind = Literal["started", "progress", "installed", "error", "paused", "cancelled"]
ENDS: frozenset[EventKind] = frozenset({"installed", "error", "paused", "cancelled"})
"""The kinds of which a pull that was started ends in exactly one."""

_MOST = 1000


@dataclass(frozen=True, slots=True)
class PullEvent:
    """What happened, and how the pull was then: whoever keeps the last `status` knows all."""

    number: int
    kind: EventKind
    status: PullStatus


class Feed:
    """The events of all pulls of this process; belongs to one event loop.

    Numbers rise over restarts too, as they begin at the time in milliseconds: one from an earlier
    process never stands for an event of this one. At most a thousand events are kept.
    """

    def __init__(self) -> None:
        self.number = time.time_ns() // 1_000_000
        self._events: dict[int, PullEvent] = {}
        self._progress: dict[str, int] = {}
        self._news = asyncio.Event()
        self._is_closed = False

    def tell(self, kind: EventKind, status: PullStatus) -> None:
        """Add an event; it makes the progress before it outdated, unless that had a note."""
        self.number += 1
        if outdated := self._progress.pop(status.id, None):
            self._events.pop(outdated, None)
        if kind == "progress" and status.progress and not status.progress.note:
            self._progress[status.id] = self.number
        self._events[self.number] = PullEvent(self.number, kind, status)
        if len(self._events) > _MOST:
            self._events.pop(next(iter(self._events)))
        self._wake()

    def kept(self, after: int, pull: str | None = None) -> list[PullEvent]:
        """The events later than a number, of one pull or of all, the oldest first."""
        return [
            event
            for number, event in self._events.items()
            if number > after and pull in (None, event.status.id)
        ]

    async def follow(self, after: int, pull: str | None = None) -> AsyncGenerator[PullEvent, None]:
        """The events later than a number, as they come, until the feed is closed.

        Those of one pull end with its end, unless it was started again since.
        """
        while True:
            news = self._news
            for event in self.kept(after, pull):
                after = event.number
                yield event
                if pull and event.kind in ENDS and not self.kept(after, pull):
                    return
            if self._is_closed:
                return
            if news is self._news:
                await news.wait()

    def close(self) -> None:
        """Let listeners end with what is there."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
