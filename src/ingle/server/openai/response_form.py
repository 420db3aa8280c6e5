"""Responses and their events in OpenAI's form: what llama.cpp leaves out is put in.

Seen with llama.cpp of November 2026: a response says little of its request, and not whether it ran
into its limit of tokens; events have no
`sequence_number`, no `output_index` and no `content_index`, which OpenAI's client needs to put a
stream together. What another server says itself stays, except for the numbers of events: they must
be without gaps for who takes a stream up again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

__all__ = ["ENDS", "Asked", "ResponseEvents", "completed", "encoded"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

ENDS = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)
"""Each says the whole response; a stream has one of them at its end, or an error."""

_DEFAULTS: Mapping[str, Any] = MappingProxyType(  # Any: JSON
    {
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "output": [],
        "parallel_tool_calls": True,
        "reasoning": None,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "user": None,
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a response repeats of its request. `own_id` is the one it gets, where it is kept."""

    fields: Json
    own_id: str | None = None
    previous_id: str | None = None
    created_at: int = field(default_factory=lambda: int(time.time()))

    def begun(self, status: str) -> Json:
        """The response before anything of it is there."""
        model = self.fields.get("model")
        return completed({"object": "response", "status": status, "model": model}, self)


def completed(response: Json, asked: Asked) -> Json:
    """The response with all that OpenAI's has."""
    told = _with_limit(response, asked)
    for name, default in _DEFAULTS.items():
        if told.get(name) is None:
            value = asked.fields.get(name)
            told[name] = default if value is None else value
    if asked.own_id is not None:
        told["id"] = asked.own_id
        told["created_at"] = asked.created_at
    if told.get("model") is None:
        told["model"] = asked.fields.get("model")
    told.setdefault("created_at", asked.created_at)
    if asked.previous_id is not None or "previous_response_id" not in told:
        told["previous_response_id"] = asked.previous_id
    told["store"] = asked.own_id is not None
    if usage := told.get("usage"):
        # OpenAI's agents read this without asking whether it is there; engines do not count it.
        told["usage"] = {"output_tokens_details": {"reasoning_tokens": 0}, **usage}
    return told


def _with_limit(response: Json, asked: Asked) -> Json:
    """The response, and whether it ran into `max_output_tokens`, if its server does not say.

    That it took as many tokens as it might is all there is to go by.
    """
    limit = asked.fields.get("max_output_tokens")
    made = (response.get("usage") or {}).get("output_tokens", 0)
    is_told = "incomplete_details" in response or response.get("status") != "completed"
    if is_told or limit is None or made < limit:
        return dict(response)
    *output, last = response.get("output") or [{}]
    return {
        **response,
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [*output, {**last, "status": "incomplete"}] if last else [],
    }


class ResponseEvents:
    """Puts the events of one stream right, in their order."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._next = 0
        self._places: dict[str, int] = {}

    def put_right(self, event: Json) -> Json:
        """The event as OpenAI's API would have it."""
        told = {**event, "sequence_number": self._next}
        self._next += 1
        kind = str(event.get("type", ""))
        if isinstance(event.get("response"), dict):
            told["response"] = completed(event["response"], self._asked)
            if kind == "response.completed":
                told["type"] = f"response.{told['response']['status']}"
        elif kind.startswith("response."):
            self._put_place(kind, told)
        return told

    def _put_place(self, kind: str, event: Json) -> None:
        item_id = event.get("item_id") or (event.get("item") or {}).get("id")
        if kind == "response.output_item.added":
            self._places[str(item_id)] = len(self._places)
        event.setdefault("output_index", self._places.get(str(item_id), 0))
        match kind.split(".")[1]:
            case "content_part" | "refusal" | "reasoning_text":
                event.setdefault("content_index", 0)
            case "output_text":
                event.setdefault("content_index", 0)
                event.setdefault("logprobs", [])
            case "reasoning_summary_part" | "reasoning_summary_text":
                event.setdefault("summary_index", 0)
        part = event.get("part")
        if isinstance(part, dict) and part.get("type") == "output_text":
            event["part"] = {"annotations": [], **part}


def encoded(event: Json) -> bytes:
    """The event as it is sent."""
    return b"event: %b\ndata: %b\n\n" % (
        str(event.get("type", "message")).encode(),
        msgspec.json.encode(event),
    )
