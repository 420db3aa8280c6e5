"""Calls that are counted, interrupted and drained."""

from __future__ import annotations

import asyncio

import pytest

from ingle.errors import Busy
from ingle.server.answer import Answer
from ingle.server.asgi import Message
from ingle.server.calls import Call, CallerLeft, Gate, watched


async def _never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_an_interrupted_call_ends_with_the_first_reason() -> None:
    """What it waited for is cancelled; a later reason changes nothing."""
    call, was_cancelled = Call(), False

    async def work() -> None:
        nonlocal was_cancelled
        try:
            await asyncio.Event().wait()
        finally:
            was_cancelled = True

    running = asyncio.create_task(call.run(work()))
    await asyncio.sleep(0)
    call.interrupt(Busy("first"))
    call.interrupt(Busy("second"))
    with pytest.raises(Busy, match="first"):
        await running
    assert was_cancelled


async def test_a_call_that_is_over_is_not_interrupted() -> None:
    """Its end came first."""
    call = Call()
    await call.run(asyncio.sleep(0))
    call.interrupt(Busy("late"))


async def test_a_timeout_of_the_work_itself_stays_one() -> None:
    """It is not taken for an interruption."""

    async def work() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await Call().run(work())


async def test_a_closed_gate_lets_nobody_in_and_waits_for_those_inside() -> None:
    """Draining ends when the last call has."""
    gate = Gate()
    with gate.enter():
        gate.check()
        draining = asyncio.create_task(gate.drain(within_s=30))
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="stopping"):
            gate.check()
        assert not draining.done()
    await draining


async def test_a_full_gate_turns_callers_away() -> None:
    """Until one of those inside has left."""
    gate = Gate(max_calls=1)
    with gate.enter():
        gate.check()
        with gate.enter(), pytest.raises(Busy, match="1 requests are being answered"):
            gate.check()
        gate.check()


async def test_a_caller_who_leaves_interrupts_the_call() -> None:
    """Inside the watched block only."""
    call = Call()
    left = asyncio.Event()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def work() -> None:
        async with watched(call, receive, Answer(_ignore)):
            left.set()
            await asyncio.Event().wait()

    with pytest.raises(CallerLeft):
        await call.run(work())


async def test_a_caller_who_stops_reading_is_given_up() -> None:
    """So that it does not hold an engine's slot for ever."""
    call = Call()

    async def stuck(_: Message) -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        answer = Answer(stuck)
        async with watched(call, _never, answer, stall_s=0.01):
            await answer.write(b"x")

    with pytest.raises(CallerLeft):
        await call.run(work())


async def _ignore(_: Message) -> None:
    return
