"""One pull as it is now. It knows nothing about how pulls are done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingle.errors import IngleError
from ingle.models.pull.progress import Installed, Progress

__all__ = ["PullState", "PullStatus"]

PullState = Literal["running", "elsewhere", "paused", "failed", "installed", "cancelled"]
"""`elsewhere` is under way in another process, such as `ingle models pull`."""


@dataclass(frozen=True, slots=True)
class PullStatus:
    """`model` is its name, as soon as that is known; `began_at` is UTC.

    `error` is why it failed and `installed` what it ended with, in these two states.
    """

    id: str
    source: str
    state: PullState
    began_at: datetime
    model: str | None = None
    progress: Progress | None = None
    installed: Installed | None = None
    error: IngleError | None = None
