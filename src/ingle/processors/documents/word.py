"""DOCX files as Markdown, by way of mammoth's HTML. Pictures are left out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import mammoth

from ingle.processors.documents.found import Found
from ingle.processors.documents.markdown import MarkdownWriter

__all__ = ["package_title", "read_word"]

_TITLE = "{http://purl.org/dc/elements/1.1/}title"


def read_word(content: bytes, mime: str) -> Found:
    """The text with its headings, lists, tables and links."""
    return Found(mime, _parts(content), lambda: package_title(content))


def _parts(content: bytes) -> Iterator[str]:
    no_picture = mammoth.images.img_element(lambda _: {})
    html = mammoth.convert_to_html(
        io.BytesIO(content),
        convert_image=no_picture,
        style_map="p[style-name='Title'] => h1:fresh",
    ).value
    yield MarkdownWriter.written(html)


def package_title(content: bytes) -> str | None:
    """The title in the properties of a file of Office, whose XML was checked before."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        if "docProps/core.xml" not in package.namelist():
            return None
        root = ElementTree.fromstring(package.read("docProps/core.xml"))  # noqa: S314 -- checked
    return root.findtext(_TITLE)
