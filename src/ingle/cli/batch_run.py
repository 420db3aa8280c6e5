"""A batch from a file into another, with a bar that tells how far it is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ingle.cli.row_work import RowTarget, open_target
from ingle.cli.terminal import console, note, print_json, visible
from ingle.errors import Conflict, InvalidRequest
from ingle.models.pull.lock import exclusive
from ingle.runs import parquet
from ingle.runs.batch import Progress, run_batch
from ingle.runs.results import Results
from ingle.runs.rows import Survey, format_of, read_rows, survey
from ingle.runtime import open_runtime
from ingle.settings import load_settings

__all__ = ["BatchOptions", "run_file"]

Show = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What a batch is to do. `map` gives the column of a field that is called otherwise; `input`
    and `config` are the texts of these options."""

    target: str
    rows: Path
    output: Path
    concurrency: int
    map: Mapping[str, str]
    input: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    limit: int | None = None
    is_ordered: bool = False
    is_retry: bool = False
    is_fresh: bool = False


async def run_file(options: BatchOptions, *, as_json: bool) -> int:
    """Do the batch and say how it went; how many rows have failed.

    Raises:
        InvalidRequest: the rows cannot be read, or do not have what is asked for.
        Conflict: the file of results is not this batch's, or another process writes it.
        IngleError: as opening the app and the database.
    """
    output = options.output
    for path in (options.rows, output):
        if format_of(path) == ".parquet":
            parquet.check_installed()
    async with (
        exclusive(output.with_name(f"{output.name}.lock"), lambda: _refuse(output)),
        open_runtime(load_settings()) as runtime,
    ):
        target = await open_target(options.target, options.input, options.config, runtime)
        found = await asyncio.to_thread(survey, options.rows)
        _check_columns(target, found, options)
        results = Results(output, found.columns)
        if options.is_fresh:
            await asyncio.to_thread(results.remove)
        return await _run(target, found, results, options, as_json=as_json)


async def _run(
    target: RowTarget, found: Survey, results: Results, options: BatchOptions, *, as_json: bool
) -> int:
    total = found.rows if options.limit is None else min(found.rows, options.limit)

    async def work(values: Mapping[str, Any]) -> Any:
        return await target.run(values, options.map)

    with results:
        if options.is_retry:
            await asyncio.to_thread(results.forget_failed)
        if results.done and not as_json:
            note(f"{results.done:,} of {total:,} rows are done already.")
        with bar(total) as show:
            done = await run_batch(
                islice(read_rows(options.rows), options.limit),
                results,
                work,
                concurrency=options.concurrency,
                is_ordered=options.is_ordered,
                show=show,
            )
        is_whole = done.done == found.rows and not done.failed
        await asyncio.to_thread(results.finish, is_whole=is_whole)
    if as_json:
        print_json(
            {
                "rows": done.done,
                "failed": done.failed,
                "rows_per_second": round(done.rate, 3),
                "output": str(options.output),
            }
        )
    else:
        _tell(done, options.output)
    return done.failed


def _tell(done: Progress, output: Path) -> None:
    note(f"{done.done:,} rows are in {output}.")
    if done.failed:
        note(
            f"{done.failed:,} of them failed, see `_error`. "
            "The same with `--retry-failed` runs these again."
        )


def _refuse(output: Path) -> None:
    raise Conflict(f"Another process is writing {output}. Wait for it, or name another file.")


def _check_columns(target: RowTarget, found: Survey, options: BatchOptions) -> None:
    """Find out before the work whether the rows have what is asked for.

    Raises:
        InvalidRequest: a column that is mapped, or one for a field that must be given, is missing.
    """
    has = f"{options.rows} has the columns {', '.join(found.columns) or 'none'}."
    for field, column in options.map.items():
        if field not in target.fields:
            asked = ", ".join(target.fields) or "nothing"
            raise InvalidRequest(
                f"`--map {field}={column}`: {options.target} does not ask for `{field}`. It asks "
                f"for: {asked}."
            )
        if column not in found.columns:
            raise InvalidRequest(f"`--map {field}={column}`: there is no such column. {has}")
    missing = [
        field
        for field in target.required
        if options.map.get(field, field) not in found.columns and field not in target.given
    ]
    if missing and found.rows:
        raise InvalidRequest(
            f"{options.target} needs `{missing[0]}`, and there is no such column. {has} Name the "
            f"one to take: `--map {missing[0]}=COLUMN`; or give it for all rows: "
            f"`--input {missing[0]}=…`."
        )


@contextmanager
def bar(total: int) -> Iterator[Show]:
    """A bar on stderr; a pipe gets none."""
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    err = console(sys.stderr)
    columns = (BarColumn(), TextColumn("{task.fields[told]}"))
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task("rows", total=total, told=f"0 of {total:,}")

        def show(progress: Progress) -> None:
            shown.update(task, completed=progress.done, told=visible(_told(progress, total)))

        yield show


def _told(progress: Progress, total: int) -> str:
    """`1,204 of 10,000  35/s  4:12 left  3 failed`, as far as it is known."""
    parts = [f"{progress.done:,} of {total:,}"]
    if progress.rate > 0:
        rate = progress.rate
        parts.append(f"{rate:.0f}/s" if rate >= 10 else f"{rate:.2g}/s")
        minutes, seconds = divmod(round((total - progress.done) / rate), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        parts.append(f"{left} left")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    return "  ".join(parts)
