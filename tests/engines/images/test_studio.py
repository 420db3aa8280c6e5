"""Turns, bounds and cancelled drawings, with a pipeline that waits to be let go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

import pytest

from ingle.engines.images.picture import Picture
from ingle.engines.images.pipeline import Drawing, Pipeline, Step
from ingle.engines.images.studio import Progress, Studio
from ingle.errors import Busy, EngineError

DONE = Picture(8, 8, bytes(8 * 8 * 3))


def drawing(seed: int = 0, steps: int = 3) -> Drawing:
    return Drawing("a cat", "", 128, 128, seed, steps, 1.0)


@pytest.fixture
async def studio(pipeline: Pipeline) -> AsyncGenerator[Studio]:
    studio = Studio(pipeline, waiting_limit=2)
    yield studio
    studio.close()


class Stepped(Protocol):
    """What these tests use of the pipeline of `conftest.py`."""

    go: threading.Semaphore
    began: list[int]
    stopped_after: int | None


async def draw(studio: Studio, seed: int, seen: Callable[[Step], None] = lambda _: None) -> Picture:
    async with studio.turn() as draws:
        return await draws(drawing(seed), seen)


async def until(claim: Callable[[], bool]) -> None:
    """Lets everything else run until the claim holds."""
    async with asyncio.timeout(5):
        while not claim():  # noqa: ASYNC110 # the claims are about a thread, which sets no event
            await asyncio.sleep(0)


async def test_each_step_is_told_in_the_event_loop(studio: Studio, pipeline: Stepped) -> None:
    """Steps arrive in order, counted from one."""
    seen: list[Step] = []
    pipeline.go.release(3)
    assert await draw(studio, 1, seen.append) == DONE
    assert seen == [Step(1, 3), Step(2, 3), Step(3, 3)]


async def test_drawings_take_turns_in_the_order_they_came(
    studio: Studio, pipeline: Stepped
) -> None:
    """One draws, the next waits, and progress shows both."""
    first, second = (asyncio.create_task(draw(studio, seed)) for seed in (1, 2))
    await until(lambda: pipeline.began == [1])
    await until(lambda: studio.progress.waiting == 1)
    pipeline.go.release(2)
    await until(lambda: studio.progress == Progress(True, 2, 3, 1))
    pipeline.go.release(4)
    assert [await first, await second] == [DONE, DONE]
    assert pipeline.began == [1, 2]
    assert studio.progress == Progress(False, 0, 0, 0)


async def test_one_too_many_is_refused_at_once(studio: Studio, pipeline: Stepped) -> None:
    """With the line full the next caller is told so, and the others are served."""
    served = [asyncio.create_task(draw(studio, seed)) for seed in (1, 2, 3)]
    await until(lambda: studio.progress.waiting == 2)
    with pytest.raises(Busy, match="2 requests already wait"):
        await draw(studio, 4)
    pipeline.go.release(9)
    assert await asyncio.gather(*served) == [DONE] * 3


async def test_a_cancelled_drawing_stops_at_the_next_step(
    studio: Studio, pipeline: Stepped
) -> None:
    """The native step ends, the rest is not drawn, and only then the next turn begins."""
    leaving = asyncio.create_task(draw(studio, 1))
    await until(lambda: pipeline.began == [1])
    next_one = asyncio.create_task(draw(studio, 2))
    await until(lambda: studio.progress.waiting == 1)
    leaving.cancel()
    leaving.cancel()
    await asyncio.sleep(0)
    assert not leaving.done()
    assert pipeline.began == [1]
    pipeline.go.release()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert pipeline.stopped_after == 1
    pipeline.go.release(3)
    assert await next_one == DONE


async def test_a_caller_who_leaves_while_waiting_frees_the_place(
    studio: Studio, pipeline: Stepped
) -> None:
    """Nothing is drawn for them."""
    first, waiting = (asyncio.create_task(draw(studio, seed)) for seed in (1, 2))
    await until(lambda: studio.progress.waiting == 1)
    waiting.cancel()
    await until(lambda: studio.progress.waiting == 0)
    pipeline.go.release(3)
    assert await first == DONE
    assert pipeline.began == [1]


async def test_a_failure_is_the_callers_own(studio: Studio, pipeline: Stepped) -> None:
    """The next drawing works."""
    with pytest.raises(EngineError, match="The library failed"):
        await draw(studio, 666)
    pipeline.go.release(3)
    assert await draw(studio, 1) == DONE
