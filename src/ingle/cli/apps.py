"""`ingle apps`: the apps of this Ingle, their drafts and their versions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.app_files import check, export, import_apps, schema, starters
from ingle.cli.completion import complete_app
from ingle.cli.terminal import AsJson, moment, note, print_json, print_pairs, print_table
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.settings import Settings
    from ingle.storage.apps import AppRecord, Apps

group = typer.Typer(
    help="List, check, publish, import and export apps.",
    invoke_without_command=True,
)

Slug = Annotated[
    str, typer.Argument(metavar="SLUG", autocompletion=complete_app, help="The app's name in URLs.")
]


@group.callback()
def apps(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_apps(as_json)


@group.command("list")
def list_apps(as_json: AsJson = False) -> None:
    """List the apps of this Ingle."""
    with _opened() as (store, _):
        found = store.list()
    if as_json:
        print_json(found)
    elif found:
        columns = {"APP": "", "NAME": "", "TYPE": "", "PUBLISHED": "", "CHANGED": "dim"}
        print_table(columns, [_row(app) for app in found])
    else:
        note(
            "There are no apps. `ingle apps starters` has some to begin with, and "
            "`ingle apps publish FILE` publishes one."
        )


@group.command()
def show(
    slug: Slug,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="This version; else the published one.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="The draft.")] = False,
) -> None:
    """Print the definition of an app."""
    with _opened() as (store, _):
        text = _draft(store, slug) if draft else store.text(slug, version)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


@group.command()
def publish(
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE|SLUG",
            autocompletion=complete_app,
            help="An app's file; or the slug of one that has a draft.",
        ),
    ],
    note_text: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="What is new in this version.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Publish an app, for all who may use this Ingle.

    A file becomes a new version of the app of its slug; what was published stays as an earlier one.
    """
    from ingle.apps.check import load
    from ingle.runs.published import PublishedApps
    from ingle.runs.source import from_file, is_app

    with _opened() as (store, settings):
        slug = target.removeprefix("app/")
        if is_app(target) and not target.startswith("app/"):
            source = from_file(Path(target), PublishedApps(store))
            for said in source.notes:
                note(str(said))
            app = source.app
            slug = app.slug
            store.save_draft(
                slug, source.text, name=app.name, type=app.type, description=app.description
            )
        else:
            # It may be a draft of another day, when there were other processors and apps.
            app = load(_draft(store, slug), slug, PublishedApps(store).find_if_there)
        version = store.publish(slug, note=note_text)
    places = _places(slug, settings, next(iter(app.fields), None))
    if as_json:
        print_json({"slug": slug, "version": version, **dict(places)})
        return
    note(f"{slug} is published as version {version}.")
    print_pairs(places)
    note("The first three are there while `ingle up` runs.")


@group.command()
def unpublish(slug: Slug) -> None:
    """Let an app run no more; its versions stay."""
    with _opened() as (store, _):
        store.unpublish(slug)
    note(f"{slug} is not published any more. `ingle apps publish {slug}` publishes it again.")


@group.command()
def versions(slug: Slug, as_json: AsJson = False) -> None:
    """List the versions of an app, the newest first."""
    with _opened() as (store, _):
        found, published = store.versions(slug), store.get(slug).published
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one.version),
            "published" if one.version == published else "",
            one.note,
            moment(one.created_at),
        )
        for one in found
    ]
    print_table({"VERSION": "", "": "", "NOTE": "", "MADE": "dim"}, rows)


@group.command()
def restore(
    slug: Slug, version: Annotated[int, typer.Argument(metavar="VERSION", help="An earlier one.")]
) -> None:
    """Make an earlier version the draft.

    `ingle apps publish SLUG` lets it run.
    """
    with _opened() as (store, _):
        store.restore(slug, version)
    note(f"Version {version} is the draft now. `ingle apps publish {slug}` lets it run.")


@group.command()
def diff(
    slug: Slug,
    old: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="Else the published one.")
    ] = None,
    new: Annotated[int | None, typer.Argument(metavar="VERSION", help="Else the draft.")] = None,
) -> None:
    """Show what changes from one version to another.

    Without VERSION it is what the draft changes.
    """
    from difflib import unified_diff

    with _opened() as (store, _):
        before = store.text(slug, old)
        after = _draft(store, slug) if new is None else store.text(slug, new)
        old = old or store.get(slug).published
    lines = unified_diff(
        before.splitlines(),
        after.splitlines(),
        f"{slug}@{old}",
        f"{slug}@{new or 'draft'}",
        lineterm="",
    )
    sys.stdout.writelines(f"{line}\n" for line in lines)


@group.command("rm")
def remove(
    slug: Slug,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove an app with its draft and versions; its runs stay."""
    with _opened() as (store, _):
        store.get(slug)
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Remove {slug} and all its versions?", abort=True, err=True)
        store.remove(slug)
    note(f"Removed {slug}.")


group.command("check")(check)
group.command("import")(import_apps)
group.command("export")(export)
group.command("starters")(starters)
group.command("schema")(schema)


def _row(app: AppRecord) -> tuple[str, ...]:
    published = "a draft" if app.published is None else f"version {app.published}"
    return app.slug, app.name, app.type, published, moment(app.updated_at)


def _draft(store: Apps, slug: str) -> str:
    text = store.draft(slug)
    if text is None:
        raise InvalidRequest(
            f"The app {slug!r} has no draft. `ingle apps restore {slug} VERSION` makes one of an "
            "earlier version."
        )
    return text


def _places(slug: str, settings: Settings, field: str | None) -> list[tuple[str, str]]:
    """All the ways to the app, for people."""
    given = f" --input {field}=…" if field else ""
    values = f'{{"{field}": "…"}}' if field else "{}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return [
        ("endpoint", f"http://{host}:{settings.port}/api/apps/{slug}/run"),
        ("model", f"app/{slug}"),
        ("mcp", f"http://{host}:{settings.port}/mcp"),
        ("command", f"ingle run app/{slug}{given}"),
        ("batch", f"ingle batch app/{slug} ROWS -o FILE"),
        ("python", f'ingle.run("app/{slug}", {values}).output'),
    ]


@contextmanager
def _opened() -> Iterator[tuple[Apps, Settings]]:
    from ingle.settings import load_settings
    from ingle.storage.apps import Apps
    from ingle.storage.database import Database

    settings = load_settings()
    with closing(Database.open(settings)) as database:
        yield Apps(database), settings
