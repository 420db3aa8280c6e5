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
