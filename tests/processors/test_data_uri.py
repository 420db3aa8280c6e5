"""Files as data URIs: RFC 2397's, LLMStack's with a name, and what people make of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.errors import InvalidRequest
from ingle.processors.data_uri import File, data_uri, read_data_uri
from ingle.processors.files import file_kind


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("data:image/png;base64,AAE=", File("image/png", b"\0\1")),
        ("DATA:Image/PNG;BASE64,AAE=", File("image/png", b"\0\1")),
        ("data:image/png;name=a b.png;base64,AAE=", File("image/png", b"\0\1", "a b.png")),
        ("data:text/csv;name=a, b.csv;base64,YQ==", File("text/csv", b"a", "a, b.csv")),
        ("data:text/csv;name=%C3%A4.csv;base64,YQ", File("text/csv", b"a", "ä.csv")),
        ("data:a/b;name=..%2F..%2Fpasswd;base64,YQ==", File("a/b", b"a", "passwd")),
        ("data:a/b;name=C:\\x\\y.txt;base64,YQ==", File("a/b", b"a", "y.txt")),
        ("data:,a%20b", File("text/plain", b"a b")),
        ("data:;base64,YQ==", File("text/plain", b"a")),
        ("data:nonsense;base64,YQ==", File("application/octet-stream", b"a")),
        ("data:text/plain;charset=UTF-16,a", File("text/plain; charset=utf-16", b"a")),
        ("data:a/b;base64,_-8=", File("a/b", b"\xff\xef")),
        ("data:a/b;base64,YW\nJj%0A", File("a/b", b"abc")),
    ],
)
def test_read(text: str, file: File) -> None:
    """Name, kind and content; a name is never a way to another folder."""
    assert read_data_uri(text, param="x") == file


@pytest.mark.parametrize(
    "text", ["", "hello", "data:", "data:image/png", "data:a/b;base64,a", "data:a/b;base64,§"]
)
def test_what_is_none_is_an_error(text: str) -> None:
    """The field is named."""
    with pytest.raises(InvalidRequest) as caught:
        read_data_uri(text, param="input.file")
    assert caught.value.param == "input.file"
    assert "`input.file`" in str(caught.value)


@given(st.binary(max_size=50), st.text("aä,;% .'&=", min_size=1, max_size=20))
def test_written_is_read_back(content: bytes, name: str) -> None:
    """Any content, and any name that a file may have."""
    name = name.strip() or "a"
    assert read_data_uri(data_uri(File("a/b", content, name)), param="x") == File(
        "a/b", content, name
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf3\x90\x00", "audio/mpeg"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\xff\xfeh\x00", None),  # text in UTF-16
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"OggS\0", "audio/ogg"),
        (b"fLaC\0", "audio/flac"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_kind_is_told_by_the_first_bytes(content: bytes, kind: str | None) -> None:
    """What is not known is none."""
    assert file_kind(content) == kind
