"""`ingle run`: one processor or one app, once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingle.cli.completion import complete_processor
from ingle.cli.terminal import AsJson, note, print_json, spinner, write
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.processors.base import Configuration, Input, Output, Processor
    from ingle.processors.pieces import Path as ResultPath
    from ingle.processors.pieces import Piece

    AnyProcessor = Processor[Any, Any, Any]  # Any: each has types of its own

    Items = AsyncGenerator[Piece | Output, None]

Values = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        show_default=False,
        help="A field, as often as needed; NAME=@FILE and NAME=- read a file and stdin. "
        "Or several fields as a JSON object, @FILE or -.",
    ),
]


def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="APP|PROCESSOR",
            autocompletion=complete_processor,
            help="The file of an app, a published one as app/SLUG, or a processor.",
        ),
    ],
    input: Values = None,  # noqa: A002 -- the option's name
    config: Values = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print the answer piece by piece, as it comes.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Save the text or the images."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run an app or a processor once and print its output.

    On a terminal, an app's steps are shown as they run. In a pipe there is its output alone, with
    `--json --stream` every event.

    \b
    ingle run app.yaml --input question="Why is the sky blue?"
    ingle run localai/completions --input prompt="Once upon a time" --stream
    ingle run localai/chatgpt --input '{"messages": [{"role": "user", "content": "Hi"}]}'
    ingle run localai/completions --input prompt=@story.txt --config max_tokens=200 --json

    `ingle processors` lists the processors and their fields.
    """
    from ingle.runs.source import is_app

    if is_app(target):
        _run_app(target, input or [], config, output, is_stream=stream, as_json=as_json)
    else:
        _run_processor(target, input or [], config or [], output, stream, as_json=as_json)


def _run_app(
    target: str,
    texts: list[str],
    config: list[str] | None,
    output: Path | None,
    *,
    is_stream: bool,
    as_json: bool,
) -> None:
    from ingle.cli.answers import check_writable
    from ingle.cli.run_app import run_app

    if config:
        raise InvalidRequest("`--config` is for processors; an app says itself how its steps work.")
    if output:
        check_writable(output)
    run_app(
        target, texts, read_stdin=_read_once(), is_stream=is_stream, output=output, as_json=as_json
    )


def _run_processor(
    processor: str,
    texts: list[str],
    config: list[str],
    output: Path | None,
    stream: bool,
    *,
    as_json: bool,
) -> None:
    from ingle.cli.answers import check_writable, save
    from ingle.cli.values import read_values
    from ingle.processors.catalogue import get_processor
    from ingle.processors.image_generations import ImageGenerationsOutput
    from ingle.processors.validation import validated

    chosen = get_processor(processor)
    schema = chosen.schema()
    read_stdin = _read_once()
    values = read_values(texts, schema["input"], option="--input", read_stdin=read_stdin)
    settings = read_values(
        config, schema["configuration"], option="--config", read_stdin=read_stdin
    )
    if stream and "stream" in schema["configuration"]["properties"]:
        settings.setdefault("stream", True)
    try:
        typed_input = validated(chosen.input, values, "input")
        configuration = validated(chosen.configuration, settings, "config")
    except InvalidRequest as error:
        hint = f"`ingle processors {processor}` shows the fields."
        raise InvalidRequest(f"{error.message} {hint}", param=error.param) from error
    if output:
        check_writable(output)
    items = _items(chosen, typed_input, configuration)
    answer = _show_json(items, stream) if as_json else _show_text(items, stream, chosen.result)
    if output:
        note(save(answer, output, chosen.result))
    elif not as_json and isinstance(answer, ImageGenerationsOutput):
        note("`--output FILE` saves it, `--json` prints it as base64.")


def _show_text(items: Items, is_stream: bool, result: ResultPath) -> Output:
    import asyncio

    from ingle.cli.answers import AnswerText

    answer = AnswerText(result)
    try:
        output = asyncio.run(_last(items, answer.add if is_stream else None))
    except BaseException:  # an error or Ctrl-C: what follows begins on a line of its own
        answer.cut()
        raise
    answer.end(output)
    return output


def _show_json(items: Items, is_stream: bool) -> Output:
    """One JSON document; or a line for each piece, and a last one for the output."""
    import asyncio

    from msgspec.json import encode

    def show(piece: Piece) -> None:
        write(f'{{"piece":{encode(piece).decode()}}}\n')

    output = asyncio.run(_last(items, show if is_stream else None))
    if is_stream:
        write(f'{{"output":{output.model_dump_json()}}}\n')
    else:
        print_json(output.model_dump(mode="json"))
    return output


async def _last(items: Items, show: Callable[[Piece], None] | None) -> Output:
    """The output, after showing each piece that came before it. Ctrl-C stops the work."""
    from ingle.processors.base import Output

    output = None
    with spinner("Waiting for the model") as stop_spinner:
        async with aclosing(items):
            async for item in items:
                if isinstance(item, Output):
                    output = item
                elif show is not None:
                    stop_spinner()
                    show(item)
    assert output is not None, "a processor ends with its output"
    return output


async def _items(
    processor: AnyProcessor, typed_input: Input, configuration: Configuration
) -> Items:
    """The processor's pieces and its output, from an Ingle that is open as long as this runs."""
    from ingle.runtime import open_runtime
    from ingle.settings import load_settings

    async with (
        open_runtime(load_settings()) as runtime,
        aclosing(processor.run(typed_input, configuration, runtime.router)) as items,
    ):
        async for item in items:
            yield item


def _read_once() -> Callable[[], str]:
    """A function that gives all of stdin, once."""
    from ingle.cli.values import read_stdin

    given: list[str] = []

    def read() -> str:
        if given:
            raise InvalidRequest("stdin (-) can give only one value. Use a file for the others.")
        given.append(read_stdin())
        return given[0]

    return read
