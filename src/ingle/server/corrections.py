"""What of a request llama.cpp would get wrong, put right before and after it.

Most requests need nothing: their bytes go to the engine as they came, and its bytes come back. The
others become one or more engine calls that each make one choice, with an edit of what comes back;
`assembly` runs them and puts the choices together.

Put right here, each seen with llama.cpp of October 2026: the legacy `functions`; a `tool_choice`
that names a function is ignored; `logprobs` of completions come in the form of chat, and those of
chat always with 20 alternatives; `echo` and `max_tokens: 0` are ignored; more than one answer a
request is refused above the number of slots, and its usage counts only one of them; `text.format`
of the Responses API is ignored. See `docs/decisions/0050-what-v1-puts-right.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from ingle.processors.legacy_functions import is_legacy, with_function_call, with_tools
from ingle.server.chat_requests import ChatRequest, ResponsesRequest, ToolChoice
from ingle.server.completion_logprobs import LogprobsForm
from ingle.server.decoding import Fields, decode, fields_of, with_fields
from ingle.server.requests import CompletionRequest, Tokens

__all__ = ["Assembled", "Edit", "Part", "Prompts", "chat", "completion", "responses"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
Edit = Callable[[Json], Json]
"""From a choice, or a chunk of one, to what the caller gets in its place."""

_MAX_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Part:
    """One call to the engine, which makes one choice. `body` is `None` if nothing is generated."""

    body: bytes | None
    edits: tuple[Edit, ...] = ()
    prefix: str = ""
    prompt_tokens: int = 0
    counts_prompt: bool = True

    def edited(self, choice: Json) -> Json:
        """The choice after all edits."""
        for edit in self.edits:
            choice = edit(choice)
        return choice


@dataclass(frozen=True, slots=True)
class Assembled:
    """An answer that is put together from parts, in the order of their choices."""

    parts: tuple[Part, ...]
    is_stream: bool
    wants_usage: bool
    is_chat: bool


class Prompts(Protocol):
    """What only the engine knows of a prompt."""

    async def text(self, prompt: str | Tokens) -> str:
        """Its text."""

    async def count(self, prompt: str | Tokens) -> int:
        """How many tokens it has."""


def chat(request: ChatRequest, body: bytes, fields: Fields) -> bytes | Assembled:
    """What to send for a chat: one body, or parts.

    Raises:
        InvalidRequest: legacy functions that cannot be translated.
    """
    edits: list[Edit] = []
    if request.may_be_legacy:
        plain: Json = msgspec.json.decode(body, type=dict)
        if is_legacy(plain):
            if request.functions:
                edits.append(_legacy)
            body = msgspec.json.encode(with_tools(plain))
            fields, request = fields_of(body), decode(body, ChatRequest)
    changed: Json = {}
    if isinstance(request.tool_choice, ToolChoice):
        changed |= _only_tool(request.tool_choice.function.name, fields)
    if request.logprobs and not request.top_logprobs:
        changed["top_logprobs"] = 1  # of none, llama.cpp makes twenty
        edits.append(_without_alternatives)
    choices = request.n or 1
    if not edits and choices == 1:
        return with_fields(fields, **changed) if changed else body
    if request.stream:
        changed["stream_options"] = {"include_usage": True}
    parts = [
        Part(
            with_fields(fields, **changed, n=None, **_seed(request.seed, number)),
            tuple(edits),
            counts_prompt=number == 0,
        )
        for number in range(choices)
    ]
    return Assembled(tuple(parts), bool(request.stream), request.wants_usage, is_chat=True)


async def completion(
    request: CompletionRequest, body: bytes, fields: Fields, engine: Prompts
) -> bytes | Assembled:
    """What to send for a completion: one body, or parts."""
    texts, choices = request.prompts(), request.n or 1
    generates = request.max_tokens != 0
    is_plain = generates and not request.echo and request.logprobs is None
    if is_plain and choices == 1 and len(texts) == 1:
        is_wrapped = isinstance(request.prompt, list) and request.prompt[0] is texts[0]
        return with_fields(fields, prompt=texts[0]) if is_wrapped else body
    parts = []
    for prompt in texts:
        prefix = await engine.text(prompt) if request.echo else ""
        tokens = 0 if generates else await engine.count(prompt)
        for number in range(choices):
            engine_body = _completion_body(request, fields, prompt, number) if generates else None
            edits = () if request.logprobs is None else (_legacy_logprobs(request.logprobs),)
            parts.append(Part(engine_body, edits, prefix, tokens, counts_prompt=number == 0))
    return Assembled(tuple(parts), bool(request.stream), request.wants_usage, is_chat=False)


def responses(request: ResponsesRequest, body: bytes, fields: Fields) -> bytes:
    """What to send for a response: the form asked for is named as chat names it, too."""
    if request.text is None or request.text.format is None:
        return body
    form = request.text.format
    kind: Any = form.get("type")
    if kind == "json_schema":
        wanted = {key: value for key, value in form.items() if key != "type"}
        return with_fields(fields, response_format={"type": kind, "json_schema": wanted})
    return with_fields(fields, response_format={"type": kind})


def _completion_body(
    request: CompletionRequest, fields: Fields, prompt: str | Tokens, number: int
) -> bytes:
    logprobs = None if request.logprobs is None else max(1, request.logprobs)
    return with_fields(
        fields,
        prompt=prompt,
        logprobs=logprobs,
        n=None,
        best_of=None,
        echo=None,
        **_seed(request.seed, number),
    )


def _seed(seed: int | None, number: int) -> Json:
    """A seed of its own for every choice after the first; the same one would repeat the first."""
    return {"seed": (seed + number) & _MAX_SEED} if seed is not None and number else {}


def _only_tool(name: str, fields: Fields) -> Json:
    """The same choice as llama.cpp knows it: one tool, and one is required."""
    tools: list[Json] = msgspec.json.decode(fields["tools"], type=list[dict[str, Any]])
    named = [tool for tool in tools if tool["function"]["name"] == name]
    return {"tools": named, "tool_choice": "required"}


def _legacy(choice: Json) -> Json:
    translated: Json = with_function_call({"choices": [choice]})["choices"][0]
    return translated


def _without_alternatives(choice: Json) -> Json:
    logprobs = choice.get("logprobs")
    if not isinstance(logprobs, dict) or not isinstance(logprobs.get("content"), list):
        return choice
    content = [{**token, "top_logprobs": []} for token in logprobs["content"]]
    return {**choice, "logprobs": {**logprobs, "content": content}}


def _legacy_logprobs(top: int) -> Edit:
    form = LogprobsForm(top)
    return lambda choice: {**choice, "logprobs": form.convert(choice.get("logprobs"))}
