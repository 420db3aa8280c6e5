"""Ingle's HTTP server as one ASGI application.

Every request goes the same way: it is counted, let in or turned away (`Gate`, `Border`, its key),
led to what answers it, and if that fails, its error is told in the shape that the caller knows.
Nothing wraps the bodies of answers. `/api` is FastAPI's, which brings its description along; it is
imported at the first request there, so that `/v1` is up sooner.
"""

from __future__ import annotations

import logging
import secrets
import time

from ingle.errors import IngleError, MethodNotAllowed
from ingle.runtime import Runtime
from ingle.server.answer import Answer
from ingle.server.asgi import Receive, Request, Scope, Send
from ingle.server.authentication import check_key
from ingle.server.border import Border, is_loopback
from ingle.server.calls import CallerLeft, Gate
from ingle.server.exchange import Exchange
from ingle.server.lazy_api import LazyApi
from ingle.server.metrics import Metrics
from ingle.server.resources import find_resource, not_found

__all__ = ["Application", "create_app"]

_CALLER_LEFT = 499  # nginx's status for it; no caller ever sees it

_log = logging.getLogger(__name__)


class Application:
    """The ASGI application of one runtime. Close its `gate` to stop without cutting answers."""

    def __init__(self, runtime: Runtime) -> None:
        settings = runtime.settings
        is_local_only = is_loopback(settings.host)
        self.gate = Gate()
        self._runtime = runtime
        self._asks_for_key = not is_local_only
        self._border = Border(is_local_only, settings.allowed_hosts, settings.allowed_origins)
        self._metrics = Metrics(runtime.supervisor)
        self._api = LazyApi(runtime)

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
            exchange = Exchange(request, answer, call, self._runtime, self._metrics, self._api)
            try:
                await call.run(self._respond(exchange))
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

    async def _respond(self, exchange: Exchange) -> None:
        request, answer = exchange.request, exchange.answer
        resource = find_resource(request.path)
        if resource:
            answer.label, answer.shape = resource.name, resource.shape
        if self.gate.is_closed:
            answer.add_header(b"connection", b"close")
        self.gate.check()
        self._border.check(request)
        if await self._border.answer_preflight(request, answer):
            return
        if self._asks_for_key and not (resource and resource.is_open):
            await check_key(request, self._runtime.api_keys)
        if resource is None:
            raise not_found(request.path)
        handler = resource.handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            answer.add_header(b"allow", ", ".join(sorted(resource.handlers)).encode())
            raise MethodNotAllowed(
                f"{request.method} is not for {request.path}. "
                f"Use {' or '.join(sorted(resource.handlers))}."
            )
        await handler(exchange)


def create_app(runtime: Runtime) -> Application:
    """The ASGI application that serves this runtime. Nothing is loaded and nothing called yet."""
    return Application(runtime)


def _unexpected(error: Exception, identifier: str) -> IngleError:
    return IngleError(
        f"Something went wrong inside Ingle ({type(error).__name__}). The log has it under the "
        f"request {identifier}; please report it with what stands there."
    )
