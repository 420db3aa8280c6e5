"""A server of the OpenAI API that answers by script, on a real socket of this machine."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, Self

from ingle.testing.answers import Answer, Fault, error
from ingle.upstream.target import Target

__all__ = ["ReceivedRequest", "ScriptedUpstream"]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it came. `left` is set when the client leaves before its answer has ended."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    left: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def json(self) -> Any:  # Any: whatever JSON the client sent
        """The body as JSON."""
        return json.loads(self.body)


class ScriptedUpstream:
    """Answers requests with the given answers in order; the last that fits is given again.

    ```python
    from ingle.testing import ScriptedUpstream, chat_stream, error
    from ingle.upstream.client import Client
    from ingle.upstream.wire import ChatChunk

    async with ScriptedUpstream(error(503, "loading"), chat_stream("Hel", "lo")) as upstream:
        async with Client() as client:
            body = {"model": "m", "messages": [], "stream": True}
            chunks = client.stream(upstream.target(), "chat/completions", body, into=ChatChunk)
            text = "".join([c.written async for read in chunks for k in read for c in k.choices])

    assert text == "Hello"
    assert [request.path for request in upstream.requests] == ["/v1/chat/completions"] * 2
    ```

    An answer made for an endpoint is given to requests for that endpoint only. A request that no
    answer fits gets 404. Header names of requests are in lower case. The port is a free one unless
    it is given; `connections` counts those that clients have made. With `tls` it speaks https.
    """

    def __init__(
        self,
        *answers: Answer,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self._unused = list(answers)
        self._used: list[Answer] = []
        self._arrival = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._host = host
        self._port = port
        self._tls = tls

    @property
    def url(self) -> str:
        """The root: `http://127.0.0.1:<port>`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    def target(self, api_key: str | None = None, name: str = "scripted") -> Target:
        """Where to call it."""
        return Target(f"{self.url}/v1", api_key, name)

    def script(self, *answers: Answer) -> None:
        """More answers, given after those that are still unused."""
        self._unused += answers

    async def received(self, count: int) -> ReceivedRequest:
        """The request of this number, counted from 1, as soon as it has come."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, self._host, self._port, ssl=self._tls
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        ahead = b""
        try:
            while request := await _read_request(reader, ahead):
                async with self._arrival:
                    self.requests.append(request)
                    self._arrival.notify_all()
                exchange = _Exchange(request, self._next(request), writer)
                ahead = await exchange.play_watching(reader)
                if exchange.is_last:
                    break
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    def _next(self, request: ReceivedRequest) -> Answer:
        path = request.path.partition("?")[0].rstrip("/")
        for answers in (self._unused, reversed(self._used)):
            for answer in answers:
                if answer.endpoint is None or path.endswith(f"/{answer.endpoint}"):
                    if answer in self._unused:
                        self._unused.remove(answer)
                        self._used.append(answer)
                    return answer
        return error(404, f"No answer is scripted for {request.method} {request.path}.")


class _Exchange:
    """One answer on its way to a client who may leave."""

    def __init__(
        self, request: ReceivedRequest, answer: Answer, writer: asyncio.StreamWriter
    ) -> None:
        self.is_last = answer.framing in ("close", "none") or Fault.HANG_UP in answer.parts
        self._request = request
        self._answer = answer
        self._writer = writer

    async def play_watching(self, reader: asyncio.StreamReader) -> bytes:
        """Play the answer; what the client sent ahead of its end comes back.

        Raises:
            ConnectionError: the client left, which the request now says.
        """
        playing = asyncio.create_task(self._play())
        watching = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({playing, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done() and not playing.done() and not watching.result():
                raise ConnectionResetError("The client left.")
            await playing
        except ConnectionError:
            self._request.left.set()
            raise
        finally:
            playing.cancel()
            watching.cancel()
            await asyncio.gather(playing, watching, return_exceptions=True)
        return b"" if watching.cancelled() else watching.result()

    async def _play(self) -> None:
        if self._answer.framing != "none":
            self._writer.write(self._head())
        is_chunked = self._answer.framing == "chunked"
        for part in self._answer.parts:
            match part:
                case bytes():
                    chunk = b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part
                    self._writer.write(chunk)
                    await self._writer.drain()
                case asyncio.Event():
                    await part.wait()
                case float() | int():
                    await asyncio.sleep(part)
                case Fault.STALL:
                    await asyncio.Event().wait()
                case Fault.HANG_UP:
                    return
                case Fault.RESET:
                    _reset(self._writer)
                    return
        if is_chunked:
            self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def _head(self) -> bytes:
        headers = list(self._answer.headers)
        names = {name.lower() for name, _ in headers}
        if self._answer.framing == "length" and "content-length" not in names:
            headers.append(("Content-Length", str(len(self._answer.body))))
        elif self._answer.framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        elif self._answer.framing == "close":
            headers.append(("Connection", "close"))
        reason = responses.get(self._answer.status, "Scripted")
        lines = [f"HTTP/1.1 {self._answer.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _read_request(reader: asyncio.StreamReader, ahead: bytes) -> ReceivedRequest | None:
    """The next request on a connection; None when the client has closed it, or speaks no HTTP."""
    try:
        first = ahead or await reader.readexactly(1)
        if not first.isalpha():
            return None
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = request_line.split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return ReceivedRequest(method, path, headers, body)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN: what SO_LINGER with a time of zero does."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
