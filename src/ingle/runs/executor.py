"""The walk over an app's steps: each runs as soon as what it uses is there.

What a step does is not known here: `Work` runs it and yields pieces and last its output. Each
output is recorded before a step that needs it starts, and steps that were recorded before, by a
process that did not live to the end, are not run again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from ingle.apps.app import App, Step, Tool, filled
from ingle.apps.template import Template
from ingle.errors import (
    ContextTooLong,
    IngleError,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    StepFailed,
    StorageError,
    UpstreamRefused,
)
from ingle.processors.base import Output
from ingle.processors.pieces import Piece, value_at
from ingle.runs.answer import AnswerWriter
from ingle.runs.events import (
    Fault,
    OutputPiece,
    RunCancelled,
    RunEnded,
    RunFailed,
    RunStarted,
    StepBroken,
    StepCancelled,
    StepEnded,
    StepPiece,
    StepRetried,
    StepSkipped,
    StepStarted,
    Usage,
    fault_of,
)
from ingle.runs.log import RunLog

__all__ = ["Call", "NoRecord", "Record", "Recorded", "Work", "execute"]

_MOST_ITEMS = 10_000
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One time that a step's work is done. `key` is the same each time that the run tries it, so
    that who is asked can know that it was asked before. Templates are rendered, in `tools` too."""

    run: str
    step: Step
    input: Any
    config: Any
    key: str
    tools: tuple[Tool, ...] = ()


Work = Callable[[Call], AsyncGenerator[Piece | Output | dict[str, Any], None]]
"""Pieces of a step's output and last the output, as `Processor.run` yields them, or as JSON."""


class Recorded(msgspec.Struct, frozen=True):
    """How a step ended. A skipped step has the output null, and its fault if it had one.

    `input` and `config` are as they were sent last; of a step with `for_each`, lists of those of
    all items.
    """

    step: str
    output: Any
    usage: Usage | None = None
    is_skipped: bool = False
    fault: Fault | None = None
    started_at: float = 0.0
    ended_at: float = 0.0
    input: Any = None
    config: Any = None

    @property
    def has_failed(self) -> bool:
        """Whether it failed for good; then it is kept for people only, and runs again."""
        return self.fault is not None and not self.is_skipped


class Record(Protocol):
    """Where it is kept how steps and runs end."""

    async def step_ended(self, run: str, recorded: Recorded) -> None:
        """Returns when it is kept for good.

        Raises:
            StorageError: it cannot be.
        """

    async def run_ended(self, run: str, last: RunEnded | RunFailed | RunCancelled) -> None:
        """Returns when it is kept for good; `last` is told afterwards.

        Raises:
            StorageError: it cannot be.
        """


class NoRecord:
    """For runs that nobody wants to take up again."""

    async def step_ended(self, run: str, recorded: Recorded) -> None:
        """Does nothing."""

    async def run_ended(self, run: str, last: RunEnded | RunFailed | RunCancelled) -> None:
        """Does nothing."""


async def execute(
    app: App,
    values: Mapping[str, Any],
    *,
    run: str,
    log: RunLog,
    work: Work,
    record: Record,
    recorded: Mapping[str, Recorded] | None = None,
    history: list[dict[str, Any]] | None = None,
    attempt: int = 1,
) -> Any:
    """Run the app on an input that was read (`read_input`), and tell `log` all that happens.

    The log gets exactly one last event, which is recorded before and is what this returns or
    raises. Cancelling it stops the steps that run.

    Raises:
        StepFailed: a step failed, and it matters.
        StorageError: the end of a step or of the run cannot be recorded.
    """
    log.append(RunStarted(log.next, run, app.slug, time.time(), attempt))
    if attempt > 1:
        log.append(OutputPiece(log.next, "", is_restart=True))
    walk = _Walk(app, values, run, log, work, record, recorded or {}, history or [])
    last: RunEnded | RunFailed | RunCancelled
    try:
        output = await walk.output()
        last = RunEnded(log.next, output, time.time())
        await record.run_ended(run, last)
    except asyncio.CancelledError:
        last = RunCancelled(log.next, time.time())
        await _end(run, last, log, record)
        raise
    except StorageError as error:
        log.append(RunFailed(log.next, fault_of(error), time.time()))
        raise
    except Exception as error:
        if not isinstance(error, IngleError):
            _logger.exception("The run %s of %s failed, which was not foreseen", run, app.slug)
        last = RunFailed(log.next, fault_of(error), time.time())
        await _end(run, last, log, record)
        raise
    log.append(last)
    return output


async def _end(run: str, last: RunFailed | RunCancelled, log: RunLog, record: Record) -> None:
    """Tell how the run ended, also where that cannot be recorded."""
    try:
        await record.run_ended(run, last)
    except StorageError as error:
        _logger.error("It was not recorded that the run %s failed. %s", run, error)  # noqa: TRY400
    finally:
        log.append(last)


