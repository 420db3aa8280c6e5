"""Runs the HTTP server: binds its address, opens the runtime, serves, and stops without cutting.

Asked to stop, once, it takes no new requests (503), lets the running answers finish within
`drain_s`, ends the rest with an error that says so, and stops the engines. Asked again, it stops
at once.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import uvicorn

from ingle.engines.preload import preload
from ingle.runtime import Runtime, open_runtime
from ingle.server.app import Application, create_app
from ingle.server.border import is_loopback
from ingle.server.listener import listen, url_of
from ingle.settings import Settings

__all__ = ["Serving", "serve"]

_BACKLOG = 2048
_KEEP_ALIVE_S = 65
"""Longer than most clients keep an idle connection, so that they close it, and none is lost."""

_WRITE_USAGE_S = 10
"""So much of what keys used is lost at most when the process is killed."""

_LAST_S = 3
"""After all answers have ended, connections get so long to close."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that takes requests at `url`. `new_api_key` was made just now: show it once.

    `stop` asks the server to stop, from any thread; called again, to stop at once.
    """

    url: str
    new_api_key: str | None = field(repr=False)
    stop: Callable[[], None]


def serve(settings: Settings, *, ready: Callable[[Serving], None]) -> None:
    """Serve until asked to stop. `ready` is called, on the loop, once requests are taken.

    In the main thread SIGINT and SIGTERM ask it to stop.

    Raises:
        Conflict: the port is taken; says by whom, and what to do.
        ConfigurationError: the host is none that can be listened on.
        StorageError: the data folder or the database cannot be used.
    """
    with (
        closing(listen(settings.host, settings.port)) as listener,
        asyncio.Runner(loop_factory=_loop_factory()) as runner,
    ):
        runner.run(_serve(settings, listener, ready))


async def _serve(
    settings: Settings, listener: socket.socket, ready: Callable[[Serving], None]
) -> None:
    stops = _Stops(asyncio.get_running_loop())
    async with open_runtime(settings) as runtime:
        new_api_key = await _first_key(runtime)
        await runtime.runs.share()
        app = create_app(runtime)
        server = _Server(_config(app))
        async with runtime.schedules.serving():
            with stops.on_signals():
                serving = asyncio.create_task(server.serve(sockets=[listener]))
                stopping = asyncio.create_task(_stop(app, server, stops, settings.drain_s))
                writing = asyncio.create_task(_write_usage(runtime))
                working = asyncio.create_task(app.work())
                loading = asyncio.create_task(
                    preload(runtime.supervisor, runtime.models, settings.preload)
                )
                try:
                    ready(Serving(url_of(listener), new_api_key, stops.ask))
                    await serving
                finally:
                    tasks = (serving, stopping, writing, working, loading)
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)


async def _stop(app: Application, server: uvicorn.Server, stops: _Stops, drain_s: float) -> None:
    """Stop the server as it is asked to."""
    await stops.asked.wait()
    draining = asyncio.create_task(app.stop(drain_s))
    at_once = asyncio.create_task(stops.asked_again.wait())
    try:
        await asyncio.wait((draining, at_once), return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.force_exit = stops.asked_again.is_set()
        server.should_exit = True
        for task in (draining, at_once):
            task.cancel()
        await asyncio.gather(draining, at_once, return_exceptions=True)


async def _write_usage(runtime: Runtime) -> None:
    """Write what was used with each key, a batch at a time; the runtime writes the last one."""
    while True:
        await asyncio.sleep(_WRITE_USAGE_S)
        await asyncio.to_thread(runtime.key_usage.write)


async def _first_key(runtime: Runtime) -> str | None:
    """A key, made where callers will be asked for one and there is none yet."""
    if is_loopback(runtime.settings.host) or await asyncio.to_thread(runtime.api_keys.any):
        return None
    _, text = await asyncio.to_thread(runtime.api_keys.create, "first key")
    return text


class _Stops:
    """How often it was asked to stop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.asked = asyncio.Event()
        self.asked_again = asyncio.Event()

    def ask(self) -> None:
        """Ask once more; from any thread, and inside a signal handler."""
        self._loop.call_soon_threadsafe(self._count)

    def _count(self) -> None:
        (self.asked_again if self.asked.is_set() else self.asked).set()

    @contextmanager
    def on_signals(self) -> Generator[None, None, None]:
        """Inside the block, in the main thread, signals ask."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, lambda *_: self.ask())
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to us."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


def _config(app: Application) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_LAST_S,
    )


def _protocol() -> type[asyncio.Protocol]:
    """The bounded protocol; on Windows, where httptools is not installed, uvicorn's own on h11."""
    if sys.platform == "win32":
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return H11Protocol
    from ingle.server.protocol import BoundedProtocol

    return BoundedProtocol


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop
