"""The public Python API: run an app or a processor from any program, with no server.

The first call opens an Ingle inside this process: one event loop in a thread of its own, which
owns the engines, so that all calls of the process share them, synchronous or not and on whatever
loop. What streams does not cross threads: an asynchronous call talks to the engine from the
caller's own loop, and only asks the thread for the engine's address.

`close()` stops it all; so does the end of the process.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from ingle.apps.app import App
from ingle.errors import InvalidRequest
from ingle.models.manifest import Model
from ingle.processors.base import Output
from ingle.processors.catalogue import run_processor
from ingle.processors.pieces import Piece
from ingle.routing import Router
from ingle.runs.executor import Work
from ingle.runs.once import pieces_of
from ingle.runs.source import is_app, read_source
from ingle.runs.work import work_of
from ingle.runtime import Runtime, open_runtime
from ingle.settings import load_settings
from ingle.upstream.client import Client
from ingle.upstream.reach import Reach
from ingle.upstream.target import Target

__all__ = ["arun", "astream", "close", "run", "stream"]

T = TypeVar("T")
Values = Mapping[str, Any]
"""An input or a configuration as plain values; the processor's own types check them."""


def run(name: str, input: Values | None = None, config: Values | None = None) -> Output:  # noqa: A002
    """The output of a processor such as `localai/chatgpt`, or of an app.

    An app is named as `app/<slug>` if it is published, else by its file; its output has `output`.
    Its runs are not recorded.

    Raises:
        IngleError: what went wrong, its cause and the next step.
    """
    return _opened_here().call(_whole(name, input, config))


def stream(
    name: str,
    input: Values | None = None,  # noqa: A002
    config: Values | None = None,
) -> Generator[Piece | Output, None, None]:
    """The pieces of an output as they come, and last the whole typed output.

    Leaving the loop early stops the work. Raises as `run` does.
    """
    here = _opened_here()
    pieces = here.call(_opened(name, input, config, is_streaming=True))
    try:
        while (item := here.call(_next(pieces))) is not None:
            yield item
    finally:
        here.call(pieces.aclose())


async def arun(name: str, input: Values | None = None, config: Values | None = None) -> Output:  # noqa: A002
    """The output of a processor or an app, as `run` gives it. Cancelling it stops the work."""
    return await _whole(name, input, config)


async def astream(
    name: str,
    input: Values | None = None,  # noqa: A002
    config: Values | None = None,
) -> AsyncGenerator[Piece | Output, None]:
    """The pieces of an output as they come, and last the whole typed output.

    Closing it (`aclose`, or cancelling the task that reads it) stops the work. Raises as `run`
    does.
    """
    pieces = await _opened(name, input, config, is_streaming=True)
    async with aclosing(pieces):
        async for item in pieces:
            yield item


def close() -> None:
    """Stop the engines of this process. The next call starts anew, reading the settings again."""
    with _OPENING:
        if _here.cache_info().currsize:
            _here().close()
            _here.cache_clear()


async def _next(pieces: AsyncGenerator[Piece | Output, None]) -> Piece | Output | None:
    return await anext(pieces, None)


async def _whole(name: str, values: Values | None, config: Values | None) -> Output:
    pieces = await _opened(name, values, config)
    async with aclosing(pieces):
        async for item in pieces:
            if isinstance(item, Output):
                return item
    raise AssertionError(f"{name} ended without an output")  # a processor's contract forbids it


async def _opened(
    name: str, values: Values | None, config: Values | None, *, is_streaming: bool = False
) -> AsyncGenerator[Piece | Output, None]:
    # Opening reads files and a database: not on the caller's event loop.
    here = await asyncio.to_thread(_opened_here)
    router = await here.router()
    if not is_app(name):
        streaming = {"stream": True} if is_streaming else {}
        return run_processor(name, values or {}, {**streaming, **(config or {})}, router)
    if config:
        raise InvalidRequest(
            f"{name} is an app, which says itself how its steps work: it takes no configuration."
        )
    app, work = await here.app(name, router)
    return pieces_of(app, values or {}, work)


_OPENING = threading.Lock()

_UNWIND_S = 2.0
"""How long work that was cancelled may take to end before its caller goes on."""


def _opened_here() -> _InProcess:
    with _OPENING:
        return _here()


@cache
def _here() -> _InProcess:
    """The Ingle of this process, made at the first call. Only with `_OPENING` held."""
    here = _InProcess()
    atexit.register(here.close)
    return here


