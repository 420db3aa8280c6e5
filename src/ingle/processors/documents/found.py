"""What a reader finds in a file: read part by part, so that no more is read than is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["Found", "table"]


def _untitled() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Found:
    """The parts of the text, to be joined as they are.

    `title` is called when all parts have been read. `pages` counts all of them, wanted or not.
    """

    mime: str
    parts: Iterable[str]
    title: Callable[[], str | None] = _untitled
    pages: int | None = None


def table(rows: Iterable[list[str]]) -> Iterable[str]:
    """A Markdown table, line by line; its first row is the head. Rows of nothing are left out."""
    columns = 0
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "\\|") for cell in row]
        if not any(cells):
            continue
        is_head = columns == 0
        columns = columns or len(cells)
        cells += [""] * (columns - len(cells))
        yield f"| {' | '.join(cells)} |\n"
        if is_head:
            yield f"|{' --- |' * columns}\n"
