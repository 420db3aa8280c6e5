"""Signs of life in a stream that may be silent for long: proxies drop a connection that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ingle.server.answer import Answer

__all__ = ["pulsing"]

_PULSE_S = 15.0  # most proxies wait for a minute


@asynccontextmanager
async def pulsing(answer: Answer) -> AsyncGenerator[None, None]:
    """Inside the block, a comment is written every so often, which readers of events skip.

    Each write of the block is whole: a comment comes between two of them.
    """
    pulse = asyncio.create_task(_pulse(answer))
    try:
        yield
    finally:
        pulse.cancel()
        await asyncio.wait({pulse})


async def _pulse(answer: Answer) -> None:
    while True:
        await asyncio.sleep(_PULSE_S)
        await answer.write(b": still here\n\n")
