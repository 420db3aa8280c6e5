"""What a child process that runs an engine in Python does: its order, its answer, its end.

Its parent writes one line of JSON to its standard input and keeps that open. It answers with one
line on its standard output, `{"port": 40123}` or `{"error": {"code": "…", "message": "…"}}`, and
ends when its standard input does, which is also when its parent dies, and at SIGTERM.
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
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO, TypeVar

import msgspec

from ingle.errors import ConfigurationError, IngleError

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["run_child"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STOP_S = 1.0  # for work to stop where it can; after that the process just ends

_Order = TypeVar("_Order", bound=msgspec.Struct)


def run_child(order_type: type[_Order], load: Callable[[_Order], web.Application]) -> int:
    """Run an engine until its parent goes; the exit code if it cannot be started.

    `load` gets the order and gives the server, with the model in memory; an `IngleError` of its is
    told to the parent.
    """
    _die_with_parent()
    # What native libraries print must not come between the lines that the parent reads.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        order = _read_order(order_type)
        began = time.monotonic()
        app = load(order)
    except IngleError as error:
        _say(answer, {"error": {"code": error.code, "message": error.message}})
        return error.exit_code
    print(f"Loaded in {time.monotonic() - began:.2f} s.", file=sys.stderr)  # noqa: T201  # its log
    asyncio.run(_serve(app, answer))
    # Work that is still in native code is not waited for: nobody is left to see it.
    sys.stderr.flush()
    os._exit(0)


async def _serve(app: web.Application, answer: TextIO) -> None:
    from aiohttp import web

    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no handlers in the loop; there the parent closes standard input.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, is_over.set)
    threading.Thread(target=_wait_for_parent, args=(loop, is_over), daemon=True).start()
    # Cancelled handlers are how a caller who leaves stops the work.
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


def _read_order(order_type: type[_Order]) -> _Order:
    try:
        return msgspec.json.decode(sys.stdin.buffer.readline(), type=order_type)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"The engine did not understand how to start: {error}. Ingle itself starts it; "
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
