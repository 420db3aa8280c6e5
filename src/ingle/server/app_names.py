"""What an app is called in paths: its slug, or the UUID that stands for it, as LLMStack's do."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

from ingle.errors import AppNotFound
from ingle.storage.apps import Apps

__all__ = ["app_uuid", "slug_of"]

_OF_APPS = uuid5(NAMESPACE_URL, "urn:ingle:apps")


def app_uuid(slug: str) -> str:
    """The UUID that stands for the slug, always the same."""
    return str(uuid5(_OF_APPS, slug))


def slug_of(apps: Apps, name: str) -> str:
    """The slug that a path names, by itself or by its UUID. Blocks where it is one.

    Raises:
        AppNotFound: no app has this UUID.
        StorageError: the database failed.
    """
    try:
        wanted = str(UUID(name))
    except ValueError:
        return name
    slugs = [record.slug for record in apps.list()]
    if name in slugs:
        return name
    found = next((slug for slug in slugs if app_uuid(slug) == wanted), None)
    if found is None:
        raise AppNotFound(f"No app has the UUID {name}. GET /api/apps tells those there are.")
    return found
