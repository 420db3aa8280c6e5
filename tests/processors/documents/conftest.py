"""Small files of the kinds that office programs write, made by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping

import pytest

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"


def _package(files: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in files.items():
            package.writestr(name, text)
    return made.getvalue()


def _relations(*targets: tuple[str, str, str]) -> str:
    lines = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for key, kind, target in targets
    )
    return f'<Relationships xmlns="{_RELATIONS}">{lines}</Relationships>'


@pytest.fixture(scope="session")
def package() -> Callable[[Mapping[str, str]], bytes]:
    """A zip archive of these files."""
    return _package


@pytest.fixture(scope="session")
def pdf() -> Callable[..., bytes]:
    """A PDF with a page for each text, and a title."""

    def make(*texts: str, title: str = "A title") -> bytes:
        count = len(texts)
        kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(count))
        objects = [
            "<</Type/Catalog/Pages 2 0 R>>",
            f"<</Type/Pages/Kids[{kids}]/Count {count}>>",
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            f"<</Title({title})>>",
        ]
        for i, text in enumerate(texts):
            drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
            objects += [
                (
                    f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {6 + 2 * i} 0 R"
                    "/Resources<</Font<</F1 3 0 R>>>>>>"
                ),
                f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
            ]
        made, places = "%PDF-1.4\n", []
        for number, body in enumerate(objects, start=1):
            places.append(len(made))
            made += f"{number} 0 obj{body}endobj\n"
        table = "".join(f"{place:010} 00000 n \n" for place in places)
        size = len(objects) + 1
        made += f"xref\n0 {size}\n0000000000 65535 f \n{table}"
        made += f"trailer<</Size {size}/Root 1 0 R/Info 4 0 R>>\nstartxref\n{made.index('xref')}\n"
        return (made + "%%EOF").encode("latin-1")

    return make


@pytest.fixture(scope="session")
def docx() -> Callable[..., bytes]:
    """A DOCX with this body, in WordprocessingML."""

    def make(body: str, declaration: str = "") -> bytes:
        core = (
            '<p:coreProperties xmlns:p="http://schemas.openxmlformats.org/package/2006/metadata/'
            'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<dc:title>A letter</dc:title></p:coreProperties>"
        )
        return _package(
            {
                "[Content_Types].xml": f'<Types xmlns="{_TYPES}"/>',
                "_rels/.rels": _relations(("r1", "officeDocument", "word/document.xml")),
                "word/document.xml": f'{declaration}<w:document xmlns:w="{_WORD}"><w:body>{body}'
                "</w:body></w:document>",
                "docProps/core.xml": core,
            }
        )

    return make


@pytest.fixture(scope="session")
def pptx() -> bytes:
    """A PPTX of two slides, of which the file of the second comes first."""
    main = "http://schemas.openxmlformats.org/presentationml/2006/main"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"

    def slide(*lines: str) -> str:
        said = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
        return f'<p:sld xmlns:p="{main}" xmlns:a="{drawing}">{said}</p:sld>'

    return _package(
        {
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{main}" xmlns:r="{_OFFICE}">'
            '<p:sldIdLst><p:sldId id="256" r:id="r2"/><p:sldId id="257" r:id="r1"/></p:sldIdLst>'
            "</p:presentation>",
            "ppt/_rels/presentation.xml.rels": _relations(
                ("r1", "slide", "slides/slide1.xml"), ("r2", "slide", "slides/slide2.xml")
            ),
            "ppt/slides/slide1.xml": slide("The end"),
            "ppt/slides/slide2.xml": slide("Hello", "a first point"),
        }
    )


@pytest.fixture(scope="session")
def xlsx() -> bytes:
    """An XLSX with one sheet of two columns."""
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

    def text(cell: str, value: str) -> str:
        return f'<c r="{cell}" t="inlineStr"><is><t>{value}</t></is></c>'

    return _package(
        {
            "[Content_Types].xml": f'<Types xmlns="{_TYPES}"/>',
            "_rels/.rels": _relations(("r1", "officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook xmlns="{sheet}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="Fruit" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations(("r1", "worksheet", "worksheets/sheet1.xml")),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{sheet}"><sheetData>'
            f'<row r="1">{text("A1", "name")}{text("B1", "how many")}</row>'
            f'<row r="2">{text("A2", "pear | apple")}<c r="B2"><v>3</v></c></row>'
            "</sheetData></worksheet>",
        }
    )
