"""GET requests to servers of models: redirects, tokens, and what their failures mean.

The one place of this package that knows aiohttp. A token goes to the server that it is for and to
no other, wherever that one redirects to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit

import aiohttp
import msgspec
from yarl import URL

from ingle._version import __version__
from ingle.errors import (
    InvalidRequest,
    UpstreamCut,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.models.pull.patience import Patience
from ingle.upstream.call import show
from ingle.upstream.explain import complaint, describe, printable
from ingle.upstream.retry import retry_after_s

__all__ = ["Advice", "Answer", "Web", "decode", "origin"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_READ_BYTES = 1024 * 1024
_LARGEST_ANSWER = 32 * 1024 * 1024  # the listing of a repository of 60,000 files
_COMPLAINT_BYTES = 16 * 1024
_COMPLAINT_S = 5.0
_ASK_TRIES = 3

Advice = Mapping[int, str]
"""What to do, as a sentence, by the status that a server refuses with; 0 stands for any other."""

T = TypeVar("T")


class Web:
    """Asks servers, inside `async with`. Cookies, `.netrc` and compression are not used."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"ingle/{__version__}", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            read_bufsize=_READ_BYTES,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, bearer: str | None = None
    ) -> AsyncGenerator[Answer, None]:
        """The answer of any status but a redirect; leaving the context lets go of it.

        Raises:
            UpstreamError: there is no answer, or it leads on to where we do not follow.
            InvalidRequest: no request can be made to the URL.
        """
        home = origin(url)
        # As it is, if it can be sent so: a signature in it may hold for exactly these characters.
        target = URL(url, encoded=url.isascii() and " " not in url)
        for _ in range(_MOST_REDIRECTS + 1):
            sent = dict(headers or {})
            if bearer is not None and origin(str(target)) == home:
                sent["Authorization"] = f"Bearer {bearer}"
            response = await self._request(target, sent)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                try:
                    yield Answer(response, show(str(target)))
                finally:
                    response.close()
                return
            response.close()
            target = _onward(target, location)
        raise UpstreamInvalid(
            f"GET {show(url)}: more than {_MOST_REDIRECTS} redirects, the last to "
            f"{show(str(target))}. Check the address, or try again later.",
            url=show(url),
        )

    async def ask(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        bearer: str | None = None,
        advice: Advice,
        limit_bytes: int = _LARGEST_ANSWER,
    ) -> bytes:
        """The whole body of an answer with status 200, tried again if what failed may pass.

        Raises:
            UpstreamError: there is none, or it is longer than the limit.
        """
        failures = 0
        while True:
            try:
                async with self.get(url, headers=headers, bearer=bearer) as answer:
                    await answer.require({200}, advice)
                    return await answer.whole(limit_bytes)
            except UpstreamError as error:
                failures += 1
                pause_s = self.patience.pause_after(error, failures)
                if pause_s is None or failures >= _ASK_TRIES:
                    raise
            await asyncio.sleep(pause_s)

    async def _request(self, url: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("Web works inside `async with Web(…) as web:` only.")
        timeout = aiohttp.ClientTimeout(
            total=None, connect=self.patience.connect_s, sock_read=self.patience.idle_s
        )
        try:
            return await self._session.get(
                url, headers=headers, allow_redirects=False, timeout=timeout
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unanswered(show(str(url)), error, self.patience) from error


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


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what a token is for."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _onward(url: URL, location: str) -> URL:
    """Where a redirect leads.

    Raises:
        UpstreamInvalid: to no web address, or from an encrypted connection to a plain one.
    """
    shown = show(str(url))
    try:
        # As it is: a signature in it holds for exactly these characters.
        onward = URL(urljoin(str(url), location), encoded=True)
        is_web = onward.scheme in ("http", "https") and onward.host is not None
    except ValueError:
        is_web = False
    if not is_web or (url.scheme == "https" and onward.scheme == "http"):
        raise UpstreamInvalid(
            f"GET {shown}: the server redirects to {printable(show(location), 200)!r}, which is "
            "not followed: only http and https are, and never from https to http. Check the "
            "address.",
            url=shown,
        )
    return onward


def _unanswered(shown: str, error: Exception, patience: Patience) -> UpstreamError | InvalidRequest:
    """The error for a request that no answer came to."""
    match error:
        case aiohttp.InvalidURL():
            return InvalidRequest(f"No request can be made to {shown}. Check the address.")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            fault = UpstreamUnreachable(
                f"GET {shown}: no secure connection ({printable(str(error), 200)}). For a server "
                "with its own certificate, name its authority in SSL_CERT_FILE.",
                url=shown,
            )
            fault.is_retryable = False
            return fault
        case aiohttp.ConnectionTimeoutError():
            why = f"no connection came about within {patience.connect_s:g} s"
            return UpstreamTimeout(f"GET {shown}: {why}. Check the network.", url=shown)
        case TimeoutError():
            why = f"the server was silent for {patience.idle_s:g} s"
            return UpstreamTimeout(f"GET {shown}: {why}. Try again later.", url=shown)
        case aiohttp.ClientConnectorDNSError():
            why = "the host name is not known, or there is no network"
        case aiohttp.ServerDisconnectedError():
            why = "the server closed the connection before it answered"
        case aiohttp.ClientResponseError():
            return UpstreamInvalid(
                f"GET {shown}: what answers there does not speak HTTP. Check the address.",
                url=shown,
            )
        case _:
            why = f"no connection ({printable(str(error), 200)})"
    advice = "Check the network and the address; run the same again to go on."
    return UpstreamUnreachable(f"GET {shown}: {why}. {advice}", url=shown)
