"""The filter `date`: a time in any usual form -> a text in a given one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from dateutil import parser  # type: ignore[import-untyped]  # it has no types

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.filters.text import string
from ingle.errors import TemplateError

__all__ = ["date"]

_MAX_CHARS = 200
_DIRECTIVE = re.compile(r"%(?:[-_^#]?[A-Za-z]|%)")


def date(frame: Frame, value: Any, form: Any) -> str:
    """A time, written in a form such as `%d.%m.%Y %H:%M` (as C's strftime takes it).

    The time is `now` or `today`, seconds since 1970, or a text such as `2024-03-01T12:30:00Z` or
    `March 1, 2024`. What is now, and seconds, are in the machine's time zone.

    Raises:
        TemplateError: it is no time, or the form has a directive that is none.
    """
    wanted = string(frame, form)
    frame.spend(60)
    if len(wanted) > _MAX_CHARS or "%" in _DIRECTIVE.sub("", wanted):
        raise TemplateError(f"{wanted[:40]!r} is not a form of a date; `%Y-%m-%d %H:%M` is one.")
    try:
        return _time(frame, value).strftime(wanted)
    # dateutil raises several of these on texts that are no times
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        shown = string(frame, value)[:40]
        raise TemplateError(f"{shown!r} is not a time that `date` can write: {error}.") from error


def _time(frame: Frame, value: Any) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC).astimezone()
    written = string(frame, value).strip()
    if written in ("now", "today"):
        return datetime.now(UTC).astimezone()
    if written.isdecimal():
        return datetime.fromtimestamp(int(written[:20]), UTC).astimezone()
    if not written or len(written) > 64:
        raise ValueError("it has no characters, or more than 64")
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        parsed: datetime = parser.parse(written, ignoretz=True)
        return parsed
