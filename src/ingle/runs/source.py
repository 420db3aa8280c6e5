"""Where an app comes from: a file, or its place among the published ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingle.apps.app import App
from ingle.apps.exchange import import_file
from ingle.apps.problems import InvalidApp, Note
from ingle.errors import InvalidRequest
from ingle.runs.published import PublishedApps

__all__ = ["AppSource", "from_file", "is_app", "read_source", "read_text"]

_PREFIX = "app/"
_ENDINGS = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class AppSource:
    """An app with its text. `slug` and `version` say as what it is published, if it comes from
    there; `notes` what a file of LLMStack had that is something else here."""

    app: App
    text: str
    slug: str | None = None
    version: int | None = None
    notes: tuple[Note, ...] = ()


def is_app(target: str) -> bool:
    """Whether this names an app: `app/<slug>`, or a file; else it may be a processor's slug."""
    if target.startswith(_PREFIX):
        return True
    path = Path(target)
    return path.suffix.lower() in _ENDINGS or path.is_file()


def read_source(target: str, published: PublishedApps) -> AppSource:
    """The app that a file, `app/<slug>` or `app/<slug>@<version>` names. It blocks.

    Raises:
        InvalidRequest: the file cannot be read, or the version is no number.
        InvalidApp: all that is wrong with the app.
        AppNotFound: there is no such app or version, or nothing is published.
        StorageError: the database failed.
    """
    if not target.startswith(_PREFIX):
        return from_file(Path(target), published)
    slug, at, said = target.removeprefix(_PREFIX).partition("@")
    if at and not said.isdecimal():
        raise InvalidRequest(
            f"{target!r} names no version: write a number, as in `{_PREFIX}{slug}@1`. "
            f"`ingle apps versions {slug}` shows all."
        )
    found = published.get(slug, int(said) if at else None)
    return AppSource(found.app, found.text, slug, found.version)


def from_file(path: Path, published: PublishedApps) -> AppSource:
    """The app in a file, ours or LLMStack's; its text is in our form.

    Raises:
        InvalidRequest: the file cannot be read.
        InvalidApp: all that is wrong with the app.
    """
    found = import_file(read_text(path), str(path), published.find_if_there)
    if found.app is None:
        raise InvalidApp(found.problems)
    return AppSource(found.app, found.text, notes=found.notes)


def read_text(path: Path) -> str:
    """The text of a file of an app.

    Raises:
        InvalidRequest: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRequest(
            f"The app {path} cannot be read: {error.strerror}. Check its name, or name a "
            f"published one as `{_PREFIX}<slug>`."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The app {path} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error
