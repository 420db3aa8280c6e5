"""The texts of apps: drafts, published versions, and which of them counts.

It knows the texts only, not what an app is. A draft never changes what is published. Everything
here blocks, so async callers go through `asyncio.to_thread`.
"""

from __future__ import annotations

import builtins
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingle.errors import AppNotFound, Conflict
from ingle.storage.database import Database
from ingle.storage.run_tables import app_versions, apps, definitions

__all__ = ["AppRecord", "AppVersion", "Apps", "keep_definition"]

# What an app says of itself is what its published text says, and its draft's if there is none.
_PUBLISHED = sa.and_(app_versions.c.slug == apps.c.slug, app_versions.c.version == apps.c.published)
_SHOWN = (
    sa.select(apps, definitions.c.name, definitions.c.type, definitions.c.description)
    .outerjoin(app_versions, _PUBLISHED)
    .join(
        definitions,
        definitions.c.sha256 == sa.func.coalesce(app_versions.c.definition, apps.c.draft),
    )
)


@dataclass(frozen=True, slots=True)
class AppRecord:
    """An app as a list shows it. `published` is the version that runs; None if there is none."""

    slug: str
    name: str
    type: str
    description: str
    published: int | None
    is_listed: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AppVersion:
    """A text that was published once, and what its author said of it."""

    version: int
    note: str
    created_at: datetime


class Apps:
    """The apps of one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> builtins.list[AppRecord]:
        """All apps by slug, those with only a draft too.

        Raises:
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            rows = transaction.execute(_SHOWN.order_by(apps.c.slug)).all()
        return [_record(row) for row in rows]

    def get(self, slug: str) -> AppRecord:
        """The app of this slug.

        Raises:
            AppNotFound: there is none; names the nearest.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _record(_found(transaction, slug))

    def save_draft(
        self,
        slug: str,
        text: str,
        *,
        name: str,
        type: str,  # noqa: A002 -- what it is called in the text
        description: str = "",
    ) -> AppRecord:
        """Keep this text as the app's draft; the app is made if there is none.

        `name`, `type` and `description` are what the text says of itself.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        now = datetime.now(UTC)
        row = apps.c.slug == slug
        with self._database.writing() as transaction:
            draft = keep_definition(
                transaction, text, name=name, type=type, description=description
            )
            changed = transaction.execute(
                sa.update(apps).where(row).values(draft=draft, updated_at=now)
            )
            if not changed.rowcount:
                transaction.execute(
                    sa.insert(apps).values(
                        slug=slug, draft=draft, is_listed=True, created_at=now, updated_at=now
                    )
                )
            return _record(_found(transaction, slug))

    def list_publicly(self, slug: str, *, is_listed: bool) -> None:
        """Whether lists that are for everyone, such as `/v1/models`, name the app.

        Raises:
            AppNotFound: there is no such app.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, slug)
            transaction.execute(
                sa.update(apps).where(apps.c.slug == slug).values(is_listed=is_listed)
            )

    def draft(self, slug: str) -> str | None:
        """The text of the app's draft; None if it has none.

        Raises:
            AppNotFound: there is no such app.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _text(transaction, _found(transaction, slug).draft)

    def publish(self, slug: str, *, note: str = "") -> int:
        """The number of the version that the draft has become, and which runs from now on.

        A draft that is just what is published makes no new version.

        Raises:
            AppNotFound: there is no such app.
            Conflict: it has no draft.
            StorageError: the database failed; nothing was changed.
        """
        now = datetime.now(UTC)
        with self._database.writing() as transaction:
            app = _found(transaction, slug)
            if app.draft is None:
                raise Conflict(f"The app {slug!r} has no draft to publish. Save one before.")
            version = app.published
            if _definition(transaction, slug, version) != app.draft:
                version = 1 + (transaction.scalar(_newest(slug)) or 0)
                transaction.execute(
                    sa.insert(app_versions).values(
                        slug=slug, version=version, definition=app.draft, note=note, created_at=now
                    )
                )
            transaction.execute(
                sa.update(apps)
                .where(apps.c.slug == slug)
                .values(published=version, draft=None, updated_at=now)
            )
        return int(version)

    def text(self, slug: str, version: int | None = None) -> str:
        """The text of a version; of the published one if none is named.

        Raises:
            AppNotFound: there is no such app, no such version, or nothing is published.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            app = _found(transaction, slug)
            if version is None:
                version = app.published
            text = _text(transaction, _definition(transaction, slug, version))
        if text is None and version is None:
            raise AppNotFound(
                f"The app {slug!r} is not published. `ingle apps publish` makes its draft run."
            )
        if text is None:
            raise AppNotFound(
                f"The app {slug!r} has no version {version}. `ingle apps versions {slug}` shows all."
            )
        return text

    def versions(self, slug: str) -> builtins.list[AppVersion]:
        """All versions of the app, the newest first.

        Raises:
            AppNotFound: there is no such app.
            StorageError: the database failed.
        """
        table = app_versions.c
        with self._database.reading() as transaction:
            _found(transaction, slug)
            rows = transaction.execute(
                sa.select(table.version, table.note, table.created_at)
                .where(table.slug == slug)
                .order_by(table.version.desc())
            ).all()
        return [AppVersion(*row) for row in rows]

    def restore(self, slug: str, version: int) -> None:
        """Make the text of an earlier version the draft; `publish` lets it run.

        Raises:
            AppNotFound: there is no such app or version.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, slug)
            definition = _definition(transaction, slug, version)
            if definition is None:
                raise AppNotFound(
                    f"The app {slug!r} has no version {version}. "
                    f"`ingle apps versions {slug}` shows all."
                )
            transaction.execute(
                sa.update(apps)
                .where(apps.c.slug == slug)
                .values(draft=definition, updated_at=datetime.now(UTC))
            )

    def unpublish(self, slug: str) -> None:
        """Let the app run no more; its versions stay, and what was published becomes the draft of
        an app that has none.

        Raises:
            AppNotFound: there is no such app.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            app = _found(transaction, slug)
            draft = app.draft or _definition(transaction, slug, app.published)
            transaction.execute(
                sa.update(apps)
                .where(apps.c.slug == slug)
                .values(published=None, draft=draft, updated_at=datetime.now(UTC))
            )

    def remove(self, slug: str) -> None:
        """Remove the app with its draft and versions; its runs stay, and can go on.

        Raises:
            AppNotFound: there is no such app.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, slug)
            transaction.execute(sa.delete(apps).where(apps.c.slug == slug))


