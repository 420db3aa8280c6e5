"""Many listeners of one run: each at its own speed, and none at the cost of another."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from ingle.runs.events import Event, OutputPiece, RunEnded
from ingle.runs.log import RunLog


def written(log: RunLog, count: int) -> None:
    for _ in range(count):
        log.append(OutputPiece(log.next, "x"))


async def test_an_event_is_encoded_once_for_all() -> None:
    """Fifty listeners, one of them late: what each gets is the same bytes."""
    log = RunLog()
    encoded: list[int] = []

    def encode(event: Event) -> bytes:
        encoded.append(event.sequence)
        return b"%d;" % event.sequence

    async def listen(after: int = -1) -> bytes:
        return b"".join([data async for data in log.listen_encoded(encode, after)])

    listeners = [asyncio.create_task(listen()) for _ in range(49)]
    await asyncio.sleep(0)
    written(log, 3)
    await asyncio.sleep(0)
    log.append(RunEnded(log.next, "xxx", 0.0))
    assert {await listener for listener in listeners} == {b"0;1;2;3;"}
    assert await listen(1) == b"2;3;"
    assert encoded == [0, 1, 2, 3]


async def test_who_is_far_behind_gets_a_bounded_part_at_a_time() -> None:
    """However much there is, a listener holds 256 events of it; and it misses none."""
    log = RunLog()
    written(log, 1000)
    log.append(RunEnded(log.next, None, 0.0))
    sizes = [len(events) async for events in log.listen()]
    assert sizes == [256, 256, 256, 233]
    encoded = [data async for data in log.listen_encoded(lambda event: b"e")]
    assert [len(data) for data in encoded] == sizes


async def test_a_listener_that_leaves_or_stands_still_disturbs_nobody() -> None:
    """One is cancelled while it waits, one reads no more; a third hears all."""
    log = RunLog()

    async def hear() -> int:
        return sum([len(events) async for events in log.listen()])

    leaving, staying = asyncio.create_task(hear()), asyncio.create_task(hear())
    async with aclosing(log.listen()) as standing:
        written(log, 1)
        assert len(await anext(standing)) == 1
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait({leaving})
        written(log, 500)
        log.append(RunEnded(log.next, None, 0.0))
        assert await staying == 502
