"""`ingle doctor`: whether all is well, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.terminal import AsJson, print_json, print_table, spinner
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.cli.check import Check

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(
    as_json: AsJson = False,
    build: Annotated[
        bool,
        typer.Option(
            "--build", help="Build llama.cpp for this very processor, into the data folder."
        ),
    ] = False,
    remove_build: Annotated[
        bool, typer.Option("--remove-build", help="Go back to the installed llama.cpp.")
    ] = False,
) -> None:
    """Check this machine and the settings, and say what to do.

    The exit code is 1 if something fails, 0 if there are but warnings. `--build` and
    `--remove-build` do what they say and check nothing.
    """
    if build or remove_build:
        from ingle.cli import native

        if build and remove_build:
            raise InvalidRequest("`--build` and `--remove-build` exclude each other. Give one.")
        (native.build if build else native.remove)()
        return
    with spinner("Looking around"):
        checks = list(_checks())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        _print(checks)
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(1)


def _checks() -> Iterator[Check]:
    from ingle.cli.check import Check
    from ingle.cli.ingle_checks import check_ingle
    from ingle.cli.machine_checks import check_machine
    from ingle.errors import IngleError
    from ingle.settings import load_settings

    try:
        settings = load_settings()
    except IngleError as error:  # without settings there is nothing more to look at
        yield from check_machine(None)
        yield Check("settings", "fail", error.message)
        return
    yield from check_machine(settings.home)
    yield from check_ingle(settings)


def _print(checks: list[Check]) -> None:
    from rich.text import Text

    rows = []
    for check in checks:
        finding = Text(check.finding)
        if check.advice:
            finding.append(f"\n{check.advice}", style="dim" if check.state == "ok" else "")
        rows.append((Text(check.state, _STYLES[check.state]), check.name, finding))
    print_table({"": "", "CHECK": "", "FOUND": ""}, rows)
