"""A web server of files on loopback, that can do wrong what servers do wrong.

It serves what tests of downloads need: ranges, validators, redirects, tokens, and on demand answers
that are cut, that stand still, or that ignore what they were asked.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

__all__ = ["FileRequest", "FileServer", "ServedFile", "file_server"]

_PIECE_BYTES = 16 * 1024


@dataclass(slots=True)
class ServedFile:
    """A file, and what goes wrong with it, one answer after the other.

    First come the `statuses`; then each number in `cuts` ends an answer after so many bytes. With
    `holds_after` an answer stands still there, which sets `is_held`, until `go` is set. `location`
    redirects, and `wants_token` is the Authorization header without which there is a 401. `drip_s` is
    the pause after each 16 KiB.
    """

    content: bytes
    etag: str | None = None
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ignores_ranges: bool = False
    ignores_validators: bool = False
    is_chunked: bool = False
    drip_s: float = 0.0
    wants_token: str | None = None
    holds_after: int | None = None
    is_held: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def sha256(self) -> str:
        """What the content hashes to."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class FileRequest:
    """What a client asked for; header names are in lower case."""

    target: str
    headers: dict[str, str]

    @property
    def range(self) -> str | None:
        """The Range header."""
        return self.headers.get("range")


class FileServer:
    """`files` by their path (with a query, if it has one); `requests` are all that came.

    `sent_bytes` counts the bytes of bodies, as far as they were given to the system.
    """

    def __init__(self) -> None:
        self.files: dict[str, ServedFile] = {}
        self.requests: list[FileRequest] = []
        self.url = ""
        self.sent_bytes = 0

    def serve(self, path: str, content: bytes | str) -> ServedFile:
        """Have a file, from now on; change what is returned to have it go wrong."""
        served = ServedFile(content.encode() if isinstance(content, str) else content)
        self.files[path] = served
        return served

    def asked(self, path: str) -> list[FileRequest]:
        """The requests for one file, the first first."""
        return [request for request in self.requests if request.target == path]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            request = FileRequest(head[0].split(" ")[1], headers)
            self.requests.append(request)
            await self._send(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left, which is its right
        finally:
            writer.close()

    async def _send(self, request: FileRequest, writer: asyncio.StreamWriter) -> None:
        file = self.files.get(request.target)
        if file is None:
            return _head(writer, 404, {"Content-Length": "9"}, b"not found")
        if file.statuses:
            status = file.statuses.pop(0)
            return _head(writer, status, {"Content-Length": "4", **file.headers}, b"busy")
        if file.location is not None:
            return _head(writer, 302, {"Location": file.location, "Content-Length": "0"})
        if file.wants_token and request.headers.get("authorization") != file.wants_token:
            return _head(writer, 401, {"Content-Length": "0", **file.headers})
        return await self._send_body(request, file, writer)

    async def _send_body(
        self, request: FileRequest, file: ServedFile, writer: asyncio.StreamWriter
    ) -> None:
        total = len(file.content)
        start = 0
        headers = dict(file.headers)
        if file.etag:
            headers["ETag"] = file.etag
        status = 200
        wanted = None if file.ignores_ranges else request.range
        is_same = request.headers.get("if-range") in (None, file.etag)
        if wanted and (is_same or file.ignores_validators):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < total else 416
            headers["Content-Range"] = (
                f"bytes {start}-{total - 1}/{total}" if status == 206 else f"bytes */{total}"
            )
        body = file.content[start:] if status != 416 else b""
        headers |= file.headers
        if file.is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers.setdefault("Content-Length", str(len(body)))
        _head(writer, status, headers)
        end = file.cuts.pop(0) if file.cuts else None
        for at in range(0, len(body), _PIECE_BYTES):
            piece = body[at : at + _PIECE_BYTES]
            if end is not None and at >= end:
                await writer.drain()
                writer.transport.abort()
                return
            if file.holds_after is not None and at >= file.holds_after:
                file.is_held.set()
                await file.go.wait()
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if file.is_chunked else piece)
            self.sent_bytes += len(piece)
            await writer.drain()
            await asyncio.sleep(file.drip_s)
        if file.is_chunked:
            writer.write(b"0\r\n\r\n")


def _head(
    writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes = b""
) -> None:
    lines = [
        f"HTTP/1.1 {status} x",
        "Connection: close",
        *(f"{k}: {v}" for k, v in headers.items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)


@asynccontextmanager
async def file_server() -> AsyncGenerator[FileServer, None]:
    """A server on a free port; at the end all its connections are gone."""
    stub = FileServer()
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(stub._answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
