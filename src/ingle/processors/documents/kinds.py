"""What kind of file it is, by its content first, and who reads it."""

from __future__ import annotations

import io
import zipfile

from ingle.errors import UnsupportedInput
from ingle.processors.documents.found import Found
from ingle.processors.documents.packages import check_package

__all__ = ["open_document"]

_READABLE = "PDF, DOCX, PPTX, XLSX, XLS, ODS, HTML, CSV, JSON, Markdown and plain text"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


def open_document(content: bytes, *, mime: str, name: str | None, max_pages: int) -> Found:
    """What is in the file, not yet read.

    Raises:
        UnsupportedInput: no text can be read out of it.
        InvalidRequest: it is damaged, or unfolds to far more than it is.
    """
    if b"%PDF-" in content[:1024]:
        from ingle.processors.documents.pdf import read_pdf

        return read_pdf(content, max_pages)
    if content.startswith(b"PK\x03\x04"):
        return _in_package(content, max_pages)
    if content.startswith(_OLE):
        return _in_ole(content, max_pages)
    from ingle.processors.documents.plain import read_plain

    if found := read_plain(content, mime=mime, name=name):
        return found
    kind = mime.partition(";")[0]
    raise UnsupportedInput(
        f"it is no text, nor any kind of file that text can be read from ({kind}). {_READABLE} can."
    )


def _in_package(content: bytes, max_pages: int) -> Found:
    """What is in a zip archive, as the newer formats of office programs are."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        check_package(package)
        names = set(package.namelist())
        kind = package.read("mimetype").decode("latin-1") if "mimetype" in names else ""
    if "word/document.xml" in names:
        from ingle.processors.documents.word import read_word

        return read_word(content, _DOCX)
    if "ppt/presentation.xml" in names:
        from ingle.processors.documents.slides import read_slides

        return read_slides(content, _PPTX, max_pages)
    is_sheet = {"xl/workbook.xml", "xl/workbook.bin"} & names
    if is_sheet or kind.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        from ingle.processors.documents.sheets import read_sheets

        return read_sheets(content, max_pages)
    raise UnsupportedInput(
        "it is an archive, or a document in a format that is not read here. Give the files in it "
        f"one by one, or save it as another kind: {_READABLE} can be read."
    )


def _in_ole(content: bytes, max_pages: int) -> Found:
    """What is in a file of Office before 2007, or in one of today with a password."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UnsupportedInput("it is encrypted. Save it without a password.")
    if any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        from ingle.processors.documents.sheets import read_sheets

        return read_sheets(content, max_pages)
    raise UnsupportedInput(
        "it is a document of Office before 2007. Save it as DOCX, PPTX or XLSX, which can be read."
    )
