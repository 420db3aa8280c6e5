"""Calls to the web whose address a stranger may have chosen: bounded, and only where they may go.

Each connection is checked where it is made, for the address that it goes to, so that neither a
redirect nor a name that changes its address gets anywhere else (`ingle.upstream.reach`). What the
caller gave to one server is not sent on to another.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit

from ingle._version import __version__
from ingle.errors import (
    InvalidRequest,
    UpstreamInvalid,
    UpstreamTimeout,
)
from ingle.processors.web_faults import WebRequest, not_allowed, said, translated
from ingle.upstream.call import show
from ingle.upstream.explain import printable
from ingle.upstream.reach import Reach

if TYPE_CHECKING:  # to list the processors takes no HTTP client
    import aiohttp

__all__ = ["WebAnswer", "WebRequest", "call_web", "is_web_url"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_READ_BYTES = 64 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OURS: Mapping[str, str] = MappingProxyType(
    {"User-Agent": f"ingle/{__version__}", "Accept-Encoding": "identity"}
)
# Of the caller's headers, those that hold no secret go along to another server.
_HARMLESS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
_OF_A_BODY = frozenset({"content-type", "content-language", "content-encoding"})
_TYPE = re.compile(r"\s*([^;\s]*)(?:.*?;\s*charset=\"?([^\";\s]+))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What came, whatever its status. `url` is the one that answered, fit to be shown."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def mime(self) -> str:
        """The kind of the content in lower case, as the server says; empty if it does not."""
        return self._type[0].lower()

    @property
    def charset(self) -> str | None:
        """The encoding of text, as the server says."""
        return self._type[1]

    @property
    def _type(self) -> tuple[str, str | None]:
        found = _TYPE.match(self.headers.get("content-type", ""))
        return (found[1], found[2]) if found else ("", None)


def is_web_url(text: str) -> bool:
    """Whether it is an address of the web."""
    return re.match(r"https?://", text, re.IGNORECASE) is not None


async def call_web(
    request: WebRequest,
    *,
    reach: Reach,
    timeout_s: float,
    max_bytes: int,
    follows: bool = True,
) -> WebAnswer:
    """The whole answer, after redirects. Cancelling closes the connection.

    `timeout_s` is the longest that all of it may take, `max_bytes` the longest body.

    Raises:
        InvalidRequest: the URL or a header cannot be sent.
        NotAllowed: the URL, or a redirect, leads to an address that is not public.
        UpstreamError: no answer came, not the whole of it, or one that is too long.
    """
    import aiohttp

    try:
        async with asyncio.timeout(timeout_s):
            for _ in range(_MOST_REDIRECTS + 1):
                async with _sent(request, reach) as response:
                    location = response.headers.get("Location")
                    if not follows or response.status not in _REDIRECTS or location is None:
                        return WebAnswer(
                            show(request.url),
                            response.status,
                            _joined(response.headers),
                            await _read(request, response, max_bytes),
                        )
                request = _onward(request, response.status, location)
    except TimeoutError as error:
        raise UpstreamTimeout(
            said(
                request,
                f"the answer did not come within {timeout_s:g} s",
                "Give it a longer `timeout` if the server needs that long.",
            ),
            url=show(request.url),
        ) from error
    except (aiohttp.ClientError, ValueError) as error:
        raise translated(request, error) from error
    raise UpstreamInvalid(
        said(request, f"more than {_MOST_REDIRECTS} redirects", "Check the address."),
        url=show(request.url),
    )


@asynccontextmanager
async def _sent(request: WebRequest, reach: Reach) -> AsyncGenerator[aiohttp.ClientResponse, None]:
    """One answer on a connection of its own."""
    import aiohttp

    gate = _Gate(reach, _place(request).hostname or "")
    connector = aiohttp.TCPConnector(socket_factory=gate.socket, force_close=True)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_OURS,
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
    ) as session:
        try:
            response = await session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
            )
        except aiohttp.ClientConnectorError as error:
            if gate.refused:
                raise not_allowed(request, gate.refused) from error
            raise
        async with response:
            yield response


class _Gate:
    """Makes the sockets of one request, for addresses that may be called."""

    def __init__(self, reach: Reach, host: str) -> None:
        self.refused: list[str] = []
        self._reach = reach
        self._host = host

    # Any: the address of a socket, whose form hangs on its family.
    def socket(self, info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._reach.admits(self._host, address[0]):
            self.refused.append(address[0])
            raise PermissionError(errno.EACCES, "the address is not public")
        return socket.socket(family, kind, protocol)


async def _read(request: WebRequest, response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_chunked(_READ_BYTES):
        size += len(part)
        if size > max_bytes:
            raise UpstreamInvalid(
                said(
                    request,
                    f"the answer is longer than {max_bytes:,} bytes",
                    "Ask for less, or set a higher limit where there is one.",
                ),
                url=show(request.url),
                status=response.status,
            )
        parts.append(part)
    return b"".join(parts)


def _onward(request: WebRequest, status: int, location: str) -> WebRequest:
    """The request to where a redirect leads: as browsers do it, but trusting no other server.

    Raises:
        UpstreamInvalid: it leads to nothing that can be called, or a body would go elsewhere.
    """
    try:
        onward = replace(request, url=urljoin(request.url, location))
        is_elsewhere = _origin(_place(onward)) != _origin(_place(request))
    except (ValueError, InvalidRequest) as error:
        raise UpstreamInvalid(
            said(request, f"it redirects to {printable(location, 100)!r}", "That is no address."),
            url=show(request.url),
            status=status,
        ) from error
    # RFC 9110, section 15.4: 303 is for a GET; 301 and 302 of a POST are treated so by everyone.
    if (status == 303 and request.method != "HEAD") or (
        status in (301, 302) and request.method == "POST"
    ):
        kept = {k: v for k, v in request.headers.items() if k.lower() not in _OF_A_BODY}
        onward = replace(onward, method="GET", body=None, headers=kept)
    if not is_elsewhere:
        return onward
    if onward.body is not None:
        raise UpstreamInvalid(
            said(
                request,
                f"it redirects (status {status}) to another server, {show(onward.url)}, and what "
                "was sent was not sent on",
                "If that is the right place, make it the URL.",
            ),
            url=show(request.url),
            status=status,
        )
    kept = {k: v for k, v in onward.headers.items() if k.lower() in _HARMLESS}
    return replace(onward, headers=kept)


def _place(request: WebRequest) -> SplitResult:
    """The parts of the URL.

    Raises:
        InvalidRequest: it is not one of the web.
    """
    try:
        place = urlsplit(request.url)
        is_good = place.scheme in _DEFAULT_PORTS and bool(place.hostname) and place.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise InvalidRequest(
            f"{printable(show(request.url), 200)!r} is not an address of the web. Write it such as "
            "https://example.com/page.",
            param="input.url",
        )
    return place


def _origin(place: SplitResult) -> tuple[str, str | None, int | None]:
    return place.scheme, place.hostname, place.port or _DEFAULT_PORTS[place.scheme]


def _joined(headers: Any) -> dict[str, str]:  # Any: aiohttp's multidict, not imported here
    """Headers by lower-case name; several of a name are one list, as RFC 9110, 5.2 allows."""
    names = {name.lower() for name in headers}
    return {name: ", ".join(headers.getall(name)) for name in sorted(names)}
