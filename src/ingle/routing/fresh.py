"""What the database knows, read at most once a second, in a thread, so that no call waits for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

__all__ = ["Fresh"]

_FRESH_S = 1.0
"""How soon a thing is seen that another process changed; one changed here is at once."""

T = TypeVar("T")


class Stored(Protocol):
    """What says by another number that it has changed."""

    @property
    def version(self) -> int:
        """The number."""


class Fresh(Generic[T]):
    """What `read` gave at most a second ago, and after the last change here; for one event loop."""

    def __init__(self, stored: Stored, read: Callable[[], T], empty: T) -> None:
        self._stored = stored
        self._read = read
        self._known = empty
        self._version = -1
        self._at = -math.inf
        self._reading = asyncio.Lock()

    async def get(self) -> T:
        """It.

        Raises:
            IngleError: as `read`.
        """
        if not self._is_fresh():
            async with self._reading:
                if not self._is_fresh():
                    version = self._stored.version
                    self._known = await asyncio.to_thread(self._read)
                    self._version, self._at = version, asyncio.get_running_loop().time()
        return self._known

    def _is_fresh(self) -> bool:
        is_same = self._version == self._stored.version
        return is_same and asyncio.get_running_loop().time() - self._at < _FRESH_S