def keep_definition(
    transaction: sa.Connection,
    text: str,
    *,
    name: str,
    type: str,  # noqa: A002 -- what it is called in the text
    description: str,
) -> str:
    """The SHA-256 under which this text is kept, as part of this transaction."""
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    insert = postgresql.insert if transaction.dialect.name == "postgresql" else sqlite.insert
    values = {"text": text, "name": name, "type": type, "description": description}
    transaction.execute(
        insert(definitions).values(sha256=sha256, **values).on_conflict_do_nothing()
    )
    return sha256


def _found(transaction: sa.Connection, slug: str) -> sa.Row[Any]:  # Any: mypy knows no columns
    row = transaction.execute(_SHOWN.where(apps.c.slug == slug)).first()
    if row is not None:
        return row
    near = get_close_matches(slug, transaction.scalars(sa.select(apps.c.slug)).all(), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " `ingle apps list` shows all."
    raise AppNotFound(f"There is no app {slug!r}.{hint}")


def _definition(transaction: sa.Connection, slug: str, version: int | None) -> str | None:
    table = app_versions.c
    return transaction.scalar(
        sa.select(table.definition).where(table.slug == slug, table.version == version)
    )


def _newest(slug: str) -> sa.Select[tuple[int]]:
    table = app_versions.c
    return sa.select(sa.func.coalesce(sa.func.max(table.version), 0)).where(table.slug == slug)


def _text(transaction: sa.Connection, sha256: str | None) -> str | None:
    return transaction.scalar(sa.select(definitions.c.text).where(definitions.c.sha256 == sha256))


def _record(row: sa.Row[Any]) -> AppRecord:  # Any: mypy does not know a row's columns
    return AppRecord(
        slug=row.slug,
        name=row.name,
        type=row.type,
        description=row.description,
        published=row.published,
        is_listed=row.is_listed,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
