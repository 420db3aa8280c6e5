"""What happens in a run, as a union of types, and the fold that makes a run's state of them.

Each event has its place in the run's sequence, which counts from 0 and only ever grows. An attempt
to carry out a run tells all of it: one that goes on where another was cut short begins with the
steps that were recorded, and at a number above all that anyone can have seen (`first_sequence`). In
an attempt a step has exactly one last event (ended, skipped, failed or cancelled), and so has a run
(ended, failed or cancelled). The JSON of an event has its kind as `type`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from ingle.errors import IngleError, StepFailed
from ingle.processors.pieces import Path, Piece, fold

__all__ = [
    "Event",
    "Fault",
    "OutputPiece",
    "RunCancelled",
    "RunEnded",
    "RunFailed",
    "RunStarted",
    "RunState",
    "StepBroken",
    "StepCancelled",
    "StepEnded",
    "StepPiece",
    "StepRetried",
    "StepSkipped",
    "StepStarted",
    "StepState",
    "Usage",
    "error_of",
    "fault_of",
    "first_sequence",
    "fold_run",
    "is_last",
]


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What went wrong: a code of `ingle.errors`, a message for people, and the step, if in one."""

    code: str
    message: str
    step: str | None = None
    is_retryable: bool = False


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a model was paid in tokens, where its server says so."""

    model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_per_second: float | None = None


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="type"):
    sequence: int


class RunStarted(_Event, frozen=True, tag="run_started"):
    """The run has begun, or begins again where it was cut short (`attempt` > 1): then what was told
    before is void. Times are Unix seconds."""

    run: str
    app: str
    at: float
    attempt: int = 1


class StepStarted(_Event, frozen=True, tag="step_started"):
    """A step has begun. `items` is how many it runs for, in a step with `for_each`."""

    step: str
    use: str
    at: float
    items: int | None = None


class StepPiece(_Event, frozen=True, tag="piece"):
    """A step wrote a piece of its output (see `ingle.processors.pieces`)."""

    step: str
    path: Path
    text: str = ""
    value: Any = msgspec.UNSET
    item: int | None = None


class StepRetried(_Event, frozen=True, tag="step_retried"):
    """A step failed and is tried again in `wait_s`; its pieces so far are void."""

    step: str
    fault: Fault
    wait_s: float = 0.0
    model: str | None = None
    item: int | None = None


class StepEnded(_Event, frozen=True, tag="step_ended"):
    """A step has its output, and it is recorded."""

    step: str
    output: Any
    at: float
    usage: Usage | None = None


class StepSkipped(_Event, frozen=True, tag="step_skipped"):
    """A step does not run, as its condition says, or its fault does not matter."""

    step: str
    at: float
    fault: Fault | None = None


class StepBroken(_Event, frozen=True, tag="step_failed"):
    """A step failed for good."""

    step: str
    fault: Fault
    at: float


class StepCancelled(_Event, frozen=True, tag="step_cancelled"):
    """A step was stopped, because the run was or because another step failed."""

    step: str
    at: float


class OutputPiece(_Event, frozen=True, tag="output"):
    """The app's output goes on with this text. `is_restart`: what came before is void."""

    text: str
    is_restart: bool = False


class RunEnded(_Event, frozen=True, tag="run_ended"):
    """The run has its output."""

    output: Any
    at: float


class RunFailed(_Event, frozen=True, tag="run_failed"):
    """The run failed."""

    fault: Fault
    at: float


class RunCancelled(_Event, frozen=True, tag="run_cancelled"):
    """The run was stopped by someone."""

    at: float


Event = (
    RunStarted
    | StepStarted
    | StepPiece
    | StepRetried
    | StepEnded
    | StepSkipped
    | StepBroken
    | StepCancelled
    | OutputPiece
    | RunEnded
    | RunFailed
    | RunCancelled
)
"""Everything that can happen in a run."""


def is_last(event: Event) -> bool:
    """Whether nothing comes after it in its run."""
    return isinstance(event, RunEnded | RunFailed | RunCancelled)


