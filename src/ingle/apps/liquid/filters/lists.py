"""Filters on lists. As in Liquid, lists within a list are taken as one with it (but by `first`,
`last`, `size` and `slice`), and what is no list as a list of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.compare import equal, is_true
from ingle.apps.liquid.filters.text import string
from ingle.apps.liquid.numbers import Number, decimal, number, plain
from ingle.apps.liquid.values import json_text, kind
from ingle.errors import TemplateError

__all__ = [
    "compact",
    "concat",
    "find",
    "find_index",
    "first",
    "has",
    "join",
    "last",
    "map_",
    "reject",
    "reverse",
    "size",
    "sort",
    "sort_natural",
    "sum_",
    "uniq",
    "where",
]

_FLATTENED = 5


def size(_: Frame, value: Any) -> int:
    """How many items, fields or characters; 0 of what has none."""
    return len(value) if isinstance(value, str | list | dict) else 0


def first(_: Frame, value: Any) -> Any:
    """The first item, or null."""
    return value[0] if isinstance(value, list) and value else None


def last(_: Frame, value: Any) -> Any:
    """The last item, or null."""
    return value[-1] if isinstance(value, list) and value else None


def join(frame: Frame, value: Any, separator: Any = " ") -> str:
    """The items as one text, with a separator between them."""
    mark = string(frame, separator)
    parts: list[str] = []
    length = 0
    for item in _items(frame, value):
        parts.append(string(frame, item))
        length += len(parts[-1]) + len(mark)
        frame.check_length(length)
    return mark.join(parts)


def concat(frame: Frame, value: Any, other: Any) -> list[Any]:
    """The items of two lists."""
    if not isinstance(other, list):
        raise TemplateError(f"`concat` needs a list, and this is {kind(other)}.")
    left = _items(frame, value)
    frame.items(len(left) + len(other))
    return left + other


def reverse(frame: Frame, value: Any) -> list[Any]:
    """The items from last to first."""
    return _items(frame, value)[::-1]


def map_(frame: Frame, value: Any, key: Any) -> list[Any]:
    """What each item has under a key; null where it has nothing."""
    return [_field(item, key) for item in _items(frame, value)]


def where(frame: Frame, value: Any, key: Any, wanted: Any = None) -> list[Any]:
    """The items that have a certain value under a key; without one, a true one."""
    return [item for item in _items(frame, value) if _fits(frame, item, key, wanted)]


def reject(frame: Frame, value: Any, key: Any, wanted: Any = None) -> list[Any]:
    """The items that `where` leaves out."""
    return [item for item in _items(frame, value) if not _fits(frame, item, key, wanted)]


def find(frame: Frame, value: Any, key: Any, wanted: Any = None) -> Any:
    """The first item that `where` would give, or null."""
    items = _items(frame, value)
    return next((item for item in items if _fits(frame, item, key, wanted)), None)


def find_index(frame: Frame, value: Any, key: Any, wanted: Any = None) -> int | None:
    """The place, from 0, of the first item that `where` would give, or null."""
    items = _items(frame, value)
    return next((i for i, item in enumerate(items) if _fits(frame, item, key, wanted)), None)


def has(frame: Frame, value: Any, key: Any, wanted: Any = None) -> bool:
    """Whether `where` would give any item."""
    return find_index(frame, value, key, wanted) is not None


def compact(frame: Frame, value: Any, key: Any = None) -> list[Any]:
    """The items that are not null, or that have something under a key."""
    items = _items(frame, value)
    return [item for item in items if (item if key is None else _field(item, key)) is not None]


def uniq(frame: Frame, value: Any, key: Any = None) -> list[Any]:
    """Each item once, or one item for each value under a key."""
    seen: dict[str, Any] = {}
    for item in _items(frame, value):
        seen.setdefault(_identity(frame, item if key is None else _field(item, key)), item)
    return list(seen.values())


def sort(frame: Frame, value: Any, key: Any = None) -> list[Any]:
    """The items in order: numbers or texts, and null last. With a key, by what stands under it."""
    return _sorted(frame, value, key, lambda one: one)


def sort_natural(frame: Frame, value: Any, key: Any = None) -> list[Any]:
    """The items in the order of the alphabet, capitals as small letters, and null last."""
    return _sorted(frame, value, key, lambda one: string(frame, one).lower())


def sum_(frame: Frame, value: Any, key: Any = None) -> Number:
    """The sum of the items, or of what stands under a key."""
    items = _items(frame, value)
    numbers = [number(item if key is None else _field(item, key)) for item in items]
    if all(isinstance(one, int) for one in numbers):
        return number(sum(numbers))
    return plain(sum(map(decimal, numbers), decimal(0)))


def _items(frame: Frame, value: Any) -> list[Any]:
    """The items that a filter works on: a new list, paid for."""
    if value is None:
        return []
    flat = value if isinstance(value, list) else [value]
    frame.items(len(flat))
    for _ in range(_FLATTENED):
        if not any(isinstance(item, list) for item in flat):
            break
        frame.items(sum(len(item) if isinstance(item, list) else 1 for item in flat))
        flat = [one for item in flat for one in (item if isinstance(item, list) else [item])]
    return list(flat)


def _field(item: Any, key: Any) -> Any:
    if not isinstance(key, str):
        raise TemplateError(f"A field's name is a text, and this is {kind(key)}.")
    if not isinstance(item, dict):
        raise TemplateError(f"An item here is {kind(item)}, and has no field `{key[:64]}`.")
    return item.get(key)


def _fits(frame: Frame, item: Any, key: Any, wanted: Any) -> bool:
    found = _field(item, key)
    return is_true(found) if wanted is None else equal(frame, found, wanted)


def _identity(frame: Frame, value: Any) -> str:
    """A text that two values share if they are the same JSON."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list | dict):
        frame.check_length(frame.weigh(value))
    return json_text(value, is_sorted=True)


def _sorted(frame: Frame, value: Any, key: Any, order: Callable[[Any], Any]) -> list[Any]:
    items = _items(frame, value)
    frame.spend(len(items))
    keyed = [(item if key is None else _field(item, key), item) for item in items]
    there = [(order(by), i, item) for i, (by, item) in enumerate(keyed) if by is not None]
    for by, _, _ in there:
        if isinstance(by, bool) or not isinstance(by, str | int | float):
            raise TemplateError(f"`sort` orders numbers or texts, and one here is {kind(by)}.")
    try:
        there.sort(key=lambda one: one[0])
    except TypeError as error:
        raise TemplateError("`sort` orders numbers or texts, not both in one list.") from error
    return [item for _, _, item in there] + [item for by, item in keyed if by is None]
