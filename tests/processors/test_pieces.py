"""The fold of pieces."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.processors.pieces import MAX_INDEX, Path, Piece, fold


def test_text_is_appended_where_the_path_leads() -> None:
    """Texts with the same path join; choices stay apart."""
    pieces = [
        Piece(("choices", 0, "content"), "Hel"),
        Piece(("choices", 1, "content"), "Good "),
        Piece(("choices", 0, "content"), "lo"),
        Piece(("choices", 1, "content"), "day"),
    ]
    assert fold(pieces) == {"choices": [{"content": "Hello"}, {"content": "Good day"}]}


def test_value_replaces_what_is_there() -> None:
    """A value is put at its path, whatever stood there, and null is a value."""
    pieces = [Piece(("a",), "x"), Piece(("a",), value=[1]), Piece(("b",), value=None)]
    assert fold(pieces) == {"a": [1], "b": None}


def test_list_is_filled_up_to_the_index_named() -> None:
    """A later item may come first; those before it are null until they come."""
    assert fold([Piece(("data", 2), "c")]) == {"data": [None, None, "c"]}
    assert fold([Piece(("data", 1), "b"), Piece(("data", 0), "a")]) == {"data": ["a", "b"]}


def test_folding_changes_no_piece() -> None:
    """What a piece holds is the same after a fold, so that the same pieces fold the same again."""
    pieces = [Piece(("call",), value={"name": "f", "args": ""}), Piece(("call", "args"), "{}")]
    assert fold(pieces) == fold(pieces) == {"call": {"name": "f", "args": "{}"}}
    assert pieces[0].value == {"name": "f", "args": ""}


def test_no_pieces_make_an_empty_output() -> None:
    """Nothing folds to an empty object."""
    assert fold([]) == {}


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([Piece(("a",), value=1), Piece(("a",), "x")], r"No text can be appended at \('a',\): 1"),
        ([Piece(("a", 0), "x"), Piece(("a", "b"), "x")], r"\('a', 'b'\) does not fit .* at 'b'"),
        ([Piece(("a", "b"), "x"), Piece(("a", 0), "x")], r"\('a', 0\) does not fit .* at 0"),
        ([Piece(("a", "b"), "x"), Piece(("a", "b", "c"), "x")], r"does not fit .* at 'c'"),
        ([Piece(("a", -1), "x")], r"does not fit the output at -1"),
        ([Piece(("a", MAX_INDEX + 1), "x")], r"does not fit the output at 1024"),
        ([Piece((0,), "x")], r"does not fit the output at 0"),
    ],
)
def test_path_that_does_not_fit_is_refused(pieces: list[Piece], message: str) -> None:
    """Text on a number, a key in a list, an index far away: an error that names the path."""
    with pytest.raises(ValueError, match=message):
        fold(pieces)


def test_piece_as_json_holds_only_what_it_says() -> None:
    """A piece of text has no `value`, and a value has no `text`; both come back as they were."""
    text, value = Piece(("choices", 0, "content"), "hi"), Piece(("choices",), value=None)
    assert msgspec.json.encode(text) == b'{"path":["choices",0,"content"],"text":"hi"}'
    assert msgspec.json.encode(value) == b'{"path":["choices"],"value":null}'
    assert msgspec.json.decode(msgspec.json.encode(text), type=Piece) == text
    assert msgspec.json.decode(msgspec.json.encode(value), type=Piece) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_output_can_be_made_of_leaves(output: dict[str, object]) -> None:
    """An object taken apart into values at its leaves folds to itself."""
    assert fold(list(_leaves(output, ()))) == output


def _leaves(value: object, path: Path) -> list[Piece]:
    if isinstance(value, dict) and (value or not path):
        return [piece for key, item in value.items() for piece in _leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [piece for key, item in enumerate(value) for piece in _leaves(item, (*path, key))]
    return [Piece(path, value=value)]
