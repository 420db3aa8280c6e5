"""Rows in Parquet files, a few hundred in memory at a time.

It needs pyarrow, which is large, so it is an extra: `pip install 'ingle[parquet]'`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    import pyarrow

__all__ = ["check_installed", "from_lines", "read_values"]

_ROWS_AT_ONCE = 256
_ROWS_A_GROUP = 10_000


def check_installed() -> None:
    """Find out before the work whether Parquet can be read and written.

    Raises:
        InvalidRequest: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401 -- importing it is the question
    except ImportError as error:
        raise InvalidRequest(
            "Parquet files need the package pyarrow, which is not installed. "
            "Run `pip install 'ingle[parquet]'`, or use .csv or .jsonl."
        ) from error


def read_values(path: Path) -> Iterator[dict[str, Any]]:
    """The rows' values as JSON has them: times as text, bytes as base64; no value is left out.

    Raises:
        InvalidRequest: pyarrow is not installed, or the file is no Parquet.
        OSError: it cannot be read.
    """
    check_installed()
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for values in batch.to_pylist():
                    found = {key: value for key, value in values.items() if value is not None}
                    yield msgspec.to_builtins(found, enc_hook=str)
    except pyarrow.ArrowInvalid as error:
        raise InvalidRequest(f"{path} is no Parquet file: {error}") from error


def from_lines(lines: Path, path: Path) -> None:
    """Write a file of JSON lines anew as Parquet.

    A column has the type that all its values have, and holds them as JSON texts if they differ.

    Raises:
        OSError: it cannot be written.
    """
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    kinds = _kinds(lines)
    schema = pyarrow.schema([(name, _type(kind)) for name, kind in kinds.items()])
    draft = path.with_name(f"{path.name}.draft")
    with ParquetWriter(draft, schema) as writer:
        rows = _objects(lines)
        while group := list(islice(rows, _ROWS_A_GROUP)):
            columns = [[_cell(row.get(name), kinds[name]) for row in group] for name in kinds]
            writer.write_table(pyarrow.table(columns, schema=schema))
    draft.replace(path)


def _objects(lines: Path) -> Iterator[dict[str, Any]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    with lines.open("rb") as file:
        yield from map(decoder.decode, file)


def _kinds(lines: Path) -> dict[str, set[type]]:
    kinds: dict[str, set[type]] = {}
    for row in _objects(lines):
        for name, value in row.items():
            kinds.setdefault(name, set()).add(_kind(value))
    return {name: found - {type(None)} for name, found in kinds.items()}


def _kind(value: Any) -> type:
    # Parquet's whole numbers have 64 bits; a larger one is a text.
    return object if type(value) is int and not -(2**63) <= value < 2**63 else type(value)


def _type(kinds: set[type]) -> pyarrow.DataType:
    import pyarrow

    if kinds == {bool}:
        return pyarrow.bool_()
    if kinds == {int}:
        return pyarrow.int64()
    if kinds and kinds <= {int, float}:
        return pyarrow.float64()
    return pyarrow.string()


def _cell(value: Any, kinds: set[type]) -> Any:
    if value is None or kinds in ({bool}, {int}, {str}):
        return value
    if kinds <= {int, float}:
        return float(value)
    return msgspec.json.encode(value).decode()
