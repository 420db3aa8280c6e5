"""The system prompt of a model's manifest, put before a conversation that has none of its own."""

from __future__ import annotations

from typing import Any

import msgspec

from ingle.server.chat_requests import ChatRequest, ResponsesRequest, TokenCountRequest
from ingle.server.decoding import Fields, with_fields
from ingle.server.requests import EngineRequest

__all__ = ["with_system_prompt"]

_SYSTEM = ("system", "developer")


def with_system_prompt(request: EngineRequest, fields: Fields, prompt: str | None) -> bytes | None:
    """The body with the prompt in the place that its API has for one; None if it stays as it is."""
    match request:
        case _ if prompt is None:
            return None
        case ChatRequest() if request.messages[0].role not in _SYSTEM:
            said = msgspec.json.decode(fields["messages"], type=list[msgspec.Raw])
            first = {"role": "system", "content": prompt}
            return with_fields(fields, messages=[first, *said])
        case ResponsesRequest() if not _has_instructions(request):
            return with_fields(fields, instructions=prompt)
        case TokenCountRequest() if "system" not in fields and request.messages[0].role != "system":
            return with_fields(fields, system=prompt)
        case _:
            return None


def _has_instructions(request: ResponsesRequest) -> bool:
    if request.instructions is not None:
        return True
    first: Any = request.input[0] if isinstance(request.input, list) else {}
    return first.get("role") in _SYSTEM
