"""A database's errors, in our own words: what failed, why, and what to do next."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from ingle.errors import StorageError

__all__ = ["database_error", "described"]


def described(url: URL) -> str:
    """Which database this is, for people; never more of its URL, as that may hold a password."""
    if url.get_backend_name() == "sqlite":
        return f"The database {url.database}"
    return f"The {url.get_backend_name()} database {url.database} on {url.host or 'this machine'}"


def database_error(error: DBAPIError, url: URL) -> StorageError:
    """The error for people. No values of the statement are in it, as those may be secrets."""
    if isinstance(error.orig, sqlite3.Error):
        # Errors that the sqlite3 module raises by itself, such as for a wrong type, have no code.
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        advice = _advice(code, Path(str(url.database)))
    else:
        advice = _server_advice(getattr(error.orig, "sqlstate", None))
    return StorageError(f"{described(url)} failed: {error.orig}. {advice}")


def _server_advice(state: str | None) -> str:
    """What to do by PostgreSQL's code (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
    match state:
        case "53100":
            return "The server's disk is full; nothing was lost. Free some space and try again."
        case "55P03":
            return "Another process holds what is needed; `pg_stat_activity` names it. Try again."
        case "28000" | "28P01" | "3D000":
            return "Check the user, the password and the database's name in `database_url`."
        case "42501":
            return "Give this user the right to make and change tables in the database."
        case _:
            return "Check that it runs and can be reached, then try again."


def _advice(code: int, path: Path) -> str:
    match code:
        case sqlite3.SQLITE_FULL:
            return "The disk or a quota is full; nothing was lost. Free some space and try again."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"Another process holds it; `fuser {path}` names it. Stop that one or try again."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"The file is damaged. Stop Ingle and {_instead(path)}."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"Give this user the right to write to it and to the folder {path.parent}."
        case sqlite3.SQLITE_IOERR:
            return "The disk failed. Check it and its free space, then try again."
        case _:
            return "Please report this as a bug, with this message."


def _instead(path: Path) -> str:
    """What to put in a damaged file's place."""
    backups = sorted(
        path.parent.glob(f"{path.name}.*.backup"), key=lambda file: file.stat().st_mtime
    )
    if backups:
        return f"put the newest copy in its place: {backups[-1]}"
    return (
        f"move it away ({path.name}, and {path.name}-wal and -shm if they are there); Ingle makes "
        "a new one, in which connections and API keys have to be made again"
    )
