"""Answers in one from an engine of this machine, put together from its streams.

llama.cpp notices that the caller of an answer in one has left only when it looks, once a second;
of a streamed one it notices at the next token. And an answer in one is silent until it is done,
so that no idle limit fits a long one. So an engine is always asked for a stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

from ingle.processors.chat_answer import ChatAnswer
from ingle.processors.completion_answer import CompletionAnswer
from ingle.upstream.wire import ChatChunk, CompletionChunk

__all__ = ["CHUNKS", "as_stream", "in_one"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

# Any: either kind of chunk goes with its own answer below, which a mapping's type cannot say.
CHUNKS: Mapping[str, Any] = MappingProxyType(
    {"chat/completions": ChatChunk, "completions": CompletionChunk}
)
"""What each event of a stream is, by the endpoint."""


def as_stream(request: Mapping[str, Any]) -> Json:
    """The same request for a stream that tells the usage too."""
    return {**request, "stream": True, "stream_options": {"include_usage": True}}


async def in_one(
    endpoint: str, url: str, chunks: AsyncIterator[list[Any]]
) -> Json:  # Any: what `CHUNKS` says of the endpoint
    """The answer that these chunks add up to, as the engine would have given it in one.

    Raises:
        UpstreamInvalid: the choices do not add up.
        UpstreamError: as the iterator does.
    """
    kind = ChatAnswer if CHUNKS[endpoint] is ChatChunk else CompletionAnswer
    answer = kind(url=url)
    async for some in chunks:
        answer.take(some)
    answer.end()
    return answer.response()
