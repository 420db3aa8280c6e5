"""What is wrong with an app, as people read it: each thing with its place and the line itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ingle.apps.secrets import LOOKS_LIKE_A_KEY
from ingle.cli.terminal import console, visible

if TYPE_CHECKING:
    from ingle.apps.problems import Problem

__all__ = ["show_problems"]

_LEFT_OF_PLACE = 50
"""How many characters of a long line are shown left of the place that is meant."""


def show_problems(problems: Sequence[Problem]) -> None:
    """Write all of them to stderr, each as `file:line:column: message` and the line with a mark.

    A line in which there may be a key is not shown.
    """
    err = console(sys.stderr)
    secret = {(p.file, p.line) for p in problems if LOOKS_LIKE_A_KEY in p.message}
    for problem in problems:
        source = None if (problem.file, problem.line) in secret else _source(problem)
        for line in _lines(problem, source, err.width):
            err.print(line, soft_wrap=not err.is_terminal)
    files = ", ".join(sorted({problem.file for problem in problems}))
    many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    err.print(Text.assemble(("error: ", "bold red"), visible(f"{files} has {many}.")))


def _lines(problem: Problem, source: str | None, width: int) -> Iterator[Text]:
    place = f"{problem.file}:{problem.line}:{problem.column}: "
    message = Text.assemble((visible(place), "bold"), visible(problem.message))
    message.highlight_regex(r"`[^`]+`", "cyan")
    yield message
    if source is None:
        return
    before = visible(source[: problem.column - 1].replace("\t", " "))[-_LEFT_OF_PLACE:]
    after = visible(source[problem.column - 1 :].replace("\t", " "))
    line = Text(f"  {before}{after}", style="dim")
    line.truncate(width, overflow="ellipsis")
    yield line
    yield Text(f"  {' ' * cell_len(before)}^", style="bold red")


def _source(problem: Problem) -> str | None:
    """The line that is meant; None if its file is not there, as of an app in the database."""
    try:
        lines = Path(problem.file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        return None
    return lines[problem.line - 1] if problem.line <= len(lines) else None
