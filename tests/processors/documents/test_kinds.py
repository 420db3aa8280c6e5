"""What kind of file it is, and what is refused before it is looked into."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import pytest

from ingle.errors import InvalidRequest, UnsupportedInput
from ingle.processors.documents.found import Found
from ingle.processors.documents.kinds import open_document

Package = Callable[[Mapping[str, str]], bytes]


def opened(content: bytes, mime: str = "application/octet-stream", name: str = "") -> Found:
    """What is in the file."""
    return open_document(content, mime=mime, name=name or None, max_pages=10)


def text_of(found: Found) -> str:
    """All of its text."""
    return "".join(found.parts).strip()


@pytest.mark.parametrize(
    ("content", "mime", "name", "text", "kind"),
    [
        (b"plain \xc3\xa4", "text/plain", "", "plain ä", "text/plain"),
        (b"plain \xe4", "text/plain", "", "plain ä", "text/plain"),
        ("é".encode("utf-16"), "application/octet-stream", "", "é", "text/plain"),
        (b"\xef\xbb\xbf# Hi", "", "a.md", "# Hi", "text/markdown"),
        ("д".encode("koi8-r"), "text/plain;charset=koi8-r", "", "д", "text/plain"),
        (b"x", "text/plain;charset=nonsense", "", "x", "text/plain"),
        (b'{"a": 1}', "application/json", "", '{"a": 1}', "application/json"),
        (
            b"a;b\n1;2,5\n",
            "application/vnd.ms-excel",
            "a.csv",
            "| a | b |\n| --- | --- |\n| 1 | 2,5 |",
            "text/csv",
        ),
    ],
)
def test_plain(content: bytes, mime: str, name: str, text: str, kind: str) -> None:
    """Text in any usual encoding; CSV with the delimiter that it has."""
    found = opened(content, mime, name)
    assert (text_of(found), found.mime) == (text, kind)


def test_html() -> None:
    """A page as Markdown with its title; scripts are no text."""
    page = (
        b"<!doctype html><title>A page</title><body><h2>Fruit</h2><script>evil()</script>"
        b"<ul><li>pear<li>apple <b>red</b></ul><p>See <a href='https://example.com/a'>here</a>"
        b" or <a href='javascript:evil()'>there</a>.<pre>a\n  b</pre>"
    )
    found = opened(page)
    assert text_of(found) == (
        "## Fruit\n\n- pear\n- apple red\n\nSee [here](https://example.com/a) or there.\n\n"
        "```\na\n  b\n```"
    )
    assert found.title() == "A page"


# -- what is refused -------------------------------------------------------------------------------


def test_archive_that_unfolds_is_refused(package: Package) -> None:
    """A few kilobytes that are said to be gigabytes are never unfolded."""
    bomb = bytearray(package({"word/document.xml": "<a/>", "word/b.bin": "x"}))
    listed = bomb.rindex(b"PK\x01\x02")  # the list's last entry; its size stands 24 bytes on
    bomb[listed + 24 : listed + 28] = struct.pack("<I", 600 * 1024 * 1024)
    with pytest.raises(InvalidRequest, match="it unfolds to 2 files of 629,145,604 bytes"):
        opened(bytes(bomb))


def test_archive_of_many_files_is_refused(package: Package) -> None:
    """Neither are a hundred thousand files listed one by one."""
    with pytest.raises(InvalidRequest, match="it unfolds to 20,001 files"):
        opened(package({f"word/{number}": "" for number in range(20_001)}))


def test_entities_are_refused(docx: Callable[..., bytes]) -> None:
    """XML that defines entities, to blow up or to read this machine's files, is not read."""
    declaration = '<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(InvalidRequest, match="declares a document type"):
        opened(docx("<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", declaration))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(range(256)) * 4, "it is no text, nor any kind of file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "Office before 2007"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "it is encrypted",
        ),
    ],
)
def test_what_holds_no_text_is_an_error(content: bytes, message: str) -> None:
    """Each other kind of file is said for what it is."""
    with pytest.raises(InvalidRequest, match=message):
        opened(content)


def test_other_archive_is_an_error(package: Package) -> None:
    """An archive is not a document."""
    with pytest.raises(UnsupportedInput, match="it is an archive"):
        opened(package({"../../etc/passwd": "root"}))
