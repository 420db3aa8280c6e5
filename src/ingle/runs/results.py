"""The file that a batch writes: a line for each row that has ended, added as it ends.

The file itself says which rows are done, so a process that is killed loses nothing but what it was
writing: a torn end is cut off when the batch goes on. Beside it lies a journal of 8 bytes a row,
the hash of each done row's values, by which it is seen that the rows are still the same. Once all
rows have succeeded the journal goes.

Everything here blocks.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from ingle.errors import Conflict, StorageError
from ingle.files import storage_error
from ingle.runs.result_lines import OWN_COLUMNS, CsvLines, Ended, JsonLines
from ingle.runs.rows import Row, format_of

__all__ = ["Results"]

_HASH_BYTES = 8


class Results:
    """The file of results, open for adding to it."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """`columns` are those of the rows; they are what a CSV file has beside our own."""
        self.path = path
        self.journal = path.with_name(f"{path.name}.journal")
        is_parquet = format_of(path) == ".parquet"
        self.lines = path.with_name(f"{path.name}.rows.jsonl") if is_parquet else path
        """Where results are added: the file itself, or what a Parquet file is made of at the end."""
        self.done = 0
        """How many rows are in the file, failed ones among them."""
        self.failed = 0
        columns = [column for column in columns if column not in OWN_COLUMNS]
        is_csv = format_of(self.lines) == ".csv"
        self._form: CsvLines | JsonLines = CsvLines(columns) if is_csv else JsonLines()
        self._marks = _Marks()
        self._turn = threading.Lock()
        self._broken: StorageError | None = None
        self._files = ExitStack()
        self._file: io.FileIO
        self._hashes: io.FileIO

    def __enter__(self) -> Self:
        """Open the file: a new one, or to go on with one that has a journal.

        Raises:
            Conflict: the file is there and no batch is writing it, or it has other columns.
            StorageError: it cannot be written.
        """
        try:
            self._open()
        except OSError as error:
            self._files.close()
            raise storage_error(f"{self.path} cannot be written", error) from error
        except BaseException:
            self._files.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._turn:  # a thread that adds is let finish: a line is written whole
            self._files.close()

    def remove(self) -> None:
        """Remove what there is of the file and its journal, to begin anew. Before it is opened.

        Raises:
            StorageError: it cannot be removed.
        """
        for path in {self.path, self.lines, self.journal}:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(f"{path} cannot be removed", error) from error

    def is_done(self, row: Row) -> bool:
        """Whether the row is in the file.

        Raises:
            Conflict: it is, but had other values then.
        """
        if row.number not in self._marks:
            return False
        with self._turn:
            self._hashes.seek(row.number * _HASH_BYTES)
            known = self._hashes.read(_HASH_BYTES)
        if known not in (_hash(row), bytes(_HASH_BYTES), b""):
            raise Conflict(
                f"Row {row.number} is not what it was when {self.path} was begun, so its rows and "
                "these do not belong together. Name another file, or give `--fresh` to begin anew."
            )
        return True

    def add(self, ended: Sequence[Ended]) -> None:
        """Add how these rows ended.

        Raises:
            StorageError: they cannot be written; what is torn is cut off when the batch goes on.
        """
        lines = b"".join(map(self._form.line, ended))
        with self._turn:
            if self._broken is not None:  # nothing may come after a torn line
                raise self._broken
            try:
                for one in ended:
                    self._hashes.seek(one.row.number * _HASH_BYTES)
                    _write(self._hashes, _hash(one.row))
                _write(self._file, lines)
            except OSError as error:
                self._broken = storage_error(f"{self.lines} cannot be written", error)
                raise self._broken from error
        for one in ended:
            self._marks.add(one.row.number)
            self.done += 1
            self.failed += one.fault is not None

    def forget_failed(self) -> None:
        """Take the rows that failed out of the file, so that they are not done.

        Raises:
            StorageError: it cannot be written; it is as it was then.
        """
        draft = self.lines.with_name(f"{self.lines.name}.draft")
        marks, done = _Marks(), 0
        try:
            with draft.open("wb") as file:
                file.write(self._form.heading)
                for number, is_failed, line in self._form.entries(self.lines):
                    if not is_failed:
                        file.write(line)
                        marks.add(number)
                        done += 1
            self._file.close()
            draft.replace(self.lines)
            self._file = self._files.enter_context(self.lines.open("ab+", buffering=0))
        except OSError as error:
            raise storage_error(f"{self.lines} cannot be written", error) from error
        self._marks, self.done, self.failed = marks, done, 0

    def finish(self, *, is_whole: bool) -> None:
        """Make the Parquet file, if it is to be one; of a whole one nothing else is left.

        Raises:
            StorageError: it cannot be written.
        """
        with self._turn:
            self._files.close()
            try:
                if self.lines != self.path:
                    from ingle.runs import parquet

                    parquet.from_lines(self.lines, self.path)
                if is_whole:
                    self.journal.unlink(missing_ok=True)
                    if self.lines != self.path:
                        self.lines.unlink()
            except OSError as error:
                raise storage_error(f"{self.path} cannot be written", error) from error

    def _open(self) -> None:
        is_begun = self.journal.exists()
        if not is_begun and self.path.exists():
            raise Conflict(
                f"{self.path} is there already, and whole. Name another file, or give `--fresh` "
                "to write it anew."
            )
        self._hashes = self._files.enter_context(
            self.journal.open("r+b" if is_begun else "w+b", buffering=0)
        )
        self._file = self._files.enter_context(
            self.lines.open("ab+" if is_begun else "wb", buffering=0)
        )
        if is_begun:
            self._read()
        if self._file.seek(0, 2) == 0:
            _write(self._file, self._form.heading)

    def _read(self) -> None:
        """Find out what is done, after cutting off a torn end."""
        self._file.truncate(self._form.whole_bytes(self.lines))
        for number, is_failed, _ in self._form.entries(self.lines):
            self._marks.add(number)
            self.done += 1
            self.failed += is_failed


class _Marks:
    """A set of whole numbers in a bit each: a million rows are done in 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (number & 7) & 1)

    def add(self, number: int) -> None:
        place = number >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1024 - len(self._bits)))
        self._bits[place] |= 1 << (number & 7)


def _write(file: io.FileIO, data: bytes) -> None:
    """All of it, where the system may take a part at a time."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _hash(row: Row) -> bytes:
    values = msgspec.json.encode(row.values, order="deterministic", enc_hook=str)
    return hashlib.blake2b(values, digest_size=_HASH_BYTES).digest()
