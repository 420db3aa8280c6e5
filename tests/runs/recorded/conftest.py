"""Runs on a real database: SQLite in every run, and PostgreSQL too where slow tests run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingle.settings import Settings
from ingle.storage.database import Database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, home: Path) -> Settings:
    """Defaults, with a database of each kind that is not there yet."""
    if request.param == "sqlite":
        return Settings(home=home)
    return Settings(home=home, database_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A new database, closed after the test."""
    with closing(Database.open(settings)) as database:
        yield database
