"""Apps as they are published, checked and ready to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.errors import AppInvalid, AppNotFound
from ingle.storage.apps import Apps

__all__ = ["PublishedApp", "PublishedApps"]

_MOST = 256


@dataclass(frozen=True, slots=True)
class PublishedApp:
    """A version of an app, ready to run."""

    slug: str
    version: int
    text: str
    app: App


class PublishedApps:
    """Checks each text once. Any thread may use it; it blocks."""

    def __init__(self, apps: Apps) -> None:
        self._apps = apps
        self._read: dict[tuple[str, str], App] = {}

    def get(
        self, slug: str, version: int | None = None, *, inside: tuple[str, ...] = ()
    ) -> PublishedApp:
        """The app of this slug as it is published, or a version of it.

        `inside` are the slugs of the apps that it is a step of.

        Raises:
            AppNotFound: there is no such app or version, or nothing is published.
            AppInvalid: it is a step of itself.
            InvalidApp: it cannot run here, such as one that a newer Ingle made.
            StorageError: the database failed.
        """
        if slug in inside:
            raise AppInvalid(
                f"The app {slug!r} is a step of itself: {' -> '.join((*inside, slug))}. Publish a "
                "version that does not use it."
            )
        if version is None:
            version = self._apps.get(slug).published
        if version is None:
            raise AppNotFound(
                f"The app {slug!r} is not published. `ingle apps publish` makes its draft run."
            )
        text = self._apps.text(slug, version)
        # By its text: an app that was removed and made again begins anew with version 1.
        app = self._read.get((slug, text))
        if app is None:
            app = load(text, f"{slug}@{version}", self._finder((*inside, slug)))
            if len(self._read) >= _MOST:
                self._read.clear()
            self._read[slug, text] = app
        return PublishedApp(slug, version, text, app)

    def find(self, slug: str, version: int | None = None) -> App:
        """The same, without what it was read from. Raises what `get` does."""
        return self.get(slug, version).app

    def find_if_there(self, slug: str) -> App | None:
        """The app of this slug as it is published; None if none is.

        Raises:
            InvalidApp: as `find`.
            StorageError: the database failed.
        """
        return self._finder(())(slug)

    def _finder(self, inside: tuple[str, ...]) -> Callable[[str], App | None]:
        def find(slug: str) -> App | None:
            try:
                return self.get(slug, inside=inside).app
            except AppNotFound:
                return None

        return find
