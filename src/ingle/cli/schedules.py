"""`ingle schedules`: apps that run by themselves while `ingle up` runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ingle.cli.completion import complete_app
from ingle.cli.terminal import AsJson, moment, note, print_json, print_table

if TYPE_CHECKING:
    from ingle.runs.schedules import Schedule
    from ingle.runs.timing import Timing
    from ingle.runtime import Runtime

group = typer.Typer(
    help="Let apps run by themselves: list, add, pause, remove.",
    invoke_without_command=True,
)

T = TypeVar("T")
Id = Annotated[str, typer.Argument(metavar="SCHEDULE", help="From `ingle schedules list`.")]


@group.callback()
def schedules(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_schedules(as_json)


@group.command("list")
def list_schedules(as_json: AsJson = False) -> None:
    """List the schedules, with when each ran and will run."""
    found = _do(lambda runtime: runtime.schedules.list())
    if as_json:
        print_json(found)
    elif found:
        columns = {"SCHEDULE": "", "APP": "", "WHEN": "", "NEXT": "", "LAST": "", "": "dim"}
        print_table(columns, [_row(schedule) for schedule in found])
    else:
        note("There are no schedules. `ingle schedules add APP --every 1h` adds one.")


@group.command()
def add(
    app: Annotated[
        str, typer.Argument(metavar="APP", autocompletion=complete_app, help="A published app.")
    ],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Once, such as '2027-01-31 07:00'.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Again and again: 30s, 15m, 2h, 1d, 1w.")
    ] = None,
    cron: Annotated[
        str | None, typer.Option(metavar="LINE", help="As in a crontab, such as '0 7 * * 1-5'.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone", metavar="ZONE", help="Such as Europe/Berlin; else this machine's."
        ),
    ] = None,
    missed: Annotated[
        str,
        typer.Option(
            metavar="once|skip", help="What is missed while nothing runs: made up for once, or not."
        ),
    ] = "once",
    input: Annotated[  # noqa: A002 -- the option's name
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A field, as often as needed, as in `ingle run`."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a published app run by itself, while `ingle up` runs.

    \b
    ingle schedules add news --every 1h --input topic=weather
    ingle schedules add news --cron "0 7 * * 1-5" --time-zone Europe/Berlin
    """
    from ingle.runs.timing import timing

    when = timing(at=at, every=every, cron=cron, zone=zone, missed=missed)
    slug = app.removeprefix("app/")
    added = _do(lambda runtime: _added(runtime, slug, input or [], when))
    if as_json:
        print_json(added)
    else:
        note(f"{added.id} runs {added.app} {_told(added.timing)}, next {_when(added.next_at)}.")


@group.command()
def pause(schedule: Id) -> None:
    """Let a schedule rest."""
    _do(lambda runtime: runtime.schedules.pause(schedule))
    note(f"{schedule} rests. `ingle schedules resume {schedule}` lets it go on.")


@group.command()
def resume(schedule: Id) -> None:
    """Let a schedule go on from now."""
    _do(lambda runtime: runtime.schedules.resume(schedule))
    note(f"{schedule} goes on.")


@group.command("rm")
def remove(schedule: Id) -> None:
    """Remove a schedule; its runs stay."""
    _do(lambda runtime: runtime.schedules.remove(schedule))
    note(f"Removed {schedule}.")


async def _added(runtime: Runtime, slug: str, texts: list[str], when: Timing) -> Schedule:
    import asyncio

    from ingle.apps.fields import fields_schema
    from ingle.cli.values import read_stdin, read_values

    app = await asyncio.to_thread(runtime.published.find, slug)
    schema = fields_schema(app.fields)
    values = read_values(texts, schema, option="--input", read_stdin=read_stdin)
    return await runtime.schedules.add(slug, values, when)


def _row(schedule: Schedule) -> tuple[str, ...]:
    said = ["paused"] if schedule.is_paused else []
    said += [f"{schedule.missed} missed"] if schedule.missed else []
    said += [schedule.fault] if schedule.fault else []
    return (
        schedule.id,
        schedule.app,
        _told(schedule.timing),
        _when(schedule.next_at),
        _when(schedule.last_at),
        ", ".join(said),
    )


def _told(timing: Timing) -> str:
    if timing.at is not None:
        return "once"
    if timing.every is not None:
        units = (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60))
        for unit, seconds in units:
            if timing.every % seconds == 0:
                return f"every {timing.every / seconds:g}{unit}"
        return f"every {timing.every:g}s"
    return f"at {timing.cron} ({timing.zone})"


def _when(at: float | None) -> str:
    return "never" if at is None else moment(datetime.fromtimestamp(at, UTC))


def _do(work: Callable[[Runtime], Awaitable[T]]) -> T:
    import asyncio

    from ingle.runtime import open_runtime
    from ingle.settings import load_settings

    async def done() -> T:
        async with open_runtime(load_settings()) as runtime:
            return await work(runtime)

    return asyncio.run(done())
