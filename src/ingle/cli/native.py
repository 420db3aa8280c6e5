"""`ingle doctor --build`: llama.cpp built for this processor, with a bar that tells how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ingle.cli.terminal import console, note

if TYPE_CHECKING:
    from ingle.engines.native_wheel import Report, Stage

__all__ = ["build", "remove"]

_STAGES = {
    "waiting": "another build is under way",
    "tools": "fetching CMake and the sources",
    "compiling": "compiling",
    "trying": "trying it with the demo model",
}


def build() -> None:
    """Build it and say what it uses; engines that start from now on use it.

    Raises:
        IngleError: as `ingle.engines.native_build.build_native`.
    """
    import asyncio

    from ingle.engines.native import native_folder
    from ingle.engines.native_build import build_native
    from ingle.settings import load_settings

    settings = load_settings()
    note(
        f"Building llama.cpp for this processor in {native_folder(settings.home)}; its log is "
        "build.log there. Nothing changes until it is done and has been tried."
    )
    with _bar() as report:
        built = asyncio.run(build_native(settings, report))
    note(
        f"xllamacpp {built.version} is built, with {', '.join(built.features)}. Engines that start "
        "from now on use it; `ingle doctor --remove-build` goes back."
    )


def remove() -> None:
    """Remove the build and say so.

    Raises:
        StorageError: it cannot be removed.
    """
    import asyncio

    from ingle.engines.native_build import remove_native
    from ingle.settings import load_settings

    if asyncio.run(remove_native(load_settings())):
        note("Removed. Engines that start from now on use the installed llama.cpp.")
    else:
        note("There is no build of llama.cpp for this processor.")


@contextmanager
def _bar() -> Iterator[Report]:
    """A bar on stderr; a pipe gets a line for each stage."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    err = console(sys.stderr)
    columns = (TextColumn("[dim]{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def report(stage: Stage, done: float) -> None:
            if not err.is_terminal and done == 0.0:
                note(f"{_STAGES[stage][:1].upper()}{_STAGES[stage][1:]} …")
            bar.update(task, description=_STAGES[stage], total=1 if done else None, completed=done)

        yield report
