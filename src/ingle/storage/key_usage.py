"""What was asked with each key, day by day: counted in memory, written in batches.

A day is one of UTC. What was counted since the last write is lost if the process is killed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingle.errors import StorageError
from ingle.storage.database import Database
from ingle.storage.tables import api_key_usage

__all__ = ["KeyUsage", "Usage"]

_COUNTS = ("requests", "prompt_tokens", "completion_tokens", "images")

_MOST = 10**8
"""No answer takes as much; a server that says so must not put a key in debt for ever."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much was asked for and made."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    images: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, name) + getattr(other, name) for name in _COUNTS))

    @property
    def tokens(self) -> int:
        """Those of prompts and of completions."""
        return self.prompt_tokens + self.completion_tokens


class KeyUsage:
    """The usage of one database's keys. Any thread may use it; all but `add` block."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._now = now
        self.listener: Callable[[str, Usage], None] = lambda key_id, usage: None
        """Called with what each answer took; set by who limits it."""
        self._adding = threading.Lock()  # guards what is below, and is never held for long
        self._pending: dict[tuple[str, date], Usage] = {}

    def add(self, key_id: str, usage: Usage) -> None:
        """Count this for a key, today. Nothing is written."""
        self._put([((key_id, self._now().date()), usage)])

    def used(self, key_id: str, prompt_tokens: int, completion_tokens: int, images: int) -> None:
        """Count what an answer took, and tell the listener."""
        told = (prompt_tokens, completion_tokens, images)
        usage = Usage(0, *(min(number, _MOST) for number in told))
        if usage != Usage():
            self.add(key_id, usage)
            self.listener(key_id, usage)

    def write(self) -> None:
        """Write what was counted since the last time, in one transaction.

        A database that fails is logged and no error; then it is tried again the next time.
        """
        with self._adding:
            pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            with self._database.writing() as transaction:
                for (key_id, day), usage in pending.items():
                    _add(transaction, key_id, day, usage)
        except StorageError as error:
            self._put(pending.items())
            _log.warning("The usage of %d API keys was not written. %s", len(pending), error)

    def totals(self) -> Mapping[str, Usage]:
        """The usage of each key that was ever used, by its id.

        Raises:
            StorageError: the database failed.
        """
        self.write()
        table = api_key_usage.c
        sums = [sa.func.sum(table[name]).label(name) for name in _COUNTS]
        with self._database.reading() as transaction:
            rows = transaction.execute(
                sa.select(table.api_key_id, *sums).group_by(table.api_key_id)
            ).all()
        return {row[0]: Usage(*map(int, row[1:])) for row in rows}

    def days(self, key_id: str) -> Mapping[date, Usage]:
        """The usage of one key on each day that it was used, the first first.

        Raises:
            StorageError: the database failed.
        """
        self.write()
        table = api_key_usage.c
        chosen = sa.select(table.day, *(table[name] for name in _COUNTS))
        with self._database.reading() as transaction:
            rows = transaction.execute(
                chosen.where(table.api_key_id == key_id).order_by(table.day)
            ).all()
        return {row[0]: Usage(*row[1:]) for row in rows}

    def _put(self, usages: Iterable[tuple[tuple[str, date], Usage]]) -> None:
        with self._adding:
            for key, usage in usages:
                self._pending[key] = self._pending.get(key, Usage()) + usage


def _add(transaction: sa.Connection, key_id: str, day: date, usage: Usage) -> None:
    """Add to the row of this day, or make it; also while another process does the same."""
    insert = postgresql.insert if transaction.dialect.name == "postgresql" else sqlite.insert
    counts = {name: getattr(usage, name) for name in _COUNTS}
    statement = insert(api_key_usage).values(api_key_id=key_id, day=day, **counts)
    transaction.execute(
        statement.on_conflict_do_update(
            index_elements=["api_key_id", "day"],
            set_={name: api_key_usage.c[name] + number for name, number in counts.items()},
        )
    )
