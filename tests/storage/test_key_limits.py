"""The limits of API keys, and what was used with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ingle.errors import Conflict, InvalidRequest, NotFound
from ingle.settings import Settings
from ingle.storage.api_keys import ApiKeys
from ingle.storage.database import Database
from ingle.storage.key_limits import NO_LIMITS, KeyLimits
from ingle.storage.key_usage import KeyUsage, Usage

SOON = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    """No keys yet."""
    return ApiKeys(database)


class Day:
    """A moment that a test moves."""

    now = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def day() -> Day:
    """Shortly before midnight."""
    return Day()


@pytest.fixture
def usage(database: Database, day: Day) -> KeyUsage:
    """Nothing was used yet."""
    return KeyUsage(database, now=day)


def test_limits_are_kept_with_the_key(keys: ApiKeys) -> None:
    """All are optional; patterns are kept as names are listed."""
    plain, _ = keys.create("plain")
    assert plain.limits == NO_LIMITS
    assert not plain.limits.is_any
    limits = KeyLimits(("local/demo", "box/*", "demo"), 10, 1000, SOON)
    key, text = keys.create("limited", limits)
    assert key.limits == KeyLimits(("demo", "box/*"), 10, 1000, SOON)
    assert keys.get(key.id) == key
    assert keys.verify(text) == key


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"requests_per_minute": -1}, "requests_per_minute"),
        ({"tokens_per_minute": 0}, "tokens_per_minute"),
        ({"tokens_per_minute": 2**31}, "tokens_per_minute"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
        ({"expires_at": datetime(2100, 1, 1)}, "expires_at"),  # noqa: DTZ001 -- what is tested
        ({"allowed_models": ()}, "allowed_models"),
        ({"allowed_models": ("a", " ")}, "allowed_models"),
        ({"allowed_models": ("a\nb",)}, "allowed_models"),
    ],
)
def test_wrong_limits(keys: ApiKeys, limits: dict[str, Any], param: str) -> None:
    """Neither a new key nor an old one gets them."""
    key, _ = keys.create("plain")
    with pytest.raises(InvalidRequest) as caught:
        keys.create("limited", KeyLimits(**limits))
    assert caught.value.param == param
    with pytest.raises(InvalidRequest):
        keys.change(key.id, lambda before: replace(before, **limits))
    assert [key.limits for key in keys.list()] == [NO_LIMITS]


def test_limits_can_be_changed(keys: ApiKeys, database: Database) -> None:
    """From the next request on; what is not changed stays, an expiry that has passed too."""
    key, text = keys.create("laptop", KeyLimits(requests_per_minute=10, expires_at=SOON))
    assert keys.verify(text) == key
    past = datetime(2020, 1, 1, tzinfo=UTC)
    with database.writing() as transaction:
        transaction.execute(
            sa.text("UPDATE api_keys SET expires_at = '2020-01-01 00:00:00.000000'")
        )
    changed = keys.change(key.id, lambda limits: replace(limits, requests_per_minute=None))
    assert changed.limits == KeyLimits(expires_at=past)
    found = keys.verify(text)
    assert found is not None
    assert found.limits.is_over(datetime.now(UTC))


def test_change_of_what_is_not_there(keys: ApiKeys) -> None:
    """A key that was revoked, and one that never was."""
    key, _ = keys.create("laptop")
    keys.revoke(key.id)
    with pytest.raises(Conflict, match="was revoked and cannot be changed"):
        keys.change(key.id, lambda limits: limits)
    with pytest.raises(NotFound):
        keys.change("nope", lambda limits: limits)


def test_an_expired_key_is_none_to_start_with(keys: ApiKeys, database: Database) -> None:
    """A server on a network that has only such keys makes itself one."""
    keys.create("laptop", KeyLimits(expires_at=SOON))
    assert keys.any()
    with database.writing() as transaction:
        transaction.execute(
            sa.text("UPDATE api_keys SET expires_at = '2020-01-01 00:00:00.000000'")
        )
    assert not keys.any()


@pytest.mark.parametrize(
    ("pattern", "model", "is_allowed"),
    [
        ("demo", "demo", True),
        ("demo", "demo-image", False),
        ("box/*", "box/org/m", True),
        ("box/*", "boxes/m", False),
        ("*", "http://127.0.0.1:9/m", True),
        ("qwen?-*", "qwen3-4b", True),
        ("Demo", "demo", False),
    ],
)
def test_patterns(pattern: str, model: str, is_allowed: bool) -> None:
    """`*` stands for any characters and `?` for one."""
    assert KeyLimits((pattern,)).allows(model) is is_allowed


def test_use_is_counted_by_day(keys: ApiKeys, usage: KeyUsage, day: Day) -> None:
    """The days are those of UTC, and all of them together are the total."""
    key, _ = keys.create("laptop")
    usage.add(key.id, Usage(requests=1))
    usage.add(key.id, Usage(0, 5, 2, 0))
    day.now += timedelta(minutes=2)
    usage.add(key.id, Usage(1, 10, 20, 3))
    assert usage.days(key.id) == {
        date(2026, 11, 23): Usage(1, 5, 2, 0),
        date(2026, 11, 24): Usage(1, 10, 20, 3),
    }
    assert usage.totals() == {key.id: Usage(2, 15, 22, 3)}
    usage.add(key.id, Usage(requests=1))
    assert usage.totals()[key.id].requests == 3


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that reach the database."""
    found: list[str] = []
    with database.reading() as transaction:
        engine = transaction.engine

    def note(*call: Any) -> None:  # Any: SQLAlchemy's own arguments
        found.append(call[2])

    sa.event.listen(engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(engine, "before_cursor_execute", note)


def test_use_is_written_in_batches(keys: ApiKeys, usage: KeyUsage, statements: list[str]) -> None:
    """A thousand requests cost one statement, and none where nothing was used."""
    key, _ = keys.create("laptop")
    statements.clear()
    for _ in range(1000):
        usage.add(key.id, Usage(1, 2, 3))
    assert statements == []
    usage.write()
    assert len(statements) == 2  # with BEGIN
    usage.write()
    assert len(statements) == 2
    assert usage.totals() == {key.id: Usage(1000, 2000, 3000)}


def test_use_that_cannot_be_written_is_written_later(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that is busy loses nothing; the log tells of it."""
    with closing(Database.open(settings, busy_s=0.01)) as database:
        keys, usage = ApiKeys(database), KeyUsage(database)
        key, _ = keys.create("laptop")
        usage.add(key.id, Usage(requests=1))
        with closing(Database.open(settings)) as other, other.writing():
            usage.write()
        assert "The usage of 1 API keys was not written" in caplog.text
        usage.add(key.id, Usage(requests=1))
        assert usage.totals() == {key.id: Usage(requests=2)}


def test_two_processes_and_many_threads_lose_nothing(settings: Settings) -> None:
    """Each adds what it counted to what is there."""
    with (
        closing(Database.open(settings)) as one,
        closing(Database.open(settings)) as other,
    ):
        key, _ = ApiKeys(one).create("laptop")
        usages = [KeyUsage(one), KeyUsage(other)]

        def use(usage: KeyUsage) -> None:
            for _ in range(100):
                usage.add(key.id, Usage(1, 1, 1, 1))
                usage.write()

        threads = [threading.Thread(target=use, args=[usage]) for usage in usages * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert usages[0].totals() == {key.id: Usage(400, 400, 400, 400)}
