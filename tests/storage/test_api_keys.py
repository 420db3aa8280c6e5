"""API keys: made once, checked fast, revoked at once."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ingle.errors import InvalidRequest, NotFound
from ingle.settings import Settings
from ingle.storage import tables
from ingle.storage.api_keys import STALE_S, ApiKeys
from ingle.storage.database import Database


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def keys(database: Database, clock: Clock) -> ApiKeys:
    """No keys yet."""
    return ApiKeys(database, monotonic=clock)


def test_create(keys: ApiKeys, settings: Settings) -> None:
    """A new key is 256 random bits, valid at once, and stored only as its hash."""
    key, text = keys.create("  laptop ")
    assert re.fullmatch(r"ik-[A-Za-z0-9_-]{43}", text)
    assert (key.name, key.prefix) == ("laptop", text[:11])
    assert datetime.now(UTC) - key.created_at < timedelta(seconds=5)
    assert keys.verify(text) == key
    content = b"".join(file.read_bytes() for file in settings.home.iterdir())
    assert key.prefix.encode() in content
    assert text[11:].encode() not in content
    assert text[11:] not in repr(key)


def test_others_are_unknown(keys: ApiKeys) -> None:
    """Nothing but the exact text is a key."""
    _, text = keys.create("laptop")
    last = "A" if text[-1] != "A" else "B"
    for wrong in ("", "ik-", text[:-1], text + "A", text[:-1] + last, text.lower(), "é" * 46):
        assert keys.verify(wrong) is None


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\x1b[31mred"])
def test_wrong_name(keys: ApiKeys, name: str) -> None:
    """A name is short and visible, so that a list of keys can be trusted."""
    with pytest.raises(InvalidRequest) as raised:
        keys.create(name)
    assert raised.value.param == "name"


def test_revoke(keys: ApiKeys) -> None:
    """A revoked key stops working at once, stays in the list, and can be revoked again."""
    key, text = keys.create("laptop")
    assert keys.verify(text) is not None
    revoked = keys.revoke(key.id)
    assert revoked.revoked_at is not None
    assert keys.verify(text) is None
    assert [key.revoked_at for key in keys.list()] == [revoked.revoked_at]
    assert keys.revoke(key.id).revoked_at == revoked.revoked_at


def test_revoke_unknown(keys: ApiKeys) -> None:
    """An id that is not there is an error with the next step."""
    with pytest.raises(NotFound, match=r"no API key 'x'.*ingle keys list"):
        keys.revoke("x")


def test_any(keys: ApiKeys) -> None:
    """There is a key from the first one until the last is revoked."""
    assert not keys.any()
    key, _ = keys.create("laptop")
    assert keys.any()
    keys.revoke(key.id)
    assert not keys.any()


def test_other_process(keys: ApiKeys, clock: Clock, settings: Settings) -> None:
    """What another process makes or revokes holds here after `STALE_S`, and not before."""
    assert keys.verify("nothing") is None
    with closing(Database.open(settings)) as database:
        elsewhere = ApiKeys(database)
        key, text = elsewhere.create("laptop")
        assert keys.verify(text) is None
        clock.now_s += STALE_S
        assert keys.verify(text) is not None
        elsewhere.revoke(key.id)
        assert keys.verify(text) is not None
        clock.now_s += STALE_S
        assert keys.verify(text) is None


def test_no_database_on_the_hot_path(keys: ApiKeys, clock: Clock, database: Database) -> None:
    """While the keys in memory are fresh, checking one touches no database at all."""
    _, text = keys.create("laptop")
    assert keys.is_stale
    keys.refresh()
    assert not keys.is_stale
    statements: list[str] = []
    with database.reading() as transaction:
        engine = transaction.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    for _ in range(100):
        assert keys.verify(text) is not None
    assert statements == []
    clock.now_s += STALE_S
    assert keys.is_stale
    keys.verify(text)
    assert statements != []


def test_last_use(keys: ApiKeys, clock: Clock) -> None:
    """The last use is written when keys are read anew, at most once a minute."""
    _, text = keys.create("laptop")

    def use_after(seconds: float) -> datetime | None:
        clock.now_s += seconds
        keys.verify(text)
        clock.now_s += STALE_S
        keys.refresh()
        return keys.list()[0].last_used_at

    first = use_after(0)
    assert first is not None
    assert datetime.now(UTC) - first < timedelta(seconds=5)
    assert use_after(10) == first
    second = use_after(60)
    assert second is not None
    assert second > first


def test_last_use_at_the_end(keys: ApiKeys) -> None:
    """Whoever closes down can have all uses written now."""
    _, text = keys.create("laptop")
    keys.verify(text)
    keys.record_uses()
    assert keys.list()[0].last_used_at is not None


def test_last_use_that_cannot_be_written(
    settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that cannot write does not keep a caller out; the log tells of it."""
    with closing(Database.open(settings, busy_s=0.01)) as database:
        keys = ApiKeys(database, monotonic=clock)
        _, text = keys.create("laptop")
        keys.verify(text)
        clock.now_s += STALE_S
        with closing(Database.open(settings)) as other, other.writing() as transaction:
            transaction.execute(sa.delete(tables.connections))
            assert keys.verify(text) is not None
    assert "The last use of 1 API keys was not recorded" in caplog.text
    assert text not in caplog.text


def test_many_threads(keys: ApiKeys, clock: Clock) -> None:
    """No thread sees a revoked key as valid once `revoke` has returned, whatever others read."""
    made = [keys.create(f"key {i}") for i in range(4)]
    is_over = threading.Event()
    failures: list[str] = []

    def use() -> None:
        while not is_over.is_set():
            clock.now_s += STALE_S
            for key, text in made:
                was_revoked = key.id in revoked
                if keys.verify(text) is not None and was_revoked:
                    failures.append(key.id)

    revoked: set[str] = set()
    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for key, _ in made:
        keys.revoke(key.id)
        revoked.add(key.id)
    is_over.set()
    for thread in threads:
        thread.join()
    assert failures == []
