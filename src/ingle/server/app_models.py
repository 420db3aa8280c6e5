"""`app/<slug>` as a model of OpenAI's API: a chat or a completion that a run of the app answers.

The run is kept like any other. When the caller leaves, it is cancelled, as an engine's work is.
How the app samples is the app's own matter, so `temperature` and its like are not looked at; what
would change the shape of the answer is refused.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from ingle.errors import InvalidRequest, NotFound
from ingle.runs.runs import Run
from ingle.server.app_chat import read_messages, read_prompt
from ingle.server.app_runs import AppCaller
from ingle.server.decoding import Fields
from ingle.server.endpoints import Endpoint
from ingle.server.exchange import Exchange
from ingle.server.run_events import Answered, text_of

__all__ = ["PREFIX", "answer_as_model"]

PREFIX = "app/"
_CHAT = "chat/completions"
_COMPLETION = "completions"
_NULL = msgspec.Raw(b"null")
_UNCHANGED = {"n": (1,), "response_format": ({"type": "text"},), "logprobs": (False, 0)}
"""What changes the shape of an answer, and the values with which it does not."""


async def answer_as_model(
    endpoint: Endpoint, name: str, fields: Fields, exchange: Exchange
) -> None:
    """Answer a request to an endpoint whose model is an app.

    Raises:
        NotFound: apps do not answer at this endpoint.
        InvalidRequest: the request asks for what apps cannot do, or not for what this one asks.
        AppNotFound, NotAllowed: there is no such app, or not for this caller.
        IngleError: the run failed.
    """
    if endpoint.path not in (_CHAT, _COMPLETION):
        raise NotFound(
            f"{name!r} is an app, and apps answer at /v1/chat/completions, /v1/completions and "
            f"/api/apps/{name.removeprefix(PREFIX)}/run, not at /v1/{endpoint.path}.",
            param="model",
        )
    request = {field: msgspec.json.decode(value) for field, value in fields.items()}
    _check(request)
    caller = AppCaller(exchange.runtime, exchange.caller)
    found = await caller.find(name.removeprefix(PREFIX))
    given = request.get("input")
    if endpoint.path == _CHAT:
        said = read_messages(found.app, request.get("messages"), given)
    else:
        said = read_prompt(found.app, request.get("prompt"), given)
    run = await caller.start(found, said.values, history=said.history, source="openai")
    answer = _ModelAnswer(name, run, exchange, is_chat=endpoint.path == _CHAT)
    try:
        if request.get("stream"):
            options = request.get("stream_options") or {}
            await answer.stream(wants_usage=bool(options.get("include_usage")))
        else:
            await answer.whole()
    finally:
        if not run.log.is_over:  # the caller has left
            run.cancel()


def _check(request: dict[str, Any]) -> None:
    for name, harmless in _UNCHANGED.items():
        if (value := request.get(name)) is not None and value not in harmless:
            raise InvalidRequest(
                f"`{name}` is not for apps: they answer with one text. Leave it out.", param=name
            )
    if request.get("tool_choice") not in (None, "none", "auto"):
        raise InvalidRequest(
            "An app calls the tools of its definition, never the caller's. Leave `tool_choice` "
            "and `tools` out.",
            param="tool_choice",
        )


class _ModelAnswer:
    """The answer of one run, in the words of OpenAI's API."""

    def __init__(self, model: str, run: Run, exchange: Exchange, *, is_chat: bool) -> None:
        self._answer = exchange.answer
        self._answered = Answered(run.id, run.log.listen())
        self._is_chat = is_chat
        kind = "chat.completion" if is_chat else "text_completion"
        self._envelope: dict[str, Any] = {
            "id": f"{'chatcmpl' if is_chat else 'cmpl'}-{run.id}",
            "object": kind,
            "created": int(time.time()),
            "model": model,
        }

    async def whole(self) -> None:
        """Answer once the run has ended."""
        text = text_of(await self._answered.whole())
        said = (
            {"message": {"role": "assistant", "content": text}} if self._is_chat else {"text": text}
        )
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": "stop"}
        await self._answer.json({**self._envelope, "choices": [choice], "usage": self._usage()})

    async def stream(self, *, wants_usage: bool) -> None:
        """Answer with what the run's output goes on with, when it does."""
        if self._is_chat:
            self._envelope["object"] = "chat.completion.chunk"
        answered = self._answered
        async for text in answered.texts():
            await self._write(text)
        if not answered.told:
            await self._write(text_of(answered.output))
        last = self._chunk({} if self._is_chat else "", finish_reason="stop")
        if wants_usage:
            last += _event({**self._envelope, "choices": [], "usage": self._usage()})
        await self._answer.write(last + b"data: [DONE]\n\n")
        await self._answer.finish()

    async def _write(self, text: str) -> None:
        if not self._answer.is_started:
            await self._answer.start_stream()
            if self._is_chat:
                await self._answer.write(self._chunk({"role": "assistant", "content": ""}))
        await self._answer.write(self._chunk({"content": text} if self._is_chat else text))

    def _chunk(self, said: object, finish_reason: str | None = None) -> bytes:
        name = "delta" if self._is_chat else "text"
        choice = {"index": 0, name: said, "logprobs": None, "finish_reason": finish_reason}
        return _event({**self._envelope, "choices": [choice]})

    def _usage(self) -> dict[str, int]:
        told = self._answered
        return {
            "prompt_tokens": told.prompt_tokens,
            "completion_tokens": told.completion_tokens,
            "total_tokens": told.prompt_tokens + told.completion_tokens,
        }


def _event(payload: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(payload)
