"""`ingle batch`: an app or a processor over the rows of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ingle.cli.completion import complete_processor
from ingle.cli.terminal import AsJson, note
from ingle.errors import InvalidRequest

__all__ = ["batch"]


def batch(
    target: Annotated[
        str,
        typer.Argument(
            metavar="APP|PROCESSOR",
            autocompletion=complete_processor,
            help="The file of an app, a published one as app/SLUG, or a processor.",
        ),
    ],
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="A .csv, .jsonl or .parquet file.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The results: .jsonl, .csv or .parquet."
        ),
    ],
    concurrency: Annotated[
        int, typer.Option(min=1, max=1024, help="How many rows at the same time.")
    ] = 4,
    map: Annotated[  # noqa: A002 -- the option's name
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="The column that a field comes from, if it is not called the same.",
        ),
    ] = None,
    input: Annotated[  # noqa: A002 -- the option's name
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A field that is the same for all rows."),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A processor's configuration."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the first N rows.")
    ] = None,
    ordered: Annotated[bool, typer.Option("--ordered", help="Keep the order of the rows.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run the rows again that have failed.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what FILE has, and begin anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run an app or a processor for each row of a file.

    Columns go to the fields of the same names. It may be interrupted at any time: the same command
    goes on from there. A row that fails has `_error` in place of its output, and the exit code is 1
    then.

    \b
    ingle batch app.yaml rows.csv -o out.jsonl --concurrency 8
    ingle batch app/classify mails.parquet -o out.csv --map text=body
    ingle batch localai/completions prompts.jsonl -o out.jsonl --config max_tokens=50
    """
    import asyncio

    from ingle.cli.answers import check_writable
    from ingle.cli.batch_run import BatchOptions, run_file

    if retry_failed and ordered:
        raise InvalidRequest(
            "`--retry-failed` adds rows below those that are there, so there is no `--ordered` "
            "with it. Leave one out."
        )
    check_writable(output)
    options = BatchOptions(
        target=target,
        rows=rows,
        output=output,
        concurrency=concurrency,
        map=_pairs(map or []),
        input=tuple(input or ()),
        config=tuple(config or ()),
        limit=limit,
        is_ordered=ordered,
        is_retry=retry_failed,
        is_fresh=fresh,
    )
    try:
        failed = asyncio.run(run_file(options, as_json=as_json))
    except KeyboardInterrupt:
        note("What has come is kept: run the same again to go on.")
        raise
    if failed:
        raise typer.Exit(1)


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not (field and equals and column):
            raise InvalidRequest(f"`--map {text}` maps nothing. Write `--map field=column`.")
        pairs[field] = column
    return pairs
