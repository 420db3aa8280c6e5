"""How the results of a batch stand in a file: as JSON lines or as CSV, and how they are read again.

Everything here blocks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from ingle.errors import Conflict, InvalidRequest
from ingle.runs.as_json import write_json
from ingle.runs.events import Fault
from ingle.runs.rows import Row

__all__ = ["OWN_COLUMNS", "CsvLines", "Ended", "Entry", "JsonLines"]

_BLOCK_BYTES = 1 << 20

OWN_COLUMNS = ("_row", "output", "_error")
"""What a result has beside the row's own columns; a row's columns of these names are left out."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a row ended: with an output, or with a fault."""

    row: Row
    output: Any = None
    fault: Fault | None = None


Entry = tuple[int, bool, bytes]
"""A result's row, whether it failed, and the bytes that say so."""


class _JsonEntry(msgspec.Struct):
    row: int = msgspec.field(name="_row")
    error: msgspec.Raw = msgspec.field(name="_error", default=msgspec.Raw())


class JsonLines:
    """Results as JSON lines."""

    heading = b""

    def line(self, ended: Ended) -> bytes:
        """The line of a result."""
        row = ended.row
        own = {name: value for name, value in row.values.items() if name not in OWN_COLUMNS}
        told = {"_error": ended.fault} if ended.fault else {"output": ended.output}
        return f"{write_json({'_row': row.number, **own, **told})}\n".encode()

    def entries(self, path: Path) -> Iterator[Entry]:
        """All results of a file whose end is not torn."""
        decoder = msgspec.json.Decoder(_JsonEntry)
        with path.open("rb") as file:
            for line in file:
                try:
                    entry = decoder.decode(line)
                except msgspec.DecodeError as error:
                    raise _not_ours(path, str(error)) from error
                yield entry.row, bool(entry.error), line

    def whole_bytes(self, path: Path) -> int:
        """Where the last whole line ends."""
        with path.open("rb") as file:
            end = file.seek(0, 2)
            while end > 0:
                begin = max(0, end - _BLOCK_BYTES)
                file.seek(begin)
                last = file.read(end - begin).rfind(b"\n")
                if last >= 0:
                    return begin + last + 1
                end = begin
        return 0


class CsvLines:
    """Results as CSV; a cell that is no text has it as JSON."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self.heading = _csv_line(["_row", *columns, "output", "_error"])

    def line(self, ended: Ended) -> bytes:
        """The line of a result; a cell may hold line ends, in quotes."""
        fault, values = ended.fault, ended.row.values
        own = (_cell(values.get(column)) for column in self._columns)
        told = f"{fault.code}: {fault.message}" if fault else ""
        return _csv_line([str(ended.row.number), *own, _cell(ended.output), told])

    def entries(self, path: Path) -> Iterator[Entry]:
        """All results of a file whose end is not torn."""
        with path.open("rb") as file:
            if (found := _record(file)) and found != self.heading:
                raise Conflict(
                    f"{path} was begun with other columns: {found.decode().strip()}. Name another "
                    "file, or give `--fresh` to write it anew."
                )
            while record := _record(file):
                cells = next(csv.reader(io.StringIO(record.decode(), newline="")))
                if not cells[0].isdecimal():
                    raise _not_ours(path, f"{cells[0]!r} is no row's number")
                yield int(cells[0]), cells[-1] != "", record

    def whole_bytes(self, path: Path) -> int:
        """Where the last whole record ends: at a line's end outside of quotes."""
        whole = 0
        with path.open("rb") as file:
            while record := _record(file):
                whole += len(record)
        return whole


def _record(file: IO[bytes]) -> bytes:
    """The next record of a CSV file, over as many lines as it has; nothing of a torn one."""
    lines: list[bytes] = []
    quotes = 0
    while line := file.readline():
        lines.append(line)
        quotes += line.count(b'"')
        if line.endswith(b"\n") and quotes % 2 == 0:
            return b"".join(lines)
    return b""


def _csv_line(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode(errors="replace")  # half characters are no UTF-8


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return write_json(value)


def _not_ours(path: Path, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"{path} is not what a batch wrote ({reason}), so it cannot go on with it. Name another "
        "file, or give `--fresh` to write it anew."
    )
