"""`ingle models pull`: a model onto this machine, with a bar that tells how far it is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.terminal import AsJson, console, note, size, visible
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.models.pull.install import Options
    from ingle.models.pull.progress import Installed, Progress
    from ingle.settings import Settings

__all__ = ["bar", "fetch", "pull"]

Show = Callable[["Progress | Installed"], None]


def pull(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="hf:OWNER/REPO or hf:OWNER/REPO:Q4_K_M, ollama:NAME:TAG, oci://REGISTRY/NAME:TAG, "
            "the URL of a .gguf file, a local file or folder, or a name of `ingle models suggest`.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="What to call it; else after its file.")
    ] = None,
    limit_rate: Annotated[
        str | None,
        typer.Option("--limit-rate", metavar="SIZE", help="At most so much a second, like 5MB."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what had come, and begin anew.")
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Only remove what has come of it so far.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download a model and install it.

    It may be interrupted at any time: the same command goes on from there. Of a repository with
    several quantisations the one is taken that suits this machine's memory.
    """
    from ingle.engines.memory import engines_limit_bytes
    from ingle.models.pull.install import Options
    from ingle.settings import load_settings

    settings = load_settings()
    if cancel:
        _cancel(source, name, settings)
        return
    options = Options(
        name=name,
        memory_bytes=settings.memory_limit_bytes or engines_limit_bytes(),
        rate_bytes_s=_rate(limit_rate),
        is_fresh=fresh,
    )
    with nullcontext(_print_line) if as_json else bar() as show:
        fetch(source, settings, options, show)


def fetch(source: str, settings: Settings, options: Options, show: Show) -> Installed:
    """Pull a model, and show each event; what is installed in the end.

    Raises:
        IngleError: as `ingle.models.pull.install.pull`.
    """
    import asyncio

    try:
        return asyncio.run(_fetch(source, settings, options, show))
    except KeyboardInterrupt:
        note("What has come is kept: run the same again to go on.")
        raise


async def _fetch(source: str, settings: Settings, options: Options, show: Show) -> Installed:
    from ingle.models.pull.install import pull as pull_model
    from ingle.models.pull.progress import Installed

    async with aclosing(pull_model(source, settings, options)) as events:
        async for event in events:
            show(event)
    assert isinstance(event, Installed), "the last event is the end of the pull"
    return event


def _cancel(source: str, name: str | None, settings: Settings) -> None:
    """Remove what has come of a pull that was interrupted.

    Raises:
        NotFound: nothing has.
        Conflict: it is under way.
    """
    import asyncio

    from ingle.errors import NotFound
    from ingle.models.pull.install import read_source
    from ingle.models.pull.jobs import Pulls
    from ingle.models.pull.unfinished import pull_id

    async def remove() -> None:
        async with Pulls(settings) as pulls:
            await pulls.cancel(pull_id(read_source(source), name))

    try:
        asyncio.run(remove())
    except NotFound as error:
        raise NotFound(
            f"Nothing has come of {source} that could be removed. An installed model is removed "
            "with `ingle models rm NAME`."
        ) from error
    note("What had come was removed.")


def _print_line(event: Progress | Installed) -> None:
    """Write an event to stdout as a line of JSON: `{"progress": …}` or, last, `{"installed": …}`."""
    import msgspec

    from ingle.models.pull.progress import Installed

    kind = "installed" if isinstance(event, Installed) else "progress"
    sys.stdout.write(msgspec.json.encode({kind: event}, enc_hook=str).decode() + "\n")
    sys.stdout.flush()


@contextmanager
def bar() -> Iterator[Show]:
    """A bar on stderr, and above it what is worth a line; a pipe gets only these lines."""
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    from ingle.models.pull.progress import Installed

    err = console(sys.stderr)
    columns = (
        TextColumn("[dim]{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("asking", total=None, told="")

        def show(progress: Progress | Installed) -> None:
            if isinstance(progress, Installed):
                bar.console.print(_farewell(progress), style="dim", soft_wrap=True)
                return
            if progress.note:
                bar.console.print(visible(progress.note), style="dim", soft_wrap=True)
            bar.update(
                task,
                description=progress.phase,
                total=progress.total_bytes,
                completed=progress.done_bytes,
                told=_told(progress),
            )

        yield show


def _farewell(done: Installed) -> str:
    state = "is installed already" if done.was_there else "is installed"
    return f"{done.name} {state} ({size(done.size_bytes)}). It answers by this name."


def _told(progress: Progress) -> str:
    """`3.2 GB of 4.9 GB  25.1 MB/s  1:07 left`, as far as it is known."""
    parts = [size(progress.done_bytes)]
    if progress.total_bytes is not None:
        parts[0] += f" of {size(progress.total_bytes)}"
    if progress.rate_bytes_s:
        parts.append(f"{size(int(progress.rate_bytes_s))}/s")
    if progress.eta_s is not None and progress.phase == "downloading":
        minutes, seconds = divmod(round(progress.eta_s), 60)
        hours, minutes = divmod(minutes, 60)
        parts.append(
            f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"
        )
    return "  ".join(parts)


def _rate(text: str | None) -> int | None:
    """Bytes a second.

    Raises:
        InvalidRequest: it is no size, or nothing.
    """
    from ingle.settings.values import parse_size

    if text is None:
        return None
    try:
        rate = parse_size(text)
    except ValueError as error:
        raise InvalidRequest(f"`--limit-rate {text}`: {error}. Write it like 5MB.") from error
    if rate < 1:
        raise InvalidRequest("`--limit-rate 0` would never end. Leave it out for no limit.")
    return rate
