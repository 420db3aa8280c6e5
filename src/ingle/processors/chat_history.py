"""What of a chat's history is sent: as much as fits in the model's context window.

The oldest turns go first, always whole: what a user said and all that came of it. What a system
said stays. What was cut is told, never silent. Tokens are counted by the engine of this machine
with the model's own template; for other servers they are estimated, rather too high than too low.
"""

from __future__ import annotations

import re
import string
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from ingle.errors import ContextTooLong, UpstreamError, UpstreamRefused
from ingle.upstream.limits import Limits

if TYPE_CHECKING:
    from ingle.routing import Route
    from ingle.upstream.client import Client

__all__ = ["ChatHistory", "CutHistory", "estimated_tokens", "is_too_long"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_SURELY_FITS = 1500
"""Tokens, by the estimate, for which no other server is asked how many it takes."""

_LIMITS = Limits(idle_s=30, total_s=30)
_OF_MESSAGE = 8
"""Tokens around one message, in the templates of common models."""

_OF_PICTURE = 1_500
"""About what a model with sight makes of one picture; few make more."""

_LETTERS = string.ascii_letters.encode() + b" "
_NOT_ASCII = bytes(range(128, 256))
_TOO_LONG = re.compile(
    r"context[ _]?(length|size|window)|maximum context|too many tokens|prompt is too long",
    re.IGNORECASE,
)


class CutHistory(BaseModel):
    """What was left out of a chat's history, so that it fits in the context window."""

    model_config = ConfigDict(frozen=True)

    turns: int = Field(description="How many of the oldest turns.")
    messages: int = Field(description="How many messages that are.")
    context_tokens: int | None = Field(description="The context window, where it is known.")


class ChatHistory:
    """The history of one request, between its system message and its last `others` messages."""

    def __init__(self, client: Client, *, length: int, others: int) -> None:
        self.cut: CutHistory | None = None
        self._client = client
        self._length = length
        self._others = others
        self._context: int | None = None

    async def fitted(self, route: Route, body: Json) -> Json:
        """The request with so much of the history as fits; as it is if the window is not known."""
        self.cut = None
        turns = self._turns(body)
        if not turns:
            return body
        most = _bytes(body) if route.is_local else _estimated(body)
        if not route.is_local and most <= _SURELY_FITS:
            return body
        self._context = context = await self._asked_context(route)
        if context is None:
            return body
        budget = context - _reserved(body, context)
        if most <= budget:
            return body
        kept = await self._fitting(route, body, turns, budget)
        # A few more than must go, so that the next questions begin with the same turns: what an
        # engine has read of them it need not read again.
        at_once = 1 << max(0, (kept // 4).bit_length() - 1)
        gone = min(-(-(len(turns) - kept) // at_once) * at_once, len(turns))
        return self._cut(body, turns[:gone])

    async def _fitting(self, route: Route, body: Json, turns: list[list[int]], budget: int) -> int:
        """How many of the newest turns fit."""
        fit, too_many = 0, len(turns) + 1
        # Mostly all do. If not, the number is doubled and then halved in, so that what is counted
        # is about as long as what fits, however long the history is.
        wanted = len(turns) if _estimated(body) <= 2 * budget else 1
        while too_many - fit > 1:
            tokens = await self._tokens(route, self._without(body, turns[: len(turns) - wanted]))
            if tokens <= budget:
                fit = wanted
            else:
                too_many = wanted
            is_open = too_many > len(turns)
            wanted = min(max(1, 2 * fit), len(turns)) if is_open else (fit + too_many) // 2
        return fit

    def shortened(self, body: Json, refused: UpstreamRefused) -> Json | None:
        """The request with half as many turns, after a refusal because of its length; else None."""
        if not is_too_long(refused):
            return None
        turns = self._turns(body)
        return self._cut(body, turns[: -(-len(turns) // 2)]) if turns else None

    def _turns(self, body: Json) -> list[list[int]]:
        """The numbers of the messages of each turn of the history."""
        messages = body["messages"]
        end = len(messages) - self._others
        gone = self.cut.messages if self.cut else 0
        turns: list[list[int]] = []
        for number in range(max(0, end - self._length + gone), end):
            role = messages[number].get("role")
            if role in ("system", "developer"):
                continue
            if role == "user" or not turns:
                turns.append([])
            turns[-1].append(number)
        return turns

    def _cut(self, body: Json, turns: list[list[int]]) -> Json:
        if not turns:
            return body
        before = self.cut or CutHistory(turns=0, messages=0, context_tokens=None)
        self.cut = CutHistory(
            turns=before.turns + len(turns),
            messages=before.messages + sum(map(len, turns)),
            context_tokens=self._context,
        )
        return self._without(body, turns)

    @staticmethod
    def _without(body: Json, turns: list[list[int]]) -> Json:
        gone = {number for turn in turns for number in turn}
        kept = [said for number, said in enumerate(body["messages"]) if number not in gone]
        return {**body, "messages": kept}

    async def _asked_context(self, route: Route) -> int | None:
        """How many tokens a call may have, as the server says; None if it does not."""
        try:
            if route.is_local:
                target = replace(route.target, base_url=_root(route))
                props = await self._client.get(target, "props", into=_Props, limits=_LIMITS)
                return props.default_generation_settings.n_ctx
            listed = await self._client.get(route.target, "models", into=_Models, limits=_LIMITS)
        except UpstreamError:
            return None  # the chat itself says what is wrong, if that is anything
        named = [entry for entry in listed.data if entry.id == route.model]
        only = named or (listed.data if len(listed.data) == 1 else [])
        return only[0].context if only else None

    async def _tokens(self, route: Route, body: Json) -> int:
        if not route.is_local:
            return _estimated(body)
        target = replace(route.target, base_url=_root(route))
        shown: Json = {name: body[name] for name in ("messages", "tools") if name in body}
        try:
            prompt = await self._client.post(
                target, "apply-template", shown, into=_Prompt, limits=_LIMITS
            )
            asked = {"content": prompt.prompt, "add_special": True, "parse_special": True}
            told = await self._client.post(target, "tokenize", asked, into=_Tokens, limits=_LIMITS)
        except UpstreamError:
            return _estimated(body)
        return len(told.tokens) + _OF_PICTURE * _pictures(body["messages"])


def is_too_long(error: Exception) -> bool:
    """Whether a server refused because the prompt is longer than the model's context window."""
    if isinstance(error, ContextTooLong):
        return True
    if not isinstance(error, UpstreamRefused) or error.status not in (400, 413, 422, 500):
        return False
    return _TOO_LONG.search(error.server_message or "") is not None


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, rather too many: two for five letters, one for each other
    sign of ASCII, and of other scripts one for each two bytes of UTF-8.

    English has four to five letters a token with the vocabularies of today, which split digits and
    punctuation one by one at worst.
    """
    data = text.encode(errors="replace")
    others = len(data.translate(None, _LETTERS))
    signs = len(data.translate(None, _LETTERS + _NOT_ASCII))
    return (len(data) - others) * 2 // 5 + signs + (others - signs) // 2 + 1


def _bytes(body: Json) -> int:
    """More than a request can have tokens: each is a byte at least, or is of the template."""
    return len(msgspec.json.encode([body["messages"], body.get("tools")]))


def _estimated(body: Json) -> int:
    tools = msgspec.json.encode(body["tools"]).decode() if body.get("tools") else ""
    messages = body["messages"]
    said = sum(estimated_tokens(_text(message)) + _OF_MESSAGE for message in messages)
    return said + (estimated_tokens(tools) if tools else 0) + _OF_PICTURE * _pictures(messages)


def _text(message: Json) -> str:
    """All that a message says, without its pictures."""
    content = message.get("content") or ""
    if isinstance(content, list):
        content = " ".join(part.get("text", "") for part in content)
    calls = message.get("tool_calls")
    return content + msgspec.json.encode(calls).decode() if calls else str(content)


def _pictures(messages: list[Json]) -> int:
    return sum(
        part.get("type") == "image_url"
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )


def _reserved(body: Json, context: int) -> int:
    """Tokens kept free for the answer: what it may have, but at most a half of the window."""
    wanted = body.get("max_tokens")
    return min(wanted if isinstance(wanted, int) else context // 4, context // 2)


def _root(route: Route) -> str:
    return route.target.base_url.removesuffix("/v1")


class _Generation(msgspec.Struct):
    n_ctx: int


class _Props(msgspec.Struct):
    default_generation_settings: _Generation


class _Prompt(msgspec.Struct):
    prompt: str


class _Tokens(msgspec.Struct):
    tokens: list[int]


class _Meta(msgspec.Struct):
    n_ctx: int | None = None


class _Entry(msgspec.Struct):
    """A model, as servers list it: vLLM and SGLang, OpenRouter, Groq, Mistral and LM Studio, and
    llama-server say how much it takes, each in its own word."""

    id: str
    max_model_len: int | None = None
    context_length: int | None = None
    context_window: int | None = None
    max_context_length: int | None = None
    meta: _Meta | None = None

    @property
    def context(self) -> int | None:
        """The first of these."""
        return (
            self.max_model_len
            or self.context_length
            or self.context_window
            or self.max_context_length
            or (self.meta.n_ctx if self.meta else None)
        )


class _Models(msgspec.Struct):
    data: list[_Entry]
