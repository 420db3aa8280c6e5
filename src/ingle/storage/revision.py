"""Which of Ingle's revisions a database is at."""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from ingle._version import __version__
from ingle.errors import StorageError
from ingle.storage.faults import described
from ingle.storage.migrations import REVISIONS

__all__ = ["read_revision"]


def read_revision(connection: Connection) -> str | None:
    """One of `REVISIONS`; None if the database is empty.

    Raises:
        StorageError: it holds another program's tables, or a newer Ingle made it.
    """
    database = described(connection.engine.url)
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StorageError(
            f"{database} is another program's database: it holds {', '.join(tables[:5])}. "
            "Give Ingle one of its own by `database_url` or INGLE_HOME."
        )
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if revision is not None and revision not in REVISIONS:
        raise StorageError(
            f"{database} is at revision {revision}, but Ingle {__version__} knows none after "
            f"{REVISIONS[-1]}: a newer Ingle made it. Run that one, or put the copy back that it "
            "left beside the file before it upgraded it."
        )
    return revision
