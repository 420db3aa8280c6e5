"""Who asks: anyone on this machine, or a key with its limits; what they used is counted here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ingle.errors import NotAllowed, NotAuthenticated
from ingle.routing import Router
from ingle.server.answer import Answer
from ingle.server.asgi import Request
from ingle.server.rates import Rates
from ingle.storage.api_keys import ApiKey
from ingle.storage.key_usage import KeyUsage, Usage

__all__ = ["Caller"]

_USES_OF_API = re.compile(
    r"/api/((processors|runs|sessions|files)(/.*)?|runs\.csv|apps/[^/]+/run(/[^/]+)?|session|version|openapi\.json)"
)
"""What under `/api` uses models and apps, or tells how to; the rest manages this Ingle."""

_OWN = re.compile(r"(/v1)?/(chat/completions|responses|files)/.+")
"""What a caller has made: who made it may delete it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of one request. Without a key nothing is limited and nothing counted."""

    key: ApiKey | None
    rates: Rates
    usage: KeyUsage

    @property
    def key_id(self) -> str | None:
        """The id of the key; what is made with it is seen with it only. None sees everything."""
        return None if self.key is None else self.key.id

    @property
    def is_counted(self) -> bool:
        """Whether what this caller uses is counted."""
        return self.key is not None

    def check_may(self, request: Request) -> None:
        """Let the caller do what this request is for, as far as its path tells.

        A key with limits is for using models: could it make keys, it could make one without.

        Raises:
            NotAuthenticated: the key has expired.
            NotAllowed: it manages Ingle, and the key has limits.
        """
        if self.key is None or not self.key.limits.is_any:
            return
        if self.key.limits.is_over(datetime.now(UTC)):
            raise NotAuthenticated(
                f"The API key {self.key.name!r} expired at {self.key.limits.expires_at:%Y-%m-%d %H:%M:%S} UTC. "
                f"`ingle keys change {self.key.id} --expires` gives it more time."
            )
        path = request.path
        is_managing = path == "/metrics" or (
            request.method == "DELETE" and not _OWN.fullmatch(path)
        )
        if path == "/api" or path.startswith("/api/"):
            is_managing = _USES_OF_API.fullmatch(path) is None
        if is_managing:
            raise NotAllowed(
                f"The API key {self.key.name!r} has limits, and such a key may use models but not "
                f"manage this Ingle, as {request.method} {path} would. Use a key without limits."
            )

    def admit(self, answer: Answer | None) -> None:
        """Let a request to a model in, and have the answer, if there is one, say what is left.

        Raises:
            RateLimited: the key's requests or tokens of this minute are used up.
        """
        if self.key is None:
            return
        try:
            self.rates.admit(self.key)
        finally:
            if answer is not None:
                for name, value in self.rates.headers(self.key):
                    answer.add_header(name, value)
        self.usage.add(self.key.id, Usage(requests=1))

    def used(self, prompt_tokens: int, completion_tokens: int, images: int = 0) -> None:
        """Count what an answer took."""
        if self.key is not None:
            self.usage.used(self.key.id, prompt_tokens, completion_tokens, images)

    def router(self, router: Router) -> Router:
        """The router as this caller may use it."""
        if self.key is None:
            return router
        return router.for_caller(self.key.limits.allows, self.used)
