"""What goes wrong around a run: a full disk, a locked database, a process taken for gone."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from ingle.apps.check import load
from ingle.errors import Busy, StorageError
from ingle.runs.events import RunFailed, is_last
from ingle.runs.executor import Call, Work
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Run, Runs
from ingle.settings import Settings
from ingle.storage.apps import Apps
from ingle.storage.database import Database

TEXT = """
name: A
steps:
  a: {prompt: x}
  b: {prompt: "{{ a }}"}
"""


def runs_of(database: Database, work: Work, **options: Any) -> Runs:
    return Runs(database, PublishedApps(Apps(database)), work, **options)


async def start(runs: Runs) -> Run:
    return await runs.start(load(TEXT, "a"), {}, text=TEXT)


def said(text: str) -> dict[str, Any]:
    return {"choices": [{"role": "assistant", "content": text}]}


@contextmanager
def full_disk(settings: Settings, *, room: int) -> Iterator[None]:
    """No file of this process can grow by much, as on a disk that fills up."""
    largest = max(file.stat().st_size for file in settings.home.glob("ingle.db*"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_full_disk(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run whose output does not fit fails with what to do; others go on, no recorded step is
    lost, and when there is room again its end is recorded, and it can be resumed."""
    monkeypatch.setattr("ingle.runs.carrier._BEAT_S", 0.01)
    is_big = True

    async def work(call: Call) -> AsyncGenerator[Any, None]:
        yield said("y" * 1_000_000 if call.step.name == "b" and is_big else "small")

    async with runs_of(database, work) as runs:
        with full_disk(settings, room=300_000):
            run = await start(runs)
            with pytest.raises(StorageError, match=r"disk .*[Ff]ree"):
                await run.output()
            assert isinstance(run.log.events[-1], RunFailed)
            assert run.log.events[-1].fault.code == "storage_error"
            is_big = False
            other = await start(runs)
            assert await other.output() == "small"
        while (await runs.get(run.id)).state != "failed":  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.01)
        assert [step.step for step in (await runs.get(run.id)).steps] == ["a"]
        events = [event async for events in runs.follow(run.id) for event in events]
        assert events == list(run.log.events)
        assert await (await runs.resume(run.id)).output() == "small"


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_locked_database(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for too long is told who holds it; when it is free the run can go on."""
    monkeypatch.setattr("ingle.runs.carrier._BEAT_S", 0.01)
    with closing(Database.open(settings, busy_s=0.02)) as database:
        lock = sqlite3.connect(settings.home / "ingle.db", isolation_level=None, timeout=0)

        async def work(call: Call) -> AsyncGenerator[Any, None]:
            if call.step.name == "b":
                lock.execute("BEGIN IMMEDIATE")
            yield said(call.step.name)

        async with runs_of(database, work) as runs:
            run = await start(runs)
            with pytest.raises(StorageError, match="Another process holds it"):
                await run.output()
            with pytest.raises(StorageError, match="Another process holds it"):
                await start(runs)
            lock.execute("ROLLBACK")
            while (await runs.get(run.id)).state != "failed":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert [step.step for step in (await runs.get(run.id)).steps] == ["a"]
        lock.close()


async def test_a_process_that_was_taken_for_gone_records_nothing_more(
    settings: Settings, database: Database
) -> None:
    """Another goes on with its run. What it still does is refused, it tells no last event, and it
    takes part again as a new worker."""
    go, began = asyncio.Event(), asyncio.Event()

    async def slow(call: Call) -> AsyncGenerator[Any, None]:
        if call.step.name == "b" and not go.is_set():
            began.set()
            await go.wait()
        yield said(f"slow {call.step.name}")

    async def fast(call: Call) -> AsyncGenerator[Any, None]:
        yield said(f"fast {call.step.name}")

    async with runs_of(database, slow) as runs, runs_of(database, fast, lease_s=0.0) as others:
        run = await start(runs)
        await began.wait()
        for lock in settings.home.glob("ingle.db.workers/*"):
            lock.unlink()  # so it is not seen to be held; on PostgreSQL the lease of 0 s is over
        await others.share()
        events = [event async for events in others.follow(run.id) for event in events]
        assert events[0].sequence == 1 << 32
        record = await others.get(run.id)
        assert (record.state, record.output, record.attempt) == ("ended", "fast b", 2)
        go.set()
        with pytest.raises(Busy, match="another process took it"):
            await run.output()
        assert not any(is_last(event) for event in run.log.events)
        assert await others.get(run.id) == record
        assert [step.output for step in record.steps] == [said("slow a"), said("fast b")]
        again = await start(runs)
        assert await again.output() == "slow b"


async def test_a_follower_goes_on_when_the_run_moves(
    settings: Settings, database: Database
) -> None:
    """Who follows in the process that lost the run hears the rest from the database."""
    go, began = asyncio.Event(), asyncio.Event()

    async def slow(call: Call) -> AsyncGenerator[Any, None]:
        if call.step.name == "b":
            began.set()
            await go.wait()
        yield said(call.step.name)

    async def fast(call: Call) -> AsyncGenerator[Any, None]:
        yield said(call.step.name)

    async with runs_of(database, slow) as runs, runs_of(database, fast, lease_s=0.0) as others:
        run = await start(runs)
        following = asyncio.create_task(_followed(runs, run.id))
        await began.wait()
        for lock in settings.home.glob("ingle.db.workers/*"):
            lock.unlink()
        await others.share()
        await _followed(others, run.id)
        go.set()
        numbers = await following
        assert numbers == sorted(set(numbers))
        assert numbers[0] == 0
        assert numbers[-1] > 1 << 32


async def _followed(runs: Runs, run: str) -> list[int]:
    return [event.sequence async for events in runs.follow(run) for event in events]
