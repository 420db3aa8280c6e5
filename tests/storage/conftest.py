"""Every storage test has settings with an empty home, and a real SQLite database in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingle.settings import Settings
from ingle.storage.database import Database


@pytest.fixture
def settings(home: Path) -> Settings:
    """Defaults, with a home that is not there yet."""
    return Settings(home=home)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A new database, closed after the test."""
    with closing(Database.open(settings)) as database:
        yield database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def each_database(request: pytest.FixtureRequest, home: Path) -> Iterator[Database]:
    """A new database of each kind, closed after the test; PostgreSQL where slow tests run."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with closing(Database.open(Settings(home=home, database_url=url))) as database:
        yield database
