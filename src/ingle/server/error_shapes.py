"""How an error looks on the wire: in OpenAI's shape, and on `/v1/messages` in Anthropic's.

Sources: https://platform.openai.com/docs/guides/error-codes and
https://docs.anthropic.com/en/api/errors, of 2025.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from ingle.apps.problems import InvalidApp
from ingle.errors import (
    Busy,
    CircuitOpen,
    EngineStartFailed,
    IngleError,
    RateLimited,
    UpstreamRefused,
)

__all__ = ["ANTHROPIC", "OPENAI", "RESPONSES", "ErrorShape", "retry_after_s"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_BUSY_RETRY_S = 1


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """The body of an error, and the last event of a stream that failed."""

    body: Callable[[IngleError], Json]
    event: Callable[[IngleError], bytes]


def retry_after_s(error: IngleError) -> int | None:
    """After how many seconds the caller may try again, where that can help."""
    if isinstance(error, UpstreamRefused | RateLimited | CircuitOpen):
        return None if error.retry_after_s is None else max(1, math.ceil(error.retry_after_s))
    return _BUSY_RETRY_S if isinstance(error, Busy | EngineStartFailed) else None


def _openai(error: IngleError) -> Json:
    return {"error": _openai_error(error)}


def _openai_error(error: IngleError) -> Json:
    if error.http_status == 429:
        kind = "rate_limit_error"
    else:
        kind = "invalid_request_error" if error.http_status < 500 else "server_error"
    told: Json = {"message": error.message, "type": kind, "param": error.param, "code": error.code}
    if isinstance(error, InvalidApp):
        told["problems"] = error.problems
    return told


def _openai_event(error: IngleError) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(_openai(error))


def _responses_event(error: IngleError) -> bytes:
    """The `error` event of the Responses API; `error` within is what OpenAI's clients look for."""
    told = _openai_error(error)
    event = {**told, "type": "error", "error": told}
    return b"event: error\ndata: %b\n\n" % msgspec.json.encode(event)


def _anthropic(error: IngleError) -> Json:
    kind = _ANTHROPIC_TYPES.get(error.http_status)
    if kind is None:
        kind = "invalid_request_error" if error.http_status < 500 else "api_error"
    return {"type": "error", "error": {"type": kind, "message": error.message}}


def _anthropic_event(error: IngleError) -> bytes:
    return b"event: error\ndata: %b\n\n" % msgspec.json.encode(_anthropic(error))


OPENAI = ErrorShape(_openai, _openai_event)
RESPONSES = ErrorShape(_openai, _responses_event)
ANTHROPIC = ErrorShape(_anthropic, _anthropic_event)
