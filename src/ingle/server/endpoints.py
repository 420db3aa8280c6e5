"""The endpoints that a model answers: what a request may hold, how errors look, how a stream ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ingle.server.error_shapes import ANTHROPIC, OPENAI, RESPONSES, ErrorShape
from ingle.server.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    EngineRequest,
    MessagesRequest,
    RerankRequest,
    ResponsesRequest,
    TextRequest,
    TokenCountRequest,
    TokensRequest,
)

__all__ = ["ENDPOINTS", "Endpoint"]

_ERROR_EVENTS = (b'\ndata: {"error"', b"\nevent: error", b"\nerror: ")
_CHUNKS_END = (b"\ndata: [DONE]", b'"finish_reason":"', b'"finish_reason": "', *_ERROR_EVENTS)
"""LocalAI and others leave `[DONE]` out at times; a finish reason says as much."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A POST endpoint under `/v1`, named by its path.

    `request` is what an engine of this machine takes, `None` where no engine here can do it.
    `stream_ends` are bytes of which a whole stream has some near its end; none of them can stand
    inside a JSON string, where quotes and line ends are escaped.
    """

    path: str
    request: type[EngineRequest] | None = None
    shape: ErrorShape = OPENAI
    stream_ends: tuple[bytes, ...] = ()


_ALL = (
    Endpoint("chat/completions", ChatRequest, stream_ends=_CHUNKS_END),
    Endpoint("completions", CompletionRequest, stream_ends=_CHUNKS_END),
    Endpoint("embeddings", EmbeddingRequest),
    Endpoint("rerank", RerankRequest),
    Endpoint(
        "responses",
        ResponsesRequest,
        RESPONSES,
        (
            b"event: response.completed",
            b"event: response.incomplete",
            b"event: response.failed",
            *_ERROR_EVENTS,
        ),
    ),
    Endpoint("messages", MessagesRequest, ANTHROPIC, (b"event: message_stop", *_ERROR_EVENTS)),
    Endpoint("messages/count_tokens", TokenCountRequest, ANTHROPIC),
    Endpoint("tokenize", TextRequest),
    Endpoint("detokenize", TokensRequest),
    Endpoint("apply-template", ChatRequest),
    Endpoint("images/generations"),
    Endpoint("images/edits"),
    Endpoint("images/variations"),
    Endpoint("audio/speech"),
    Endpoint("audio/transcriptions"),
    Endpoint("audio/translations"),
    Endpoint("moderations"),
)

ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {endpoint.path: endpoint for endpoint in _ALL}
    | {"reranking": next(endpoint for endpoint in _ALL if endpoint.path == "rerank")}
)
