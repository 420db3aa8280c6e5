"""One exchange with a server: a request goes out, and its answer is read as it comes.

Here faults of HTTP become Ingle's errors, so that above there are no others. Knows nothing about
JSON, events or tries.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit

from ingle._version import __version__
from ingle.errors import ConfigurationError, UpstreamError
from ingle.upstream.call import Call
from ingle.upstream.connection import Connection, OutOfTime, Silent
from ingle.upstream.http_answer import HttpAnswer, HttpFault
from ingle.upstream.pool import NotSecure, Origin, Pool, UnknownHost
from ingle.upstream.unfold import Unfolding

__all__ = ["Reply", "send"]

_LINGER_S = 0.1
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FOLDED = frozenset({"gzip", "x-gzip", "deflate"})
# RFC 3986: what may stand in a path or a query as it is, an escape that is already there too.
_URL_SAFE = "%/?:@!$&'()*+,;=~-._"
_PLAIN = re.compile(rf"[A-Za-z0-9{re.escape(_URL_SAFE)}]*")

_OUR_HEADERS = (("User-Agent", f"ingle/{__version__}"), ("Accept-Encoding", "identity"))

Headers = Iterable[tuple[str, str]]


async def send(
    pool: Pool, call: Call, body: bytes | None, headers: Headers, deadline: float
) -> Reply:
    """The answer to one request, of any status, as soon as its head has come.

    A redirect within the same server is followed once where nothing changes but the address: for
    GET, and for 307 and 308. Neither a request nor a key ever follows one to another server.

    Raises:
        UpstreamError: no answer came, or one that redirects to where we do not follow.
        ConfigurationError: the URL or the key cannot be sent.
    """
    reply = await _exchange(pool, call, body, headers, deadline)
    location = _redirection(reply)
    if location is None:
        return reply
    reply.close()
    onward = replace(call, url=location)
    is_same_server = _is_same_server(onward, call)
    if not is_same_server or not (call.method == "GET" or reply.status in (307, 308)):
        raise call.redirected(reply.status, location, is_elsewhere=not is_same_server)
    reply = await _exchange(pool, onward, body, headers, deadline)
    location = _redirection(reply)
    if location is not None:
        reply.close()
        raise onward.redirected(reply.status, location, is_elsewhere=False)
    return reply


class Reply:
    """An answer whose head has come. Read it to its end, or close it to stop the work upstream."""

    def __init__(
        self, call: Call, pool: Pool, origin: Origin, connection: Connection, answer: HttpAnswer
    ) -> None:
        self.call = call
        self.status = answer.status
        self.headers = answer.headers
        self.fields = answer.fields
        self._pool = pool
        self._origin = origin
        self._connection: Connection | None = connection
        self._answer = answer
        self._held: bytes | None = None
        self._has_begun = False
        self._encoding = self.fields.get("content-encoding", "identity").lower()
        self._unfolding = Unfolding() if self._encoding in _FOLDED else None

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
        if self._encoding != "identity":
            raise self.call.invalid(
                f"the answer is compressed ({self._encoding!r}), which was not asked for",
                status=self.status,
            )
        return await self.read_as_sent()

    async def read_as_sent(self) -> bytes:
        """As `read`, but still compressed if the server compressed it."""
        if self._connection is None:
            raise RuntimeError("This answer was closed; read it before.")
        try:
            data = await self._connection.read()
        except HttpFault as fault:
            raise _error(self.call, fault, self.status) from fault
        self._has_begun = self._has_begun or bool(data)
        return data

    async def end(self) -> None:
        """Let go of an answer of which nothing more is wanted; its connection is kept if possible.

        Waits a moment for the end of the body, before which nothing else can be sent on it.
        """
        if not self._answer.is_whole:
            with suppress(UpstreamError, TimeoutError):
                async with asyncio.timeout(_LINGER_S):
                    while await self.read_as_sent():
                        pass
        self.close()

    def close(self) -> None:
        """Stop. Unless the answer was read to its end, its connection closes at once."""
        if self._connection is not None:
            self._pool.put_back(self._origin, self._connection)
            self._connection = None

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


async def _exchange(
    pool: Pool, call: Call, body: bytes | None, headers: Headers, deadline: float
) -> Reply:
    origin = _origin(call)
    head = _head(call, origin, body, headers)
    left_s = deadline - asyncio.get_running_loop().time()
    if left_s <= 0:
        raise _error(call, OutOfTime("the total limit has passed"), None)
    try:
        connection = await pool.connect(origin, min(call.limits.connect_s, left_s))
        try:
            answer = await connection.request(
                call.method, head, body or b"", idle_s=call.limits.idle_s, deadline=deadline
            )
        except BaseException:
            connection.close()
            raise
    except HttpFault as fault:
        raise _error(call, fault, None) from fault
    return Reply(call, pool, origin, connection, answer)


def _origin(call: Call) -> Origin:
    """Whom a call is for.

    Raises:
        ConfigurationError: its URL leads nowhere.
    """
    try:
        parts = urlsplit(call.url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not port:
        raise ConfigurationError(
            f"{call.shown_url} is not the URL of a server. Check the base URL of "
            f"{call.target.name}."
        )
    return Origin(parts.scheme, parts.hostname, port)


def _head(call: Call, origin: Origin, body: bytes | None, headers: Headers) -> bytes:
    """A request up to its body.

    Raises:
        ConfigurationError: something holds what no head can.
    """
    parts = urlsplit(call.url)
    host = f"[{origin.host.partition('%')[0]}]" if ":" in origin.host else origin.host
    if origin.port != _DEFAULT_PORTS[origin.scheme]:
        host += f":{origin.port}"
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    path = path if _PLAIN.fullmatch(path) else quote(path, safe=_URL_SAFE)
    fields = [*headers, *call.headers().items()]
    given = {name.lower() for name, _ in fields}
    fields += [(name, value) for name, value in _OUR_HEADERS if name.lower() not in given]
    if body is not None:
        fields.append(("Content-Length", str(len(body))))
    lines = [
        f"{call.method} {path} HTTP/1.1",
        f"Host: {host}",
        *(f"{name}: {value}" for name, value in fields),
    ]
    head = "\r\n".join([*lines, "", ""])
    breaks = len(lines) + 1
    if (head.count("\r"), head.count("\n"), "\0" in head) != (breaks, breaks, False):
        raise _unsendable(call, "a line break or a zero byte")
    try:
        return head.encode("latin-1")
    except UnicodeEncodeError as error:
        raise _unsendable(call, f"the character {error.object[error.start]!r}") from error


def _unsendable(call: Call, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"No request can be made to {call.shown_url}: its URL or a header holds {what}, which HTTP "
        f"does not allow there. Check the base URL and the API key of {call.target.name}."
    )


def _redirection(reply: Reply) -> str | None:
    """Where an answer redirects to, if it does."""
    location = reply.fields.get("location")
    if reply.status not in _REDIRECTS or location is None:
        return None
    try:
        return urljoin(reply.call.url, location)
    except ValueError:
        return location


def _is_same_server(one: Call, other: Call) -> bool:
    try:
        return _origin(one) == _origin(other)
    except ConfigurationError:
        return False


def _error(call: Call, fault: HttpFault, status: int | None) -> UpstreamError:
    """Ingle's error for a fault before the head of an answer (no status), or in its body."""
    name, limits = call.target.name, call.limits
    why = call.clean(str(fault))
    match fault:
        case Silent():
            return call.timeout(
                f"the server was silent for {limits.idle_s:g} s",
                "Give it a longer timeout if it needs that long.",
            )
        case OutOfTime():
            return call.timeout(
                f"the whole answer did not come within {limits.total_s:g} s",
                "Ask for less, or give the call a longer total limit.",
            )
        case NotSecure():
            fix = "For a server with a certificate of its own, name its authority in SSL_CERT_FILE."
            error = call.unreachable(why, fix)
            error.is_retryable = False
            return error
        case UnknownHost():
            return call.unreachable(why, f"Check the base URL of {name}.")
        case HttpFault(is_nonsense=True):
            return call.invalid(why, status=status)
        case _ if status is None or fault.may_pass:
            fix = f"Check that the server runs and that the base URL of {name} is right."
            return call.unreachable(why, fix)
        case _:
            return call.cut(why, status=status)
