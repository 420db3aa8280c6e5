"""What a processor yields while it works: pieces of its output, and the fold that joins them.

A piece says where in the output it belongs and what to do there. Whoever holds the pieces, a run,
an HTTP response or a screen, gets the output by folding them; nothing else is needed to know how.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import msgspec

__all__ = ["MAX_INDEX", "Path", "Piece", "fold", "value_at"]

Path = tuple[str | int, ...]
"""Where in an output: keys of objects and indexes of lists, such as `("choices", 0, "content")`."""

MAX_INDEX = 1023
"""The highest list index a path may name, so that no piece can make a list of a billion items."""


class Piece(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One change of an output: `text` is appended at `path`, or `value` is put there.

    `value` is any JSON value; where it is set, `text` is empty. So printing `piece.text` shows
    just what was written. (JSON has no cycles, so the garbage collector need not track pieces.)
    """

    path: Path
    text: str = ""
    value: Any = msgspec.UNSET  # Any: a JSON value has no narrower type


def fold(pieces: Iterable[Piece]) -> dict[str, Any]:
    """The output, as JSON values, that these pieces make together.

    Objects and lists come into being as paths name them; a list is filled up with `None` to the
    index that is named, and text is appended to `None` as to nothing.

    Raises:
        ValueError: a path does not fit what the earlier pieces built.
    """
    output: dict[str, Any] = {}
    for piece in pieces:
        *parents, last = piece.path
        node: Any = output  # Any: an object or a list, as the next key tells
        for key, following in zip(parents, piece.path[1:], strict=True):
            node = _child(node, key, [] if isinstance(following, int) else {}, piece.path)
        if piece.value is msgspec.UNSET:
            written = _child(node, last, "", piece.path)
            if not isinstance(written, str):
                raise ValueError(f"No text can be appended at {piece.path}: {written!r} is there.")
            node[last] = written + piece.text
        else:
            _child(node, last, None, piece.path)
            # A copy: later pieces may change what is inside, and this piece must stay as it is.
            node[last] = deepcopy(piece.value)
    return output


def value_at(value: Any, path: Path) -> Any:  # Any: JSON
    """What stands at this path of an output's JSON; null where nothing does."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def _child(node: Any, key: str | int, default: Any, path: Path) -> Any:
    """What stands at `key` of an object or a list, after putting `default` where nothing does."""
    if isinstance(node, list) and isinstance(key, int) and 0 <= key <= MAX_INDEX:
        node.extend([None] * (key + 1 - len(node)))
        if node[key] is None:
            node[key] = default
        return node[key]
    if isinstance(node, dict) and isinstance(key, str):
        if node.get(key) is None:
            node[key] = default
        return node[key]
    raise ValueError(f"The path {path} does not fit the output at {key!r}.")
