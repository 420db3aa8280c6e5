"""When something happens: once, every so often, or as a crontab says, in a time zone.

Moments are Unix seconds. It knows nothing about apps, and reads no clock.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError

from ingle.errors import InvalidRequest

__all__ = ["Timing", "local_zone", "next_after", "occasions", "timing"]

_MOST_COUNTED = 10_000
"""So many occasions are counted one by one; if there are more, they are not looked at."""

_EVERY = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST_S = 366 * 86_400


class Timing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Exactly one of `at`, `every` (seconds) and `cron` is set; its JSON is what is stored.

    `zone` is the time zone in which `cron` is meant. `missed` says what becomes of occasions that
    went by while nothing ran: they are made up for `once`, all together, or skipped.
    """

    at: float | None = None
    every: float | None = None
    cron: str | None = None
    zone: str | None = None
    missed: Literal["once", "skip"] = "once"


def timing(
    *,
    at: str | None = None,
    every: str | None = None,
    cron: str | None = None,
    zone: str | None = None,
    missed: str = "once",
) -> Timing:
    """A timing from what people write: `2027-01-31 07:00`, `15m`, or `0 7 * * 1-5`.

    `zone` is such as `Europe/Berlin`; else the one of this machine.

    Raises:
        InvalidRequest: not exactly one is given, or it cannot be read.
    """
    if sum(given is not None for given in (at, every, cron)) != 1:
        raise InvalidRequest("A schedule has exactly one of `at`, `every` and `cron`.")
    if missed not in ("once", "skip"):
        raise InvalidRequest(f"`missed` is {missed!r}, but must be `once` or `skip`.")
    policy: Literal["once", "skip"] = "once" if missed == "once" else "skip"
    if every is not None:
        return Timing(every=_seconds(every), missed=policy)
    name = zone or local_zone()
    if at is not None:
        return Timing(at=_moment(at, _zone(name)), missed=policy)
    found = Timing(cron=" ".join((cron or "").split()), zone=name, missed=policy)
    _zone(name)
    try:
        CronSim(found.cron or "", datetime(2000, 1, 1, tzinfo=_zone(name)))
    except CronSimError as error:
        raise InvalidRequest(
            f"The crontab line {cron!r} cannot be read: {error}. Write minute, hour, day of the "
            "month, month and day of the week, as in `0 7 * * 1-5`."
        ) from error
    if next_after(found, 0, 0) is None:
        raise InvalidRequest(f"The crontab line {cron!r} names no day that there ever is.")
    return found


def next_after(timing: Timing, moment: float, began: float) -> float | None:
    """The first occasion after a moment; None if there is none. `every` counts from `began`."""
    if timing.at is not None:
        return timing.at if timing.at > moment else None
    if timing.every is not None:
        passed = max(0, int((moment - began) // timing.every))
        return began + (passed + 1) * timing.every
    start = datetime.fromtimestamp(moment, _zone(timing.zone or "UTC"))
    found = next(CronSim(timing.cron or "", start), None)
    return None if found is None else found.timestamp()


def occasions(timing: Timing, first: float, until: float, began: float) -> int:
    """How many occasions there are from `first`, which is one, to `until`; 10,000 at most."""
    count, moment = 1, first
    while count < _MOST_COUNTED:
        following = next_after(timing, moment, began)
        if following is None or following > until:
            break
        count, moment = count + 1, following
    return count


def local_zone() -> str:
    """The time zone of this machine, by its name where that is known, else UTC."""
    from tzlocal import get_localzone_name

    try:
        name: str = get_localzone_name()
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return name


def _seconds(text: str) -> float:
    found = _EVERY.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2].lower()] if found else 0.0
    if not 1 <= seconds <= _LONGEST_S:
        raise InvalidRequest(
            f"`every` is {text!r}. Write a time from a second to a year, such as 30s, 15m, 2h, 1d "
            "or 1w."
        )
    return seconds


def _moment(text: str, zone: tzinfo) -> float:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidRequest(
            f"`at` is {text!r}. Write a date and a time, such as `2027-01-31 07:00`."
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest(
            f"There is no time zone {name!r}. Write one such as `Europe/Berlin` or `UTC`."
        ) from error
