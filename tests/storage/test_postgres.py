"""The same tables on PostgreSQL: made, opened by many at once, and its faults told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ingle.errors import StorageError
from ingle.settings import Settings
from ingle.storage import openai_tables, run_tables
from ingle.storage.api_keys import ApiKeys
from ingle.storage.database import Database
from ingle.storage.routes import NamedRoutes

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(home: Path, postgres_url: str) -> Settings:
    """Defaults, with an empty PostgreSQL database, named as people do."""
    return Settings(home=home, database_url=postgres_url.replace("+psycopg", ""))


def test_tables_and_migrations_agree(database: Database) -> None:
    """The migrations make exactly the tables that the code describes."""
    with database.reading() as transaction:
        context = MigrationContext.configure(transaction, opts={"compare_type": True})
        for tables in (openai_tables, run_tables):  # both add theirs to the same
            assert compare_metadata(context, tables.metadata) == []


def test_many_open_a_new_one_at_once(settings: Settings) -> None:
    """One makes the tables, the others wait for it, and each can write."""

    def work(number: int) -> None:
        with closing(Database.open(settings)) as database:
            ApiKeys(database).create(f"key {number}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    with closing(Database.open(settings)) as database:
        assert len(ApiKeys(database).list()) == 4


def test_other_parts_work_there(settings: Settings, database: Database) -> None:
    """Keys and routes are kept as on SQLite, JSON and moments too."""
    keys = ApiKeys(database)
    key, text = keys.create("laptop")
    found = keys.verify(text)
    assert found == key
    assert keys.revoke(key.id).revoked_at is not None
    routes = NamedRoutes(database, settings)
    assert routes.list() == []


def test_writers_take_turns(database: Database) -> None:
    """What a writing transaction has read stays true until it commits."""

    def add(_: int) -> None:
        with database.writing() as transaction:
            found = transaction.exec_driver_sql("SELECT count(*) FROM definitions").scalar()
            transaction.execute(
                sa.insert(run_tables.definitions).values(
                    sha256=str(found), text="", name="", type="", description=""
                )
            )

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(20)))
    with database.reading() as transaction:
        assert transaction.exec_driver_sql("SELECT count(*) FROM definitions").scalar() == 20


def test_one_that_is_not_there(settings: Settings, home: Path) -> None:
    """The error says what to look at, and holds no password."""
    assert settings.database_url is not None
    wrong = settings.database_url.replace("test_", "none_").replace("ingle@", "ingle:geheim@")
    with pytest.raises(StorageError, match=r"does not exist.*database_url|Check that it") as caught:
        Database.open(Settings(home=home, database_url=wrong))
    assert "geheim" not in str(caught.value)
