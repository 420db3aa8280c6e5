"""What the command line writes: results to stdout, all else to stderr.

A terminal gets colour (unless `NO_COLOR` is set), lines of its own width and no control
characters of others; a pipe gets plain text, a row a line, and a program that asks for `--json`
gets JSON. It knows nothing about what is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "AsJson",
    "console",
    "count",
    "moment",
    "note",
    "print_json",
    "print_pairs",
    "print_table",
    "size",
    "spinner",
    "use_utf8",
    "visible",
    "write",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

_UNBOUNDED = 10_000  # columns of a pipe: nothing is wrapped or cut there
_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def use_utf8() -> None:
    """Make stdout and stderr write any text: UTF-8 into pipes, as well as they can on terminals."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream put there by others has none
        if reconfigure is not None:
            reconfigure(errors="replace", encoding=None if stream.isatty() else "utf-8")


def visible(text: str) -> str:
    """The text without control characters, so that no server's words can steer the terminal."""
    return text.translate(_CONTROLS)


def write(text: str) -> None:
    """Write to stdout at once: as it is into a pipe, without control characters on a terminal."""
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def note(text: str) -> None:
    """Write a line beside the results, to stderr, dimmed on a terminal."""
    console(sys.stderr).print(visible(text), style="dim")


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    import msgspec

    encoded = msgspec.json.encode(value, enc_hook=str)
    sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")


def print_table(columns: Mapping[str, str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print aligned columns: each by its heading, and the style of its cells."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading, style in columns.items():
        table.add_column(heading, style=style, overflow="fold")
    _print(table, rows)


def print_pairs(pairs: Iterable[tuple[str, str | Text]]) -> None:
    """Print names and their values below each other."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    _print(table, pairs)


def count(number: int) -> str:
    """A large number for people: `5.2M`."""
    for unit, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{letter}"
    return str(number)


def size(size_bytes: int) -> str:
    """A number of bytes for people: `5.6 MB`."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def moment(when: datetime) -> str:
    """A point in time for people: `2026-11-23 12:40`, by this machine's clock."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M")


@contextmanager
def spinner(text: str) -> Iterator[Callable[[], None]]:
    """A moving sign on stderr, if that is a terminal; it goes at the end or at the given call."""
    err = console(sys.stderr)
    if not err.is_terminal:
        yield lambda: None
        return
    with err.status(f"[dim]{text}", spinner_style="dim") as status:
        yield status.stop


def console(stream: TextIO) -> Console:
    """A console on stdout or stderr that prints text as it is, without markup."""
    from rich.console import Console

    width = None if stream.isatty() else _UNBOUNDED
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _print(table: Table, rows: Iterable[Sequence[str | Text]]) -> None:
    from rich.text import Text

    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(visible(cell)) for cell in row))
    out = console(sys.stdout)
    with out.capture() as captured:
        out.print(table)
    # Without the spaces that fill up the last column.
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
