"""One file's way onto this disk: received or copied, resumed after cuts, checked.

It knows the rules of ranges and digests (RFC 9110, sections 13 and 14), and nothing of where files
come from or what they are for.
"""

from __future__ import annotations

import asyncio
import re
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
from ingle.models.pull.content import check_first_bytes
from ingle.models.pull.part import HASH_PIECE_BYTES, Identity, Part
from ingle.models.pull.plan import PlannedFile
from ingle.models.pull.progress import Meter
from ingle.models.pull.quantisation import gigabytes
from ingle.models.pull.space import require_space
from ingle.models.pull.threads import in_thread
from ingle.models.pull.throttle import Throttle
from ingle.models.pull.web import Advice, Answer, Web
from ingle.upstream.call import show

__all__ = ["Transfer"]

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
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
        headers = _range_headers(file, part)
        async with self.web.get(url, headers=headers, bearer=file.bearer) as answer:
            await answer.require({200, 206, 416}, _ADVICE)
            total = await self._agree(file, part, answer)
            if answer.status == 416:
                return
            identity = Identity(
                origin, str(file.digest) if file.digest else None, _validator(answer), total
            )
            await in_thread(part.note, identity)
            self.meter.set(file.name, part.size, total)
            if total is not None:
                require_space(part.path.parent, total - part.size)
            await self._append_all(file, part, answer, total)

    async def _agree(self, file: PlannedFile, part: Part, answer: Answer) -> int | None:
        """Make the part end where the answer begins; the whole file's size, if it is told.

        Raises:
            UpstreamInvalid: the answer is not about this file, or not about this range.
            UpstreamCut: the part was thrown away, because the server knows nothing of its end.
        """
        encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", ""):
            raise _invalid(answer, f"it came compressed ({encoding!r}), which was not asked for")
        if answer.status == 200:
            length = answer.headers.get("Content-Length")
            total = int(length) if length is not None else None
            self._require_size(file, answer, total)
            if part.size:
                self.tell(f"{file.name}: the server sends it from its beginning again.")
                await in_thread(part.restart)
            return total
        header = answer.headers.get("Content-Range", "")
        found = _CONTENT_RANGE.fullmatch(header.strip())
        total = int(found[3]) if found and found[3] != "*" else None
        if answer.status == 416:
            if total is not None and total == part.size:
                return total
            await in_thread(part.restart)
            raise UpstreamCut(
                f"GET {answer.url}: the file is shorter than what had come of it, so it has "
                "changed. Run the same again.",
                url=answer.url,
            )
        if found is None or found[1] is None or int(found[1]) != part.size:
            raise _invalid(
                answer, f"bytes from {part.size} on were asked for, and {header!r} was answered"
            )
        if total is not None and int(found[2]) != total - 1:
            raise _invalid(answer, f"it is only a part of what was asked for ({header!r})")
        self._require_size(file, answer, total)
        return total

    def _require_size(self, file: PlannedFile, answer: Answer, total: int | None) -> None:
        if file.size_bytes is not None and total is not None and total != file.size_bytes:
            raise _invalid(answer, f"it has {total} bytes where the listing says {file.size_bytes}")

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
                raise _invalid(answer, f"more than its {total} bytes came")
            is_head_known = part.size >= _HEAD_BYTES
            await in_thread(part.append, data)
            if not is_head_known:
                await self._check_head(file, part, answer)
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

    async def _check_head(self, file: PlannedFile, part: Part, answer: Answer) -> None:
        head = await in_thread(part.head, _HEAD_BYTES)
        try:
            check_first_bytes(file.name, head, answer.url)
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
                await self._check_copied_head(file, part, source)
            self.meter.advance(file.name, len(data))

    async def _check_copied_head(self, file: PlannedFile, part: Part, source: Path) -> None:
        try:
            check_first_bytes(file.name, await in_thread(part.head, _HEAD_BYTES), str(source))
        except ModelFileInvalid:
            await in_thread(part.remove)
            raise

    async def _catch_up(self, part: Part) -> None:
        while await in_thread(part.catch_up):
            pass


def _range_headers(file: PlannedFile, part: Part) -> dict[str, str]:
    """What asks for the rest only; nothing where it could be the rest of something else."""
    validator = part.identity.validator if part.identity else None
    if part.size == 0 or (file.digest is None and validator is None):
        return {}
    headers = {"Range": f"bytes={part.size}-"}
    # With a digest the end shows whether both halves belong together, even over two mirrors.
    return headers if file.digest else headers | {"If-Range": validator or ""}


def _news(error: IngleError) -> str:
    match error:
        case UpstreamCut():
            return "the connection was cut"
        case UpstreamTimeout():
            return "nothing or too little comes"
        case UpstreamRefused():
            return f"the server answers with status {error.status}"
    return "the server cannot be reached"


def _validator(answer: Answer) -> str | None:
    """What tells whether the file is still the same: a strong ETag, else when it was changed."""
    etag = answer.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return answer.headers.get("Last-Modified")


def _invalid(answer: Answer, why: str) -> UpstreamInvalid:
    return UpstreamInvalid(
        f"GET {answer.url}: the server's answer is wrong: {why}. Try again later, or get it from "
        "somewhere else.",
        url=answer.url,
        status=answer.status,
    )


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
