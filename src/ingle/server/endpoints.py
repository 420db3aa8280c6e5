"""The endpoints that a model answers: what a request may hold, how errors look, how a stream ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ingle.routing import Capability
from ingle.server.chat_requests import (
    ChatRequest,
    MessagesRequest,
    ResponsesRequest,
    TokenCountRequest,
)
from ingle.server.error_shapes import ANTHROPIC, OPENAI, RESPONSES, ErrorShape
from ingle.server.requests import (
    CompletionRequest,
    EmbeddingRequest,
    EngineRequest,
    RerankRequest,
    TextRequest,
    TokensRequest,
)

__all__ = ["ENDPOINTS", "Endpoint"]

_ERROR_EVENTS = (b'\ndata: {"error"', b"\nevent: error", b"\nerror: ")
_CHUNKS_END = (b"\ndata: [DONE]", b'"finish_reason":"', b'"finish_reason": "', *_ERROR_EVENTS)
"""LocalAI and others leave `[DONE]` out at times; a finish reason says as much."""

_SPEECH_END = (b'"type":"speech.audio.done"', b'"type": "speech.audio.done"', *_ERROR_EVENTS)
_TRANSCRIPT_END = (
    b'"type":"transcript.text.done"',
    b'"type": "transcript.text.done"',
    *_ERROR_EVENTS,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A POST endpoint under `/v1`, named by its path.

    `capability` is what a model of this machine needs for it; without one it is for other servers
    only. `request` is what llama.cpp takes; without it what comes is passed on unlooked at.
    `stream_ends` are bytes of which a whole stream has some near its end; none of them can stand
    inside a JSON string, where quotes and line ends are escaped.
    """

    path: str
    capability: Capability | None = None
    request: type[EngineRequest] | None = None
    shape: ErrorShape = OPENAI
    stream_ends: tuple[bytes, ...] = ()


_ALL = (
    Endpoint("chat/completions", "chat", ChatRequest, stream_ends=_CHUNKS_END),
    Endpoint("completions", "completions", CompletionRequest, stream_ends=_CHUNKS_END),
    Endpoint("embeddings", "embeddings", EmbeddingRequest),
    Endpoint("rerank", "rerank", RerankRequest),
    Endpoint(
        "responses",
        "chat",
        ResponsesRequest,
        RESPONSES,
        (
            b'"usage":{',  # of the last event, after all of the answer's text
            b'"usage": {',
            b"\nevent: response.failed",
            *_ERROR_EVENTS,
        ),
    ),
    Endpoint("responses/input_tokens", "chat", ResponsesRequest),
    Endpoint(
        "messages", "chat", MessagesRequest, ANTHROPIC, (b"event: message_stop", *_ERROR_EVENTS)
    ),
    Endpoint("messages/count_tokens", "chat", TokenCountRequest, ANTHROPIC),
    Endpoint("tokenize", "completions", TextRequest),
    Endpoint("detokenize", "completions", TokensRequest),
    Endpoint("apply-template", "chat", ChatRequest),
    Endpoint("images/generations", "images"),
    Endpoint("images/edits", "images"),
    Endpoint("images/variations", "images"),
    Endpoint("audio/speech", "speech", stream_ends=_SPEECH_END),
    Endpoint("audio/transcriptions", "transcription", stream_ends=_TRANSCRIPT_END),
    Endpoint("audio/translations", "translation", stream_ends=_TRANSCRIPT_END),
    Endpoint("moderations"),
)

ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {endpoint.path: endpoint for endpoint in _ALL}
    | {"reranking": next(endpoint for endpoint in _ALL if endpoint.path == "rerank")}
)
