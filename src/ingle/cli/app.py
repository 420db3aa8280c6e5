"""The verbs as one command, and the edge where every error ends: as words and as an exit code.

Only Typer is imported here and by the verbs' modules, so that `ingle --help` answers at once.
Help is plain text for the same reason: drawn by Rich it takes four times as long.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from ingle._version import __version__
from ingle.cli import (
    apps,
    batch,
    chat,
    config,
    connections,
    doctor,
    keys,
    mcp,
    models,
    processors,
    routes,
    run,
    runs,
    schedules,
    test,
    up,
)
from ingle.cli.failures import Failure, explain
from ingle.cli.terminal import use_utf8

__all__ = ["app", "main"]


class _Verbs(typer.core.TyperGroup):
    """Lists the verbs as people meet them; Typer would put those that have verbs of their own last."""

    def list_commands(self, ctx: Any) -> list[str]:  # Any: Typer keeps the type to itself
        return sorted(super().list_commands(ctx), key=_ORDER.index)


_ORDER = [
    "up",
    "chat",
    "run",
    "batch",
    "test",
    "apps",
    "runs",
    "schedules",
    "processors",
    "mcp",
    "models",
    "connections",
    "routes",
    "config",
    "keys",
    "doctor",
]

app = typer.Typer(
    name="ingle",
    cls=_Verbs,
    help="Open models on your own machine, behind an OpenAI-compatible API.",
    epilog="`ingle VERB --help` says more. Begin with `ingle chat`, or `ingle up`.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("chat")(chat.chat)
app.command("run")(run.run)
app.command("batch")(batch.batch)
app.command("test")(test.run_tests)
app.command("processors")(processors.processors)
app.command("mcp")(mcp.mcp)
app.add_typer(apps.group, name="apps")
app.add_typer(runs.group, name="runs")
app.add_typer(schedules.group, name="schedules")
app.add_typer(models.group, name="models")
app.add_typer(connections.group, name="connections")
app.add_typer(routes.group, name="routes")
app.add_typer(config.group, name="config")
app.add_typer(keys.group, name="keys")
app.command("doctor")(doctor.doctor)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"ingle {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def ingle(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(args: Sequence[str] | None = None) -> int:
    """Do what the arguments (by default the process's own) say; the exit code.

    0 is success; 2 wrong arguments; 130 Ctrl-C; 70 a fault of Ingle itself; else the code of the
    error, see `ingle.errors`. Never raises but SystemExit.
    """
    given = sys.argv[1:] if args is None else list(args)
    use_utf8()
    try:
        command = typer.main.get_command(app)
        code = command.main(args, prog_name="ingle", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _leave_pipe()
    except Exception as error:  # noqa: BLE001 -- the outermost edge: every error is told here
        failure = explain(error)
    else:
        if code != 130:
            return code or 0
        failure = Failure("interrupted", "Interrupted.", exit_code=130)
    try:
        failure.tell(given)
    except BrokenPipeError:
        return _leave_pipe()
    return failure.exit_code


def _leave_pipe() -> int:
    """Nobody reads any more, as with `| head`: say nothing, not even at the interpreter's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
