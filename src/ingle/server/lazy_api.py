"""`/api` as a whole, imported at the first request for it.

FastAPI takes a third of a second to import, which neither `/v1` nor the start has to wait for.
"""

from __future__ import annotations

import asyncio

from ingle.runtime import Runtime
from ingle.server.asgi import App

__all__ = ["LazyApi"]


class LazyApi:
    """The FastAPI application of a runtime, made when it is first needed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._making = asyncio.Lock()
        self._app: App | None = None

    async def app(self) -> App:
        """The application."""
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
        return self._app

    def _make(self) -> App:
        from ingle.server.api.description import described_api

        return described_api(self._runtime)
