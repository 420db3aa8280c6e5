"""Which names a template makes itself, and which it reads from outside.

This is settled when the template is read: from where it is assigned in the text on, a name means
the template's own value. So what `uses` lists is exactly what is read from outside when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingle.apps.liquid.values import Path

__all__ = ["Scope", "Use"]


@dataclass(frozen=True, slots=True)
class Use:
    """A variable that a template reads from outside: its path, and where in the source it stands.

    Where the bare name of a step stands for its result, the path is that of the result. A path
    ends before an index that is itself a variable.
    """

    path: Path
    offset: int


class Scope:
    """The names known at one place of a template. Each of the template's own has a slot.

    Loop variables have slots of their own, so that a loop hides a name and does not change it.
    """

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.loops = 0
        self._assigned: set[str] = set()
        self._blocks: list[dict[str, str]] = []
        self._slots = 0

    def slot(self, name: str) -> str | None:
        """Where the value of one of the template's own names is kept; None for one from outside."""
        for block in reversed(self._blocks):
            if name in block:
                return block[name]
        return name if name in self._assigned else None

    def assign(self, name: str) -> None:
        """From here on the name is the template's own."""
        self._assigned.add(name)

    @contextmanager
    def loop(self, item: str, place: str) -> Iterator[tuple[str, str]]:
        """Inside a loop: the names of its item and of its place (`forloop`); gives their slots."""
        self._slots += 1
        slots = f"{item} {self._slots} item", f"{place} {self._slots}"
        self._blocks.append({place: slots[1], item: slots[0]})
        self.loops += 1
        yield slots
        self.loops -= 1
        self._blocks.pop()
