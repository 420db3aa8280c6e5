"""The database: opened, brought up to date, and read and written in transactions.

SQLite in the home folder unless `database_url` names another, which may be one of PostgreSQL.
Everything here blocks, so async callers go through `asyncio.to_thread`. It knows nothing about what
is in the tables.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Insert,
    Select,
    Update,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler

from ingle.errors import ConfigurationError
from ingle.files import make_private_folder, storage_error
from ingle.settings import Settings
from ingle.storage.faults import database_error
from ingle.storage.migrations import REVISIONS
from ingle.storage.revision import read_revision

__all__ = ["BUSY_S", "Database", "Recording", "Statement"]

Statement = Insert | Update | Select[Any]

BUSY_S = 5.0
"""Ours take milliseconds; whoever is still waiting then is told."""

_UPGRADE_BUSY_S = 120.0
"""How long an upgrade waits for another process's upgrade of the same database."""

_RETRY_S = 0.01

_CONNECT_S = 10
"""How long PostgreSQL may take to take a connection."""

_WRITING = 0x696E676C65
"""PostgreSQL's advisory lock ("ingle") of who writes, as SQLite has one for its file."""


class Database:
    """One database. Any thread may use it; each transaction has a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, settings: Settings, *, busy_s: float = BUSY_S) -> Database:
        """The database of these settings, made if it is not there and upgraded if it is old.

        An existing SQLite file is copied beside itself before it is upgraded. Of several processes
        that open the same one at once, one makes or upgrades it and the others wait. `busy_s` is
        how long a transaction waits for another that writes.

        Raises:
            ConfigurationError: `database_url` is wrong, or its driver is not installed.
            StorageError: the folder or the file cannot be used; the file is damaged, locked, not
                Ingle's, or of a newer Ingle.
        """
        make_private_folder(settings.home)
        url = _url(settings)
        if url.get_backend_name() == "sqlite":
            _make_file(Path(str(url.database)))
        database = cls(_engine(url, busy_s=busy_s))
        try:
            with database.reading() as connection:
                is_current = read_revision(connection) == REVISIONS[-1]
            if not is_current:
                _upgrade(url)
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close all connections. A transaction that still runs keeps its own until it ends."""
        self._engine.dispose()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None for one that a server keeps."""
        url = self._engine.url
        return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the same state of the database throughout.

        Raises:
            StorageError: the database failed.
        """
        with _transaction(self._engine, "BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed if the block ends well, else undone.

        No other such transaction runs meanwhile, so what it reads stays true until it commits.

        Raises:
            StorageError: the database failed, and nothing was changed.
        """
        with _transaction(self._engine, "BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """A connection that is kept, for a thread that writes often.

        Raises:
            StorageError: the database cannot be reached.
        """
        try:
            with self._engine.connect() as connection:
                options = {"ingle_begin": "BEGIN IMMEDIATE"}
                yield Recording(connection.execution_options(**options))
        except DBAPIError as error:
            raise database_error(error, self._engine.url) from error


class Recording:
    """Transactions that add rows, one after the other, at a third of the price of others.

    On PostgreSQL they run beside those of others, so they must lock the rows that they rely on.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._statements: dict[Statement, tuple[str, Sequence[str] | None, Mapping[str, Any]]] = {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that is committed if the block ends well, else undone.

        Raises:
            StorageError: the database failed, and nothing was changed.
        """
        try:
            with self._connection.begin():
                yield
        except DBAPIError as error:
            raise database_error(error, self._connection.engine.url) from error

    def execute(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Execute the statement with each row; all rows have the same keys."""
        if statement not in self._statements:
            names = list(rows[0]) if isinstance(statement, Insert) else None
            compiled = statement.compile(dialect=self._connection.dialect, column_keys=names)
            assert isinstance(compiled, SQLCompiler)
            # What the statement itself says, such as that a column becomes null.
            own = {name: value for name, value in compiled.params.items() if name not in rows[0]}
            self._statements[statement] = str(compiled), compiled.positiontup, own
        text, order, fixed = self._statements[statement]
        values: list[Any] = [{**fixed, **row} for row in rows]
        if order is not None:
            values = [tuple(value[key] for key in order) for value in values]
        return self._connection.exec_driver_sql(text, values if len(values) > 1 else values[0])


def _upgrade(url: URL) -> None:
    # Alembic takes longer to import than all else here, so it is loaded only when there is need.
    from ingle.storage.upgrade import upgrade

    # Without foreign keys: SQLite alters a table by making it anew, and dropping the old one would
    # delete what refers to it (https://www.sqlite.org/lang_altertable.html#otheralter, step 1).
    engine = _engine(url, busy_s=_UPGRADE_BUSY_S, foreign_keys=False)
    try:
        with _transaction(engine, "BEGIN IMMEDIATE") as connection:
            upgrade(connection)
    finally:
        engine.dispose()


@contextmanager
def _transaction(engine: Engine, begin: str) -> Iterator[Connection]:
    is_sqlite = engine.dialect.name == "sqlite"
    options: dict[str, Any] = {"ingle_begin": begin}
    if not is_sqlite and begin == "BEGIN":
        options["isolation_level"] = "REPEATABLE READ"
    try:
        with (
            engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            if not is_sqlite and begin != "BEGIN":
                connection.execute(select(func.pg_advisory_xact_lock(_WRITING)))
            yield connection
    except DBAPIError as error:
        raise database_error(error, engine.url) from error


def _url(settings: Settings) -> URL:
    """Where the database is; for SQLite always the absolute path of a file.

    Raises:
        ConfigurationError: `database_url` is wrong.
    """
    if settings.database_url is None:
        return URL.create("sqlite", database=str(settings.home / "ingle.db"))
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            f"`database_url` ({settings.source('database_url')}) is not a URL. "
            "Write it as in sqlite:////srv/ingle/ingle.db."
        ) from error
    if url.get_backend_name() != "sqlite":
        return url if "+" in url.drivername else url.set(drivername="postgresql+psycopg")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigurationError(
            f"`database_url` ({settings.source('database_url')}) must name a file, by its plain "
            "path, as in sqlite:////srv/ingle/ingle.db."
        )
    return url.set(database=str(Path(url.database).absolute()))


def _engine(url: URL, *, busy_s: float, foreign_keys: bool = True) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _server_engine(url, busy_s=busy_s)

    # isolation_level: else the sqlite3 module begins transactions by itself, too late and not for
    # CREATE TABLE. max_overflow: as many connections as threads use at once, so that none waits.
    # hide_parameters: an error may be logged, and what was to be stored may be private.
    arguments = {"isolation_level": None, "timeout": busy_s}
    engine = create_engine(url, connect_args=arguments, max_overflow=-1, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        _use_wal(cursor, until=time.monotonic() + busy_s)
        cursor.execute("PRAGMA synchronous=NORMAL")  # safe with WAL; see shared/measured.md
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options()["ingle_begin"])

    return engine


def _server_engine(url: URL, *, busy_s: float) -> Engine:
    """PostgreSQL's. A server that was started anew breaks no transaction that begins later."""
    milliseconds = int(busy_s * 1000)
    arguments = {
        "connect_timeout": _CONNECT_S,
        "tcp_user_timeout": _CONNECT_S * 1000,  # so that a machine that is gone holds up no thread
        "application_name": "ingle",
        "options": f"-c lock_timeout={milliseconds} -c timezone=UTC",
    }
    try:
        return create_engine(
            url,
            connect_args=arguments,
            pool_pre_ping=True,
            max_overflow=-1,
            hide_parameters=True,
        )
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigurationError(
            f"The driver for {url.drivername} is not installed ({error}). Install it with "
            "`pip install ingle[postgres]`, or take `database_url` out to use SQLite."
        ) from error


def _use_wal(cursor: DBAPICursor, *, until: float) -> None:
    """Let readers and the writer not wait for another; the file remembers it.

    While another process switches a new file over, this fails at once whatever the timeout is
    (seen once in 480 opens by eight processes), so it is tried again until a moment (monotonic).
    """
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _make_file(path: Path) -> None:
    """Make the file if it is not there, before SQLite would make it readable by everyone.

    Raises:
        StorageError: it cannot be opened for writing.
    """
    make_private_folder(path.parent)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise storage_error(f"The database {path} cannot be opened", error) from error
