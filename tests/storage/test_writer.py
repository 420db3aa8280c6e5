"""The thread that writes for all: groups, and faults that hit only who made them."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest
import sqlalchemy as sa

from ingle.errors import StorageError
from ingle.storage.database import Database, Recording
from ingle.storage.run_tables import definitions
from ingle.storage.writer import Rows, Writer

ADD = sa.insert(definitions)


class Guard:
    """Counts transactions, and refuses them when it is told to."""

    def __init__(self) -> None:
        self.count = 0
        self.refuses = False

    def __call__(self, recording: Recording) -> None:
        self.count += 1
        if self.refuses:
            raise StorageError("no")


def row(sha256: str) -> Rows:
    shown = {"text": "t", "name": "n", "type": "form", "description": ""}
    return [(ADD, {"sha256": sha256, **shown})]


def rows(database: Database) -> set[str]:
    with database.reading() as transaction:
        return set(transaction.scalars(sa.select(definitions.c.sha256)))


@pytest.fixture
def guard() -> Guard:
    """It refuses nothing yet."""
    return Guard()


async def test_those_who_wait_share_a_transaction(database: Database, guard: Guard) -> None:
    """A hundred writes that come while one is made are written in one transaction."""
    writer = Writer(database, [ADD], guard)
    go = threading.Event()

    def waits() -> Rows:
        go.wait()
        return row("first")

    first = asyncio.create_task(writer.write(waits))
    others = [asyncio.create_task(writer.write(partial(row, str(i)))) for i in range(100)]
    await asyncio.sleep(0)  # all have been handed over
    go.set()
    await asyncio.gather(first, *others)
    assert guard.count <= 2
    assert len(rows(database)) == 101
    await writer.close()


async def test_a_wrong_write_harms_no_other(database: Database, guard: Guard) -> None:
    """Of a group, those that can be written are; who made the fault is told of it."""
    writer = Writer(database, [ADD], guard)
    await writer.write(lambda: row("there"))

    def raises() -> Rows:
        raise ZeroDivisionError

    makes = [lambda: row("a"), lambda: row("there"), raises, lambda: row("b")]
    results = await asyncio.gather(*(writer.write(make) for make in makes), return_exceptions=True)
    assert [type(result) for result in results] == [
        type(None),
        StorageError,
        ZeroDivisionError,
        type(None),
    ]
    assert rows(database) == {"there", "a", "b"}
    await writer.close()


async def test_what_the_guard_refuses_is_not_written(database: Database, guard: Guard) -> None:
    """Nothing of the transaction stays, and the thread goes on."""
    writer = Writer(database, [ADD], guard)
    guard.refuses = True
    with pytest.raises(StorageError, match="no"):
        await writer.write(lambda: row("a"))
    guard.refuses = False
    await writer.write(lambda: row("b"))
    assert rows(database) == {"b"}
    await writer.close()


async def test_closing_writes_what_waits(database: Database, guard: Guard) -> None:
    """A write that was handed over is made, though nobody waits for it any more."""
    writer = Writer(database, [ADD], guard)
    task = asyncio.create_task(writer.write(lambda: row("a")))
    await asyncio.sleep(0)
    task.cancel()
    await writer.close()
    assert rows(database) == {"a"}
