"""A run that nobody keeps: for batches, tests of apps and calls from Python."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from ingle.apps.app import App
from ingle.apps.fields import read_input
from ingle.ids import new_id
from ingle.processors.base import Output
from ingle.processors.pieces import Piece
from ingle.runs.events import Event, OutputPiece, RunEnded
from ingle.runs.executor import NoRecord, Work, execute
from ingle.runs.log import RunLog

__all__ = ["AppOutput", "events_of", "output_of", "pieces_of"]


class AppOutput(Output):
    """What an app has made."""

    output: Any


async def events_of(app: App, values: Mapping[str, Any], work: Work) -> AsyncGenerator[Event, None]:
    """The events of a run as they come, to its last. Closing it stops the run.

    Raises:
        InvalidRequest: a value of the input is wrong.
        IngleError: the run failed; its last event has come before.
    """
    log = RunLog()
    running = asyncio.create_task(
        execute(
            app,
            read_input(app.fields, values),
            run=new_id("run"),
            log=log,
            work=work,
            record=NoRecord(),
        )
    )
    try:
        async for events in log.listen():
            for event in events:
                yield event
        await running
    finally:
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # seen: who listened was told of it, or has left


async def output_of(app: App, values: Mapping[str, Any], work: Work) -> Any:
    """The output of a run. Cancelling it stops the run.

    Raises:
        InvalidRequest: a value of the input is wrong.
        IngleError: the run failed.
    """
    return await execute(
        app,
        read_input(app.fields, values),
        run=new_id("run"),
        log=RunLog(),
        work=work,
        record=NoRecord(),
    )


async def pieces_of(
    app: App, values: Mapping[str, Any], work: Work
) -> AsyncGenerator[Piece | AppOutput, None]:
    """The app's output as a processor's comes: pieces of it, and last the whole.

    A text that is written bit by bit comes as pieces at `("output",)`; any other output comes as
    one piece. Closing it stops the run. Raises as `events_of`.
    """
    written = ""
    async with aclosing(events_of(app, values, work)) as events:
        async for event in events:
            match event:
                case OutputPiece(text=text, is_restart=True):
                    written = text
                    yield Piece(("output",), value=text)
                case OutputPiece(text=text):
                    written += text
                    yield Piece(("output",), text)
                case RunEnded(output=output):
                    if output != written:
                        yield Piece(("output",), value=output)
                    yield AppOutput(output=output)
