"""Tests of an app: it runs on their inputs, and what it answers is held against what they expect."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ingle.apps.app import App, Step
from ingle.apps.definition import TestDefinition
from ingle.errors import IngleError
from ingle.processors.pieces import value_at
from ingle.runs.events import RunEnded, StepEnded, Usage
from ingle.runs.executor import Work
from ingle.runs.expectations import as_text, unmet
from ingle.runs.judge import is_true
from ingle.runs.once import events_of

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["Outcome", "run_test", "with_model"]

_ASKED = frozenset({"localai/chatgpt", "localai/chatgpt_vision", "localai/completions"})
"""The steps whose model another can stand in for: those that write text."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a test went: it passed if nothing is wrong. `tokens_per_second` is while writing."""

    test: str
    model: str | None
    wrong: tuple[str, ...]
    value: Any
    seconds: float
    tokens: int = 0
    tokens_per_second: float | None = None

    @property
    def has_passed(self) -> bool:
        """Whether all held that was expected."""
        return not self.wrong


def with_model(app: App, model: str) -> App:
    """The app with this model in all steps that write text, and no fallback in these."""
    return replace(app, steps=tuple(_asking(step, model) for step in app.steps))


def _asking(step: Step, model: str) -> Step:
    if step.use not in _ASKED:
        return step
    return replace(step, config={**step.config, "model": model}, fallback=())


async def run_test(
    app: App,
    test: TestDefinition,
    name: str,
    work: Work,
    router: Router,
    *,
    model: str | None = None,
    judge: str | None = None,
) -> Outcome:
    """How a test goes, with this model if one is given; `judge` is who judges where that is asked.

    A run that fails is a test that does. Raises only what the judge does.
    """
    began = time.monotonic()
    value: Any = None
    usages: list[Usage] = []
    wrong: list[str] = []
    tested = app if model is None else with_model(app, model)
    try:
        async with aclosing(events_of(tested, test.input, work)) as events:
            async for event in events:
                match event:
                    case StepEnded(step=step, output=output, usage=usage):
                        usages += [usage] if usage is not None else []
                        if step == test.step:
                            value = value_at(output, _result(app, step))
                    case RunEnded(output=output) if test.step is None:
                        value = output
    except IngleError as error:
        wrong.append(error.message)
    seconds = time.monotonic() - began
    if not wrong:
        wrong += unmet(test.expect, value)
        statement = test.expect.judge
        if statement is not None and not await is_true(statement, as_text(value), router, judge):
            wrong.append(f"The judge finds it not true: {statement}")
    tokens, rate = _written(usages)
    return Outcome(name, model, tuple(wrong), value, seconds, tokens, rate)


def _result(app: App, name: str) -> tuple[str | int, ...]:
    return next(step.result for step in app.steps if step.name == name)


def _written(usages: list[Usage]) -> tuple[int, float | None]:
    """Tokens, and how many a second over all that say it."""
    timed = [usage for usage in usages if usage.tokens_per_second and usage.completion_tokens]
    seconds = sum(usage.completion_tokens / (usage.tokens_per_second or 1) for usage in timed)
    tokens = sum(usage.completion_tokens for usage in timed)
    return sum(usage.completion_tokens for usage in usages), tokens / seconds if seconds else None
