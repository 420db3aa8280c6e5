"""A form with one file in it, written to disk as it comes: never more of it in memory than a piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ingle.errors import InvalidRequest, RequestTooSlow
from ingle.server.asgi import Request
from ingle.server.calls import CallerLeft
from ingle.server.openai.form import FormDecoder, Part
from ingle.storage.files import Files, Upload

__all__ = ["Form", "read_form"]

_WRITE_BYTES = 1 << 20
_MAX_FIELD_BYTES = 64 * 1024
_MAX_FIELDS = 32
_SILENT_S = 60.0
"""So long an upload may pause; how long all of it takes depends on its size."""


@dataclass(slots=True)
class Form:
    """The fields of a form, and its file, not kept yet; `filename` is what its sender called it."""

    fields: dict[str, str] = field(default_factory=dict)
    upload: Upload | None = None
    filename: str = ""


@asynccontextmanager
async def read_form(request: Request, files: Files, max_bytes: int) -> AsyncGenerator[Form, None]:
    """The form that a request is. The block keeps the file, or it is dropped.

    Raises:
        InvalidRequest: it is no such form, or has two files.
        RequestTooLarge: the file is larger than `max_bytes`.
        RequestTooSlow: nothing came for a minute.
        StorageError: the disk is full or failed.
        CallerLeft: the caller went away before its end.
    """
    reading = _Reading(files, max_bytes)
    decoder = FormDecoder(request.header(b"content-type"))
    try:
        async for data in _body(request):
            for one in decoder.feed(data):
                await reading.take(one)
        decoder.end()
        await reading.finish()
        yield reading.form
    finally:
        if reading.form.upload is not None:
            await asyncio.to_thread(reading.form.upload.drop)


class _Reading:
    """A form as far as it has come. `pending` is what of a part is not in its place yet."""

    def __init__(self, files: Files, max_bytes: int) -> None:
        self.form = Form()
        self._files = files
        self._max_bytes = max_bytes
        self._part: Part | None = None
        self._pending = bytearray()

    async def take(self, one: Part | bytes) -> None:
        """Take a part's begin, or its next bytes."""
        if isinstance(one, Part):
            await self.finish()
            await self._begin(one)
            return
        self._pending += one
        if self._part is not None and self._part.filename is None:
            if len(self._pending) > _MAX_FIELD_BYTES:
                raise InvalidRequest(
                    f"The field {self._part.name[:64]!r} has more than {_MAX_FIELD_BYTES:,} bytes. "
                    "Send a file as `file`, with a name."
                )
        elif len(self._pending) >= _WRITE_BYTES:
            await self._write()

    async def finish(self) -> None:
        """The part that came is whole."""
        if self._part is None:
            return
        if self._part.filename is not None:
            await self._write()
        else:
            self.form.fields[self._part.name] = self._pending.decode("utf-8", "replace")
            self._pending.clear()
        self._part = None

    async def _begin(self, part: Part) -> None:
        self._part = part
        if part.filename is None:
            if len(self.form.fields) >= _MAX_FIELDS:
                raise InvalidRequest(f"The form has more than {_MAX_FIELDS} fields. Send fewer.")
            return
        if self.form.upload is not None:
            raise InvalidRequest(
                "The form has more than one file. Send each by itself.", param="file"
            )
        self.form.filename = part.filename
        self.form.upload = await asyncio.to_thread(self._files.begin, max_bytes=self._max_bytes)

    async def _write(self) -> None:
        assert self.form.upload is not None, "a part with a name for its file begins one"
        data, self._pending = bytes(self._pending), bytearray()
        await asyncio.to_thread(self.form.upload.write, data)


async def _body(request: Request) -> AsyncGenerator[bytes, None]:
    """The pieces of a request's body."""
    more = True
    while more:
        try:
            async with asyncio.timeout(_SILENT_S):
                message = await request.receive()
        except TimeoutError as error:
            raise RequestTooSlow(
                f"Nothing of the file came for {_SILENT_S:g} s. Send it again."
            ) from error
        if message["type"] != "http.request":
            raise CallerLeft
        more = message.get("more_body", False)
        yield message.get("body", b"")
