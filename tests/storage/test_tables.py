"""Moments, as they go through the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from ingle.errors import StorageError
from ingle.storage.database import Database
from ingle.storage.tables import resolved_urls


def insert(database: Database, base_url: str, found_at: datetime) -> None:
    with database.writing() as transaction:
        values = {"base_url": base_url, "resolved_url": "x", "found_at": found_at}
        transaction.execute(sa.insert(resolved_urls).values(values))


def test_moments_are_utc(database: Database) -> None:
    """A moment from any zone comes back as the same moment in UTC, and they sort rightly."""
    berlin = timezone(timedelta(hours=1))
    insert(database, "later", datetime(2026, 1, 1, 0, 30, 0, 123456, tzinfo=UTC))
    insert(database, "sooner", datetime(2026, 1, 1, 1, 0, tzinfo=berlin))
    with database.reading() as transaction:
        found = transaction.scalars(
            sa.select(resolved_urls.c.found_at).order_by(resolved_urls.c.found_at)
        ).all()
    assert found == [
        datetime(2026, 1, 1, 0, 0, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 30, 0, 123456, tzinfo=UTC),
    ]
    assert [moment.tzinfo for moment in found] == [UTC, UTC]


def test_moment_without_zone(database: Database) -> None:
    """A moment without a zone is refused: nobody could say which is meant."""
    with pytest.raises((StorageError, sa.exc.StatementError), match="has no time zone"):
        insert(database, "x", datetime(2026, 1, 1))  # noqa: DTZ001 -- what is tested
