"""The events of a run that is carried out elsewhere, or is over, as the database has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from ingle.runs.chunks import separate
from ingle.runs.events import Event, is_last
from ingle.storage.runs import FINAL, RunRows

__all__ = ["replayed"]

_POLL_S = 0.25
"""How often the database is asked for more; its writer writes about as often."""


async def replayed(
    rows: RunRows,
    run: str,
    after: int,
    is_here: Callable[[], bool] = lambda: False,
    *,
    poll_s: float = _POLL_S,
) -> AsyncGenerator[Sequence[Event], None]:
    """The events with a number above `after`, as they are written; ends with the run's last one.

    It ends earlier when the run turns out to be carried out here.

    Raises:
        RunNotFound: there is no such run, or no more.
        StorageError: the database failed.
    """
    while not is_here():
        row, chunks = await asyncio.to_thread(rows.events, run, after)
        for chunk in chunks:
            events = [event for event in separate(chunk) if event.sequence > after]
            if events:
                after = events[-1].sequence
                yield events
                if is_last(events[-1]):
                    return
        if not chunks:
            if row.state in FINAL:
                return
            await asyncio.sleep(poll_s)
