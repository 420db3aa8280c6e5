"""How a pull looks under `/api`, in answers and in events alike."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from ingle.errors import IngleError
from ingle.models.pull.progress import Installed, Progress
from ingle.models.pull.status import PullState, PullStatus
from ingle.server.api.replies import ErrorDescription
from ingle.server.error_shapes import OPENAI

__all__ = ["InstalledModel", "PullDescription", "described", "installed_model"]


class FileProgressDescription(BaseModel):
    """How much of one file is here."""

    name: str
    done_bytes: int
    total_bytes: int | None = Field(description="Null as long as nobody has said.")


class ProgressDescription(BaseModel):
    """How far a pull is, all files together."""

    phase: str = Field(description="asking, waiting, downloading, checking or installing.")
    file: str | None = Field(description="The one that moved last.")
    done_bytes: int
    total_bytes: int | None
    rate_bytes_s: float | None = Field(description="Of the last seconds.")
    eta_s: float | None = Field(description="The time that is left at this rate.")
    files: list[FileProgressDescription]
    note: str = Field(description="A sentence of news, or empty.")


class InstalledModel(BaseModel):
    """A model that can be used by its name."""

    name: str
    path: str
    size_bytes: int
    source: str
    was_there: bool = Field(description="The same was installed before; nothing was fetched.")


class PullDescription(BaseModel):
    """A pull as it is now."""

    id: str = Field(description="The same for the same source and name, also after a restart.")
    source: str
    state: PullState = Field(
        description="`elsewhere`: another process of this machine, such as `ingle models pull`, is "
        "at it. `paused` and `failed` can be resumed."
    )
    began_at: datetime
    model: str | None = Field(description="What it will be called, once that is known.")
    progress: ProgressDescription | None
    installed: InstalledModel | None
    error: ErrorDescription | None = Field(description="Why it failed.")


def described(status: PullStatus) -> PullDescription:
    """The description of a pull."""
    return PullDescription(
        id=status.id,
        source=status.source,
        state=status.state,
        began_at=status.began_at,
        model=status.model,
        progress=_progress(status.progress) if status.progress else None,
        installed=installed_model(status.installed) if status.installed else None,
        error=_error(status.error) if status.error else None,
    )


def installed_model(installed: Installed) -> InstalledModel:
    """The description of the end of a pull."""
    return InstalledModel(
        name=installed.name,
        path=str(installed.path),
        size_bytes=installed.size_bytes,
        source=installed.source,
        was_there=installed.was_there,
    )


def _progress(progress: Progress) -> ProgressDescription:
    return ProgressDescription(
        phase=progress.phase,
        file=progress.file,
        done_bytes=progress.done_bytes,
        total_bytes=progress.total_bytes,
        rate_bytes_s=progress.rate_bytes_s,
        eta_s=progress.eta_s,
        files=[
            FileProgressDescription.model_validate(file, from_attributes=True)
            for file in progress.files
        ],
        note=progress.note,
    )


def _error(error: IngleError) -> ErrorDescription:
    return ErrorDescription.model_validate(OPENAI.body(error)["error"])
