"""`ingle config`: every setting, and where its value came from."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_setting
from ingle.cli.terminal import AsJson, note, print_json, print_table

if TYPE_CHECKING:
    from ingle.settings import Setting

group = typer.Typer(
    help="Show settings and where each came from; change them.", invoke_without_command=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_setting)]


@group.callback()
def config(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_settings(as_json)


@group.command("list")
def list_settings(as_json: AsJson = False) -> None:
    """Print every setting, its value and where that came from. Keys are masked."""
    from rich.text import Text

    from ingle.settings import load_settings

    described = load_settings().describe()
    if as_json:
        print_json([_as_json(setting) for setting in described])
        return
    rows = []
    for setting in described:
        is_default = setting.source.kind == "default"
        value = Text(setting.value or "-", style="" if setting.value else "dim")
        rows.append((setting.name, value, Text(str(setting.source), "dim" if is_default else "")))
    print_table({"SETTING": "", "VALUE": "", "FROM": ""}, rows)


@group.command()
def get(name: Name, as_json: AsJson = False) -> None:
    """Print one setting's value; nothing if it is not set."""
    from ingle.errors import ConfigurationError
    from ingle.settings import load_settings

    described = {setting.name: setting for setting in load_settings().describe()}
    setting = described.get(name)
    if setting is None:
        raise ConfigurationError(
            f"There is no setting {name!r}.{_nearest(name, described)} "
            "`ingle config` lists them all."
        )
    if as_json:
        print_json(_as_json(setting))
        return
    print(setting.value)
    if sys.stderr.isatty():
        also = f"; {setting.variable} sets it too" if setting.variable else ""
        note(f"{setting.description} ({setting.source}{also})")


@group.command("set")
def set_setting(name: Name, value: Annotated[str, typer.Argument(metavar="VALUE")]) -> None:
    """Write a setting into the configuration file."""
    from ingle.settings import load_settings, set_in_file

    settings = load_settings()
    set_in_file(settings, name, value)
    _note_change(name, f"{name} is set in {settings.config_path}.")


@group.command("unset")
def unset_setting(name: Name) -> None:
    """Take a setting out of the configuration file, so that its default holds."""
    from ingle.settings import load_settings, unset_in_file

    settings = load_settings()
    unset_in_file(settings, name)
    _note_change(name, f"{name} is not set in {settings.config_path}.")


@group.command()
def path() -> None:
    """Print where the configuration file is, or would be."""
    from ingle.settings import load_settings

    print(load_settings().config_path)


def _note_change(name: str, done: str) -> None:
    """Say what was done, and what the setting is now if something else decides it."""
    from ingle.settings import load_settings

    source = load_settings().source(name)
    decided = f" But {source} decides." if source.kind in {"environment", "command line"} else ""
    note(f"{done}{decided} A running `ingle up` sees it when it starts again.")


def _as_json(setting: Setting) -> dict[str, object]:
    return {
        "name": setting.name,
        "value": setting.value or None,
        "source": str(setting.source),
        "description": setting.description,
        "variable": setting.variable,
    }


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
