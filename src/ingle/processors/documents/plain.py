"""Files that are text: plain, Markdown, JSON as they are; CSV and HTML as Markdown."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

from ingle.processors.documents.found import Found, table
from ingle.processors.documents.markdown import MarkdownWriter

__all__ = ["read_plain"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)")
_META = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_HTML = re.compile(
    r"\s*(<!--.{0,2000}?-->\s*)*(<!doctype html|<html|<head|<body)", re.IGNORECASE | re.DOTALL
)
_ENDINGS = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "htm": "text/html",
    "html": "text/html",
    "xhtml": "text/html",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown",
    "markdown": "text/markdown",
}
_TABLES = ("text/csv", "text/tab-separated-values")
_PART_CHARACTERS = 64 * 1024


def read_plain(content: bytes, *, mime: str, name: str | None) -> Found | None:
    """The text of the file, None if it is none."""
    text = _decoded(content, mime)
    if text is None:
        return None
    kind = _kind(mime.partition(";")[0].strip(), name, text)
    if kind == "text/html":
        writer = MarkdownWriter()
        return Found(kind, _html(writer, text), lambda: writer.title)
    if kind in _TABLES:
        return Found(kind, table(_rows(text, kind)))
    return Found(kind, _pieces(text))


def _kind(mime: str, name: str | None, text: str) -> str:
    ending = (name or "").lower().rpartition(".")[2]
    if _HTML.match(text[:4096]) or mime == "application/xhtml+xml":
        return "text/html"
    if mime in ("", "text/plain", "application/octet-stream", "application/vnd.ms-excel"):
        return _ENDINGS.get(ending, "text/plain")  # what browsers say of a CSV hangs on the system
    return mime


def _decoded(content: bytes, mime: str) -> str | None:
    """The text, by its mark, by what is said of it, as UTF-8, or as Windows wrote it in the West."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\0" in content[: 64 * 1024]:
        return None
    said = _CHARSET.search(mime) or _META.search(content[:4096])
    if said:
        named = said[1] if isinstance(said[1], str) else said[1].decode("ascii")
        try:
            return content.decode(codecs.lookup(named).name, "replace")
        except (LookupError, UnicodeError):
            pass
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # A text has line ends and tabs, and no other control characters.
    odd = sum(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in content[: 64 * 1024])
    return None if odd else content.decode("cp1252", "replace")


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PART_CHARACTERS):
        yield text[start : start + _PART_CHARACTERS]


def _html(writer: MarkdownWriter, text: str) -> Iterator[str]:
    for piece in _pieces(text):
        writer.feed(piece)
        yield writer.take()
    writer.close()
    yield writer.take()


def _rows(text: str, kind: str) -> Iterator[list[str]]:
    csv.field_size_limit(2**31 - 1)
    delimiter = "\t" if kind.startswith("text/tab") else _delimiter(text)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str:
    """The one of the usual that the first line has most of."""
    first = text.lstrip().partition("\n")[0]
    return max((",", ";", "\t", "|"), key=first.count)
