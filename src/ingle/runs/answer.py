"""The app's output while it comes about: what its steps write is passed on as they write it.

That is possible where the output is one template of plain text and plain variables. The text
before a variable is passed on at once, a variable's as soon as its step writes at just that place,
and the rest when its turn has come. Any other output comes whole, when all steps have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ingle.apps.liquid.values import at, text
from ingle.apps.template import Template
from ingle.processors.pieces import Path

__all__ = ["AnswerWriter"]


class AnswerWriter:
    """Calls `write` with each text that the output goes on with, and whether all before is void."""

    def __init__(
        self, output: Any, names: Mapping[str, Any], write: Callable[[str, bool], None]
    ) -> None:
        """`names` are the values that templates see, to which the steps' are added as they end."""
        parts = output.parts if isinstance(output, Template) else None
        self._parts: tuple[str | Path, ...] = parts or ()
        self._names = names
        self._write = write
        self._at = 0
        self._live: list[str] = []
        """What the step at the front has written so far, which was passed on."""
        self._early: dict[Path, list[str]] = {}
        """What steps that are not at the front have written."""
        self._wanted = {part for part in self._parts if not isinstance(part, str)}
        self._go_on()

    def piece(self, step: str, path: Path, written: str, value: Any) -> None:
        """A step wrote a piece of its output."""
        place = (step, *path)
        if place not in self._wanted:
            return
        is_at_front = self._at < len(self._parts) and self._parts[self._at] == place
        if value is not msgspec.UNSET:
            if not isinstance(value, str):
                return
            # It stands in the place of what was written there, which may have been passed on.
            written = value
            self._early.pop(place, None)
            if is_at_front and self._live:
                self._live = []
                self._write(self._before_front(), True)
        if not written:
            return
        if is_at_front:
            self._live.append(written)
            self._write(written, False)
        else:
            self._early.setdefault(place, []).append(written)

    def void(self, step: str) -> None:
        """What a step has written so far does not count; it is tried again."""
        self._early = {place: texts for place, texts in self._early.items() if place[0] != step}
        if self._live and self._front() == step:
            self._live = []
            self._write(self._before_front(), True)

    def ended(self) -> None:
        """Another step's value is among the names."""
        if self._parts:
            self._go_on()

    def _front(self) -> str | None:
        part = self._parts[self._at] if self._at < len(self._parts) else ""
        return None if isinstance(part, str) else str(part[0])

    def _before_front(self) -> str:
        return "".join(
            part if isinstance(part, str) else text(at(self._names, part, None))
            for part in self._parts[: self._at]
        )

    def _go_on(self) -> None:
        """Pass on all that is known up to the first variable whose step has not ended."""
        while self._at < len(self._parts):
            part = self._parts[self._at]
            if isinstance(part, str):
                self._write(part, False)
            elif str(part[0]) in self._names:
                whole = text(at(self._names, part, None))
                live = "".join(self._live)
                if not whole.startswith(live):
                    live = ""
                    self._write(self._before_front(), True)
                if rest := whole[len(live) :]:
                    self._write(rest, False)
                self._live = []
            else:
                if early := self._early.pop(part, None):
                    self._live = early
                    self._write("".join(early), False)
                return
            self._at += 1
