"""What the shell offers after TAB, where it is more than verbs and options.

A shell that completes is no place for errors: where the names cannot be read there are none.
"""

from __future__ import annotations

from ingle.errors import IngleError

__all__ = [
    "complete_app",
    "complete_connection",
    "complete_model",
    "complete_processor",
    "complete_route",
    "complete_setting",
]


def complete_processor(incomplete: str) -> list[tuple[str, str]]:
    """The processors' slugs and names."""
    from ingle.processors.catalogue import PROCESSORS

    found = PROCESSORS.values()
    return [(p.slug, p.name) for p in found if p.slug.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """The installed models' names."""
    from ingle.models.store import Models
    from ingle.settings import load_settings

    try:
        models = Models(load_settings()).list()
    except IngleError:
        return []
    return [model.name for model in models if model.name.startswith(incomplete)]


def complete_connection(incomplete: str) -> list[str]:
    """The connections' names."""
    from contextlib import closing

    from ingle.settings import load_settings
    from ingle.storage.connections import Connections
    from ingle.storage.database import Database

    try:
        settings = load_settings()
        with closing(Database.open(settings)) as database:
            names = [connection.name for connection in Connections(database, settings).list()]
    except IngleError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def complete_app(incomplete: str) -> list[str]:
    """The apps' slugs."""
    from contextlib import closing

    from ingle.settings import load_settings
    from ingle.storage.apps import Apps
    from ingle.storage.database import Database

    try:
        with closing(Database.open(load_settings())) as database:
            slugs = [app.slug for app in Apps(database).list()]
    except IngleError:
        return []
    return [slug for slug in slugs if slug.startswith(incomplete)]


def complete_route(incomplete: str) -> list[str]:
    """The routes' names."""
    from contextlib import closing

    from ingle.settings import load_settings
    from ingle.storage.database import Database
    from ingle.storage.routes import NamedRoutes

    try:
        settings = load_settings()
        with closing(Database.open(settings)) as database:
            names = [route.name for route in NamedRoutes(database, settings).list()]
    except IngleError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def complete_setting(incomplete: str) -> list[tuple[str, str]]:
    """The settings' names and meanings."""
    from ingle.settings import load_settings

    try:
        settings = load_settings().describe()
    except IngleError:
        return []
    return [(s.name, s.description) for s in settings if s.name.startswith(incomplete)]
