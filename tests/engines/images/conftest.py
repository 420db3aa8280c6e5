"""A pipeline that draws a step whenever a test lets it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ingle.engines.images.picture import Picture
from ingle.engines.images.pipeline import Ability, Defaults, Drawing, DrawingStopped, Step
from ingle.errors import EngineError

FAILING_SEED = 666


class SteppedPipeline:
    """Draws a step each time `go` is released; notes what it began and what it stopped."""

    defaults = Defaults(128, 128, 3, 1.0)
    abilities: frozenset[Ability] = frozenset({"prompt"})

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.began: list[int] = []
        self.stopped_after: int | None = None

    def draw(self, drawing: Drawing, on_step: Callable[[Step], bool]) -> Picture:
        self.began.append(drawing.seed)
        if drawing.seed == FAILING_SEED:
            on_step(Step(1, drawing.steps))
            raise EngineError("The library failed. Try another size.")
        for number in range(1, drawing.steps + 1):
            self.go.acquire()
            if on_step(Step(number, drawing.steps)):
                self.stopped_after = number
                raise DrawingStopped
        return Picture(8, 8, bytes(8 * 8 * 3))


@pytest.fixture
def pipeline() -> Iterator[SteppedPipeline]:
    """Let go of at the end, whatever the test left it with."""
    pipeline = SteppedPipeline()
    yield pipeline
    pipeline.go.release(1000)
