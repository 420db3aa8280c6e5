"""Ingle's HTTP server as one ASGI application.

Every request goes the same way: it is counted, let in or turned away (`Gate`, `Border`, its key),
led to what answers it, and if that fails, its error is told in the shape that the caller knows.
Nothing wraps the bodies of answers. `/api` is FastAPI's, which brings its description along; it is
imported at the first request there, so that `/v1` is up sooner.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from pathlib import Path

from ingle.errors import IngleError, MethodNotAllowed, NotAuthenticated
from ingle.runtime import Runtime
from ingle.server.answer import Answer
from ingle.server.asgi import Receive, Request, Scope, Send
from ingle.server.authentication import key_of
from ingle.server.border import Border, is_loopback
from ingle.server.caller import Caller
from ingle.server.calls import Call, CallerLeft, Gate
from ingle.server.exchange import Exchange, Handler
from ingle.server.inside import Inside
from ingle.server.lazy_api import LazyApi
from ingle.server.lazy_mcp import LazyMcp
from ingle.server.metrics import Metrics
from ingle.server.openai.background import Background
from ingle.server.openai.batch_runner import BatchRunner
from ingle.server.openai.chores import do_chores
from ingle.server.rates import Rates
from ingle.server.resources import find_resource, not_found
from ingle.server.ui import WEB_FOLDER, find_page
from ingle.storage.secrets import Secrets

__all__ = ["Application", "create_app"]

_CALLER_LEFT = 499  # nginx's status for it; no caller ever sees it

_log = logging.getLogger(__name__)


class Application:
    """The ASGI application of one runtime. `stop` it to end without cutting answers."""

    def __init__(self, runtime: Runtime, web_folder: Path = WEB_FOLDER) -> None:
        settings = runtime.settings
        is_local_only = is_loopback(settings.host)
        self.gate = Gate()
        self._runtime = runtime
        self._secrets = Secrets(settings.home)
        self._web_folder = web_folder
        self._asks_for_key = not is_local_only
        self._border = Border(is_local_only, settings.allowed_hosts, settings.allowed_origins)
        self._metrics = Metrics(runtime.supervisor)
        self._api = LazyApi(runtime)
        self._mcp = LazyMcp(settings.max_body_bytes)
        self._rates = Rates()
        runtime.key_usage.listener = lambda key_id, used: self._rates.spend(key_id, used.tokens)
        self._anyone = Caller(None, self._rates, runtime.key_usage)
        inside = Inside(self._respond_inside)
        self._background = Background(runtime.stored_responses, inside)
        self._batches = BatchRunner(
            runtime.openai_batches,
            runtime.files,
            inside,
            settings.home / "batches",
            at_once=settings.slots,
            max_bytes=settings.max_body_bytes,
            is_shared=runtime.database.file is None,
        )

    async def work(self) -> None:
        """Do what nobody waits for, until it is cancelled: batches, responses in background."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._background.run())
            tasks.create_task(self._batches.run())
            tasks.create_task(do_chores(self._runtime.files, self._runtime.stored_responses))

    async def stop(self, drain_s: float) -> None:
        """Take no more calls, and wait for those inside, but no longer than `drain_s`.

        Pulls are paused before, so that who waits for one is told at once.
        """
        self.gate.is_closed = True
        await self._runtime.pulls.close()
        await self.gate.drain(drain_s)
        await self._mcp.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. WebSockets and lifespan events are not taken."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return
        identifier = secrets.token_hex(8)
        answer = Answer(send, [(b"x-request-id", identifier.encode())])
        request = Request(scope, receive)
        began = time.perf_counter()
        self._metrics.began()
        with self.gate.enter() as call:
            try:
                await call.run(self._respond(request, answer, call))
            except CallerLeft:
                answer.status = _CALLER_LEFT
            except IngleError as error:
                _log.info("%s %r failed: %s", request.method, request.path, error)
                await answer.fail(error)
            except Exception as error:  # noqa: BLE001 -- the outermost edge of a request
                _log.exception("Request %s: %s %r", identifier, request.method, request.path)
                await answer.fail(_unexpected(error, identifier))
            finally:
                first = answer.first_byte_at
                self._metrics.ended(
                    answer.label,
                    answer.status,
                    time.perf_counter() - began,
                    None if first is None else first - began,
                )

    async def _respond(self, request: Request, answer: Answer, call: Call) -> None:
        resource = find_page(request, self._web_folder) or find_resource(request.path)
        if resource:
            answer.label, answer.shape = resource.name, resource.shape
        if self.gate.is_closed:
            answer.add_header(b"connection", b"close")
        self.gate.check()
        self._border.check(request)
        if await self._border.answer_preflight(request, answer):
            return
        caller = await self._caller(request, is_open=resource is not None and resource.is_open)
        if resource is None:
            raise not_found(request.path)
        handler = resource.handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            answer.add_header(b"allow", ", ".join(sorted(resource.handlers)).encode())
            raise MethodNotAllowed(
                f"{request.method} is not for {request.path}. "
                f"Use {' or '.join(sorted(resource.handlers))}."
            )
        await handler(self._exchange(request, answer, call, caller))

    async def _respond_inside(
        self, handler: Handler, request: Request, answer: Answer, call: Call, key_id: str | None
    ) -> None:
        """Let a handler answer what Ingle asks itself, in the name of a key."""
        caller = self._anyone
        if key_id is not None:
            key = await asyncio.to_thread(self._runtime.api_keys.get, key_id)
            if key.revoked_at is not None:
                raise NotAuthenticated(f"The API key {key.name!r} was revoked.")
            caller = Caller(key, self._rates, self._runtime.key_usage)
            caller.check_may(request)
        await handler(self._exchange(request, answer, call, caller))

    def _exchange(self, request: Request, answer: Answer, call: Call, caller: Caller) -> Exchange:
        return Exchange(
            request,
            answer,
            call,
            self._runtime,
            self._metrics,
            self._api,
            self._mcp,
            caller,
            self._background,
            self._batches,
        )

    async def _caller(self, request: Request, *, is_open: bool) -> Caller:
        """Who asks.

        Raises:
            NotAuthenticated: a key is asked for, and none came that is valid.
            NotAllowed: the key may not do this.
        """
        is_asked_for = self._asks_for_key and not is_open
        key = await key_of(
            request, self._runtime.api_keys, self._secrets, is_asked_for=is_asked_for
        )
        if key is None:
            return self._anyone
        caller = Caller(key, self._rates, self._runtime.key_usage)
        caller.check_may(request)
        return caller


def create_app(runtime: Runtime) -> Application:
    """The ASGI application that serves this runtime. Nothing is loaded and nothing called yet."""
    return Application(runtime)


def _unexpected(error: Exception, identifier: str) -> IngleError:
    return IngleError(
        f"Something went wrong inside Ingle ({type(error).__name__}). The log has it under the "
        f"request {identifier}; please report it with what stands there."
    )
