"""Spreadsheets (XLSX, XLS, XLSB, ODS) as Markdown tables, read by calamine."""

from __future__ import annotations

import io
from collections.abc import Iterator

from python_calamine import CalamineWorkbook, PasswordError

from ingle.errors import UnsupportedInput
from ingle.processors.documents.found import Found, table

__all__ = ["read_sheets"]

_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_sheets(content: bytes, max_pages: int) -> Found:
    """A table for each sheet that holds something.

    Raises:
        UnsupportedInput: it wants a password.
    """
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except PasswordError:
        raise UnsupportedInput("it is encrypted. Save it without a password.") from None
    return Found(_MIME, _parts(book, max_pages), pages=len(book.sheet_names))


def _parts(book: CalamineWorkbook, max_pages: int) -> Iterator[str]:
    for name in book.sheet_names[:max_pages]:
        rows = book.get_sheet_by_name(name).iter_rows()
        lines = iter(table([_cell(value) for value in row] for row in rows))
        if first := next(lines, ""):
            yield f"## {name}\n\n{first}"
            yield from lines
            yield "\n"


def _cell(value: object) -> str:
    """As a person writes it: a whole number without its `.0`, nothing for an empty cell."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
