"""Schedules: each occasion once, whoever serves, whatever the clock does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ingle.apps.check import load
from ingle.errors import AppNotFound, InvalidRequest, NotFound
from ingle.processors.pieces import Piece
from ingle.runs.executor import Call
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Runs
from ingle.runs.schedules import Schedules
from ingle.runs.timing import Timing, timing
from ingle.settings import load_settings
from ingle.storage.apps import Apps
from ingle.storage.database import Database
from ingle.storage.schedules import ScheduleRows

NOON = 1_800_000_000.0
APP = "{name: News, input: {topic: text}, steps: {answer: {prompt: '{{ input.topic }}'}}}"
INPUT = {"topic": "weather"}


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


async def answers(call: Call) -> AsyncGenerator[Piece | dict[str, Any], None]:
    yield {"choices": [{"role": "assistant", "content": "Rain."}]}


class House:
    """Several processes' worth of schedules on one database, with one clock."""

    def __init__(self, database: Database, runs: list[Runs]) -> None:
        self.clock = Clock()
        self.database = database
        self.runs = runs
        self.apps = Apps(database)
        published = PublishedApps(self.apps)
        self.served = [Schedules(database, published, one, clock=self.clock) for one in runs]

    @property
    def schedules(self) -> Schedules:
        return self.served[0]

    async def add(self, found: Timing) -> str:
        return (await self.schedules.add("news", INPUT, found)).id

    async def look(self, now: float | None = None) -> None:
        """All processes look at once."""
        if now is not None:
            self.clock.now = now
        await asyncio.gather(*(one.look() for one in self.served))

    async def count(self) -> int:
        return len(await self.runs[0].list())


@asynccontextmanager
async def opened(processes: int = 1) -> AsyncGenerator[House, None]:
    database = await asyncio.to_thread(Database.open, load_settings())
    try:
        apps = Apps(database)
        app = load(APP, "news")
        await asyncio.to_thread(
            apps.save_draft, "news", APP, name=app.name, type=app.type, description=""
        )
        await asyncio.to_thread(apps.publish, "news")
        async with _runs(database, processes) as runs:
            yield House(database, runs)
    finally:
        database.close()


@asynccontextmanager
async def _runs(database: Database, count: int) -> AsyncGenerator[list[Runs], None]:
    async with Runs(database, PublishedApps(Apps(database)), answers) as first:
        if count == 1:
            yield [first]
            return
        async with _runs(database, count - 1) as others:
            yield [first, *others]


async def test_an_occasion_is_a_recorded_run() -> None:
    """It is a run of the version that is published now, with the schedule's input."""
    async with opened() as house:
        schedule = await house.add(timing(every="1h"))
        await house.look(NOON + 3599)
        assert await house.count() == 0
        await house.look(NOON + 3600)
        (run,) = await house.runs[0].list()
        assert (run.app, run.version, run.input) == ("news", 1, INPUT)
        found = await house.schedules.get(schedule)
    assert (found.last_run, found.last_at, found.next_at) == (run.id, NOON + 3600, NOON + 7200)
    assert (found.missed, found.fault) == (0, None)


async def test_each_occasion_is_taken_by_one_of_many_processes() -> None:
    """Four that look at the same moment, ten times, start ten runs."""
    assert await runs_of_ten_occasions() == 10


