"""Calls to OpenAI-compatible servers: engines of this machine, LocalAI, vLLM, any other.

A call gives the whole answer or raises one of Ingle's errors; an answer that was cut short is never
taken for a whole one. Leaving a call, by cancelling it or by closing its stream, closes the
connection, which stops the work upstream. Knows nothing about models, processors or who calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import msgspec

from ingle.errors import InvalidRequest, UpstreamError
from ingle.upstream.body import read_answer
from ingle.upstream.call import Call
from ingle.upstream.chunks import ChunkReader, ChunkT
from ingle.upstream.exchange import Reply, send
from ingle.upstream.explain import complaint
from ingle.upstream.form import Form
from ingle.upstream.limits import Limits
from ingle.upstream.pool import Pool
from ingle.upstream.relay import Relayed, request_headers
from ingle.upstream.retry import LONGEST_PAUSE_S, retry, retry_after_s
from ingle.upstream.target import Target

__all__ = ["Client"]

T = TypeVar("T")
# Any: a JSON object, or JSON that is already written, or a form with files.
Body = dict[str, Any] | bytes | Form

_JSON_TYPE = "application/json"
_COMPLAINT_BYTES = 64 * 1024
_COMPLAINT_S = 5
_DEFAULT = Limits()


class Client:
    """Makes calls, any number at once, inside `async with`, from the tasks of one event loop.

    Connections are kept and used again. Nothing is taken from the environment: there are no
    proxies, and no keys but the target's own.
    """

    def __init__(self) -> None:
        self._pool: Pool | None = None

    async def __aenter__(self) -> Self:
        self._pool = Pool()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None
            await asyncio.sleep(0)  # a connection that is closed is gone one turn of the loop later

    async def get(
        self, target: Target, endpoint: str, *, into: type[T], limits: Limits = _DEFAULT
    ) -> T:
        """The answer to a GET, as `into`: a struct of `wire`, or `bytes` for the body as it is.

        Raises:
            UpstreamError: there is no answer, or it is not whole, or not what it should be.
        """
        return await self._answer("GET", target, endpoint, None, into, limits)

    async def post(
        self,
        target: Target,
        endpoint: str,
        body: Body,
        *,
        into: type[T],
        limits: Limits = _DEFAULT,
    ) -> T:
        """The answer to a POST of a JSON body or a form, as `into`, just as `get`.

        Raises:
            InvalidRequest: the body cannot be written as JSON.
            UpstreamError: there is no answer, or it is not whole, or not what it should be.
        """
        return await self._answer("POST", target, endpoint, body, into, limits)

    async def stream(
        self,
        target: Target,
        endpoint: str,
        body: Body,
        *,
        into: type[ChunkT],
        limits: Limits = _DEFAULT,
    ) -> AsyncGenerator[list[ChunkT], None]:
        """The chunks of a streamed answer, a list for each read; ends only if the answer is whole.

        The body must ask for a stream itself (`"stream": true`). Closing the generator stops the
        work upstream; where you may leave it early, use `contextlib.aclosing`.

        Raises:
            InvalidRequest: the body cannot be written as JSON.
            UpstreamError: as `post`; once chunks have come, `partial` holds the text so far, or
                for several choices a list of their texts.
        """
        call = Call("POST", target.url(endpoint), target, limits)
        deadline = _deadline(limits)
        content, headers = _written(body, accept="text/event-stream")
        reply = await self._open(call, content, headers, deadline)
        reader = ChunkReader(reply.call, reply.status, msgspec.json.Decoder(into).decode)
        try:
            while not reader.is_done:
                data = await reply.read()
                chunks = reader.feed(data) if data else reader.finish()
                if chunks:
                    yield chunks
                if not data:
                    break
            if reader.fault:
                raise reader.fault
            await reply.end()
        except UpstreamError as error:
            error.partial = reader.text
            raise
        finally:
            reply.close()

    @asynccontextmanager
    async def relay(
        self,
        method: str,
        target: Target,
        endpoint: str,
        body: bytes | None = None,
        headers: Iterable[tuple[str, str]] = (),
        limits: Limits = _DEFAULT,
    ) -> AsyncGenerator[Relayed, None]:
        """An answer to pass on: its status, whatever it is, its headers, and its bytes as they come.

        Of the caller's headers, those go along that a server may see; the key is the target's.
        Tried again are only connections that were refused or reset before an answer began.
        Leaving the context before the body has ended stops the work upstream.

        Raises:
            UpstreamError: there is no answer. Reading its body raises, if it breaks off.
        """
        call = Call(method, target.url(endpoint), target, limits)
        deadline = _deadline(limits)
        sent = request_headers(headers)
        pool = self._opened()
        reply = await retry(lambda: send(pool, call, body, sent, deadline), limits, deadline)
        try:
            yield Relayed(reply)
        finally:
            reply.close()

    async def _answer(
        self,
        method: str,
        target: Target,
        endpoint: str,
        body: Body | None,
        into: type[T],
        limits: Limits,
    ) -> T:
        call = Call(method, target.url(endpoint), target, limits)
        accept = "*/*" if issubclass(into, bytes) else _JSON_TYPE
        content, headers = _written(body, accept=accept)
        reply = await self._open(call, content, headers, _deadline(limits))
        try:
            whole = await _read_body(reply)
        finally:
            reply.close()
        return read_answer(reply.call, reply.status, whole, into)

    async def _open(
        self, call: Call, body: bytes | None, headers: list[tuple[str, str]], deadline: float
    ) -> Reply:
        """An answer with a status of 2xx whose first bytes have come, after as many tries as needed."""
        pool = self._opened()

        async def attempt() -> Reply:
            reply = await send(pool, call, body, headers, deadline)
            try:
                await _require_success(reply, deadline)
                await reply.hold_first()
            except BaseException:
                reply.close()
                raise
            return reply

        return await retry(attempt, call.limits, deadline)

    def _opened(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("A Client works inside `async with Client() as client:` only.")
        return self._pool


def _deadline(limits: Limits) -> float:
    return asyncio.get_running_loop().time() + limits.total_s


def _written(body: Body | None, *, accept: str) -> tuple[bytes | None, list[tuple[str, str]]]:
    """The bytes of a body, and the headers that say what they are and what is wanted."""
    kind = _JSON_TYPE
    try:
        if isinstance(body, Form):
            body, kind = body.encoded()
        elif isinstance(body, dict):
            body = msgspec.json.encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"The request cannot be written as JSON: {error}. Send only text that is valid "
            "Unicode, numbers, true, false, null, lists and objects."
        ) from error
    return body, [("Content-Type", kind), ("Accept", accept)]


async def _read_body(reply: Reply) -> bytes:
    """The whole body.

    Raises:
        UpstreamError: it broke off (`partial` holds what had come), or is longer than the limit.
    """
    limit = reply.call.limits.body_bytes
    parts: list[bytes] = []
    size = 0
    try:
        while part := await reply.read():
            parts.append(part)
            size += len(part)
            if size > limit:
                raise reply.call.invalid(
                    f"the answer is longer than {limit} bytes", status=reply.status
                )
    except UpstreamError as error:
        error.partial = b"".join(parts)
        raise
    return b"".join(parts)


async def _require_success(reply: Reply, deadline: float) -> None:
    """Go on if the status is 2xx.

    Raises:
        UpstreamRefused: it is another, with the server's own words if they come soon.
    """
    if 200 <= reply.status < 300:
        return
    body = b""
    try:
        async with asyncio.timeout(_COMPLAINT_S):
            while len(body) < _COMPLAINT_BYTES and (part := await reply.read()):
                body += part
    except (UpstreamError, TimeoutError):
        pass  # the status alone says enough
    asked_s = retry_after_s(reply.fields.get("retry-after"))
    patience_s = min(LONGEST_PAUSE_S, deadline - asyncio.get_running_loop().time())
    fix = ""
    if asked_s is not None and asked_s > patience_s:
        fix = (
            f"It asks to wait {asked_s:.0f} s, longer than the {patience_s:.0f} s that this call "
            "can wait. Try again after that."
        )
    raise reply.call.refused(reply.status, complaint(body), fix=fix, retry_after_s=asked_s)
