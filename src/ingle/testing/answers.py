"""Answers of an OpenAI-compatible server as values: well-formed ones, and ones with faults.

    >>> answer = chat_stream("Hel", "lo")
    >>> broken = answer.cut_after(2)           # two events, then the connection closes
    >>> slow = answer.paused_before(1, event)  # the second event waits for an asyncio.Event
    >>> torn = answer.in_pieces(3)             # written three bytes at a time
    >>> late = answer.trickled(0.1)            # a tenth of a second before each event

An answer is data; `ScriptedUpstream` plays it.
"""

from __future__ import annotations

import asyncio
import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

__all__ = [
    "Answer",
    "Fault",
    "Framing",
    "Part",
    "chat_answer",
    "chat_stream",
    "completion_answer",
    "completion_stream",
    "error",
    "events",
    "hang_up",
    "images",
    "json_answer",
    "models",
    "page",
    "redirect",
    "reset",
    "silence",
]

JsonObject = dict[str, Any]  # Any: whatever JSON a test wants to send

_CREATED = 1_700_000_000
_USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


class Fault(enum.Enum):
    """What can go wrong in the middle of an answer; nothing after it is sent."""

    HANG_UP = "the connection is closed, as by a process that ended"
    RESET = "the connection is reset (RST), as by a process that was killed or a firewall"
    STALL = "nothing more is sent, until the client leaves"


Part = bytes | Fault | asyncio.Event | float
"""Bytes are sent in a write of their own; at an event the answer waits until it is set, and at a
number for so many seconds."""

Framing = Literal["length", "chunked", "close", "none"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers to one request.

    `parts` are played in order after the head. `framing` is how the body's end is told: by
    `Content-Length`, by chunks (each bytes part is one), or by closing; with `none` there is no
    head either, the parts are all that is sent. An answer for an `endpoint`, such as
    `chat/completions`, is given to requests for it alone.
    """

    parts: tuple[Part, ...] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    framing: Framing = "length"
    endpoint: str | None = None

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same with these headers in place of those of the same names."""
        names = {name.lower() for name in headers}
        kept = [(name, value) for name, value in self.headers if name.lower() not in names]
        return replace(self, headers=(*kept, *headers.items()))

    def framed(self, framing: Framing) -> Answer:
        """The same with its end told in another way."""
        return replace(self, framing=framing)

    def cut_after(self, parts: int, fault: Fault = Fault.HANG_UP) -> Answer:
        """The same up to so many parts, and then a fault. A `Content-Length` stays the whole's."""
        length = [] if self.framing != "length" else [("Content-Length", str(len(self.body)))]
        return replace(self, headers=(*self.headers, *length), parts=(*self.parts[:parts], fault))

    def paused_before(self, part: int, event: asyncio.Event) -> Answer:
        """The same, but the given part and what follows waits for the event."""
        return replace(self, parts=(*self.parts[:part], event, *self.parts[part:]))

    def in_pieces(self, size: int) -> Answer:
        """The same, but every bytes part is written in pieces of so many bytes."""
        parts: list[Part] = []
        for part in self.parts:
            if isinstance(part, bytes):
                parts += [part[i : i + size] for i in range(0, len(part), size)]
            else:
                parts.append(part)
        return replace(self, parts=tuple(parts))

    def trickled(self, pause_s: float) -> Answer:
        """The same, but before each part there is a pause."""
        return replace(self, parts=tuple(p for part in self.parts for p in (pause_s, part)))

    @property
    def body(self) -> bytes:
        """All bytes of the body."""
        return b"".join(part for part in self.parts if isinstance(part, bytes))


# -- whole answers ---------------------------------------------------------------------------------


def json_answer(value: object, *, status: int = 200, endpoint: str | None = None) -> Answer:
    """A JSON body."""
    return Answer(
        parts=(json.dumps(value).encode(),),
        status=status,
        headers=(("Content-Type", "application/json"),),
        endpoint=endpoint,
    )


def chat_answer(
    *texts: str, finish_reason: str | None = "stop", model: str = "scripted", **message: object
) -> Answer:
    """A chat completion, a choice for each text; `message` adds fields such as `tool_calls`."""
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": text, **message},
            "finish_reason": finish_reason,
        }
        for index, text in enumerate(texts)
    ]
    return json_answer(_whole("chat.completion", model, choices), endpoint="chat/completions")


