"""The child process that draws images: `python -m ingle.engines.diffusion`.

Its parent writes one line of JSON to its standard input and keeps that open:

    {"model": "/path/to/folder", "name": "demo-image", "key": "…",
     "engine": "openvino" | "diffusers" | null, "device": null, "threads": null}

Only `model`, `name` and `key` have to be there; the key comes this way because arguments can be
read by every user of the machine. It loads the model, listens on a free port of 127.0.0.1, and
writes one line of JSON to its standard output: `{"port": 40123}`, or, if it cannot serve,
`{"error": {"code": "engine_missing", "message": "…"}}` with the exit code of that error. Its log
goes to standard error. It ends when its standard input does, which is also when its parent dies,
and at SIGTERM.

The only process that imports a native image library.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

import msgspec

from ingle.engines.images.model_folder import Library, read_model_folder
from ingle.engines.images.pipeline import Pipeline
from ingle.errors import ConfigurationError, IngleError

__all__ = ["Start", "load", "main"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STOP_S = 1.0  # for drawings to stop between two steps; after that the process just ends


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the parent says on the first line."""

    model: str
    name: str
    key: str
    engine: Library | None = None
    device: str | None = None
    threads: int | None = None


def load(start: Start) -> Pipeline:
    """The model in memory, by the library that reads its files, or the one that was chosen.

    Raises:
        ModelFileInvalid, EngineMissing: see `read_model_folder` and each library's `load`.
        ConfigurationError: the engine that was chosen does not read files of this format.
    """
    folder = read_model_folder(Path(start.model))
    if start.engine not in (None, folder.library):
        raise ConfigurationError(
            f"The image model {start.name!r} has files for {folder.library}, and its manifest "
            f"says `engine: {start.engine}`. Correct the manifest, or convert the model."
        )
    if folder.library == "openvino":
        from ingle.engines.images.with_openvino import load as load_with
    else:
        from ingle.engines.images.with_diffusers import load as load_with
    return load_with(folder, device=start.device, threads=start.threads)


def main() -> int:
    """Runs the engine until its parent goes; the exit code."""
    _die_with_parent()
    # What native libraries print must not come between the lines that the parent reads.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        start = _read_start()
        began = time.monotonic()
        pipeline = load(start)
    except IngleError as error:
        _say(answer, {"error": {"code": error.code, "message": error.message}})
        return error.exit_code
    print(f"Loaded {start.model} in {time.monotonic() - began:.2f} s.", file=sys.stderr)  # noqa: T201
    asyncio.run(_serve(pipeline, start, answer))
    # A drawing that is still in native code is not waited for: nobody is left to see it.
    sys.stderr.flush()
    os._exit(0)


async def _serve(pipeline: Pipeline, start: Start, answer: TextIO) -> None:
    from aiohttp import web

    from ingle.engines.images.server import make_app

    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no handlers in the loop; there the parent closes standard input.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, is_over.set)
    threading.Thread(target=_wait_for_parent, args=(loop, is_over), daemon=True).start()
    app = make_app(pipeline, name=start.name, key=start.key)
    # Cancelled handlers are how a caller who leaves stops a drawing.
    runner = web.AppRunner(
        app, handler_cancellation=True, access_log=None, shutdown_timeout=_STOP_S
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _say(answer, {"port": runner.addresses[0][1]})
    await is_over.wait()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(runner.cleanup(), 2 * _STOP_S)


def _read_start() -> Start:
    try:
        return msgspec.json.decode(sys.stdin.buffer.readline(), type=Start)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"The image engine did not understand how to start: {error}. Ingle itself starts it; "
            "run `ingle models run NAME` instead."
        ) from error


def _say(answer: TextIO, line: dict[str, object]) -> None:
    print(json.dumps(line), file=answer, flush=True)


def _wait_for_parent(loop: asyncio.AbstractEventLoop, is_over: asyncio.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has ended for another reason
        loop.call_soon_threadsafe(is_over.set)


def _die_with_parent() -> None:
    """On Linux, also when the parent is killed while this process is deep in native code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