def fault_of(error: BaseException, step: str | None = None) -> Fault:
    """An error as an event tells it. What Ingle did not foresee is told without its text, which
    may hold anything."""
    if isinstance(error, StepFailed):
        return Fault(error.error_code, error.message, error.step)
    if isinstance(error, IngleError):
        return Fault(error.code, error.message, step, error.is_retryable)
    return Fault(
        "internal_error",
        f"Something that Ingle did not foresee happened ({type(error).__name__}). Its log says "
        "more. Please report it.",
        step,
    )


def error_of(fault: Fault) -> IngleError:
    """The error that a fault tells of, as far as it tells."""
    if fault.step is not None:
        return StepFailed(fault.message, step=fault.step, error_code=fault.code)
    error = IngleError(fault.message)
    error.code, error.is_retryable = fault.code, fault.is_retryable
    return error


def first_sequence(attempt: int) -> int:
    """The number of the first event of an attempt, the first being 1.

    There is room for four billion events in an attempt, and for two million attempts below 2**53,
    up to which JavaScript tells whole numbers apart.
    """
    return (attempt - 1) << 32


class StepState(msgspec.Struct, omit_defaults=True):
    """A step as its events tell it; `output` grows while it runs."""

    state: Literal["running", "ended", "skipped", "failed", "cancelled"]
    use: str = ""
    output: Any = None
    fault: Fault | None = None
    usage: Usage | None = None
    started_at: float | None = None
    ended_at: float | None = None
    tries: int = 1


class RunState(msgspec.Struct, omit_defaults=True):
    """A run as its events tell it."""

    state: Literal["waiting", "running", "ended", "failed", "cancelled"] = "waiting"
    run: str = ""
    app: str = ""
    output: Any = None
    fault: Fault | None = None
    steps: dict[str, StepState] = {}
    started_at: float | None = None
    ended_at: float | None = None


def fold_run(events: Iterable[Event]) -> RunState:
    """The state of a run after these events."""
    run = RunState()
    pieces: dict[tuple[str, int | None], list[Piece]] = {}
    text = ""
    for event in events:
        match event:
            case StepPiece(step=step, path=path, text=written, value=value, item=item):
                pieces.setdefault((step, item), []).append(Piece(path, written, value))
            case OutputPiece(text=written, is_restart=is_restart):
                text = written if is_restart else text + written
                run.output = text
            case RunStarted(run=name, app=app, at=at):
                run = RunState("running", name, app, started_at=run.started_at or at)
                pieces, text = {}, ""
            case StepStarted(step=step, use=use, at=at):
                pieces = {key: value for key, value in pieces.items() if key[0] != step}
                run.steps[step] = StepState("running", use, started_at=at)
            case StepRetried(step=step, fault=fault, item=item):
                pieces.pop((step, item), None)
                run.steps[step].fault = fault
                run.steps[step].tries += 1
            case StepEnded(step=step, output=output, at=at, usage=usage):
                state = run.steps.setdefault(step, StepState("ended"))
                state.state, state.output, state.ended_at, state.usage = "ended", output, at, usage
                state.fault = None
            case StepSkipped(step=step, at=at, fault=fault):
                run.steps[step] = StepState("skipped", fault=fault, ended_at=at)
            case StepBroken(step=step, fault=fault, at=at):
                state = run.steps.setdefault(step, StepState("failed"))
                state.state, state.fault, state.ended_at = "failed", fault, at
            case StepCancelled(step=step, at=at):
                state = run.steps.setdefault(step, StepState("cancelled"))
                state.state, state.ended_at = "cancelled", at
            case RunEnded(output=output, at=at):
                run.state, run.output, run.ended_at = "ended", output, at
            case RunFailed(fault=fault, at=at):
                run.state, run.fault, run.ended_at = "failed", fault, at
            case RunCancelled(at=at):
                run.state, run.ended_at = "cancelled", at
    for (step, item), so_far in pieces.items():
        state = run.steps[step]
        if state.state in ("running", "failed", "cancelled") and item is None:
            state.output = fold(so_far)
    return run