@pytest.mark.slow
async def test_each_occasion_is_taken_by_one_on_postgresql(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where several transactions write at once, too."""
    monkeypatch.setenv("INGLE_DATABASE_URL", postgres_url)
    assert await runs_of_ten_occasions() == 10


async def runs_of_ten_occasions() -> int:
    async with opened(processes=4) as house:
        await house.add(timing(every="1m"))
        for minute in range(1, 11):
            await house.look(NOON + 60 * minute)
        return await house.count()


@pytest.mark.parametrize(("missed", "runs", "told"), [("once", 1, 3), ("skip", 0, 4)])
async def test_missed_occasions_are_told_and_made_up_for_or_skipped(
    missed: str, runs: int, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    """After a sleep of four occasions, one run stands for all, or none; both say how many."""
    async with opened() as house:
        schedule = await house.add(timing(every="1h", missed=missed))
        await house.look(NOON + 4.5 * 3600)
        assert await house.count() == runs
        found = await house.schedules.get(schedule)
    assert (found.missed, found.next_at) == (told, NOON + 5 * 3600)
    assert f"has missed {told} occasions" in caplog.text


async def test_once_is_once() -> None:
    """After its moment a schedule of one occasion rests."""
    async with opened() as house:
        schedule = await house.add(Timing(at=NOON + 10))
        await house.look(NOON + 10)
        await house.look(NOON + 1e6)
        assert await house.count() == 1
        assert (await house.schedules.get(schedule)).next_at is None


async def test_a_clock_that_is_put_back_repeats_nothing() -> None:
    """An hour's occasion does not come again when the clock goes back by some minutes."""
    async with opened() as house:
        await house.add(timing(every="1h"))
        await house.look(NOON + 3600)
        for now in (NOON + 3000, NOON + 3600, NOON + 7199):
            await house.look(now)
        assert await house.count() == 1
        await house.look(NOON + 7200)
        assert await house.count() == 2


async def test_a_clock_that_was_far_ahead_stops_nothing_for_years() -> None:
    """Set right again, the schedule counts from now on."""
    async with opened() as house:
        schedule = await house.add(timing(every="1h"))
        await house.look(NOON + 1e9)
        await house.look(NOON + 60)
        assert (await house.schedules.get(schedule)).next_at == NOON + 3600
        await house.look(NOON + 3600)
        assert await house.count() == 2


async def test_a_run_that_a_dead_process_did_not_start_is_started() -> None:
    """The occasion was taken and its run named: another process starts just that one, once."""
    async with opened(processes=2) as house:
        schedule = await house.add(timing(every="1h"))
        rows = ScheduleRows(house.database)
        row = rows.find(schedule, None)
        assert rows.take(row, next_at=NOON + 7200, last_at=NOON + 3600, starting="run_1")
        await house.look(NOON + 3601)
        assert await house.count() == 0
        await house.look(NOON + 3700)
        await house.look(NOON + 3800)
        assert [run.id for run in await house.runs[0].list()] == ["run_1"]
        assert (await house.schedules.get(schedule)).last_run == "run_1"


async def test_a_schedule_that_is_paused_rests() -> None:
    """Nothing runs, and nothing counts as missed when it goes on."""
    async with opened() as house:
        schedule = await house.add(timing(every="1h"))
        await house.schedules.pause(schedule)
        await house.look(NOON + 5.5 * 3600)
        await house.schedules.resume(schedule)
        await house.look()
        found = await house.schedules.get(schedule)
        assert (await house.count(), found.missed, found.next_at) == (0, 0, NOON + 6 * 3600)


async def test_a_run_that_cannot_start_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The app is gone: the schedule says so, and tries its next occasion."""
    async with opened() as house:
        schedule = await house.add(timing(every="1h"))
        await asyncio.to_thread(house.apps.remove, "news")
        await house.look(NOON + 3600)
        found = await house.schedules.get(schedule)
    assert found.fault == "There is no app 'news'. `ingle apps list` shows all."
    assert found.next_at == NOON + 7200
    assert "could not run news" in caplog.text


async def test_what_cannot_run_is_refused() -> None:
    """No such app, a wrong input, a moment that has passed; and others' schedules are not seen."""
    async with opened() as house:
        schedules = house.schedules
        with pytest.raises(AppNotFound):
            await schedules.add("weather", {}, timing(every="1h"))
        with pytest.raises(InvalidRequest, match="`topic` is missing"):
            await schedules.add("news", {}, timing(every="1h"))
        with pytest.raises(InvalidRequest, match="`at` has passed"):
            await schedules.add("news", INPUT, Timing(at=NOON - 1))
        mine = await schedules.add("news", INPUT, timing(every="1h"), key_id="mine")
        assert await schedules.list("other") == []
        with pytest.raises(NotFound):
            await schedules.remove(mine.id, "other")
        await schedules.remove(mine.id, "mine")
        assert await schedules.list() == []


async def test_serving_looks_by_itself() -> None:
    """While it is served, a due schedule runs without anybody asking."""
    async with opened() as house:
        await house.add(timing(every="1h"))
        house.clock.now = NOON + 3600
        async with house.schedules.serving():
            while not await house.count():  # noqa: ASYNC110 -- nobody announces it
                await asyncio.sleep(0)
        assert await house.count() == 1
