"""Runs and their steps as they are looked at afterwards, alone, in lists and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingle.runs.as_json import read_json, write_json
from ingle.runs.events import Fault, Usage
from ingle.runs.executor import Recorded

__all__ = ["COLUMNS", "RunRecord", "StepRecord", "recorded_of", "run_record", "table_row"]

Row = sa.Row[Any]  # Any: mypy does not know a row's columns

_usage = msgspec.json.Decoder(Usage)
_fault = msgspec.json.Decoder(Fault)


class StepRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a step ended. `input` and `config` are as they were sent last, secrets masked; of a step
    with `for_each` those of all items. Times are Unix seconds."""

    step: str
    state: Literal["ended", "skipped", "failed"]
    started_at: float
    ended_at: float
    input: Any = None
    config: Any = None
    output: Any = None
    usage: Usage | None = None
    fault: Fault | None = None


class RunRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run as it is recorded. `version` is None for an app that was not published. Times are Unix
    seconds. `steps` are those that have ended, in that order; in lists there are none."""

    id: str
    app: str
    state: Literal["waiting", "running", "ended", "failed", "cancelled"]
    created_at: float
    version: int | None = None
    session: str | None = None
    parent: str | None = None
    source: str = ""
    input: dict[str, Any] = {}
    output: Any = None
    fault: Fault | None = None
    attempt: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    thumb: int | None = None
    comment: str | None = None
    steps: tuple[StepRecord, ...] = ()


COLUMNS = (
    "id", "app", "version", "state", "created_at", "started_at", "ended_at", "input", "output",
    "error", "prompt_tokens", "completion_tokens", "session", "parent", "thumb", "comment",
)  # fmt: skip
"""What a table of runs has, in this order."""


def run_record(row: Row, steps: Iterable[Row] = ()) -> RunRecord:
    """The run of this row."""
    return RunRecord(
        id=row.id,
        app=row.app,
        state=row.state,
        created_at=row.created_at,
        version=row.version,
        session=row.session_id,
        parent=row.parent_id,
        source=row.source,
        input=read_json(row.input),
        output=read_json(row.output),
        fault=None if row.fault is None else _fault.decode(row.fault),
        attempt=row.attempt,
        started_at=row.started_at,
        ended_at=row.ended_at,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        thumb=row.thumb,
        comment=row.comment,
        steps=tuple(_step_record(step) for step in steps),
    )


def recorded_of(steps: Iterable[Row]) -> dict[str, Recorded]:
    """The steps that need not run again."""
    return {
        step.step: Recorded(
            step.step,
            read_json(step.output),
            None if step.usage is None else _usage.decode(step.usage),
            step.state == "skipped",
            None if step.fault is None else _fault.decode(step.fault),
            step.started_at,
            step.ended_at,
            read_json(step.input),
            read_json(step.config),
        )
        for step in steps
        if step.state != "failed"
    }


def table_row(run: RunRecord) -> Sequence[str]:
    """The run as texts, in the order of `COLUMNS`.

    A text that a spreadsheet would take for a formula begins with an apostrophe
    (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    values = {
        **{name: getattr(run, name, None) for name in COLUMNS},
        "input": write_json(run.input),
        "output": run.output if isinstance(run.output, str) else write_json(run.output),
        "error": run.fault.message if run.fault is not None else None,
    }
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return (
        f"'{text}"
        if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r"))
        else text
    )


def _step_record(row: Row) -> StepRecord:
    return StepRecord(
        step=row.step,
        state=row.state,
        started_at=row.started_at,
        ended_at=row.ended_at,
        input=read_json(row.input),
        config=read_json(row.config),
        output=read_json(row.output),
        usage=None if row.usage is None else _usage.decode(row.usage),
        fault=None if row.fault is None else _fault.decode(row.fault),
    )
