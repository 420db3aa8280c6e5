"""PDF files, read by pypdf: slower than the libraries in C, but no file can break out of it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pypdf
from pypdf.errors import DependencyError, FileNotDecryptedError

from ingle.errors import UnsupportedInput
from ingle.processors.documents.found import Found

__all__ = ["read_pdf"]


def read_pdf(content: bytes, max_pages: int) -> Found:
    """The text of the pages, those of pictures alone left out.

    Raises:
        UnsupportedInput: it wants a password, or holds no text at all.
    """
    reader = pypdf.PdfReader(io.BytesIO(content))
    try:
        # Many are encrypted with no password, only to forbid printing.
        is_open = not reader.is_encrypted or bool(reader.decrypt(""))
        pages = len(reader.pages) if is_open else 0
    except (FileNotDecryptedError, DependencyError):
        is_open = False
    if not is_open:
        raise UnsupportedInput("it is encrypted. Save it without a password.")
    return Found("application/pdf", _parts(reader, max_pages), lambda: _title(reader), pages)


def _parts(reader: pypdf.PdfReader, max_pages: int) -> Iterator[str]:
    has_text = False
    for page in reader.pages[:max_pages]:
        if text := page.extract_text().strip():
            has_text = True
            yield f"{text}\n\n"
    if not has_text:
        raise UnsupportedInput(
            "it holds no text: its pages are pictures, as of a scanner. Show them to a model that "
            "sees, such as by `localai/chatgpt_vision`, or read them with an OCR program first."
        )


def _title(reader: pypdf.PdfReader) -> str | None:
    title = reader.metadata.title if reader.metadata else None
    return title if isinstance(title, str) else None
