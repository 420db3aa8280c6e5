"""Reading config.yaml strictly, and editing it without losing what a person wrote."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ingle.errors import ConfigurationError, StorageError
from ingle.settings.config_file import MAX_BYTES, parse, read_text, with_value, without

FILE = Path("/h/config.yaml")

COMMENTED = """\
# My Ingle.

port: 4000  # the old one
allowed_hosts: # names
  - a.example  # first
  - b.example

# About models:
default_model: "demo"
connections:
  localai:
    base_url: http://box:8080
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port: [", "/h/config.yaml line 1 is not YAML: "),
        ("port: 1\n\tslots: 2", "/h/config.yaml line 2 is not YAML: "),
        ("port: 1\n port: 2", "/h/config.yaml line 2 is not YAML: "),
        ("port: \x07", "/h/config.yaml is not YAML: "),
        ("--- 1\n--- 2", "is not YAML: but found another document"),
        ("- port", "must hold `name: value` lines, but it holds one list"),
        ("port", "must hold `name: value` lines, but it holds one text"),
        ("port: 1\nslots: 2\nport: 3", "line 3 sets 'port' again; line 1 sets it already"),
        ("c:\n  a: 1\n  a: 2", "line 3 sets 'a' again; line 2 sets it already"),
        ("a: &x 1\nb: *x", "line 1 uses the anchor `&x`"),
        ("a: 1\nb: *x", "line 2 uses the alias `*x`"),
        ("a: !!python/object:os.system x", "uses the tag `tag:yaml.org,2002:python/object:"),
        ("a: !!binary x", "uses the tag `tag:yaml.org,2002:binary`"),
        ("a: [[1]]", "line 1: a list here holds plain words only"),
        ("? [a]\n: 1", "line 1: a key must be a plain word"),
        ("a: " + "[" * 5000, "uses such deep nesting"),
        ("a: " + "{a: " * 5000, "uses such deep nesting"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    """What is not plain `name: value` YAML is refused, with the line and the reason."""
    with pytest.raises(ConfigurationError) as raised:
        parse(text, FILE)
    assert message in raised.value.message


def test_a_broken_line_is_not_quoted() -> None:
    """Neither the error nor its cause repeats the line, as a key may stand in it."""
    with pytest.raises(ConfigurationError) as raised:
        parse("connections: {a: {api_key: 'sk-secret}", FILE)
    assert "sk-secret" not in "".join(traceback.format_exception_only(raised.value))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_yaml_bomb_is_refused_before_it_unfolds() -> None:
    """Aliases of aliases end at the first one."""
    bomb = "a: &a [x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)}]\n" for i in range(20)
    )
    with pytest.raises(ConfigurationError, match="line 1 uses the anchor"):
        parse(bomb, FILE)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "null", "~"])
def test_empty(text: str) -> None:
    """A file with nothing in it sets nothing."""
    assert parse(text, FILE) == {}


def test_read_bounds(tmp_path: Path) -> None:
    """A huge file, bytes that are no text and a folder are refused; no file is an empty one."""
    path = tmp_path / "config.yaml"
    assert read_text(path) == ""
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigurationError, match="longer than 65536 bytes"):
        read_text(path)
    path.write_bytes(b"port: \xff\xfe")
    with pytest.raises(ConfigurationError, match=r"not UTF-8 text .byte 6."):
        read_text(path)
    path.write_bytes(b"\xef\xbb\xbfport: 1")
    assert read_text(path) == "port: 1"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe in the file's place is an error and no endless wait."""
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(ConfigurationError, match="is not a file"):
        read_text(tmp_path / "config.yaml")


def test_a_path_through_a_file(tmp_path: Path) -> None:
    """A home that is a file is a StorageError with the next step."""
    (tmp_path / "home").touch()
    with pytest.raises(StorageError, match="set INGLE_HOME to another folder"):
        read_text(tmp_path / "home" / "config.yaml")


def test_set_keeps_comments() -> None:
    """Setting a value changes that value and no other character."""
    assert with_value(COMMENTED, "port", "5000", FILE) == COMMENTED.replace("4000", "5000")
    assert with_value(COMMENTED, "default_model", "qwen", FILE) == COMMENTED.replace(
        '"demo"', "qwen"
    )


def test_set_over_a_list() -> None:
    """A list over several lines becomes one value; the comments around it stay."""
    edited = with_value(COMMENTED, "allowed_hosts", "c.example", FILE)
    assert edited == COMMENTED.replace(
        "allowed_hosts: # names\n  - a.example  # first\n  - b.example\n",
        "allowed_hosts: c.example # names\n",
    )


def test_set_a_new_one() -> None:
    """A value that was not there is added as the last line, also if that has no end."""
    assert with_value("", "port", "5000", FILE) == "port: 5000\n"
    assert with_value("slots: 2", "port", "5000", FILE) == "slots: 2\nport: 5000\n"
    assert with_value("port:\nslots: 2\n", "port", "5000", FILE) == "port: 5000\nslots: 2\n"
    assert with_value("{port: 1}\n", "port", "2", FILE) == "{port: 2}\n"


def test_unset() -> None:
    """Taking a value out takes its lines; what is not there stays away."""
    assert without(COMMENTED, "slots", FILE) == COMMENTED
    assert without(COMMENTED, "port", FILE) == COMMENTED.replace("port: 4000  # the old one\n", "")
    assert without(COMMENTED, "allowed_hosts", FILE) == COMMENTED.replace(
        "allowed_hosts: # names\n  - a.example  # first\n  - b.example\n", ""
    )
    assert without("port: 1", "port", FILE) == ""


@pytest.mark.parametrize("text", ["{slots: 2}\n", "slots: 2\n...\n", "  slots: 2\n"])
def test_refuses_to_edit_what_it_could_spoil(text: str) -> None:
    """Where a line cannot be added safely, nothing is changed and a person is asked."""
    with pytest.raises(ConfigurationError, match="Edit it by hand; nothing was changed"):
        with_value(text, "port", "5000", FILE)


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=40
)


@settings(deadline=None, max_examples=50)
@given(before=st.dictionaries(st.sampled_from("abcde"), words), value=words)
def test_any_text_comes_back(before: dict[str, str], value: str) -> None:
    """Whatever is set reads back as the same text, and the others stay as they were."""
    text = yaml.safe_dump(before, allow_unicode=True) if before else ""
    edited = with_value(text, "c", value, FILE)
    read = {keys[0]: entry.value for keys, entry in parse(edited, FILE).items()}
    assert read == before | {"c": value}
    assert without(edited, "c", FILE) == without(text, "c", FILE)
