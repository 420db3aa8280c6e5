"""GET requests to servers of models: redirects, tokens, and what their failures mean.

A token goes to the server that it is for and to
no other, wherever that one redirects to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from ingle._version import __version__
from ingle.errors import (
    InvalidRequest,
    UpstreamError,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.models.pull.answer import Advice, Answer
from ingle.models.pull.patience import Patience
from ingle.upstream.call import show
from ingle.upstream.explain import printable

__all__ = ["Web", "origin"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_READ_BYTES = 1024 * 1024
_LARGEST_ANSWER = 32 * 1024 * 1024  # the listing of a repository of 60,000 files
_ASK_TRIES = 3


class Web:
    """Asks servers, inside `async with`. Cookies, `.netrc` and compression are not used."""

    def __init__(self, patience: Patience, rate_bytes_s: int | None = None) -> None:
        self.patience = patience
        # Under a bound on the rate small reads keep progress smooth.
        self._read_bytes = max(4096, min(_READ_BYTES, (rate_bytes_s or 8 * _READ_BYTES) // 8))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"ingle/{__version__}", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            read_bufsize=self._read_bytes,
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
