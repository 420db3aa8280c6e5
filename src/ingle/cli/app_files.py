"""Files of apps on the command line: checked, imported, exported, and those to begin with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_app
from ingle.cli.terminal import AsJson, note, print_json, print_table, size
from ingle.errors import StorageError

if TYPE_CHECKING:
    from ingle.apps.exchange import Imported
    from ingle.apps.problems import Problem
    from ingle.storage.apps import Apps

__all__ = ["check", "export", "import_apps", "schema", "starters"]

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Apps as YAML or JSON.")]


def check(files: Files, as_json: AsJson = False) -> None:
    """Check apps without running them.

    All problems are told at once, each with file, line and column; the exit code is 2 then.
    """
    from ingle.apps.problems import InvalidApp

    found = list(_read(files))
    problems = [problem for _, imported in found for problem in imported.problems]
    if problems:
        raise InvalidApp(problems)
    if as_json:
        print_json({"problems": [], "notes": [n for _, imported in found for n in imported.notes]})
        return
    for path, imported in found:
        for said in imported.notes:
            note(str(said))
        note(f"{path} is right.")


def import_apps(
    files: Files,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish them at once, those that can run here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take over apps of others, and of LLMStack.

    Each becomes a draft, and it is told what is something else here. An app that cannot run here
    is left out, and its problems are told; the exit code is 2 then.
    """
    from ingle.apps.problems import InvalidApp

    problems: list[Problem] = []
    report: list[dict[str, object]] = []
    with _opened() as store:
        for path, imported in _read(files):
            if imported.app is None:
                problems += imported.problems
                continue
            app = imported.app
            store.save_draft(
                app.slug, imported.text, name=app.name, type=app.type, description=app.description
            )
            version = store.publish(app.slug) if publish else None
            told = {"file": str(path), "slug": app.slug, "version": version}
            report.append({**told, "notes": imported.notes})
            if as_json:
                continue
            for said in imported.notes:
                note(str(said))
            state = "a draft" if version is None else f"published as version {version}"
            note(f"{path} is the app {app.slug} now, {state}.")
    if as_json and not problems:
        print_json(report)
    if problems:
        raise InvalidApp(problems)


def export(
    slug: Annotated[str, typer.Argument(metavar="SLUG", autocompletion=complete_app)],
    version: Annotated[
        int | None, typer.Option(metavar="N", help="This version; else the published one.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else it is printed.")
    ] = None,
) -> None:
    """Write an app as a file for others.

    One that holds a key is refused.
    """
    from ingle.apps.exchange import export as checked

    with _opened() as store:
        text = checked(store.text(slug, version), slug)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{output} cannot be written: {error.strerror}.") from error
    note(f"Saved {output} ({size(len(text.encode()))})")


def starters(
    slug: Annotated[
        str | None, typer.Argument(metavar="SLUG", help="Print this one, to change it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the apps to begin with, or print one of them.

    \b
    ingle apps starters
    ingle apps starters translate > app.yaml
    """
    from ingle.apps.exchange import import_file
    from ingle.apps.starters import STARTERS, starter

    if slug is not None:
        sys.stdout.write(starter(slug))
        return
    found = [(one, import_file(starter(one), one).app) for one in STARTERS]
    rows = [(one, app.name, app.description) for one, app in found if app is not None]
    if as_json:
        print_json([dict(zip(("slug", "name", "description"), row, strict=True)) for row in rows])
    else:
        print_table({"STARTER": "", "NAME": "", "WHAT IT DOES": "dim"}, rows)


def schema() -> None:
    """Print the JSON Schema of apps, for editors."""
    from ingle.apps.definition import schema as schema_of_apps

    print_json(schema_of_apps())


def _read(files: list[Path]) -> Iterator[tuple[Path, Imported]]:
    from ingle.apps.exchange import import_file
    from ingle.runs.published import PublishedApps
    from ingle.runs.source import read_text

    with _opened() as store:
        published = PublishedApps(store)
        for path in files:
            yield path, import_file(read_text(path), str(path), published.find_if_there)


@contextmanager
def _opened() -> Iterator[Apps]:
    from ingle.settings import load_settings
    from ingle.storage.apps import Apps
    from ingle.storage.database import Database

    with closing(Database.open(load_settings())) as database:
        yield Apps(database)