class _Walk:
    def __init__(
        self,
        app: App,
        values: Mapping[str, Any],
        run: str,
        log: RunLog,
        work: Work,
        record: Record,
        recorded: Mapping[str, Recorded],
        history: list[dict[str, Any]],
    ) -> None:
        self._app = app
        self._run = run
        self._log = log
        self._work = work
        self._record = record
        self._names: dict[str, Any] = {"input": dict(values), "history": history}
        self._waiting = [step for step in app.steps if step.name not in recorded]
        self._sent: dict[str, tuple[Any, Any]] = {}
        for step in app.steps:
            if (end := recorded.get(step.name)) is not None:
                self._names[step.name] = self._value(end)
                log.append(StepStarted(log.next, step.name, step.use, end.started_at))
                self._tell(end)
        self._answer = AnswerWriter(app.output, self._names, self._write)

    async def output(self) -> Any:
        """Run all steps, then make the output."""
        running: dict[asyncio.Task[None], Step] = {}
        try:
            while True:
                ready = [s for s in self._waiting if s.needs <= self._names.keys()]
                self._waiting = [s for s in self._waiting if s not in ready]
                if len(ready) == 1 and not running:
                    await self._step(ready[0])  # nothing else to do: no task is needed for it
                    continue
                running |= {asyncio.create_task(self._step(s), name=s.name): s for s in ready}
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del running[task]
                    task.result()
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
        return filled(self._app.output, self._names)

    def _write(self, text: str, is_restart: bool) -> None:
        self._log.append(OutputPiece(self._log.next, text, is_restart))

    async def _step(self, step: Step) -> None:
        """Run a step to its end, one way or another; its value is among the names then."""
        log, began = self._log, time.time()
        try:
            end = await self._ended(step, began)
            await self._record.step_ended(self._run, end)
        except asyncio.CancelledError:
            log.append(StepCancelled(log.next, step.name, time.time()))
            raise
        except Exception as error:
            if not isinstance(error, IngleError):
                _logger.exception("The step %s of the run %s failed", step.name, self._run)
            fault = fault_of(error, step.name)
            now = time.time()
            log.append(StepBroken(log.next, step.name, fault, now))
            if isinstance(error, StorageError):
                raise
            sent = self._sent.pop(step.name, (None, None))
            failed = Recorded(step.name, None, None, False, fault, began, now, *sent)
            await self._record.step_ended(self._run, failed)
            raise StepFailed(
                f"The step `{step.name}` failed: {fault.message}",
                step=step.name,
                error_code=fault.code,
            ) from error
        self._names[end.step] = self._value(end)
        self._tell(end)
        self._answer.ended()

    def _tell(self, end: Recorded) -> None:
        log = self._log
        if end.is_skipped:
            log.append(StepSkipped(log.next, end.step, end.ended_at, end.fault))
        else:
            log.append(StepEnded(log.next, end.step, end.output, end.ended_at, end.usage))

    async def _ended(self, step: Step, began: float) -> Recorded:
        """How the step ends; a fault that the app can do without is a way to end, too."""
        try:
            if not _is_wanted(step, self._names):
                return Recorded(step.name, None, None, True, None, began, time.time())
            output = await self._outputs(step, began)
        except IngleError as error:
            if step.on_error == "fail":
                raise
            fault = fault_of(error, step.name)
            sent = self._sent.pop(step.name, (None, None))
            return Recorded(step.name, None, None, True, fault, began, time.time(), *sent)
        sent = self._sent.pop(step.name)
        usage = _usage(output)
        return Recorded(step.name, output, usage, False, None, began, time.time(), *sent)

    def _value(self, end: Recorded) -> Any:
        """What templates see of a step; of a skipped one the result is null."""
        if not end.is_skipped:
            return end.output
        step = next(step for step in self._app.steps if step.name == end.step)
        return _nested(step.result)

    async def _outputs(self, step: Step, began: float) -> Any:
        """The output of a step; of one with `for_each`, those of all items and their results."""
        log = self._log
        if step.for_each is None:
            log.append(StepStarted(log.next, step.name, step.use, began))
            return await self._tries(step, self._names, None)
        items = filled(step.for_each, self._names)
        if not isinstance(items, list):
            raise InvalidRequest(f"`for_each` needs a list, and got {_kind(items)}.")
        if len(items) > _MOST_ITEMS:
            raise InvalidRequest(
                f"`for_each` got {len(items):,} items; it takes {_MOST_ITEMS:,} at most. For more, "
                "run the app as a batch."
            )
        log.append(StepStarted(log.next, step.name, step.use, began, len(items)))
        count = len(items)
        self._sent[step.name] = ([None] * count, [None] * count)
        turns = asyncio.Semaphore(step.at_once)

        async def one(index: int, item: Any) -> Any:
            async with turns:
                names = {**self._names, "item": item, "index": index}
                return await self._tries(step, names, index)

        tasks = [asyncio.create_task(one(index, item)) for index, item in enumerate(items)]
        try:
            outputs = [await task for task in tasks]
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
        # The result of each is where its processor has it: one step's work is all the same.
        return {
            "items": outputs,
            "results": [value_at(output, step.item_result) for output in outputs],
        }

    async def _tries(self, step: Step, names: Mapping[str, Any], item: int | None) -> Any:
        """The output, from the first try that gives one: the model's own, and then its fallbacks."""
        log = self._log
        models: list[str | None] = [None, *step.fallback]
        failures = 0
        while True:
            try:
                return await self._try(step, names, item, models[0])
            except Exception as error:
                failures += 1
                if (
                    isinstance(error, IngleError)
                    and error.is_retryable
                    and failures <= step.retries
                ):
                    wait_s = _wait_s(error, failures)
                elif len(models) > 1 and _may_do_better(error):
                    models.pop(0)
                    failures, wait_s = 0, 0.0
                else:
                    raise
                fault = fault_of(error, step.name)
                log.append(StepRetried(log.next, step.name, fault, wait_s, models[0], item))
                if item is None:
                    self._answer.void(step.name)
            await asyncio.sleep(wait_s)

    async def _try(
        self, step: Step, names: Mapping[str, Any], item: int | None, model: str | None
    ) -> Any:
        config = filled(step.config, names)
        if model is not None:
            config = {**config, "model": model}
        values = filled(step.input, names)
        if item is None:
            key = f"{self._run}/{step.name}"
            self._sent[step.name] = (values, config)
        else:
            key = f"{self._run}/{step.name}/{item}"
            inputs, configs = self._sent[step.name]
            inputs[item], configs[item] = values, config
        tools = tuple(
            replace(tool, input=filled(tool.input, names), config=filled(tool.config, names))
            for tool in step.tools
        )
        call = Call(self._run, step, values, config, key, tools)
        if step.timeout_s is None:
            return await self._done(call, item)
        try:
            async with asyncio.timeout(step.timeout_s) as limit:
                return await self._done(call, item)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise StepFailed(
                f"It took longer than its `timeout` of {step.timeout_s:g} s.",
                step=step.name,
                error_code="step_timeout",
            ) from error

    async def _done(self, call: Call, item: int | None) -> Any:
        """Do the work, tell of its pieces, and return its output as JSON."""
        log, name, answer = self._log, call.step.name, self._answer
        output: Any = None
        async with aclosing(self._work(call)) as pieces:
            async for piece in pieces:
                if type(piece) is Piece:
                    path, text, value = piece.path, piece.text, piece.value
                    log.append(StepPiece(log.next, name, path, text, value, item))
                    if item is None:
                        answer.piece(name, path, text, value)
                else:
                    output = piece
        return output.model_dump(mode="json") if isinstance(output, Output) else output


