"""`ingle run app.yaml`: one run of an app, shown step by step."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from ingle.apps.fields import fields_schema, read_input
from ingle.cli.app_answers import save_value, told_value
from ingle.cli.run_screen import RunScreen
from ingle.cli.terminal import note, print_json, spinner, write
from ingle.cli.values import read_values
from ingle.errors import InvalidRequest
from ingle.runs.events import Event, OutputPiece, RunEnded
from ingle.runs.source import AppSource, read_source
from ingle.runtime import Runtime, open_runtime
from ingle.settings import load_settings

__all__ = ["run_app"]

Show = Callable[[Event], None]


def run_app(
    target: str,
    texts: Sequence[str],
    *,
    read_stdin: Callable[[], str],
    is_stream: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Run an app and print its output; on a terminal, each step as it comes before it.

    Ctrl-C cancels the run.
    """
    asyncio.run(_run(target, texts, read_stdin, is_stream, output, as_json=as_json))


async def _run(
    target: str,
    texts: Sequence[str],
    read_stdin: Callable[[], str],
    is_stream: bool,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    async with open_runtime(load_settings()) as runtime:
        source = await asyncio.to_thread(read_source, target, runtime.published)
        values = _read(target, source, texts, read_stdin)
        events = _events(runtime, source, values)
        if as_json:
            value = await _show_json(events, is_stream=is_stream)
        elif sys.stdout.isatty() and sys.stderr.isatty():
            value = await _show_steps(events, source)
        else:
            value = await _show_output(events, is_stream=is_stream, is_quiet=output is not None)
    if output is not None:
        note(save_value(value, output))


def _read(
    target: str, source: AppSource, texts: Sequence[str], read_stdin: Callable[[], str]
) -> Mapping[str, Any]:
    fields = source.app.fields
    values = read_values(texts, fields_schema(fields), option="--input", read_stdin=read_stdin)
    try:
        read_input(fields, values)
    except InvalidRequest as error:
        missing = next((name for name in fields if values.get(name) is None), None)
        hint = (
            f"Give it as in `--input {missing}=…`." if missing else f"{target} says what it asks."
        )
        raise InvalidRequest(f"{error.message} {hint}", param=error.param) from error
    return values


async def _events(
    runtime: Runtime, source: AppSource, values: Mapping[str, Any]
) -> AsyncGenerator[Event, None]:
    """The events of a run, which is kept; closing it early cancels the run."""
    run = await runtime.runs.start(
        source.app, values, text=source.text, slug=source.slug, version=source.version
    )
    try:
        async for events in run.log.listen():
            for event in events:
                yield event
        await run.output()  # raises what the run failed with
    finally:
        if not run.log.is_over:
            run.cancel()
            async for _ in run.log.listen(run.log.next - 1):
                pass


async def _last(events: AsyncGenerator[Event, None], show: Show) -> Any:
    """The app's output, after showing each event."""
    value = None
    async with aclosing(events):
        async for event in events:
            show(event)
            if isinstance(event, RunEnded):
                value = event.output
    return value


async def _show_json(events: AsyncGenerator[Event, None], *, is_stream: bool) -> Any:
    """A line for each event; or just the output, as one JSON document."""
    from msgspec.json import encode

    if is_stream:
        return await _last(events, lambda event: write(f"{encode(event).decode()}\n"))
    value = await _last(events, lambda event: None)
    print_json({"output": value})
    return value


async def _show_steps(events: AsyncGenerator[Event, None], source: AppSource) -> Any:
    with spinner("Waiting for the model") as stop_spinner:
        screen = RunScreen(source.app, stop_spinner)
        try:
            value = await _last(events, screen.take)
        except BaseException:  # an error or Ctrl-C: what follows begins on a line of its own
            screen.cut()
            raise
    screen.end(told_value(value))
    return value


async def _show_output(
    events: AsyncGenerator[Event, None], *, is_stream: bool, is_quiet: bool
) -> Any:
    """Nothing but the output, as for a pipe: piece by piece, or whole at the end."""
    shown = ""

    def show(event: Event) -> None:
        nonlocal shown
        if is_stream and isinstance(event, OutputPiece) and not event.is_restart:
            shown += event.text
            write(event.text)

    value = await _last(events, show)
    if not is_quiet:
        text = told_value(value)
        write(text.removeprefix(shown))
        if not text.endswith("\n"):
            write("\n")
    return value
