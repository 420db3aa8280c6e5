"""One request with all that its handler needs to answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingle.routing import Router
from ingle.runtime import Runtime
from ingle.server.answer import Answer
from ingle.server.asgi import Request
from ingle.server.caller import Caller
from ingle.server.calls import Call
from ingle.server.lazy_api import LazyApi
from ingle.server.lazy_mcp import LazyMcp
from ingle.server.metrics import Metrics

if TYPE_CHECKING:  # these ask handlers themselves, which all take an exchange
    from ingle.server.openai.background import Background
    from ingle.server.openai.batch_runner import BatchRunner

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
    mcp: LazyMcp
    caller: Caller
    background: Background
    batches: BatchRunner

    @property
    def router(self) -> Router:
        """The router as the caller may use it."""
        return self.caller.router(self.runtime.router)


Handler = Callable[[Exchange], Awaitable[None]]
"""Answers a request or raises the `IngleError` that it shall end with."""
