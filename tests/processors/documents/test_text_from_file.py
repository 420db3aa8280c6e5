"""`ingle/text_from_file`: text out of any usual file, and no harm out of any other."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pypdf import PdfWriter

from ingle.errors import InvalidRequest, RequestTooLarge, UnsupportedInput
from ingle.processors.catalogue import run_processor
from ingle.processors.files import open_file
from ingle.processors.text_from_file import TextFromFileOutput
from ingle.routing import Router

Package = Callable[[Mapping[str, str]], bytes]


async def read(
    router: Router,
    content: bytes,
    mime: str = "application/octet-stream",
    name: str = "",
    **config: Any,  # Any: a JSON value
) -> TextFromFileOutput:
    """What a run gives for the file."""
    named = f";name={name}" if name else ""
    file = f"data:{mime}{named};base64,{base64.b64encode(content).decode()}"
    run = run_processor("ingle/text_from_file", {"file": file}, config, router)
    *_, output = [item async for item in run]
    assert isinstance(output, TextFromFileOutput)
    return output


async def test_pdf(pdf: Callable[..., bytes], router: Router) -> None:
    """The text of all pages, how many there are, and the title."""
    output = await read(router, pdf("Hello there", "The second page"), "application/pdf", "a.pdf")
    assert output.model_dump() == {
        "text": "Hello there\n\nThe second page",
        "name": "a.pdf",
        "title": "A title",
        "mime": "application/pdf",
        "pages": 2,
        "characters": 28,
        "is_cut": False,
    }


async def test_docx(docx: Callable[..., bytes], router: Router) -> None:
    """Paragraphs, and a table as Markdown; the kind is told by the content, whatever is said."""
    body = (
        "<w:p><w:r><w:t>Dear all</w:t></w:r></w:p><w:tbl>"
        "<w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    output = await read(router, docx(body), "text/plain", "letter.txt")
    assert output.text == "Dear all\n\n| a | b |\n| --- | --- |"
    assert (output.title, output.mime[-8:], output.pages) == ("A letter", "document", None)


async def test_pptx(pptx: bytes, router: Router) -> None:
    """Slides come in the order in which they are shown."""
    output = await read(router, pptx)
    assert output.text == "## Slide 1\n\nHello\na first point\n\n## Slide 2\n\nThe end"
    assert output.pages == 2


async def test_xlsx(xlsx: bytes, router: Router) -> None:
    """A sheet is a table, whole numbers without `.0`, and a bar in a cell ends no column."""
    output = await read(router, xlsx)
    assert output.text == ("## Fruit\n\n| name | how many |\n| --- | --- |\n| pear \\| apple | 3 |")


async def test_cut_is_told(pdf: Callable[..., bytes], router: Router) -> None:
    """A limit that cuts says so, and how much there would be."""
    by_pages = await read(router, pdf("One", "Two"), max_pages=1)
    assert (by_pages.text, by_pages.pages, by_pages.is_cut) == ("One", 2, True)
    by_characters = await read(router, b"x" * 100_000, "text/plain", max_characters=70_000)
    assert (by_characters.characters, by_characters.is_cut) == (70_000, True)
    whole = await read(router, b"x" * 70_000, "text/plain", max_characters=70_000)
    assert (whole.characters, whole.is_cut) == (70_000, False)


# -- what is refused -------------------------------------------------------------------------------


async def test_pdf_of_pictures_is_an_error(pdf: Callable[..., bytes], router: Router) -> None:
    """A scan is not taken for an empty document."""
    with pytest.raises(UnsupportedInput, match="its pages are pictures"):
        await read(router, pdf("", ""))


async def test_encrypted_pdf_is_an_error(router: Router) -> None:
    """Who gives a file with a password is told so."""
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    made = io.BytesIO()
    writer.write(made)
    with pytest.raises(UnsupportedInput, match=r"it is encrypted\. Save it"):
        await read(router, made.getvalue(), name="a.pdf")


@pytest.mark.parametrize("kind", ["pdf", "docx", "xlsx"])
async def test_damaged_file_is_an_error(
    kind: str, pdf: Callable[..., bytes], docx: Callable[..., bytes], xlsx: bytes, router: Router
) -> None:
    """Half a file is said to be damaged."""
    whole = {"pdf": pdf("Hello"), "docx": docx("<w:p/>"), "xlsx": xlsx}[kind]
    with pytest.raises(InvalidRequest, match=r"'x\.bin': it is damaged"):
        await read(router, whole[: len(whole) // 2], name="x.bin")


async def test_sheet_with_a_far_cell_is_an_error(package: Package, router: Router) -> None:
    """One cell at the far end asks for memory for billions; the process that reads it ends."""
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    far = package(
        {
            "xl/workbook.xml": f'<workbook xmlns="{sheet}" xmlns:r="{office}"><sheets>'
            '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship '
            f'Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{sheet}"><sheetData><row r="1">'
            '<c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
            "</sheetData></worksheet>",
        }
    )
    with pytest.raises(InvalidRequest, match=r"memory|damaged"):
        await read(router, far)


async def test_pdf_that_unfolds_is_an_error(pdf: Callable[..., bytes], router: Router) -> None:
    """A page whose text is a gigabyte of nothing does not take this process with it."""
    folding = zlib.compressobj(9)
    part = folding.compress(b" " * (16 * 1024 * 1024)) + folding.flush(zlib.Z_FULL_FLUSH)
    folded = part + part[2:] * 63  # after a full flush, the same bytes mean the same again
    drawn = "BT /F1 12 Tf 72 720 Td (Hello) Tj ET"
    page = pdf("Hello").replace(
        f"<</Length {len(drawn)}>>stream\n{drawn}".encode(),
        b"<</Length %d/Filter/FlateDecode>>stream\n%b" % (len(folded), folded),
    )
    assert b"FlateDecode" in page
    with pytest.raises(InvalidRequest):
        await read(router, page)


async def test_cancelling_ends_the_reading(router: Router) -> None:
    """Who leaves leaves no process behind."""
    children = set(_children())
    file = "data:text/html," + "<p>" * 5_000_000
    run = run_processor("ingle/text_from_file", {"file": file}, {}, router)
    reading = asyncio.ensure_future(anext(run))
    while set(_children()) == children:  # noqa: ASYNC110 -- another process sets no event
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert set(_children()) == children


async def test_time_is_bounded(router: Router) -> None:
    """A file that takes longer than it may is given up, and its process is gone."""
    children = set(_children())
    with pytest.raises(InvalidRequest, match=r"not read within 0\.05 s"):
        await read(router, b"<p>" * 5_000_000, "text/html", timeout=0.05)
    assert set(_children()) == children


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("hello", "begins with 'hello' and is no file"),
        ("data:text/plain", "is no file"),
        ("data:text/plain;base64,§§", "base64 is damaged"),
        ("data:text/plain;base64,", "is an empty file"),
        ("file:///etc/passwd", "is no file"),
    ],
)
async def test_what_is_no_file_is_an_error(file: str, message: str, router: Router) -> None:
    """A field that holds no file is named, and how to give one."""
    with pytest.raises(InvalidRequest, match=message) as caught:
        async for _ in run_processor("ingle/text_from_file", {"file": file}, {}, router):
            pass
    assert caught.value.param == "input.file"


async def test_file_that_is_too_large_is_refused(router: Router) -> None:
    """Nothing beyond the bound is looked at."""
    with pytest.raises(RequestTooLarge, match="more than 10 bytes"):
        await open_file("data:,12345678901", router, param="input.file", max_bytes=10)
    assert (await open_file("data:,1", router, param="input.file", max_bytes=10)).content == b"1"


def _children() -> list[str]:
    task = f"/proc/self/task/{os.getpid()}/children"
    if not os.path.exists(task):  # noqa: PTH110 -- no path of ours
        pytest.skip("the system does not list children")
    with open(task) as listed:  # noqa: PTH123
        return listed.read().split()
