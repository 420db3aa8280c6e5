"""The limits of an API key as they are written on the command line, and as they are shown there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ingle.cli.terminal import moment
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.storage.key_limits import KeyLimits

__all__ = ["expiry_of", "limits_in_words", "rate_of"]

_NONE = "none"
_AFTER = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def rate_of(text: str | None, option: str) -> int | None:
    """A number a minute; None for `none` and where nothing is given.

    Raises:
        InvalidRequest: it is no number.
    """
    if text is None or text == _NONE:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise InvalidRequest(
            f"{option} is {text!r}, but must be a whole number, or `none` for no limit."
        ) from error


def expiry_of(text: str | None, now: datetime | None = None) -> datetime | None:
    """The moment that is meant, in UTC; None for `none` and where nothing is given.

    `30d` is counted from `now`. A day ends as it begins here, at midnight of this machine's clock,
    and a moment without a time zone is one of this machine's clock, too.

    Raises:
        InvalidRequest: it is no moment.
    """
    if text is None or text == _NONE:
        return None
    if after := _AFTER.fullmatch(text):
        return (now or datetime.now(UTC)) + timedelta(**{_UNITS[after[2]]: int(after[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise InvalidRequest(
            f"--expires is {text!r}, which is no moment. Write 30d, 12h, 2027-01-31 or "
            "2027-01-31T12:00:00Z; `none` for never."
        ) from error


def limits_in_words(limits: KeyLimits) -> str:
    """The limits for people; `none` if there are none."""
    words = []
    if limits.allowed_models is not None:
        words.append(f"only {', '.join(limits.allowed_models)}")
    if limits.requests_per_minute is not None:
        words.append(f"{limits.requests_per_minute:,} requests/min")
    if limits.tokens_per_minute is not None:
        words.append(f"{limits.tokens_per_minute:,} tokens/min")
    if limits.expires_at is not None:
        words.append(f"until {moment(limits.expires_at)}")
    return "; ".join(words) or _NONE
