"""Where calls go: the address of one OpenAI-compatible server and the key it wants."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """One server. An engine of this machine and a LocalAI elsewhere look the same here.

    `base_url` ends before the endpoint and has no trailing slash: `http://127.0.0.1:8080/v1`.
    `name` is what people call it, for messages: a connection's name or `engine demo`.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    name: str = "server"

    def url(self, endpoint: str) -> str:
        """The exact URL of an endpoint such as `chat/completions`."""
        return f"{self.base_url}/{endpoint}"
