"""Numbers in templates: what counts as one, and how large it may be."""

from __future__ import annotations

import re
from decimal import Decimal

from ingle.apps.liquid.bounds import MAX_NUMBER
from ingle.apps.liquid.values import kind
from ingle.errors import TemplateError

__all__ = ["Number", "decimal", "number", "plain", "whole"]

Number = int | float

_NUMBER = re.compile(r"\s*[-+]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][-+]?\d{1,3})?\s*", re.ASCII)


def number(value: object) -> Number:
    """A value as a number: a number, a text that is one, or 0 for null, as in Liquid.

    Raises:
        TemplateError: it is no number, or beyond what templates count to.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value) if value.strip().lstrip("+-").isdecimal() else float(value)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = f"the text {value[:40]!r}" if isinstance(value, str) else kind(value)
        raise TemplateError(f"A number is needed here, and this is {shown}.")
    if not abs(value) <= MAX_NUMBER:  # so that NaN is refused, too
        raise TemplateError("This number is larger than a template counts: more than 10^30.")
    return value


def whole(value: object, offset: int | None = None) -> int:
    """A value as a whole number; a fraction is cut off.

    Raises:
        TemplateError: it is no number, or beyond what templates count to.
    """
    try:
        return int(number(value))
    except TemplateError as error:
        error.offset = offset
        raise


def decimal(value: Number) -> Decimal:
    """A number in decimal, so that 0.1 + 0.2 is 0.3."""
    return Decimal(str(value))


def plain(value: Decimal) -> Number:
    """A result of decimal arithmetic as a number of JSON.

    Raises:
        TemplateError: it is beyond what templates count to.
    """
    return number(float(value))
