"""One file's way onto this disk: received or copied, resumed after cuts, checked.

It knows nothing of what files are for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingle.errors import (
    IngleError,
    ModelFileInvalid,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
)
from ingle.files import storage_error
from ingle.models.pull.answer import Advice, Answer
from ingle.models.pull.content import check_first_bytes
from ingle.models.pull.part import HASH_PIECE_BYTES, Identity, Part
from ingle.models.pull.plan import PlannedFile
from ingle.models.pull.progress import Meter
from ingle.models.pull.quantisation import gigabytes
from ingle.models.pull.ranges import Agreement, agree, range_headers, validator
from ingle.models.pull.space import require_space
from ingle.models.pull.threads import in_thread
from ingle.models.pull.throttle import Throttle
from ingle.models.pull.web import Web
from ingle.upstream.call import show

__all__ = ["Transfer"]

_HEAD_BYTES = 16
_ADVICE: Advice = {
    401: "The server wants a key. For Hugging Face set `huggingface_token`.",
    403: "The server does not give it to you. Its address may have run out; run the same again.",
    404: "It is not there any more. Run the same again, or look for it at its source.",
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """Fetches files of one pull; `tell` is given a sentence when something noteworthy happens."""

    web: Web
    throttle: Throttle
    meter: Meter
    tell: Callable[[str], None]

    async def fetch(self, file: PlannedFile, path: Path, journal: Path) -> str:
        """Put the file at `path`, whole and checked; its sha256.

        What is there of an earlier try is used. Cancelling, or the end of the process, leaves what
        has come for the next call.

        Raises:
            UpstreamError: the server did not give it, after all tries.
            ModelFileInvalid: the content is not what it should be; it was removed.
            StorageError: the disk is full, or failed.
        """
        origin = show(file.origin) if isinstance(file.origin, str) else str(file.origin)
        part = Part(path, journal, file.digest)
        try:
            await in_thread(part.open, origin)
            if part.verified is not None:
                self.meter.set(file.name, part.size, part.size)
                return part.verified
            self.meter.set(file.name, part.size, file.size_bytes)
            if part.size:
                self.tell(f"{file.name}: {gigabytes(part.size)} are here already; going on there.")
            came_at_once = await self._fill(file, part, origin)
            fault = await in_thread(part.fault)
            if fault is not None and not came_at_once:
                self.tell(f"{file.name}: put together it is not right; it is fetched anew.")
                await in_thread(part.restart)
                await self._fill(file, part, origin)
                fault = await in_thread(part.fault)
            if fault is not None:
                await in_thread(part.remove)
                raise ModelFileInvalid(
                    f"{file.name} from {origin} is not what it should be: {fault}. It was removed. "
                    "Run the same again; if that does not help, its publisher has to mend it."
                )
            if part.identity is None:  # of an empty file nothing had to be asked
                await in_thread(part.note, Identity(origin))
            return await in_thread(part.finish)
        finally:
            part.close()

    async def _fill(self, file: PlannedFile, part: Part, origin: str) -> bool:
        """Get what is missing of the part, and hash all of it; whether one answer brought it all."""
        if isinstance(file.origin, Path):
            await self._copy(file, file.origin, part)
            return True
        came_at_once = part.size == 0
        failures = 0
        furthest = part.size
        while not (file.size_bytes is not None and part.size == file.size_bytes):
            try:
                await self._receive(file, file.origin, part, origin)
                break
            except IngleError as error:
                failures = 0 if part.size > furthest else failures + 1
                furthest = max(furthest, part.size)
                pause_s = self.web.patience.pause_after(error, failures)
                if pause_s is None:
                    raise
                self.tell(f"{file.name}: {_news(error)}; trying again in {pause_s:.0f} s.")
            came_at_once = False
            await asyncio.sleep(pause_s)
        await self._catch_up(part)
        return came_at_once

    async def _receive(self, file: PlannedFile, url: str, part: Part, origin: str) -> None:
        """Ask for the rest of the file and append it, to its end."""
        await self._catch_up(part)
        known = part.identity.validator if part.identity else None
        headers = range_headers(file, part.size, known)
        async with self.web.get(url, headers=headers, bearer=file.bearer) as answer:
            await answer.require({200, 206, 416}, _ADVICE)
            found = agree(file, answer, part.size, known)
            await self._begin_at(file, part, answer, found)
            if answer.status == 416:
                return
            digest = str(file.digest) if file.digest else None
            await in_thread(part.note, Identity(origin, digest, validator(answer), found.total))
            self.meter.set(file.name, part.size, found.total)
            if found.total is not None:
                require_space(part.path.parent, found.total - part.size)
            await self._append_all(file, part, answer, found.total)

    async def _begin_at(
        self, file: PlannedFile, part: Part, answer: Answer, found: Agreement
    ) -> None:
        """Throw away what is here, if the answer does not continue it.

        Raises:
            UpstreamCut: nor does it begin anew; it has to be asked for again.
        """
        if part.size in (0, found.start):
            return
        await in_thread(part.restart)
        if found.start == 0:
            self.tell(f"{file.name}: the server sends it from its beginning again.")
            return
        raise UpstreamCut(
            f"GET {answer.url}: the file has changed since a part of it came. Run the same again.",
            url=answer.url,
        )

    async def _append_all(
        self, file: PlannedFile, part: Part, answer: Answer, total: int | None
    ) -> None:
        """Append the answer's body.

        Raises:
            UpstreamTimeout: it has become too slow to wait for.
        """
        loop = asyncio.get_running_loop()
        patience = self.web.patience
        since, received = loop.time(), 0
        async for data in answer.pieces():
            if total is not None and part.size + len(data) > total:
                raise UpstreamInvalid(
                    f"GET {answer.url}: more than its {total} bytes came. Try again later.",
                    url=answer.url,
                )
            is_head_known = part.size >= _HEAD_BYTES
            await in_thread(part.append, data)
            if not is_head_known:
                await self._check_head(file, part, answer.url)
            self.meter.advance(file.name, len(data))
            received += len(data)
            waiting_since = loop.time()
            await self.throttle.spend(len(data))
            since += loop.time() - waiting_since  # our own bound is not the server's slowness
            elapsed = loop.time() - since
            if elapsed >= patience.idle_s:
                if received < patience.slowest_bytes_s * elapsed:
                    raise UpstreamTimeout(
                        f"GET {answer.url}: only {received} bytes came in {elapsed:.0f} s. "
                        "Run the same again: it goes on from there.",
                        url=answer.url,
                    )
                since, received = loop.time(), 0
        wanted = total if total is not None else file.size_bytes
        if wanted is not None and part.size != wanted:
            raise UpstreamCut(
                f"GET {answer.url}: {part.size} of {wanted} bytes came. Run the same again: it "
                "goes on from there.",
                url=answer.url,
            )

    async def _check_head(self, file: PlannedFile, part: Part, origin: str) -> None:
        """Look at the first bytes, and remove the part if they are wrong."""
        try:
            check_first_bytes(file.name, await in_thread(part.head, _HEAD_BYTES), origin)
        except ModelFileInvalid:
            await in_thread(part.remove)
            raise

    async def _copy(self, file: PlannedFile, source: Path, part: Part) -> None:
        """Copy a local file, from its beginning."""
        await in_thread(part.restart)
        size = await in_thread(_size, source)
        await in_thread(part.note, Identity(str(source), size_bytes=size))
        self.meter.set(file.name, 0, size)
        require_space(part.path.parent, size)
        while data := await in_thread(_read, source, part.size):
            await in_thread(part.append, data)
            if part.size == len(data):
                await self._check_head(file, part, str(source))
            self.meter.advance(file.name, len(data))

    async def _catch_up(self, part: Part) -> None:
        while await in_thread(part.catch_up):
            pass


def _news(error: IngleError) -> str:
    match error:
        case UpstreamCut():
            return "the connection was cut"
        case UpstreamTimeout():
            return "nothing or too little comes"
        case UpstreamRefused():
            return f"the server answers with status {error.status}"
    return "the server cannot be reached"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise storage_error(f"{path} cannot be read", error) from error


def _read(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(HASH_PIECE_BYTES)
    except OSError as error:
        raise storage_error(f"{path} cannot be read", error) from error
