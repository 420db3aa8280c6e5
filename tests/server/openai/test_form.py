"""Forms with files in them: taken apart alike however their bytes are split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.errors import InvalidRequest
from ingle.server.openai.form import FormDecoder, Part

TYPE = 'multipart/form-data; boundary="b"'
FORM = (
    b"preamble\r\n--b\r\n"
    b'Content-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b"--b \r\n"
    b'content-disposition: form-data; name="file"; filename="a b.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n"
    b"line\r\n--not the boundary\r\n--b\x00--\r\n-\r\n--b--\r\nepilogue"
)


def taken(form: bytes, *cuts: int) -> list[tuple[Part, bytes]]:
    """The parts of a form that comes in pieces."""
    decoder, parts = FormDecoder(TYPE), list[tuple[Part, bytes]]()
    places = sorted({0, len(form), *cuts})
    for start, end in pairwise(places):
        for one in decoder.feed(form[start:end]):
            if isinstance(one, Part):
                parts.append((one, b""))
            else:
                parts[-1] = (parts[-1][0], parts[-1][1] + one)
    decoder.end()
    return parts


@given(st.binary(max_size=200).filter(lambda data: b"\r\n--b" not in b"\r\n" + data), st.data())
def test_any_bytes_at_any_split(data: bytes, draw: st.DataObject) -> None:
    """What was sent comes out, and no byte more."""
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
    form = head + data + b"\r\n--b--\r\n"
    cuts = draw.draw(st.lists(st.integers(0, len(form)), max_size=6))
    assert taken(form, *cuts) == [(Part("f", "x"), data)]


def test_a_byte_at_a_time() -> None:
    """Preamble and epilogue are nobody's."""
    form = FORM.replace(b"--b\x00--", b"--c\x00--")
    assert taken(form, *range(len(form))) == [
        (Part("purpose", None), b"batch"),
        (Part("file", "a b.txt"), b"line\r\n--not the boundary\r\n--c\x00--\r\n-"),
    ]


@pytest.mark.parametrize(
    "form",
    [
        FORM,  # a boundary with something behind it
        b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--",
        b"--b\r\n" + b"x" * 20_000,
        b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\ncut",
        b"",
    ],
)
def test_what_is_no_form(form: bytes) -> None:
    """It is refused, not guessed at."""
    with pytest.raises(InvalidRequest):
        taken(form)


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "multipart/mixed"])
def test_what_is_no_forms_type(kind: str) -> None:
    """A form names its boundary."""
    with pytest.raises(InvalidRequest, match="multipart/form-data"):
        FormDecoder(kind)


def test_a_name_in_another_alphabet() -> None:
    """Written as RFC 6266 has it, and as browsers do."""
    for disposition in (b"filename*=UTF-8''%C3%BC.txt", 'filename="ü.txt"'.encode()):
        form = (
            b'--b\r\nContent-Disposition: form-data; name="f"; '
            + disposition
            + b"\r\n\r\n\r\n--b--"
        )
        assert taken(form) == [(Part("f", "ü.txt"), b"")]
