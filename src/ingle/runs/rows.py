"""Rows of a file, one after another: CSV, JSON lines or Parquet, never all of it in memory.

Everything here blocks. It knows nothing about what is made of the rows.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ingle.errors import InvalidRequest

__all__ = ["FORMATS", "Row", "Survey", "format_of", "parted_by", "read_rows", "survey"]

FORMATS = (".csv", ".jsonl", ".parquet")
"""What rows are read from and written to, by a file's ending; `.ndjson` is `.jsonl`."""

_PARTS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file, the first being 0. `fault` says why it has no values, if it cannot be read."""

    number: int
    values: dict[str, Any]
    fault: InvalidRequest | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """How many rows a file has, and all columns of it, in the order in which they first come."""

    rows: int
    columns: tuple[str, ...]


def format_of(path: Path) -> str:
    """One of `FORMATS`.

    Raises:
        InvalidRequest: the name ends in none of them.
    """
    ending = path.suffix.lower().replace(".ndjson", ".jsonl")
    if ending not in FORMATS:
        raise InvalidRequest(
            f"{path} does not say by its ending what it is. Rows are read from and written to "
            ".csv, .jsonl and .parquet files."
        )
    return ending


def read_rows(path: Path) -> Iterator[Row]:
    """The file's rows. Of a row that cannot be read the fault is told, and the others come.

    Columns of CSV are parted by what parts its heading: commas, semicolons or tabs. A cell with
    nothing in it is no value.

    Raises:
        InvalidRequest: the file cannot be read, or not as what its name says.
    """
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {
        ".csv": _read_csv,
        ".jsonl": _read_lines,
        ".parquet": _read_parquet,
    }
    rows = readers[format_of(path)](path)
    try:
        yield from rows
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be read: {error.strerror or error}. Check its name."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"{path} is not UTF-8 text (byte {error.start} of a block). Save it as UTF-8."
        ) from error


def survey(path: Path) -> Survey:
    """What the file holds; it is read through for that.

    Raises:
        InvalidRequest: as `read_rows`.
    """
    count = 0
    columns: dict[str, None] = {}
    for row in read_rows(path):
        count += 1
        if row.values.keys() - columns.keys():
            columns |= dict.fromkeys(row.values)
    if format_of(path) == ".csv":  # a column may be empty in every row
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns = dict.fromkeys(_heading(path, csv.reader(file, delimiter=parted_by(path))))
    return Survey(count, tuple(columns))


def parted_by(path: Path) -> str:
    """What parts the columns of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        heading = file.readline()
    return max(_PARTS, key=heading.count)


def _read_csv(path: Path) -> Iterator[Row]:
    # A cell may hold a whole document; the module's own limit of 128 kB has no other place.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=parted_by(path))
        columns = _heading(path, lines)
        number = 0
        try:
            for cells in lines:
                if not cells:
                    continue  # an empty line, such as the last
                yield _of_cells(path, number, columns, cells)
                number += 1
        except csv.Error as error:
            raise InvalidRequest(f"{path}, line {lines.line_num}: {error}.") from error


def _heading(path: Path, lines: Iterator[list[str]]) -> list[str]:
    columns = [column.strip() for column in next(lines, [])]
    twice = {column for column in columns if columns.count(column) > 1}
    if not columns or "" in columns or twice:
        reason = f"{', '.join(sorted(twice))} is there twice" if any(twice) else "a name is missing"
        raise InvalidRequest(
            f"The first line of {path} must name the columns, each once, and {reason}."
        )
    return columns


def _of_cells(path: Path, number: int, columns: list[str], cells: list[str]) -> Row:
    values = {
        column: cell for column, cell in zip(columns, cells, strict=False) if cell.strip() != ""
    }
    if len(cells) <= len(columns):
        return Row(number, values)
    fault = InvalidRequest(
        f"Row {number} of {path} has {len(cells)} cells, and there are {len(columns)} columns. "
        'Put a text with commas into quotes, as in "a, b".'
    )
    return Row(number, values, fault)


def _read_lines(path: Path) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    number = 0
    with path.open("rb") as file:
        for line_number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = Row(number, decoder.decode(line.removeprefix(b"\xef\xbb\xbf")))
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                fault = InvalidRequest(
                    f"{path}, line {line_number}, is no JSON object: {str(error).rstrip('.')}."
                )
                row = Row(number, {}, fault)
            yield row
            number += 1


def _read_parquet(path: Path) -> Iterator[Row]:
    from ingle.runs import parquet

    for number, values in enumerate(parquet.read_values(path)):
        yield Row(number, values)
