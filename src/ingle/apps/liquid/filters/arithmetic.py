"""Filters on numbers. Whole numbers stay whole; fractions are reckoned in decimal."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.numbers import Number, decimal, number, plain, whole
from ingle.errors import TemplateError

__all__ = [
    "abs_",
    "at_least",
    "at_most",
    "ceil",
    "divided_by",
    "floor",
    "minus",
    "modulo",
    "plus",
    "round_",
    "times",
]

_EXACT = Context(prec=400, traps=[])  # holds every float, so that only the result is rounded


def abs_(_: Frame, value: object) -> Number:
    """The number without its sign."""
    return abs(number(value))


def at_least(_: Frame, value: object, other: object) -> Number:
    """The larger of two numbers."""
    return max(number(value), number(other))


def at_most(_: Frame, value: object, other: object) -> Number:
    """The smaller of two numbers."""
    return min(number(value), number(other))


def ceil(_: Frame, value: object) -> int:
    """The number rounded up."""
    return math.ceil(number(value))


def floor(_: Frame, value: object) -> int:
    """The number rounded down."""
    return math.floor(number(value))


def round_(_: Frame, value: object, digits: object = 0) -> Number:
    """The number rounded to so many digits after the point."""
    places = min(max(whole(digits), 0), 40)
    return round(number(value), places) if places else round(number(value))


def plus(frame: Frame, value: object, other: object) -> Number:
    """The sum."""
    return _reckoned(frame, value, other, lambda a, b: a + b, lambda a, b: a + b)


def minus(frame: Frame, value: object, other: object) -> Number:
    """The difference."""
    return _reckoned(frame, value, other, lambda a, b: a - b, lambda a, b: a - b)


def times(frame: Frame, value: object, other: object) -> Number:
    """The product."""
    return _reckoned(frame, value, other, lambda a, b: a * b, lambda a, b: a * b)


def divided_by(frame: Frame, value: object, other: object) -> Number:
    """The quotient; of two whole numbers a whole one, rounded down."""
    return _reckoned(frame, value, _divisor(other), lambda a, b: a // b, lambda a, b: a / b)


def modulo(frame: Frame, value: object, other: object) -> Number:
    """The remainder."""
    return _reckoned(frame, value, _divisor(other), lambda a, b: a % b, lambda a, b: a % b)


def _divisor(value: object) -> Number:
    divisor = number(value)
    if divisor == 0:
        raise TemplateError("Nothing can be divided by 0.")
    return divisor


def _reckoned(
    frame: Frame,
    value: object,
    other: object,
    of_whole: Callable[[int, int], int],
    of_decimal: Callable[[Decimal, Decimal], Decimal],
) -> Number:
    left, right = number(value), number(other)
    if isinstance(left, int) and isinstance(right, int):
        return number(of_whole(left, right))
    frame.spend(5)
    with localcontext(_EXACT):
        return plain(of_decimal(decimal(left), decimal(right)))
