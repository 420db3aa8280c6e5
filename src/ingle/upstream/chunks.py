"""Bytes of a streamed answer -> typed chunks, and whether the answer is whole.

An answer is whole if it has a choice, each choice that began has its finish reason, and the
stream ended where an event ended; `[DONE]` may be missing. Whatever else ends it is a fault, told
beside the chunks that came before it. Does no I/O.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from ingle.errors import UpstreamError
from ingle.upstream.body import flaw, refusal_in
from ingle.upstream.call import Call
from ingle.upstream.explain import complaint, describe, error_object, printable
from ingle.upstream.sse import EventDecoder
from ingle.upstream.wire import ChatChunk, CompletionChunk

__all__ = ["ChunkReader", "ChunkT"]

ChunkT = TypeVar("ChunkT", ChatChunk, CompletionChunk)

_HEAD_BYTES = 64 * 1024
_EVENT_STREAM = re.compile(rb"(\xef\xbb\xbf)?\s*(data|event|id|retry)?\s*:")


class ChunkReader(Generic[ChunkT]):
    """Reads one stream: `feed` it what comes, and `finish` it when the body has ended.

    As soon as `is_done`, nothing more needs to be fed: the answer is whole, or there is a `fault`.
    """

    def __init__(self, call: Call, status: int, decode: Callable[[bytes], ChunkT]) -> None:
        self.fault: UpstreamError | None = None
        self._call = call
        self._status = status
        self._decode: Callable[[bytes], ChunkT] = decode
        self._events = EventDecoder(call.limits.line_bytes)
        self._size = 0
        self._head = bytearray()  # how the body begins, until the first event has come
        self._texts: defaultdict[int, list[str]] = defaultdict(list)
        self._finished: set[int] = set()

    @property
    def is_done(self) -> bool:
        """Whether nothing more is wanted."""
        return self.fault is not None or self._events.ended is not None

    @property
    def text(self) -> str | list[str]:
        """What has been written so far; a list if there are several choices, in their order."""
        texts = ["".join(pieces) for _, pieces in sorted(self._texts.items())]
        return texts[0] if len(texts) == 1 else texts or ""

    def feed(self, data: bytes) -> list[ChunkT]:
        """The chunks that these bytes complete."""
        self._size += len(data)
        if not self._texts:
            self._head += data[: _HEAD_BYTES - len(self._head)]
        chunks = self._read(self._events.feed(data))
        limit = self._call.limits.stream_bytes
        if self.fault is None and self._size > limit:
            self.fault = self._invalid(f"the stream is longer than {limit} bytes")
        if self.fault is None and self._events.ended:
            self.fault = self._end()
        return chunks

    def finish(self) -> list[ChunkT]:
        """The chunk, if any, of a last event whose blank line was left out."""
        try:
            chunks = [self._decode(event) for event in self._events.finish()]
        except (ValueError, RecursionError):
            self.fault = self._cut("the stream broke off in the middle of an event")
            return []
        self._take(chunks)
        self.fault = self.fault or self._end()
        return chunks

    def _read(self, events: list[bytes]) -> list[ChunkT]:
        """The chunks of these events, up to the first that is a fault."""
        try:
            chunks = [self._decode(event) for event in events]
        except (ValueError, RecursionError):
            chunks = self._read_singly(events)
        return self._take(chunks)

    def _read_singly(self, events: list[bytes]) -> list[ChunkT]:
        chunks: list[ChunkT] = []
        for event in events:
            try:
                chunks.append(self._decode(event))
            except (ValueError, RecursionError) as error:
                self.fault = self._invalid(f"an event of the stream {flaw(error)}: {_shown(event)}")
                self.fault.__cause__ = error
                break
        return chunks

    def _take(self, chunks: list[ChunkT]) -> list[ChunkT]:
        """The chunks before the first that is an error, after noting what they say."""
        texts, finished = self._texts, self._finished
        for position, chunk in enumerate(chunks):
            if chunk.error:
                self.fault = self._call.refused(self._status, error_object(chunk.error))
                return chunks[:position]
            for choice in chunk.choices:
                if choice.finish_reason:
                    finished.add(choice.index)
                texts[choice.index].append(choice.written)
        return chunks

    def _end(self) -> UpstreamError | None:
        """The fault in an answer that has ended, if there is one."""
        if self._events.ended == "overflow":
            return self._invalid(
                f"an event of the stream is longer than {self._call.limits.line_bytes} bytes"
            )
        if self._events.ended == "error":
            return self._call.refused(self._status, complaint(self._events.error))
        if not self._texts:
            return self._nothing()
        missing = sorted(self._texts.keys() - self._finished)
        if missing:
            which = ", ".join(map(str, missing))
            return self._cut(f"the stream ended without a finish reason for choice {which}")
        return None

    def _nothing(self) -> UpstreamError:
        """The error for a body in which no choice came."""
        head = bytes(self._head)
        if _EVENT_STREAM.match(head):
            return self._cut("the stream ended without a single choice")
        try:
            said = refusal_in(msgspec.json.decode(head))
        except (ValueError, RecursionError):
            said = None
        if said:
            return self._call.refused(self._status, said)
        return self._invalid(f"{describe(head)} came where a stream of events was asked for")

    def _invalid(self, why: str) -> UpstreamError:
        return self._call.invalid(why, status=self._status)

    def _cut(self, why: str) -> UpstreamError:
        return self._call.cut(why, status=self._status)


def _shown(event: bytes) -> str:
    return printable(event.decode(errors="replace"), 80)
