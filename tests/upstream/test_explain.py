"""What a body that was not the answer says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.upstream.explain import Complaint, complaint, describe, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("  two\r\n lines\t ", "two lines"),
        ("\x1b[31mred\x07\x00", "[31mred"),
        ("hidden\u202etext\u200b", "hidden text"),
        ("Zoë 日本", "Zoë 日本"),
        ("0123456789x", "012345678…"),
        ("x" * 10**6, "xxxxxxxxx…"),
    ],
)
def test_text_is_made_fit_for_a_message(text: str, shown: str) -> None:
    """One line, without what a terminal would act on, and short."""
    assert printable(text, 10 if len(text) > 30 or text.startswith("0") else 40) == shown


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", None),
        (b" \n", None),
        (b"busy", Complaint("busy")),
        (b'{"error":{"message":"m","param":"p","code":400}}', Complaint("m", "p", 400)),
        (b'{"error":{"message":"m","param":null,"code":"rate"}}', Complaint("m")),
        (b'{"error":{"message":{"text":"m"}}}', Complaint('{"text":"m"}')),
        (b'{"error":"m"}', Complaint("m")),
        (b'{"message":"m"}', Complaint("m")),
        (b'{"detail":[{"loc":["body","x"],"msg":"m"}]}', Complaint("m")),
        (b'{"errors":["m","n"]}', Complaint("m")),
        (b'{"error":{}}', Complaint('{"error":{}}')),
        (b"[]", Complaint("[]")),
        (b"null", Complaint("null")),
        (b"<title>502 &amp; out</title>", Complaint("502 & out")),
        (b"<html><h1 class='x'>Not Found</h1>", Complaint("Not Found")),
    ],
)
def test_an_error_is_found_in_any_shape(body: bytes, said: Complaint | None) -> None:
    """OpenAI's, Ollama's, FastAPI's and vLLM's shapes, pages, plain text."""
    assert complaint(body) == said


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "an empty body"),
        (b"\xef\xbb\xbf \n", "an empty body"),
        (b"  <!DOCTYPE html>", "an HTML page"),
        (b"<title>Hello\nyou</title>", "an HTML page ('Hello you')"),
        (b'{"a": 1}', "plain JSON"),
        (b"[1]", "plain JSON"),
        (b"OK", "text that begins with 'OK'"),
        (b"\xff\xfe", "text that begins with '\ufffd\ufffd'"),
    ],
)
def test_what_came_is_described(body: bytes, kind: str) -> None:
    """A phrase that tells a person what answered."""
    assert describe(body) == kind


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_survived(body: bytes) -> None:
    """Explaining never fails."""
    describe(body)
    said = complaint(body)
    assert said is None or printable(said.message, 100).isprintable()


def test_deep_nesting_is_survived() -> None:
    """Neither JSON nested for ever nor errors nested in errors exhaust the stack."""
    complaint(b"[" * 100_000)
    complaint(b'{"error":' * 900 + b"1" + b"}" * 900)
    assert describe(b"[" * 100_000) == "plain JSON"
