"""Who gets the memory that engines share, and who waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from ingle.engines.memory import Memory
from ingle.engines.room import Room
from ingle.errors import Busy


class Guest:
    """An engine of a given size, without a process."""

    def __init__(self, room: Room, name: str, size_bytes: int, used_at: float = 0) -> None:
        self.name = name
        self.size = Memory(size_bytes)
        self.is_pinned = False
        self.used_at = used_at
        self.ready_at = time.monotonic()
        self.is_idle = True
        self.is_open = True
        self.was_closed = asyncio.Event()
        self.has_left = asyncio.Event()
        self._room = room

    async def come(self) -> Guest:
        await self._room.enter(self.name, self.size)
        self.ready_at = time.monotonic()
        self._room.settle(self.name, self)
        return self

    def stop_taking_calls(self) -> None:
        self.is_open = False
        self.was_closed.set()

    def take_calls(self) -> None:
        self.is_open = True

    async def leave(self) -> None:
        self.has_left.set()
        self._room.left(self.name)

    def finish_work(self) -> None:
        self.is_idle = True
        self._room.look()


async def test_the_least_recently_used_idle_one_goes_first() -> None:
    """Who is at work stays, however long ago it was used; of the idle ones the oldest goes."""
    room = Room(Memory(100))
    busy = await Guest(room, "busy", 30, used_at=1).come()
    old = await Guest(room, "old", 30, used_at=2).come()
    new = await Guest(room, "new", 30, used_at=3).come()
    busy.is_idle = False

    await Guest(room, "next", 40).come()

    assert old.has_left.is_set()
    assert not busy.has_left.is_set()
    assert not new.has_left.is_set()


async def test_as_many_go_as_are_needed() -> None:
    """One that needs all of the memory gets it."""
    room = Room(Memory(100))
    guests = [await Guest(room, name, 30).come() for name in "abc"]

    await Guest(room, "large", 100).come()

    assert all(guest.has_left.is_set() for guest in guests)


async def test_one_waits_until_another_has_ended_its_work() -> None:
    """Where all are at work, the next one comes in as soon as one is idle."""
    room = Room(Memory(100))
    busy = await Guest(room, "busy", 80).come()
    busy.is_idle = False
    coming = asyncio.create_task(Guest(room, "next", 80).come())
    await asyncio.sleep(0)
    assert not coming.done()

    busy.finish_work()
    await coming

    assert busy.has_left.is_set()


async def test_a_turn_ends_when_somebody_waits() -> None:
    """After its turn a busy engine takes no more calls, so that it gets idle at last."""
    room = Room(Memory(100), turn_s=0)
    busy = await Guest(room, "busy", 80).come()
    busy.is_idle = False
    coming = asyncio.create_task(Guest(room, "next", 80).come())
    await busy.was_closed.wait()

    busy.finish_work()
    await coming

    assert busy.has_left.is_set()


async def test_within_its_turn_an_engine_takes_calls() -> None:
    """A turn that has just begun is not cut short by who waits."""
    room = Room(Memory(100), turn_s=60, wait_s=0.05)
    busy = await Guest(room, "busy", 80).come()
    busy.is_idle = False

    with pytest.raises(Busy):
        await Guest(room, "next", 80).come()

    assert busy.is_open


async def test_the_wait_is_bounded_and_leaves_all_as_it_was() -> None:
    """Who waited too long is told who holds the memory, and those take calls again."""
    room = Room(Memory(2**30), turn_s=0, wait_s=0.05)
    busy = await Guest(room, "busy", 2**29 + 1).come()
    busy.is_idle = False

    with pytest.raises(Busy, match=r"'next' needs 512 MiB of the 1,024 MiB .* and busy did not"):
        await Guest(room, "next", 2**29).come()

    assert busy.is_open
    assert not busy.has_left.is_set()


async def test_the_queue_is_bounded() -> None:
    """One more than may wait is refused at once."""
    room = Room(Memory(100), most_waiting=2)
    busy = await Guest(room, "busy", 100).come()
    busy.is_idle = False
    waiting = [asyncio.create_task(Guest(room, name, 10).come()) for name in "ab"]
    await asyncio.sleep(0)

    with pytest.raises(Busy, match="2 engines are waiting"):
        await Guest(room, "c", 10).come()

    busy.finish_work()
    await asyncio.gather(*waiting)


async def test_a_caller_who_gives_up_frees_the_way() -> None:
    """A cancelled wait lets the next one in the queue have its try."""
    room = Room(Memory(100))
    busy = await Guest(room, "busy", 60).come()
    busy.is_idle = False
    first = asyncio.create_task(Guest(room, "large", 90).come())
    second = asyncio.create_task(Guest(room, "small", 40).come())
    await asyncio.sleep(0)

    first.cancel()
    await second

    assert first.cancelled()


async def test_a_pinned_engine_stays() -> None:
    """The idle one that is not pinned goes, though it was used later; nobody ends a pinned turn."""
    room = Room(Memory(100), turn_s=0)
    pinned = Guest(room, "pinned", 50, used_at=1)
    pinned.is_pinned = True
    await pinned.come()
    other = await Guest(room, "other", 50, used_at=2).come()
    other.is_idle = False
    coming = asyncio.create_task(Guest(room, "next", 50).come())
    await other.was_closed.wait()

    other.finish_work()
    await coming

    assert pinned.is_open
    assert not pinned.has_left.is_set()
    assert other.has_left.is_set()
    assert room.evictions == 1


async def test_a_room_full_of_pinned_engines_refuses_at_once() -> None:
    """Who cannot come in whoever else leaves need not wait, and learns the names."""
    room = Room(Memory(100 * 2**20), wait_s=60)
    for name in "ba":
        guest = Guest(room, name, 40 * 2**20)
        guest.is_pinned = True
        await guest.come()

    with pytest.raises(
        Busy, match=r"'next' needs 30 MiB of the 100 MiB .* pinned a, b hold 80 MiB"
    ):
        await Guest(room, "next", 30 * 2**20).come()


async def test_memory_of_the_gpu_is_shared_out_too() -> None:
    """An engine that leaves enough memory but too little of the GPU's has to go."""
    room = Room(Memory(100, 10))
    on_gpu = Guest(room, "gpu", 0)
    on_gpu.size = Memory(10, 8)
    await on_gpu.come()
    small = Guest(room, "small", 0)
    small.size = Memory(10, 2)
    await small.come()
    assert not on_gpu.has_left.is_set()

    next_one = Guest(room, "next", 0)
    next_one.size = Memory(10, 5)
    await next_one.come()

    assert on_gpu.has_left.is_set()
    assert not small.has_left.is_set()
