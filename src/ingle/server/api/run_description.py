"""How `/api/runs` describes runs, and what it is asked with."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from ingle.runs.history import RunRecord, StepRecord
from ingle.runs.runs import RunFilter

__all__ = [
    "AppAnswer",
    "AppRunRequest",
    "Feedback",
    "Filters",
    "RetryRequest",
    "RunDescription",
    "RunList",
    "RunName",
    "run_summary",
    "step_description",
]

_STATES = Literal["waiting", "running", "ended", "failed", "cancelled"]


class AppRunRequest(BaseModel):
    """What to run an app with."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(
        {}, description="By the app's input_schema. A file may be `file:<id>` of POST /api/files."
    )
    stream: bool = Field(
        False,
        description="Answer with lines of JSON as it comes, as LLMStack does; with `Accept: "
        "text/event-stream` with events in any case.",
    )
    version: int | None = Field(None, ge=1, description="Else the one that is published.")


class TokenUsage(BaseModel):
    """What the models were paid in tokens, where their servers say so."""

    prompt_tokens: int
    completion_tokens: int


class SessionName(BaseModel):
    """What the run belongs to."""

    id: str


class RunName(BaseModel):
    """Which run it is."""

    id: str


class AppAnswer(BaseModel):
    """What an app has answered."""

    session: SessionName = Field(
        description="To go on in: POST …/run/{session}. Of an app that is no chat, the run's id."
    )
    run: RunName
    output: Any
    usage: TokenUsage


class Fault(BaseModel):
    """What went wrong."""

    code: str
    message: str
    step: str | None = None
    is_retryable: bool = False


class RunSummary(BaseModel):
    """A run in a list. Times are Unix seconds."""

    id: str
    app: str
    version: int | None = None
    state: _STATES
    session: str | None = None
    parent: str | None = Field(None, description="The run that this one repeats.")
    source: str = Field("", description="Where it was asked for: `api`, `openai`, `mcp`.")
    input: dict[str, Any] = {}
    output: Any = None
    fault: Fault | None = None
    attempt: int = Field(0, description="How often it was begun; more than once after a crash.")
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    thumb: int | None = None
    comment: str | None = None


class StepUsage(BaseModel):
    """What a step's model was paid, and how fast it was."""

    model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_per_second: float | None = None


class StepDescription(BaseModel):
    """How a step ended, and what it was sent, secrets masked."""

    step: str
    state: Literal["ended", "skipped", "failed"]
    input: Any = None
    config: Any = None
    output: Any = None
    usage: StepUsage | None = None
    fault: Fault | None = None
    started_at: float
    ended_at: float


class RunDescription(RunSummary):
    """A run with its steps, in the order in which they ended."""

    steps: list[StepDescription] = []


class RunList(BaseModel):
    """A page of runs, the newest first."""

    runs: list[RunSummary]
    next: str | None = Field(description="Give it as `before` for the next page; null at the end.")


class RetryRequest(BaseModel):
    """From where to run again, and with what instead of what there was."""

    model_config = ConfigDict(extra="forbid")

    from_step: str | None = Field(None, description="Else what failed.")
    edits: dict[str, Any] = Field(
        {}, description="Outputs by step, and `input` for another input of the app."
    )


class Feedback(BaseModel):
    """What someone thinks of a run."""

    model_config = ConfigDict(extra="forbid")

    thumb: Literal[1, -1] | None = None
    comment: str | None = Field(None, max_length=10_000)


class Filters(BaseModel):
    """Which runs are meant."""

    app: str | None = None
    state: _STATES | None = None
    session: str | None = None
    parent: str | None = None
    since: float | None = Field(None, description="Made then or later, in Unix seconds.")
    until: float | None = Field(None, description="Made before then, in Unix seconds.")
    search: str | None = Field(None, description="A text of their input or output.")

    def chosen(self, key_id: str | None) -> RunFilter:
        """The same, of this key's runs."""
        told = self.model_dump(exclude={"search"})
        return RunFilter(**told, text=self.search, key_id=key_id)


def run_summary(run: RunRecord) -> RunSummary:
    """The run as a list shows it."""
    told = msgspec.to_builtins(run)
    told.pop("steps", None)
    return RunSummary.model_validate(told)


def step_description(step: StepRecord) -> StepDescription:
    """The step as its run shows it."""
    return StepDescription.model_validate(msgspec.to_builtins(step))
