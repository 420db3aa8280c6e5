"""Native work in turns: one at a time, as a stream, given up when nobody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from ingle.engines.speech.turns import Outlet, Turns
from ingle.errors import Busy, EngineError


async def items(turns: Turns, *wanted: int) -> list[int]:
    def work(outlet: Outlet[int]) -> None:
        for item in wanted:
            outlet.put(item)

    async with contextlib.aclosing(turns.stream(work)) as stream:
        return [item async for item in stream]


@pytest.fixture
def turns() -> Turns:
    return Turns(most_waiting=1)


async def test_what_is_put_out_comes_in_order(turns: Turns) -> None:
    """For callers one after the other."""
    first, second = await asyncio.gather(items(turns, 1, 2, 3), items(turns, 4))
    assert (first, second) == ([1, 2, 3], [4])
    turns.close()


async def test_a_failure_comes_after_what_was_made(turns: Turns) -> None:
    """And the next caller has its turn."""

    def work(outlet: Outlet[int]) -> None:
        outlet.put(1)
        raise EngineError("broken")

    async with contextlib.aclosing(turns.stream(work)) as stream:
        assert await anext(stream) == 1
        with pytest.raises(EngineError, match="broken"):
            await anext(stream)
    assert await items(turns, 2) == [2]
    turns.close()


async def test_who_is_cancelled_ends_the_work_and_waits_for_its_end(turns: Turns) -> None:
    """So that the next does not begin beside it."""
    has_begun, has_ended = threading.Event(), threading.Event()

    def work(outlet: Outlet[int]) -> None:
        has_begun.set()
        while not outlet.put(1):
            pass
        has_ended.set()

    async def follow() -> None:
        async with contextlib.aclosing(turns.stream(work)) as stream:
            async for _ in stream:
                pass

    following = asyncio.create_task(follow())
    await asyncio.to_thread(has_begun.wait)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert has_ended.is_set()
    turns.close()


async def test_too_many_are_refused(turns: Turns) -> None:
    """One works, one waits, and the third is told to come back."""
    may_end = threading.Event()

    def work(outlet: Outlet[int]) -> None:
        outlet.put(1)
        may_end.wait()

    stream = turns.stream(work)
    assert await anext(stream) == 1
    waiting = asyncio.create_task(items(turns, 2))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await items(turns, 3)
    may_end.set()
    assert await waiting == [2]
    await stream.aclose()
    turns.close()
