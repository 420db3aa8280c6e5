"""Reading YAML with places: what is there, and what is refused."""

from __future__ import annotations

import time

import pytest

from ingle.apps.document import read_document
from ingle.apps.problems import InvalidApp


def problems_of(text: str) -> list[str]:
    with pytest.raises(InvalidApp) as caught:
        read_document(text, "app.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_values_and_their_places() -> None:
    """Each value has the line and column of its key, or its own in a list."""
    document = read_document(
        "name: A\nsteps:\n  one:\n    list:\n      - x\n      - y\n", "app.yaml"
    )
    assert document.values == {"name": "A", "steps": {"one": {"list": ["x", "y"]}}}
    assert document.place(("steps", "one")) == (3, 3)
    assert document.place(("steps", "one", "list", 1)) == (6, 9)


def test_place_of_what_is_missing_is_that_of_what_should_hold_it() -> None:
    """A problem with a field that is not there is shown where it should be."""
    document = read_document("steps:\n  one: {}\n", "app.yaml")
    assert document.place(("steps", "one", "use")) == (2, 3)


def test_json_is_a_document_too() -> None:
    """What is JSON is read as it is."""
    assert read_document('{"name": "A", "n": 1.5, "t": true, "z": null}', "a").values == {
        "name": "A",
        "n": 1.5,
        "t": True,
        "z": None,
    }


def test_dates_stay_text() -> None:
    """JSON has no dates, so a date is the text that was written."""
    assert read_document("day: 2026-11-23", "a").values == {"day": "2026-11-23"}


def test_anchors_and_merges_are_followed() -> None:
    """`*name` repeats a value and `<<` adds what the object does not say itself."""
    text = "a: &a {x: 1, y: 2}\nb: *a\nc:\n  <<: *a\n  y: 3\n"
    assert read_document(text, "a").values == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"y": 3, "x": 1},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "app.yaml:2:1: `a` is here twice."),
        ("a: [1", "app.yaml:1:6: This is no valid YAML: while parsing a flow sequence, expected"),
        ("a: .nan", "app.yaml:1:4: .nan is no number of JSON."),
        ("a: !!python/object:os.system {}", "app.yaml:1:4: The tag 'tag:yaml.org,2002:python/obj"),
        ("a: !!binary aGk=", "app.yaml:1:4: The tag 'tag:yaml.org,2002:binary' is not known here."),
        ("? [a, b]\n: 1", "app.yaml:1:3: A key is a word, not a list or an object."),
        ("- a", "app.yaml:1:1: An app is an object"),
        ("", "app.yaml:1:1: An app is an object"),
        ("a: &a [*a]", "app.yaml:1:4: An anchor contains itself."),
        ("\x00", "app.yaml:1:1: This is no valid YAML"),
        ("[" * 5000, "app.yaml:1:1: This is no valid YAML: it is nested too deeply."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    """Each problem names file, line and column."""
    assert problems_of(text)[0].startswith(said)


def test_all_problems_are_said_at_once() -> None:
    """Reading goes on after what is wrong."""
    assert problems_of("a: 1\na: 2\nb: .inf\n") == [
        "app.yaml:2:1: `a` is here twice.",
        "app.yaml:3:4: .inf is no number of JSON.",
    ]


def test_a_bomb_of_anchors_is_refused_at_once() -> None:
    """A billion laughs in a few lines are not laughed."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    began = time.monotonic()
    assert "more than 50,000 values" in problems_of("\n".join(lines))[0]
    assert time.monotonic() - began < 2


def test_a_bomb_of_merges_is_refused_at_once() -> None:
    """Merges count as often as they are used."""
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    began = time.monotonic()
    assert "more than 50,000 values" in problems_of("\n".join(lines))[0]
    assert time.monotonic() - began < 2


def test_a_text_that_is_too_long_is_refused() -> None:
    """A definition has at most a mebibyte."""
    assert problems_of("a: " + "x" * 1024 * 1024) == [
        "app.yaml:1:1: It has more than 1,048,576 characters."
    ]


def test_a_question_mark_that_yaml_trips_over_is_explained() -> None:
    """In braces a text may not end with one without quotes, which nobody expects."""
    with pytest.raises(InvalidApp, match="put a text with a question mark in quotes"):
        read_document("{message: Why?}", "a")
