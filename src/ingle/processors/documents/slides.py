"""PPTX files as Markdown: a heading for each slide, and its paragraphs."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from ingle.processors.documents.found import Found
from ingle.processors.documents.word import package_title

__all__ = ["read_slides"]

# ECMA-376: DrawingML, PresentationML, and the relations between parts of a package.
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


def read_slides(content: bytes, mime: str, max_pages: int) -> Found:
    """The text of the slides, in the order in which they are shown."""
    package = zipfile.ZipFile(io.BytesIO(content))
    slides = _slides(package)
    parts = _parts(package, slides[:max_pages])
    return Found(mime, parts, lambda: package_title(content), len(slides))


def _slides(package: zipfile.ZipFile) -> list[str]:
    """The names of the slides' files, in order."""
    presentation = _xml(package, "ppt/presentation.xml")
    relations = _xml(package, "ppt/_rels/presentation.xml.rels")
    targets = {one.get("Id"): one.get("Target", "") for one in relations.iter(_RELATION)}
    listed = [targets.get(slide.get(_ID), "") for slide in presentation.iter(f"{_P}sldId")]
    return [posixpath.normpath(posixpath.join("/ppt", name))[1:] for name in listed if name]


def _parts(package: zipfile.ZipFile, slides: list[str]) -> Iterator[str]:
    for number, name in enumerate(slides, start=1):
        paragraphs = (_text(one) for one in _xml(package, name).iter(f"{_A}p"))
        lines = "\n".join(text for text in paragraphs if text)
        yield f"## Slide {number}\n\n{lines}\n\n"


def _text(paragraph: ElementTree.Element) -> str:
    said = (
        "\n" if node.tag == f"{_A}br" else node.text or ""
        for node in paragraph.iter()
        if node.tag in (f"{_A}t", f"{_A}br")
    )
    return "".join(said).strip()


def _xml(package: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(package.read(name))  # noqa: S314 -- `check_package` looked at it
