"""A server's answer as it comes: its status judged, its body read to the end, its JSON decoded.

It and `web` are all of this package that knows aiohttp.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar

import aiohttp
import msgspec

from ingle.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
)
from ingle.upstream.call import show
from ingle.upstream.explain import complaint, describe, printable
from ingle.upstream.retry import retry_after_s

__all__ = ["Advice", "Answer", "decode"]

_COMPLAINT_BYTES = 16 * 1024
_COMPLAINT_S = 5.0

Advice = Mapping[int, str]
"""What to do, as a sentence, by the status that a server refuses with; 0 stands for any other."""

T = TypeVar("T")


class Answer:
    """An answer whose head has come; `url` is where from, fit to be shown."""

    def __init__(self, response: aiohttp.ClientResponse, url: str) -> None:
        self.url = url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    async def require(self, statuses: set[int], advice: Advice) -> None:
        """Return if the status is one of these.

        Raises:
            UpstreamRefused: it is another; with the server's own words.
        """
        if self.status in statuses:
            return
        said = self.headers.get("X-Error-Message") or await self._complaint()
        words = f": {printable(said, 300).rstrip('.')}" if said else ""
        what_to_do = advice.get(self.status, advice.get(0, "Try again later."))
        raise UpstreamRefused(
            f"GET {self.url}: the server answered with status {self.status}{words}. {what_to_do}",
            url=self.url,
            status=self.status,
            server_message=said,
            retry_after_s=retry_after_s(self.headers.get("Retry-After")),
        )

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes, up to 2 MiB at a time; ends normally only at its announced end.

        Raises:
            UpstreamCut: it broke off.
            UpstreamTimeout: nothing came for `patience.idle_s`.
        """
        content = self._response.content
        while True:
            try:
                data = await content.readany()
            except (aiohttp.ClientError, OSError) as error:
                if arrived := self._arrived():
                    yield arrived
                raise self._broken(error) from error
            if not data:
                return
            yield data

    async def whole(self, limit_bytes: int) -> bytes:
        """The whole body.

        Raises:
            UpstreamError: it broke off, or is longer than the limit.
        """
        parts: list[bytes] = []
        left = limit_bytes
        async for data in self.pieces():
            parts.append(data)
            left -= len(data)
            if left < 0:
                raise UpstreamInvalid(
                    f"GET {self.url}: the answer is longer than {limit_bytes} bytes, so it is not "
                    "what was asked for. Check the address.",
                    url=self.url,
                )
        return b"".join(parts)

    def _arrived(self) -> bytes:
        """What had come before the body broke; aiohttp hides it behind the error."""
        content = self._response.content
        content.set_exception(None)  # type: ignore[arg-type]  # it stores what it is given
        try:
            return content.read_nowait()
        except TimeoutError:
            return b""

    def _broken(self, error: Exception) -> UpstreamError:
        if isinstance(error, TimeoutError):
            return UpstreamTimeout(
                f"GET {self.url}: the server fell silent. Run the same again: it goes on from "
                "there.",
                url=self.url,
            )
        return UpstreamCut(
            f"GET {self.url}: the connection was cut ({printable(str(error), 200)}). Run the same "
            "again: it goes on from there.",
            url=self.url,
        )

    async def _complaint(self) -> str | None:
        """What the server says went wrong, if it says so soon."""
        body = b""
        try:
            async with asyncio.timeout(_COMPLAINT_S):
                async for data in self.pieces():
                    body += data
                    if len(body) > _COMPLAINT_BYTES:
                        break
        except (UpstreamError, TimeoutError):
            pass  # the status alone says enough
        found = complaint(body[:_COMPLAINT_BYTES])
        return found.message if found else None


def decode(body: bytes, into: type[T], url: str) -> T:
    """A JSON body as a struct.

    Raises:
        UpstreamInvalid: it is no such JSON; says what it is instead.
    """
    try:
        return msgspec.json.decode(body, type=into)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamInvalid(
            f"GET {show(url)}: {describe(body)} came that is not the expected answer "
            f"({printable(str(error), 200)}). Check the address of the server.",
            url=show(url),
        ) from error
