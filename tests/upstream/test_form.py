"""A form as `multipart/form-data`, read back by Python's own parser."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser

import pytest

from ingle.upstream.form import Form, FormFile


def read(form: Form) -> list[tuple[str, str | None, str, bytes]]:
    """Each part: its name, its file's name, its type, its content."""
    body, kind = form.encoded()
    parsed = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts = [part for part in parsed.walk() if part.get_param("name", header="Content-Disposition")]
    return [
        (
            str(part.get_param("name", header="Content-Disposition")),
            part.get_filename(),
            part.get_content_type(),
            _content(part),
        )
        for part in parts
    ]


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def test_fields_and_files() -> None:
    """Text is as it is, the rest is JSON, a list is several fields; files are bytes of any kind."""
    form = Form(
        {"a": "ä\r\nb", "n": 2, "flag": True, "words": ["x", "y"]},
        [FormFile("file", "a.bin", "audio/wav", bytes(range(256)))],
    )
    assert read(form) == [
        ("a", None, "text/plain", "ä\r\nb".encode()),
        ("n", None, "text/plain", b"2"),
        ("flag", None, "text/plain", b"true"),
        ("words[]", None, "text/plain", b"x"),
        ("words[]", None, "text/plain", b"y"),
        ("file", "a.bin", "audio/wav", bytes(range(256))),
    ]


@pytest.mark.parametrize("name", ['a".png', "a\r\nX: y.png", "a\0b", "--boundary--"])
def test_names_end_nothing(name: str) -> None:
    """Neither a quote nor a line break in a name is one of the form."""
    form = Form({}, [FormFile("file", name, "image/png\r\nX: y", b"1")])
    ((field, _, _, content),) = read(form)
    assert (field, content) == ("file", b"1")


def test_content_cannot_end_its_part() -> None:
    """Two forms of the same content have other boundaries, so that no file can hold them."""
    form = Form({}, [FormFile("file", "a", "image/png", b"\r\n--ingle-\r\n")])
    assert form.encoded()[1] != form.encoded()[1]
    assert read(form)[0][3] == b"\r\n--ingle-\r\n"
