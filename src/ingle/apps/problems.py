"""What is wrong with an app's definition: each thing with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from ingle.errors import AppInvalid

__all__ = ["InvalidApp", "Note", "Problem", "meant"]


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One thing that is good to know of a definition. Lines and columns count from 1."""

    line: int
    column: int
    message: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True, order=True)
class Problem(Note):
    """One thing that is wrong."""


class InvalidApp(AppInvalid):
    """All that is wrong with a definition, in the order of its lines; the message lists it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def meant(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest right name, after a space; nothing if none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""
