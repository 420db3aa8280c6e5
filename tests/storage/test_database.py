"""Opening, making, upgrading and failing: what happens to a database file."""

from __future__ import annotations

import hashlib
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ingle.errors import ConfigurationError, StorageError
from ingle.settings import Settings
from ingle.storage import openai_tables, run_tables
from ingle.storage.api_keys import ApiKeys
from ingle.storage.connections import Connections
from ingle.storage.database import Database
from ingle.storage.key_limits import NO_LIMITS
from ingle.storage.key_usage import KeyUsage
from ingle.storage.migrations import REVISIONS
from ingle.storage.routes import NamedRoutes
from ingle.storage.tables import connections
from ingle.storage.upgrade import alembic_config

OPEN = """
import sys
from ingle.settings import load_settings
from ingle.storage.database import Database
from ingle.storage.connections import Connections
print("ready", flush=True)
sys.stdin.readline()
settings = load_settings()
database = Database.open(settings)
stored = Connections(database, settings)
stored.save(sys.argv[1], "http://box", "a-key-of-" + sys.argv[1])
print([connection.key_fault for connection in stored.list()])
database.close()
"""


@contextmanager
def full_disk(*, after_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes, as on a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def old_database(home: Path, revision: str = REVISIONS[0]) -> Path:
    """A database as an old revision made it, with one connection in it."""
    home.mkdir()
    path = home / "ingle.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), revision)
        connection.exec_driver_sql(
            "INSERT INTO connections (name, base_url, updated_at) "
            "VALUES ('box', 'http://box', '2026-01-01 00:00:00.000000')"
        )
    engine.dispose()
    return path


def set_revision(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", [revision])
        database.commit()


def test_a_new_one_is_its_owners_only(settings: Settings, database: Database) -> None:
    """Home, database and the files that SQLite puts beside it can be read by nobody else."""
    with database.writing() as transaction:
        transaction.execute(sa.delete(connections))
        files = sorted(settings.home.iterdir())
        assert [file.name for file in files] == ["ingle.db", "ingle.db-shm", "ingle.db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


def test_pragmas(database: Database) -> None:
    """The log is written ahead and foreign keys are checked."""
    with database.reading() as transaction:
        pragmas = [
            transaction.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 1, 1, 5000]


def test_tables_and_migrations_agree(database: Database) -> None:
    """The migrations make exactly the tables that the code describes."""
    with database.reading() as transaction:
        context = MigrationContext.configure(transaction, opts={"compare_type": True})
        for tables in (openai_tables, run_tables):  # both add theirs to the same
            assert compare_metadata(context, tables.metadata) == []


def test_revisions_are_all_listed(database: Database) -> None:
    """The list that is checked at open names every migration in order."""
    with database.reading() as transaction:
        scripts = ScriptDirectory.from_config(alembic_config(transaction))
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_current_is_opened_without_alembic(database: Database) -> None:
    """An up-to-date database is opened without loading Alembic."""
    code = (
        "import sys\nfrom ingle.settings import load_settings\n"
        "from ingle.storage.database import Database\n"
        "Database.open(load_settings()).close()\nsys.exit('alembic' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert ended.returncode == 0


def test_upgrade_keeps_data_and_a_copy(home: Path, settings: Settings) -> None:
    """An old database is copied as it was, upgraded, and has lost nothing."""
    old_database(home)
    with closing(Database.open(settings)) as database:
        assert [c.name for c in Connections(database, settings).list()] == ["box"]
        with database.reading() as transaction:
            assert "api_keys" in sa.inspect(transaction).get_table_names()
    (backup,) = home.glob("*.backup")
    assert backup.name.startswith("ingle.db.0001-20")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert copy.execute("SELECT name FROM connections").fetchall() == [("box",)]


def test_upgrade_keeps_keys_without_limits(home: Path, settings: Settings) -> None:
    """A key of the second revision is valid as before: nothing limits it and nothing was used."""
    path = old_database(home, "0002")
    text = "ik-" + "a" * 43
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "INSERT INTO api_keys (id, name, prefix, sha256, created_at) VALUES "
            "('0123456789abcdef', 'laptop', 'ik-aaaaaaaa', ?, '2026-01-01 00:00:00.000000')",
            [hashlib.sha256(text.encode()).hexdigest()],
        )
        database.commit()
    with closing(Database.open(settings)) as upgraded:
        key = ApiKeys(upgraded).verify(text)
        assert key is not None
        assert (key.name, key.limits, key.revoked_at) == ("laptop", NO_LIMITS, None)
        assert KeyUsage(upgraded).totals() == {}
        assert NamedRoutes(upgraded, settings).list() == []
        with upgraded.writing() as transaction, pytest.raises(sa.exc.IntegrityError):
            # The table was made anew; its rules are still there.
            transaction.execute(sa.text("INSERT INTO api_keys SELECT * FROM api_keys"))


def test_upgrade_that_fails_changes_nothing(home: Path, settings: Settings) -> None:
    """A migration that fails half-way leaves the database as it was."""
    path = old_database(home)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE api_keys (mine TEXT)")
    with pytest.raises(StorageError, match="table api_keys already exists"):
        Database.open(settings)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]


def test_upgrade_without_room_for_the_copy(home: Path, settings: Settings) -> None:
    """Where the copy does not fit on the disk there is no upgrade, and no half copy stays."""
    path = old_database(home)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE connections SET base_url = ?", ["x" * 200_000])
        database.commit()
    with (
        full_disk(after_bytes=100_000),
        pytest.raises(StorageError, match=r"cannot be copied to .*Check that the disk has space"),
    ):
        Database.open(settings)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    assert [file.name for file in home.iterdir() if "backup" in file.name] == []


def test_threads_that_open_a_new_home_at_once(settings: Settings) -> None:
    """Eight at once make one database and one secret key, and each can use both."""
    start = threading.Barrier(8)

    def work(name: str) -> None:
        start.wait()
        with closing(Database.open(settings)) as database:
            Connections(database, settings).save(name, "http://box", f"a-key-of-{name}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, "abcdefgh"))
    with closing(Database.open(settings)) as database:
        keys = [connection.api_key for connection in Connections(database, settings).list()]
    assert keys == [f"a-key-of-{name}" for name in "abcdefgh"]


@pytest.mark.slow
def test_processes_that_open_a_new_home_at_once(home: Path) -> None:
    """Three processes make one database and one secret key, and each can use both."""
    names = ["a", "b", "c"]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    answers = [child.communicate(timeout=30) for child in children]
    assert [error for _, error in answers] == ["", "", ""]
    assert all(set(output.strip("[]\n").split(", ")) == {"None"} for output, _ in answers)
    settings = Settings(home=home)
    with closing(Database.open(settings)) as database:
        keys = [connection.api_key for connection in Connections(database, settings).list()]
    assert keys == ["a-key-of-a", "a-key-of-b", "a-key-of-c"]


def test_of_a_newer_ingle(settings: Settings) -> None:
    """A database from the future is refused and left alone."""
    Database.open(settings).close()
    set_revision(settings.home / "ingle.db", "9999")
    with pytest.raises(StorageError, match=r"is at revision 9999.*a newer Ingle made it"):
        Database.open(settings)


def test_of_another_program(home: Path, settings: Settings) -> None:
    """Another program's database is refused and left alone."""
    home.mkdir()
    with closing(sqlite3.connect(home / "ingle.db")) as database:
        database.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(StorageError, match="another program's database: it holds songs"):
        Database.open(settings)


def test_not_a_database(home: Path, settings: Settings) -> None:
    """A file with other content is called damaged, with what to do."""
    home.mkdir()
    (home / "ingle.db").write_text("This is my shopping list. " * 100)
    with pytest.raises(StorageError, match=r"file is not a database.*damaged.*move it away"):
        Database.open(settings)


def test_damaged_with_a_copy(home: Path, settings: Settings) -> None:
    """Where a copy lies beside a damaged file, the error names it."""
    old_database(home)
    Database.open(settings).close()
    (backup,) = home.glob("*.backup")
    path = home / "ingle.db"
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 8000)
    with pytest.raises(StorageError) as raised:
        Database.open(settings)
    assert f"damaged. Stop Ingle and put the newest copy in its place: {backup}" in str(
        raised.value
    )


def test_locked(settings: Settings) -> None:
    """Whoever cannot write because another process does is told so, and can try again."""

    def clear() -> None:
        with database.writing() as transaction:
            transaction.execute(sa.delete(connections))

    with closing(Database.open(settings, busy_s=0.01)) as database:
        path = settings.home / "ingle.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match=r"is locked\. Another process holds it"):
                clear()
            assert Connections(database, settings).list() == []
        clear()


def test_full_disk(database: Database, settings: Settings) -> None:
    """Where no space is left the error says so, and nothing of the transaction is kept."""
    stored = Connections(database, settings)
    stored.save("box", "http://box", None)

    def fill() -> None:
        with database.writing() as transaction:
            transaction.execute(sa.delete(connections))
            pages = transaction.exec_driver_sql("PRAGMA page_count").scalar()
            transaction.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            transaction.exec_driver_sql(
                "INSERT INTO resolved_urls VALUES ('x', ?, '2026-01-01')", ("x" * 100_000,)
            )

    with pytest.raises(StorageError, match=r"disk is full.*Free some space"):
        fill()
    assert [connection.name for connection in stored.list()] == ["box"]


def test_undone_if_the_block_fails(database: Database, settings: Settings) -> None:
    """A transaction whose block raises leaves no trace, and the error is the block's own."""
    stored = Connections(database, settings)
    stored.save("box", "http://box", None)

    def fail() -> None:
        with database.writing() as transaction:
            transaction.execute(sa.delete(connections))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert [connection.name for connection in stored.list()] == ["box"]


def test_home_is_a_file(home: Path, settings: Settings) -> None:
    """A file where the folder should be is an error with the next step."""
    home.touch()
    with pytest.raises(StorageError, match=r"cannot be made: File exists.*INGLE_HOME"):
        Database.open(settings)


def test_database_is_a_folder(home: Path, settings: Settings) -> None:
    """A folder where the file should be is an error that names it."""
    (home / "ingle.db").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"ingle\.db cannot be opened: Is a directory"):
        Database.open(settings)


def test_elsewhere_by_url(home: Path, tmp_path: Path) -> None:
    """`database_url` puts the file elsewhere; its folder is made."""
    path = tmp_path / "other" / "my.db"
    Database.open(Settings(home=home, database_url=f"sqlite:///{path}")).close()
    assert path.is_file()
    assert not (home / "ingle.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file:x?uri=true", "must name a file"),
        ("sqlite:x", "is not a URL"),
        ("postgresql+nothing://u:hunter2@db/x", "driver for postgresql.nothing is not installed"),
    ],
)
def test_wrong_url(home: Path, url: str, message: str) -> None:
    """A URL that cannot work is an error about `database_url`, without the password in it."""
    with pytest.raises(ConfigurationError, match=message) as raised:
        Database.open(Settings(home=home, database_url=url))
    assert "hunter2" not in str(raised.value)
