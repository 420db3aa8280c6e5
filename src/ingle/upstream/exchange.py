"""One HTTP exchange with aiohttp: a request goes out, and its answer is read as it comes.

The only module that knows aiohttp. Its exceptions are translated here, so that above there are
only Ingle's own; it knows nothing about JSON, events or tries.
"""

from __future__ import annotations

import asyncio
import errno
import zlib
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy

from ingle._version import __version__
from ingle.errors import ConfigurationError, IngleError, UpstreamError
from ingle.upstream.call import Call
from ingle.upstream.retry import Dropped
from ingle.upstream.unfold import Unfolding

__all__ = ["Reply", "open_session", "send"]

# Below the 5 s after which llama.cpp's and uvicorn's servers close an idle connection themselves,
# so that we seldom send on one that is just being closed.
_KEEP_ALIVE_S = 4
_PIECE_BYTES = 64 * 1024
_LINGER_S = 0.1
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DROPPED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


class _Response(aiohttp.ClientResponse):
    """aiohttp's response, which also keeps its connection's protocol when the body has ended."""

    wire: ResponseHandler

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        assert connection.protocol is not None
        self.wire = connection.protocol
        return await super().start(connection)


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET a second time by itself: the tries are counted above."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Dropped(str(error)) from error


def open_session() -> aiohttp.ClientSession:
    """A session for calls to any number of servers; call it inside a running loop.

    No cookies; nothing is taken from the environment, so there is no proxy and no `.netrc`; no
    bound on the number of connections, because whoever makes calls bounds them.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"ingle/{__version__}", "Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
        response_class=_Response,
        middlewares=(_send_once,),
    )


async def send(
    session: aiohttp.ClientSession,
    call: Call,
    body: bytes | None,
    headers: Iterable[tuple[str, str]],
    deadline: float,
) -> Reply:
    """The answer to one request, of any status, as soon as its head has come.

    A redirect within the same server is followed once where nothing changes but the address: for
    GET, and for 307 and 308. The key never leaves for another server.

    Raises:
        UpstreamError: no answer came, or one that redirects to where we do not follow.
        ConfigurationError: the URL or the key cannot be sent.
    """
    response = await _request(session, call, body, headers, deadline)
    location = response.headers.get("Location")
    if response.status in _REDIRECTS and location is not None:
        response.close()
        status, onward = response.status, urljoin(call.url, location)
        is_same_server = _origin(onward) == _origin(call.url)
        if not is_same_server or not (call.method == "GET" or status in (307, 308)):
            raise call.redirected(status, onward, is_elsewhere=not is_same_server)
        call = replace(call, url=onward)
        response = await _request(session, call, body, headers, deadline)
        if response.status in _REDIRECTS:
            response.close()
            raise call.redirected(response.status, onward, is_elsewhere=False)
    return Reply(call, response)


class Reply:
    """An answer whose head has come. Read it to its end, or close it to stop the work upstream."""

    def __init__(self, call: Call, response: _Response) -> None:
        self.call = call
        self.status = response.status
        self.headers: CIMultiDictProxy[str] = response.headers
        self._response = response
        self._held: bytes | None = None
        self._fault: UpstreamError | None = None
        self._has_begun = False
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        self._encoding = encoding
        self._unfolding = Unfolding() if encoding in ("gzip", "x-gzip", "deflate") else None

    async def hold_first(self) -> None:
        """Wait for the first bytes of the body; the next read gives them.

        Raises:
            UpstreamError: as `read`; `UpstreamUnreachable` if the connection was reset before.
        """
        self._held = await self.read()

    async def read(self) -> bytes:
        """The next bytes of the body, unfolded, as many as have come; nothing at its end.

        Raises:
            UpstreamError: the body broke off, fell silent, or is not what was announced.
        """
        if self._held is not None:
            held, self._held = self._held, None
            return held
        if self._unfolding is not None:
            return await self._read_unfolded(self._unfolding)
        if self._encoding not in ("identity", ""):
            raise self.call.invalid(
                f"the answer is compressed ({self._encoding!r}), which was not asked for",
                status=self.status,
            )
        return await self.read_as_sent()

    async def read_as_sent(self) -> bytes:
        """As `read`, but still compressed if the server compressed it."""
        if self._fault:
            raise self._fault
        try:
            data = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            self._fault = self._broken(error)
            data = self._arrived()
            if not data:
                raise self._fault from self._fault.__cause__
        if data:
            self._has_begun = True
        elif flaw := self._flaw():
            raise flaw
        return data

    async def end(self) -> None:
        """Let go of an answer of which nothing more is wanted; its connection is kept if possible.

        Waits a moment for the body's end, because on a connection closed before it nothing else
        can be sent.
        """
        content = self._response.content
        try:
            async with asyncio.timeout(_LINGER_S):
                while not content.at_eof() and await content.readany():
                    pass
        except (aiohttp.ClientError, OSError):
            pass
        self.close()

    def close(self) -> None:
        """Stop: the connection closes at once unless the answer was read to its end."""
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()

    async def _read_unfolded(self, unfolding: Unfolding) -> bytes:
        while True:
            if unfolding.has_more:
                await asyncio.sleep(0)  # what unfolds for long must not hold up everyone else
                data = b""
            elif not (data := await self.read_as_sent()):
                if self._has_begun and not unfolding.is_whole:
                    raise self.call.cut("the compressed answer broke off", status=self.status)
                return b""
            try:
                part = unfolding.unfold(data)
            except zlib.error as error:
                raise self.call.invalid(
                    f"the answer's {self._encoding} data is damaged ({error})", status=self.status
                ) from error
            if part:
                return part

    def _arrived(self) -> bytes:
        """What had come before the body broke; aiohttp hides it behind the error."""
        content = self._response.content
        content.set_exception(None)  # type: ignore[arg-type]  # it stores what it is given
        try:
            return content.read_nowait()
        except TimeoutError:
            return b""

    def _broken(self, error: Exception) -> UpstreamError:
        """The error for a body that broke."""
        if isinstance(error, aiohttp.SocketTimeoutError):
            fault: UpstreamError = _silent(self.call)
        elif isinstance(error, TimeoutError):
            fault = _out_of_time(self.call)
        elif self._is_reset() and not self._has_begun:
            fault = self.call.unreachable(
                "the connection was reset before the answer began", _is_it_there(self.call)
            )
            error = Dropped(str(error))
        else:
            fault = self.call.cut(f"the answer broke off ({error})", status=self.status)
        fault.__cause__ = error
        return fault

    def _flaw(self) -> UpstreamError | None:
        """What is wrong with a body that seems to have ended well."""
        length = self.headers.get("Content-Length")
        is_chunked = "Transfer-Encoding" in self.headers
        if length is None and not is_chunked and self._is_reset():
            return self.call.cut("the connection was reset", status=self.status)
        wire = self._response.wire
        if length is not None and (isinstance(wire.exception(), HttpProcessingError) or len(wire)):
            return self.call.invalid(
                f"the answer is longer than the {length} bytes that it announced",
                status=self.status,
            )
        return None

    def _is_reset(self) -> bool:
        return isinstance(self._response.wire.exception(), OSError)


async def _request(
    session: aiohttp.ClientSession,
    call: Call,
    body: bytes | None,
    headers: Iterable[tuple[str, str]],
    deadline: float,
) -> _Response:
    left_s = deadline - asyncio.get_running_loop().time()
    if left_s <= 0:
        raise _out_of_time(call)
    all_headers = CIMultiDict([*headers, *call.headers().items()])
    sending = asyncio.timeout(None)
    data: bytes | AsyncGenerator[bytes, None] | None = body
    if body is not None and len(body) > _PIECE_BYTES:
        all_headers["Content-Length"] = str(len(body))
        data = _pieces(body, sending, call.limits.idle_s)
    timeout = aiohttp.ClientTimeout(
        total=left_s, connect=call.limits.connect_s, sock_read=call.limits.idle_s
    )
    try:
        async with sending:
            response = await session.request(
                call.method,
                call.url,
                data=data,
                headers=all_headers,
                allow_redirects=False,
                timeout=timeout,
            )
    except (aiohttp.ClientError, OSError, ValueError, Dropped) as error:
        if sending.expired():
            raise _silent(call) from error
        fault, cause = _unanswered(call, error)
        raise fault from cause
    assert isinstance(response, _Response)
    return response


async def _pieces(
    body: bytes, sending: asyncio.Timeout, idle_s: float
) -> AsyncGenerator[bytes, None]:
    """A large body bit by bit, so that a server that stops taking it runs into the idle limit."""
    loop = asyncio.get_running_loop()
    for start in range(0, len(body), _PIECE_BYTES):
        sending.reschedule(loop.time() + idle_s)
        yield body[start : start + _PIECE_BYTES]
    sending.reschedule(None)  # from here on aiohttp watches for the answer


def _unanswered(call: Call, error: Exception) -> tuple[IngleError, Exception]:
    """The error for a request that no answer came to, and its cause."""
    limits = call.limits
    is_it_there = _is_it_there(call)
    match error:
        case Dropped():
            why = f"the server closed the connection before it answered ({error})"
            return call.unreachable(why, is_it_there), error
        case aiohttp.ConnectionTimeoutError():
            why = f"no connection came about within {limits.connect_s:g} s"
            return call.unreachable(why, is_it_there), error
        case aiohttp.SocketTimeoutError():
            return _silent(call), error
        case aiohttp.ClientConnectorDNSError():
            why = f"the host name is not known ({error.os_error})"
            return call.unreachable(why, f"Check the base URL of {call.target.name}."), error
        case aiohttp.ClientSSLError():
            why = f"no secure connection ({call.clean(str(error.os_error))})"
            fix = "For a server with its own certificate, name its authority in SSL_CERT_FILE."
            return call.unreachable(why, fix), error
        case aiohttp.ClientConnectorError():
            why = f"no connection ({call.clean(str(error.os_error))})"
            is_dropped = error.os_error.errno in _DROPPED
            cause = Dropped(str(error)) if is_dropped else error
            return call.unreachable(why, is_it_there), cause
        case TimeoutError():
            return _out_of_time(call), error
        case aiohttp.ClientResponseError():
            what = call.clean(error.message, 100)
            return call.invalid(f"what answers there does not speak HTTP ({what})"), error
        case aiohttp.InvalidURL() | ValueError():
            return ConfigurationError(
                f"No request can be made to {call.shown_url}: {call.clean(str(error))}. "
                f"Check the base URL of {call.target.name}."
            ), error
        case _:
            return call.unreachable(
                f"the request failed ({call.clean(str(error))})", is_it_there
            ), error


def _silent(call: Call) -> UpstreamError:
    return call.timeout(
        f"the server was silent for {call.limits.idle_s:g} s",
        "Give it a longer timeout if it needs that long.",
    )


def _out_of_time(call: Call) -> UpstreamError:
    return call.timeout(
        f"the whole answer did not come within {call.limits.total_s:g} s",
        "Ask for less, or give the call a longer total limit.",
    )


def _is_it_there(call: Call) -> str:
    return f"Check that the server runs and that the base URL of {call.target.name} is right."


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; a URL that has none of them is like no other."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return "", url, None