def completion_answer(
    *texts: str, finish_reason: str | None = "stop", model: str = "scripted"
) -> Answer:
    """A text completion, a choice for each text."""
    choices = [
        {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}
        for index, text in enumerate(texts)
    ]
    return json_answer(_whole("text_completion", model, choices), endpoint="completions")


def models(*names: str) -> Answer:
    """A list of models."""
    entries = [
        {"id": name, "object": "model", "created": _CREATED, "owned_by": "scripted"}
        for name in names
    ]
    return json_answer({"object": "list", "data": entries}, endpoint="models")


def images(*base64_texts: str) -> Answer:
    """Generated images, each as base64 text."""
    data = [{"b64_json": text} for text in base64_texts]
    return json_answer({"created": _CREATED, "data": data}, endpoint="images/generations")


# -- streams ---------------------------------------------------------------------------------------


def events(*payloads: JsonObject | str, endpoint: str | None = None) -> Answer:
    """An event stream, an event for each payload; a text is sent as it is, such as `[DONE]`."""
    lines = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return Answer(
        parts=tuple(f"data: {line}\n\n".encode() for line in lines),
        headers=(("Content-Type", "text/event-stream"),),
        framing="chunked",
        endpoint=endpoint,
    )


def chat_stream(
    *texts: str,
    finish_reason: str | None = "stop",
    model: str = "scripted",
    has_usage: bool = False,
    has_done: bool = True,
) -> Answer:
    """A streamed chat completion: the role, a chunk for each text, the finish reason, `[DONE]`."""
    deltas: list[JsonObject] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text} for text in texts]
    choices: list[JsonObject] = [
        {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
    ]
    if finish_reason is not None:
        choices.append({"index": 0, "delta": {}, "finish_reason": finish_reason})
    chunks = _chunks("chat.completion.chunk", model, choices, has_usage)
    return events(*chunks, *_done(has_done), endpoint="chat/completions")


def completion_stream(
    *texts: str,
    finish_reason: str | None = "stop",
    model: str = "scripted",
    has_usage: bool = False,
    has_done: bool = True,
) -> Answer:
    """A streamed text completion: a chunk for each text, the finish reason, `[DONE]`."""
    choices: list[JsonObject] = [
        {"index": 0, "text": text, "finish_reason": None} for text in texts
    ]
    if finish_reason is not None:
        choices.append({"index": 0, "text": "", "finish_reason": finish_reason})
    chunks = _chunks("text_completion", model, choices, has_usage)
    return events(*chunks, *_done(has_done), endpoint="completions")


# -- faults ----------------------------------------------------------------------------------------


def error(
    status: int,
    message: str,
    *,
    type_: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    retry_after: str | None = None,
) -> Answer:
    """An error in OpenAI's shape."""
    body = {"error": {"message": message, "type": type_, "param": param, "code": code}}
    answer = json_answer(body, status=status)
    return answer if retry_after is None else answer.with_headers({"Retry-After": retry_after})


def page(html: str, *, status: int = 200) -> Answer:
    """A web page, as proxies and wrong addresses give it."""
    return Answer((html.encode(),), status, (("Content-Type", "text/html; charset=utf-8"),))


def redirect(location: str, *, status: int = 307) -> Answer:
    """A redirect."""
    return Answer(status=status, headers=(("Location", location),))


def hang_up() -> Answer:
    """The request is read, and the connection closed without a word."""
    return Answer((Fault.HANG_UP,), framing="none")


def reset() -> Answer:
    """The request is read, and the connection reset."""
    return Answer((Fault.RESET,), framing="none")


def silence() -> Answer:
    """The request is read, and nothing comes."""
    return Answer((Fault.STALL,), framing="none")


def _whole(kind: str, model: str, choices: Sequence[JsonObject]) -> JsonObject:
    return {
        "id": "scripted-1",
        "object": kind,
        "created": _CREATED,
        "model": model,
        "choices": choices,
        "usage": _USAGE,
    }


def _chunks(
    kind: str, model: str, choices: Sequence[JsonObject], has_usage: bool
) -> list[JsonObject]:
    head = {"id": "scripted-1", "object": kind, "created": _CREATED, "model": model}
    chunks: list[JsonObject] = [{**head, "choices": [choice]} for choice in choices]
    return [*chunks, {**head, "choices": [], "usage": _USAGE}] if has_usage else chunks


def _done(has_done: bool) -> list[str]:
    return ["[DONE]"] if has_done else []