class _InProcess:
    """A thread with an event loop, and the runtime that lives on it."""

    def __init__(self) -> None:
        opened: Future[tuple[asyncio.AbstractEventLoop, Runtime]] = Future()
        self._stopping: Future[None] = Future()
        self._thread = threading.Thread(
            target=asyncio.run, args=[self._live(opened)], name="ingle", daemon=True
        )
        self._thread.start()
        try:
            self._loop, runtime = opened.result()
        except BaseException:
            self._stopping.cancel()
            self._thread.join()
            raise
        self._runtime = runtime
        self._routers = {self._loop: _OnLoop(runtime.router)}

    async def _live(self, opened: Future[tuple[asyncio.AbstractEventLoop, Runtime]]) -> None:
        try:
            async with open_runtime(load_settings()) as runtime:
                opened.set_result((asyncio.get_running_loop(), runtime))
                await asyncio.wrap_future(self._stopping)
        except BaseException as error:  # who waits for `opened` is the only one to hear of it
            if opened.done():
                raise
            opened.set_exception(error)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the thread's loop and wait for it; Ctrl-C cancels it."""
        ended = threading.Event()
        waiting = asyncio.run_coroutine_threadsafe(_noted(work, ended), self._loop)
        try:
            return waiting.result()
        except BaseException:
            waiting.cancel()
            ended.wait(_UNWIND_S)
            raise

    async def router(self) -> Router:
        """The router for the caller's own event loop."""
        loop = asyncio.get_running_loop()
        if (here := self._routers.get(loop)) is None:
            for other in [other for other in self._routers if other.is_closed()]:
                del self._routers[other]
            # `anext` does not wait here, so no other task comes between.
            # The loop ends its asynchronous generators when it shuts down, which is the one
            # hook that closes the client's connections in time and on their own loop.
            opening = _open_client()
            client = await anext(opening)
            router = Router(
                client,
                self._runtime.models,
                self._runtime.connections,
                self._runtime.routes,
                self._lease,
                default_model=self._runtime.settings.default_model,
                default_image_model=self._runtime.settings.default_image_model,
                reach=Reach.allowing(self._runtime.settings.http_allow),
            )
            here = self._routers[loop] = _OnLoop(router, opening)
        return here.router

    async def app(self, name: str, router: Router) -> tuple[App, Work]:
        """The app of this name, and what does the work of its steps on the router's event loop."""
        published = self._runtime.published
        source = await asyncio.to_thread(read_source, name, published)
        commands = self._runtime.settings.mcp_commands
        return source.app, work_of(router, published.find_if_there, mcp_commands=commands)

    @asynccontextmanager
    async def _lease(self, model: Model) -> AsyncGenerator[Target, None]:
        """A lease of the thread's supervisor, for a caller on another loop."""
        lease = _LeaseElsewhere(self._runtime.supervisor.lease(model))
        holding = asyncio.run_coroutine_threadsafe(lease.hold(), self._loop)
        holding.add_done_callback(lease.fail)
        try:
            yield await asyncio.wrap_future(lease.target)
        except Exception as error:
            lease.release(error)
            await asyncio.wrap_future(holding)  # raises the supervisor's explanation, if it has one
            raise
        except BaseException:
            holding.cancel()
            raise
        else:
            lease.release(None)
            await asyncio.wrap_future(holding)

    def close(self) -> None:
        """Stop engines, close connections and end the thread. Closing twice does nothing."""
        atexit.unregister(self.close)
        if not self._stopping.done():
            self._stopping.set_result(None)
        self._thread.join()


@dataclass(frozen=True, slots=True)
class _OnLoop:
    """What belongs to one event loop; `opening` keeps its client from being collected."""

    router: Router
    opening: AsyncGenerator[Client, None] | None = None


class _LeaseElsewhere:
    """Both ends of a lease that one event loop holds for a task of another."""

    def __init__(self, lease: AbstractAsyncContextManager[Target]) -> None:
        self.target: Future[Target] = Future()
        self._lease = lease
        self._released: Future[None] = Future()

    async def hold(self) -> None:
        """Hold the lease until `release`, on the supervisor's loop."""
        async with self._lease as target:
            self.target.set_result(target)
            await asyncio.wrap_future(self._released)

    def release(self, error: Exception | None) -> None:
        """Let go; an error is raised inside the lease, so that the supervisor can explain it."""
        if self._released.done():
            return
        if error is None:
            self._released.set_result(None)
        else:
            self._released.set_exception(error)

    def fail(self, holding: Future[None]) -> None:
        """Hand the error of a lease that never came about to who waits for its target."""
        if self.target.done():
            return
        if holding.cancelled():
            self.target.cancel()
        elif (error := holding.exception()) is not None:
            self.target.set_exception(error)


async def _noted(work: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    try:
        return await work
    finally:
        ended.set()


async def _open_client() -> AsyncGenerator[Client, None]:
    async with Client() as client:
        yield client
