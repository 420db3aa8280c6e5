"""Bringing a database to the newest revision; the only user of Alembic."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from ingle.errors import StorageError
from ingle.files import storage_error
from ingle.storage import migrations
from ingle.storage.migrations import REVISIONS
from ingle.storage.revision import read_revision

__all__ = ["alembic_config", "upgrade"]


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest revision, inside the transaction of this connection.

    A SQLite file with something in it is copied first, to `NAME.REVISION-TIME.backup` beside it.
    Nothing happens if another process was faster.

    Raises:
        StorageError: the copy cannot be made, or the data breaks a rule of the new revision.
    """
    revision = read_revision(connection)
    if revision == REVISIONS[-1]:
        return
    is_sqlite = connection.dialect.name == "sqlite"
    if revision is not None and is_sqlite:
        _back_up(Path(str(connection.engine.url.database)), revision)
    command.upgrade(alembic_config(connection), "head")
    if is_sqlite:
        _check_foreign_keys(connection)


def alembic_config(connection: Connection) -> Config:
    """Alembic, told where the migrations are and to use this connection's transaction."""
    config = Config(attributes={"connection": connection})
    folder = str(Path(migrations.__file__).parent)
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _back_up(path: Path, revision: str) -> None:
    """Copy the database as it is now, whole also while others read it, beside itself."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    backup = path.with_name(f"{path.name}.{revision}-{stamp}.backup")
    draft = backup.with_suffix(".draft")
    what_failed = f"The database {path} cannot be copied to {backup} before it is upgraded"
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(draft)) as copy,
        ):
            source.backup(copy)
        draft.replace(backup)
    except OSError as error:
        raise storage_error(what_failed, error) from error
    except sqlite3.Error as error:
        raise StorageError(
            f"{what_failed}: {error}. Nothing was changed. Check that the disk has space for it."
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _check_foreign_keys(connection: Connection) -> None:
    """Foreign keys are off while tables are made anew, so they are checked once at the end."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StorageError(
            f"{connection.engine.url.database} cannot be upgraded to revision {REVISIONS[-1]}: "
            f"row {broken[1]} of {broken[0]} refers to a row of {broken[2]} that is missing. "
            "Nothing was changed. Please report this as a bug."
        )
