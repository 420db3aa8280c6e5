"""The shape of ASGI, and one HTTP request as the rooms of the server see it.

An application is a callable; a check is a function that takes a `Request` and raises. There are no
middleware classes: each would stand between every streamed piece and the socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

__all__ = ["App", "Headers", "Message", "Receive", "Request", "Scope", "Send"]

Message = MutableMapping[str, Any]  # Any: what ASGI defines, a value type for each key
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: what came before its body, and how to receive the rest."""

    scope: Scope
    receive: Receive

    @property
    def method(self) -> str:
        """In capitals, as HTTP has it."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """Decoded, beginning with `/`, without the query."""
        return str(self.scope["path"])

    def header(self, name: bytes) -> str:
        """The first header of this lower-case name, or an empty string."""
        headers: Headers = self.scope["headers"]
        return next((value.decode("latin-1") for key, value in headers if key == name), "")

    def query(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = parse_qs(self.scope["query_string"].decode("latin-1")).get(name)
        return values[0] if values else None
