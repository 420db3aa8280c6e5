"""When things happen: what people write, time zones, and what a crontab means."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ingle.errors import InvalidRequest
from ingle.runs.timing import Timing, local_zone, next_after, occasions, timing

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def following(found: Timing, begin: str, count: int = 3) -> list[str]:
    moments, moment = [], at(begin)
    for _ in range(count):
        after = next_after(found, moment, 0)
        assert after is not None
        moments.append(datetime.fromtimestamp(after, BERLIN).strftime("%m-%d %H:%M %z"))
        moment = after
    return moments


@pytest.mark.parametrize(
    ("line", "begin", "expected"),
    [
        ("0 9 * * 0", "2026-11-23 12:00", ["11-29 09:00 +0100", "12-06 09:00 +0100"]),
        ("0 9 13 * 5", "2026-11-23 12:00", ["11-27 09:00 +0100", "12-04 09:00 +0100"]),
        ("30 2 * * *", "2026-03-28 12:00", ["03-29 03:00 +0200", "03-30 02:30 +0200"]),
        ("30 2 * * *", "2026-10-24 12:00", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),
        (
            "*/30 * * * *",
            "2026-10-25 02:00",
            ["10-25 02:30 +0200", "10-25 02:00 +0100", "10-25 02:30 +0100", "10-25 03:00 +0100"],
        ),
        ("0 0 29 2 *", "2026-11-23 12:00", ["02-29 00:00 +0100"]),
    ],
    ids=["sunday-is-0", "day-or-weekday", "no-such-hour", "hour-twice", "both-hours", "leap-day"],
)
def test_a_crontab_means_what_cron_does(line: str, begin: str, expected: list[str]) -> None:
    """0 is Sunday, either day will do, and a clock that is put forward or back skips and repeats
    no job of a fixed time."""
    found = timing(cron=line, zone="Europe/Berlin")
    assert following(found, begin, len(expected)) == expected


def test_every_counts_from_when_it_began() -> None:
    """Occasions are whole multiples away from the beginning, whatever was late."""
    found = timing(every="15m")
    assert next_after(found, 1000, 1000) == 1900
    assert next_after(found, 1899.9, 1000) == 1900
    assert next_after(found, 1900, 1000) == 2800
    assert next_after(found, 0, 1000) == 1900


def test_once_is_once() -> None:
    """A moment may name its own zone; after it there is nothing."""
    found = timing(at="2027-01-31 07:00", zone="Europe/Berlin")
    assert found.at == at("2027-01-31 07:00")
    assert timing(at="2027-01-31T06:00:00Z", zone="Asia/Tokyo").at == found.at
    assert next_after(found, found.at - 1, 0) == found.at
    assert next_after(found, found.at, 0) is None


def test_occasions_are_counted() -> None:
    """From the first to the last that is not later, and up to a bound."""
    assert occasions(timing(every="10s"), 10, 39.9, 0) == 3
    assert occasions(timing(every="1s"), 1, 1e9, 0) == 10_000
    assert occasions(timing(at="2027-01-31 07:00"), 5, 10, 0) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "exactly one of `at`, `every` and `cron`"),
        ({"every": "1h", "cron": "* * * * *"}, "exactly one"),
        ({"every": "soon"}, "`every` is 'soon'. Write a time from a second to a year"),
        ({"every": "0s"}, "`every` is '0s'"),
        ({"every": "9999d"}, "`every` is '9999d'"),
        ({"at": "tomorrow"}, "`at` is 'tomorrow'. Write a date and a time"),
        ({"cron": "61 * * * *"}, "The crontab line '61 * * * *' cannot be read: Bad minute"),
        ({"cron": "* * * *"}, "cannot be read: "),
        ({"cron": "0 0 31 2 *"}, "0 0 31 2"),
        ({"cron": "* * * * *", "zone": "Mars/Base"}, "There is no time zone 'Mars/Base'"),
        ({"cron": "* * * * *", "zone": "../../etc/passwd"}, "There is no time zone"),
        ({"every": "1h", "missed": "often"}, "`missed` is 'often'"),
    ],
)
def test_what_cannot_be_read_is_told(given: dict[str, str], message: str) -> None:
    """It says what is wrong, and how it is written."""
    with pytest.raises(InvalidRequest) as caught:
        timing(**given)
    assert message in caught.value.message


def test_the_zone_of_this_machine_has_a_name() -> None:
    """A crontab without a zone is meant in it."""
    assert ZoneInfo(local_zone()).key == local_zone()
    assert timing(cron="0 7 * * *").zone == local_zone()
