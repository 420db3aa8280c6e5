"""`ingle runs`: what ran, how it went, and once more."""

from __future__ import annotations

import csv
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingle.cli.completion import complete_app
from ingle.cli.terminal import AsJson, moment, note, print_json, print_pairs, print_table, write
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.runs.history import RunRecord, StepRecord
    from ingle.runs.run import Run
    from ingle.runs.runs import RunFilter, Runs

group = typer.Typer(help="List, show, cancel, retry and export runs.", invoke_without_command=True)

Id = Annotated[str, typer.Argument(metavar="RUN", help="From `ingle runs list`.")]
OfApp = Annotated[
    str | None,
    typer.Option("--app", metavar="SLUG", autocompletion=complete_app, help="Only of this app."),
]
State = Annotated[
    str | None,
    typer.Option(metavar="STATE", help="Only waiting, running, ended, failed or cancelled."),
]
Text = Annotated[
    str | None,
    typer.Option("--search", metavar="TEXT", help="Only with this in what went in or out."),
]

_SHOWN = 60


@group.callback()
def runs(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_runs(as_json=as_json)


@group.command("list")
def list_runs(
    app: OfApp = None,
    state: State = None,
    search: Text = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most N.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    import asyncio

    async def found() -> Any:
        async with _opened() as store:
            return await store.list(_filter(app, state, search), limit=limit)

    listed = asyncio.run(found())
    if as_json:
        print_json(listed)
    elif listed:
        columns = {"RUN": "", "APP": "", "STATE": "", "BEGAN": "", "TOOK": "", "OUTPUT": "dim"}
        print_table(columns, [_row(run) for run in listed])
    else:
        note("There are no such runs. `ingle run app.yaml` makes one.")


@group.command()
def show(run: Id, as_json: AsJson = False) -> None:
    """Show a run: what went in, its steps, what came out."""
    import asyncio

    async def found() -> RunRecord:
        async with _opened() as store:
            return await store.get(run)

    record = asyncio.run(found())
    if as_json:
        print_json(record)
        return
    from ingle.runs.expectations import as_text

    version = f", version {record.version}" if record.version is not None else ""
    pairs = [
        ("app", f"{record.app}{version}"),
        ("state", record.state),
        ("began", _when(record.created_at)),
        ("took", _took(record)),
        *((f"input.{name}", as_text(value)) for name, value in record.input.items()),
    ]
    if record.fault is not None:
        pairs.append(("error", record.fault.message))
    if record.output is not None:
        pairs.append(("output", as_text(record.output)))
    print_pairs(pairs)
    if record.steps:
        write("\n")
        columns = {"STEP": "", "STATE": "", "TOOK": "", "TOKENS": "", "A SECOND": "", "MODEL": ""}
        print_table(columns, [_step(step) for step in record.steps])


@group.command()
def cancel(run: Id) -> None:
    """Stop a run, wherever it runs."""
    import asyncio

    async def stop() -> None:
        async with _opened() as store:
            await store.cancel(run)

    asyncio.run(stop())
    note(f"{run} is cancelled.")


@group.command()
def retry(
    run: Id,
    from_step: Annotated[
        str | None,
        typer.Option("--from", metavar="STEP", help="Run this step again, and those that need it."),
    ] = None,
    edit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=JSON",
            help="The output of a step, or `input`, as if it had been this; else text.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run again what failed, and print the output.

    What has ended well is not repeated.

    \b
    ingle runs retry run_01k9…
    ingle runs retry run_01k9… --from summary
    """
    import asyncio

    from ingle.cli.app_answers import told_value

    edits = _edits(edit or [])

    async def again() -> tuple[str, Any]:
        async with _opened() as store:
            begun = await store.retry(run, from_step, edits)
            return begun.id, await _output(begun)

    new, output = asyncio.run(again())
    if as_json:
        print_json({"run": new, "output": output})
        return
    note(f"This is the run {new}.")
    write(f"{told_value(output).rstrip()}\n")


@group.command()
def export(app: OfApp = None, state: State = None, search: Text = None) -> None:
    """Print runs as CSV, the newest first.

    \b
    ingle runs export --app translate > runs.csv
    """
    import asyncio

    async def print_all() -> None:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        async with _opened() as store:
            async for row in store.table(_filter(app, state, search)):
                rows.writerow(row)

    asyncio.run(print_all())


async def _output(run: Run) -> Any:
    """The run's output; Ctrl-C stops the run."""
    try:
        return await run.output()
    finally:
        if not run.log.is_over:
            run.cancel()
            async for _ in run.log.listen(run.log.next - 1):
                pass


def _filter(app: str | None, state: str | None, text: str | None) -> RunFilter:
    from ingle.runs.runs import RunFilter

    states = ("waiting", "running", "ended", "failed", "cancelled")
    if state is not None and state not in states:
        raise InvalidRequest(f"`--state {state}` is none. There are: {', '.join(states)}.")
    return RunFilter(app=app.removeprefix("app/") if app else None, state=state, text=text)


def _edits(texts: list[str]) -> dict[str, Any]:
    import msgspec

    edits = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InvalidRequest(f"`--edit {text}` changes nothing. Write `--edit step=JSON`.")
        try:
            edits[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            edits[name] = value
    return edits


def _row(run: RunRecord) -> tuple[str, ...]:
    from ingle.runs.expectations import as_text
    from ingle.upstream.explain import printable

    told = run.fault.message if run.fault is not None else as_text(run.output or "")
    shown = printable(told, _SHOWN)
    return run.id, run.app, run.state, _when(run.created_at), _took(run), shown


def _step(step: StepRecord) -> tuple[str, ...]:
    usage = step.usage
    return (
        step.step,
        step.state if step.fault is None else f"{step.state}: {step.fault.message}",
        f"{step.ended_at - step.started_at:.1f} s",
        str(usage.completion_tokens) if usage else "",
        f"{usage.tokens_per_second:.0f}" if usage and usage.tokens_per_second else "",
        (usage.model or "") if usage else "",
    )


def _took(run: RunRecord) -> str:
    if run.started_at is None or run.ended_at is None:
        return ""
    return f"{run.ended_at - run.started_at:.1f} s"


def _when(at: float) -> str:
    return moment(datetime.fromtimestamp(at, UTC))


@asynccontextmanager
async def _opened() -> AsyncGenerator[Runs, None]:
    from ingle.runtime import open_runtime
    from ingle.settings import load_settings

    async with open_runtime(load_settings()) as runtime:
        yield runtime.runs
