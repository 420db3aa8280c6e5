"""What is true, equal, less, and contained, in the conditions of a template."""

from __future__ import annotations

from typing import Any

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.values import kind, text
from ingle.errors import TemplateError

__all__ = ["contains", "equal", "is_blank", "is_empty", "is_true", "less"]


def is_true(value: Any) -> bool:
    """Liquid's truth: everything but false and null."""
    return value is not None and value is not False


def is_empty(value: Any) -> bool:
    """Whether it is a text, a list or an object with nothing in it."""
    return isinstance(value, str | list | dict) and not value


def is_blank(value: Any) -> bool:
    """Whether it is null, empty, or a text of spaces."""
    return value is None or is_empty(value) or (isinstance(value, str) and value.isspace())


def equal(frame: Frame, left: Any, right: Any) -> bool:
    """Whether two values are the same JSON: 1 equals 1.0, and true does not equal 1.

    Pays for each item that it looks at.
    """
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        frame.spend(len(left))
        return all(equal(frame, one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        frame.spend(len(left))
        return all(equal(frame, value, right[key]) for key, value in left.items())
    if isinstance(left, str) and isinstance(right, str):
        frame.spend(min(len(left), len(right)) >> 10)
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return left is None and right is None


def less(left: Any, right: Any, *, or_equal: bool = False) -> bool:
    """Whether one number or text comes before another; nothing comes before or after null.

    Raises:
        TemplateError: the two cannot be put in order.
    """
    if left is None or right is None:
        return False
    are_texts = isinstance(left, str) and isinstance(right, str)
    are_numbers = _is_number(left) and _is_number(right)
    if not are_texts and not are_numbers:
        raise TemplateError(f"{kind(left).capitalize()} and {kind(right)} have no order.")
    return bool(left <= right if or_equal else left < right)


def contains(frame: Frame, left: Any, right: Any) -> bool:
    """Whether a text contains another, a list an item, or an object a key.

    Raises:
        TemplateError: the left value can contain nothing.
    """
    if left is None or right is None:
        return False
    if isinstance(left, str):
        frame.spend(len(left) >> 6)
        return text(right) in left
    if isinstance(left, list):
        frame.spend(len(left))
        return any(equal(frame, one, right) for one in left)
    if isinstance(left, dict):
        return isinstance(right, str) and right in left
    raise TemplateError(f"`contains` looks into a text, a list or an object, not {kind(left)}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
