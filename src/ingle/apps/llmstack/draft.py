"""A definition in our form while it is made of another document, with the places of the latter."""

from __future__ import annotations

from typing import Any

from ingle.apps.document import Document, Path
from ingle.apps.problems import Note, Problem

__all__ = ["Draft", "is_empty"]


class Draft:
    """Values in our form, and where in the original each of them stands.

    `notes` say what became something else or was left out, `problems` what cannot be.
    """

    def __init__(self, original: Document, top: Path) -> None:
        """`top` is where in the original the app stands; all sources are paths below it."""
        self.notes: list[Note] = []
        self.problems: list[Problem] = []
        self._original = original
        self._top = top
        self._values: dict[str, Any] = {}
        self._used: set[Path] = set()
        self._places: dict[Path, tuple[int, int]] = {(): original.place(top)}

    def get(self, *source: str | int) -> Any:
        """What stands there in the original; None if nothing does."""
        value: Any = self._original.values
        for key in (*self._top, *source):
            if isinstance(value, dict):
                value = value.get(str(key))
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    def text(self, *source: str | int) -> str:
        """The text that stands there; empty if none does."""
        value = self.get(*source)
        return value if isinstance(value, str) else ""

    def objects(self, *source: str | int) -> list[tuple[int, dict[str, Any]]]:
        """The objects of the list that stands there, each with its index."""
        value = self.get(*source)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(source, f"`{source[-1]}` must be a list.")
            return []
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                self.problem((*source, index), f"`{source[-1]}` holds objects only.")
        return [(index, item) for index, item in enumerate(value) if isinstance(item, dict)]

    def put(self, path: Path, value: Any, source: Path) -> None:
        """Write a value, which came from there, with all that is in it."""
        into = self._values
        for key in path[:-1]:
            into = into.setdefault(str(key), {})
        into[str(path[-1])] = value
        for length in range(1, len(path)):
            self._places.setdefault(path[:length], self._place(source))
        self._note_places(path, value, source)

    def has_used(self, source: Path) -> bool:
        """Whether what stands there in the original was written."""
        return source in self._used

    def note(self, source: Path, message: str) -> None:
        """Say something of a value of the original."""
        self.notes.append(Note(*self._place(source), message, self._original.name))

    def problem(self, source: Path, message: str) -> None:
        """Say that something in the original cannot be."""
        self.problems.append(Problem(*self._place(source), message, self._original.name))

    def document(self) -> Document:
        """What was written, with the original's name and places."""
        return Document(self._original.name, self._values, self._places)

    def _place(self, source: Path) -> tuple[int, int]:
        return self._original.place((*self._top, *source))

    def _note_places(self, path: Path, value: Any, source: Path) -> None:
        self._places[path] = self._place(source)
        self._used.add(source)
        if isinstance(value, dict):
            for key, inner in value.items():
                self._note_places((*path, key), inner, (*source, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._note_places((*path, index), inner, (*source, index))


def is_empty(value: Any) -> bool:
    """Whether a value says nothing; LLMStack writes every field, filled or not."""
    return value is None or value in ("", [], {})