def _is_wanted(step: Step, names: Mapping[str, Any]) -> bool:
    return step.when.truth(names) if isinstance(step.when, Template) else step.when


def _may_do_better(error: Exception) -> bool:
    """Whether another model may succeed where this one failed."""
    if isinstance(error, StepFailed | ModelNotFound | ContextTooLong):
        return True
    return isinstance(error, IngleError) and not isinstance(error, InvalidRequest | NotFound)


def _wait_s(error: IngleError, failures: int) -> float:
    """Longer after each failure, never all at once, and as long as a server asks for."""
    if isinstance(error, UpstreamRefused) and error.retry_after_s is not None:
        return min(error.retry_after_s, _LONGEST_WAIT_S)
    longest = min(_FIRST_WAIT_S * 2 ** (failures - 1), _LONGEST_WAIT_S)
    return random.uniform(longest / 2, longest)  # noqa: S311 -- to spread, not to hide


def _nested(path: tuple[str | int, ...]) -> Any:
    """A value in which null stands at this path."""
    value: Any = None
    for key in reversed(path):
        value = {key: value} if isinstance(key, str) else [None] * key + [value]
    return value


def _usage(output: Any) -> Usage | None:
    """What the server said of tokens, in a raw answer that the output holds."""
    raw = output.get("_api_response") if isinstance(output, dict) else None
    said = raw.get("usage") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(said, dict):
        return None
    timings = raw.get("timings")
    rate = timings.get("predicted_per_second") if isinstance(timings, dict) else None
    model = raw.get("model")
    return Usage(
        model=model if isinstance(model, str) else None,
        prompt_tokens=_count(said.get("prompt_tokens")),
        completion_tokens=_count(said.get("completion_tokens")),
        tokens_per_second=float(rate) if isinstance(rate, int | float) else None,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
