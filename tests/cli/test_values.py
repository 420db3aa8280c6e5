"""What `--input` and `--config` say, read by a processor's own schema."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingle.cli.values import read_stdin, read_values
from ingle.errors import InvalidRequest

SCHEMA = {
    "$defs": {"Message": {"type": "object", "properties": {"role": {"type": "string"}}}},
    "properties": {
        "prompt": {"type": "string"},
        "base_url": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "max_tokens": {"type": "integer"},
        "temperature": {"type": "number"},
        "stream": {"type": "boolean"},
        "size": {"enum": ["256x256", "512x512"], "type": "string"},
        "stop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "messages": {"type": "array", "items": {"$ref": "#/$defs/Message"}},
        "message": {"$ref": "#/$defs/Message"},
    },
}


def read(texts: Sequence[str], stdin: str = "") -> dict[str, Any]:
    return read_values(texts, SCHEMA, option="--input", read_stdin=lambda: stdin)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("prompt=Hello", "Hello"),
        ("prompt=a=b", "a=b"),
        ("prompt=", ""),
        ("prompt=42", "42"),
        ("prompt=null", "null"),
        ('prompt="quoted"', '"quoted"'),
        ("prompt=[1, 2]", "[1, 2]"),
        ("base_url=null", None),
        ("base_url=http://localhost", "http://localhost"),
        ("max_tokens=42", 42),
        ("max_tokens=many", "many"),
        ("temperature=0.75", 0.75),
        ("temperature=1", 1),
        ("stream=true", True),
        ("size=256x256", "256x256"),
        ("stop=5", "5"),
        ('stop=["a", "b"]', ["a", "b"]),
        ('messages=[{"role": "user"}]', [{"role": "user"}]),
        ('message={"role": "user"}', {"role": "user"}),
        ("unknown=1", 1),
        ("unknown=x", "x"),
    ],
)
def test_value_is_json_where_the_field_is_not_text(text: str, value: object) -> None:
    """A text field takes the text as it is; any other field takes what the JSON means."""
    name = text.partition("=")[0]
    assert read([text]) == {name: value}


def test_later_text_wins_over_an_earlier_one() -> None:
    """Names, JSON objects and repeated names mix, the last one winning."""
    texts = ["prompt=one", '{"prompt": "two", "max_tokens": 5}', "max_tokens=6"]
    assert read(texts) == {"prompt": "two", "max_tokens": 6}


def test_files_and_stdin_give_values_and_objects(tmp_path: Path) -> None:
    """`@file` and `-` stand for what they hold, as a value and as a whole object."""
    story = tmp_path / "story.txt"
    story.write_text("Once …\n", encoding="utf-8")
    whole = tmp_path / "whole.json"
    whole.write_text('{"max_tokens": 7}', encoding="utf-8")
    assert read([f"prompt=@{story}", f"@{whole}"]) == {"prompt": "Once …\n", "max_tokens": 7}
    assert read(["max_tokens=-"], stdin="8\n") == {"max_tokens": 8}
    assert read(["-"], stdin='{"prompt": "from stdin"}') == {"prompt": "from stdin"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hello", "`--input Hello` sets nothing. Write `--input name=value`"),
        ("=5", "`--input =5` sets nothing."),
        ('{"prompt": }', "The text for `--input` is not a JSON object: JSON is malformed"),
        ("[" * 5000, "sets nothing"),
        ("{" + '"a":[' * 100_000, "is not a JSON object"),
        ("prompt=@no/such/file", "The file no/such/file for `--input prompt` cannot be read: No "),
        ("@", "cannot be read: Is a directory"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, message: str) -> None:
    """A text that sets nothing, broken JSON and a missing file are errors that say so."""
    with pytest.raises(InvalidRequest) as raised:
        read([text])
    assert message in raised.value.message


def test_stdin_that_is_no_object_is_named() -> None:
    """An error in what was piped in says that it was stdin."""
    with pytest.raises(
        InvalidRequest, match=r"^stdin for `--input` is not a JSON object: Expected"
    ):
        read(["-"], stdin="[1]")


def test_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    """A binary file is refused with the place where it stops being UTF-8."""
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"ab\xff")
    with pytest.raises(InvalidRequest, match=r"is not UTF-8 text \(byte 2\)"):
        read([f"prompt=@{picture}"])


def test_stdin_that_is_not_text_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Binary data in the pipe is an error of the caller's, not of Ingle."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"ab\xff"), encoding="utf-8"))
    with pytest.raises(InvalidRequest, match=r"^What came on stdin is not UTF-8 text \(byte 2\)"):
        read_stdin()
