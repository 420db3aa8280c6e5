"""One request with all that its handler needs to answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ingle.routing import Router
from ingle.runtime import Runtime
from ingle.server.answer import Answer
from ingle.server.asgi import Request
from ingle.server.caller import Caller
from ingle.server.calls import Call
from ingle.server.lazy_api import LazyApi
from ingle.server.metrics import Metrics

__all__ = ["Exchange", "Handler"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its answer, and the server that it came to."""

    request: Request
    answer: Answer
    call: Call
    runtime: Runtime
    metrics: Metrics
    api: LazyApi
    caller: Caller

    @property
    def router(self) -> Router:
        """The router as the caller may use it."""
        return self.caller.router(self.runtime.router)


Handler = Callable[[Exchange], Awaitable[None]]
"""Answers a request or raises the `IngleError` that it shall end with."""
