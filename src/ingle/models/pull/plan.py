"""What is to be fetched for a model: the files, where each is, and how it will be checked.

Made by asking a source's server; carried out by `install`. It knows nothing about either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = ["Digest", "Plan", "PlannedFile", "Role"]

Role = Literal["weights", "projector", "other"]


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file's content must hash to; `git-sha1` is what git names a file of its own by."""

    algorithm: Literal["sha256", "git-sha1"]
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value}"


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file: `name` is its checked path in the model's folder, `origin` where it is now.

    `bearer` is sent to the origin's own server and never on to another. `at_hand` are files of this
    machine that should have the same content, such as in another program's cache.
    """

    name: str
    origin: str | Path
    size_bytes: int | None = None
    digest: Digest | None = None
    role: Role = "other"
    bearer: str | None = field(default=None, repr=False)
    at_hand: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A model to be: `why` says in a sentence how its files were chosen, if there was a choice.

    `source` is what to pull to get the same again; `parameters` are defaults that came with it.
    """

    name: str
    source: str
    files: tuple[PlannedFile, ...]
    why: str = ""
    licence: str | None = None
    revision: str | None = None
    system_prompt: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int | None:
        """The bytes of all files together; None if a size is not known before it is asked for."""
        sizes = [file.size_bytes for file in self.files if file.size_bytes is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None
