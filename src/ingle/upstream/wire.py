"""What an OpenAI-compatible server says, as typed structs: answers, chunks of streams, errors.

Lenient about fields that it does not know, strict about the shape of those that it does: a wrong
type is an error that names the field's path. Chunks keep all that is needed to fold a stream into
the answer that the server would have given without streaming.

`gc=False` spares the garbage collector the many small objects of a stream: JSON has no cycles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

__all__ = [
    "Answer",
    "ChatChoice",
    "ChatChoiceChunk",
    "ChatChunk",
    "ChatCompletion",
    "ChatDelta",
    "ChatMessage",
    "ChoiceChunk",
    "Chunk",
    "Completion",
    "CompletionChoice",
    "CompletionChoiceChunk",
    "CompletionChunk",
    "Embedding",
    "Embeddings",
    "FunctionDelta",
    "Image",
    "Images",
    "ModelEntry",
    "ModelList",
    "Ranked",
    "Ranking",
    "ToolCallDelta",
    "Transcript",
]

# Any: JSON values that Ingle passes on without looking into them.
JsonObject = dict[str, Any]

AtLeastOne = msgspec.Meta(min_length=1)


class Answer(msgspec.Struct, kw_only=True):
    """A whole JSON answer. `raw` is all that the server said, unknown fields included.

    `raw` is filled in after decoding; its name on the wire is one that no server sends.
    """

    raw: JsonObject = msgspec.field(default_factory=dict, name="(raw)")


# -- streams ---------------------------------------------------------------------------------------


class ChoiceChunk(msgspec.Struct, gc=False, kw_only=True):
    """What one chunk adds to one choice. An empty `finish_reason`, as LocalAI sends it, is none."""

    finish_reason: str | None = None
    index: int = 0
    logprobs: JsonObject | None = None


class Chunk(msgspec.Struct, gc=False, kw_only=True):
    """One event of a stream. An error may come in any chunk.

    A usage chunk has no choices; LocalAI then leaves the field out. The fields stand in the order
    in which llama.cpp sends them, which is the quickest to decode.
    """

    choices: Sequence[ChoiceChunk] = []
    created: int | None = None
    id: str | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    usage: JsonObject | None = None
    timings: JsonObject | None = None
    service_tier: str | None = None
    error: Any = None


class FunctionDelta(msgspec.Struct, gc=False):
    """A part of a function call: the name comes first, the arguments (JSON text) bit by bit."""

    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(msgspec.Struct, gc=False):
    """A part of a tool call. Servers that send whole calls may leave `index` out."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None


class ChatDelta(msgspec.Struct, gc=False):
    """What is new in a chat message. `reasoning` is vLLM's and OpenRouter's `reasoning_content`."""

    content: str | None = None
    role: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None
    function_call: FunctionDelta | None = None


class ChatChoiceChunk(ChoiceChunk, gc=False, kw_only=True):
    """What one chunk adds to one chat message."""

    delta: ChatDelta = msgspec.field(default_factory=ChatDelta)

    @property
    def written(self) -> str:
        """The text that this adds to the message's content."""
        return self.delta.content or ""


class ChatChunk(Chunk, gc=False, kw_only=True):
    """One event of `chat/completions`."""

    choices: list[ChatChoiceChunk] = []


class CompletionChoiceChunk(ChoiceChunk, gc=False, kw_only=True):
    """What one chunk adds to one continuation."""

    text: str | None = None

    @property
    def written(self) -> str:
        """The text that this adds."""
        return self.text or ""


class CompletionChunk(Chunk, gc=False, kw_only=True):
    """One event of `completions`."""

    choices: list[CompletionChoiceChunk] = []


# -- whole answers ---------------------------------------------------------------------------------


class ChatMessage(ChatDelta, gc=False):
    """A message that a model wrote: all that deltas would have added up to."""


class ChatChoice(msgspec.Struct, kw_only=True):
    """One of the messages that answer a chat."""

    message: ChatMessage
    index: int = 0
    finish_reason: str | None = None


class ChatCompletion(Answer, kw_only=True):
    """The answer of `chat/completions`."""

    choices: Annotated[list[ChatChoice], AtLeastOne]


class CompletionChoice(msgspec.Struct, kw_only=True):
    """One of a prompt's continuations."""

    text: str
    index: int = 0
    finish_reason: str | None = None


class Completion(Answer, kw_only=True):
    """The answer of `completions`."""

    choices: Annotated[list[CompletionChoice], AtLeastOne]


class Image(msgspec.Struct):
    """A generated image: base64 text, or where to fetch it (also a data URI)."""

    b64_json: str | None = None
    url: str | None = None


class Images(Answer, kw_only=True):
    """The answer of `images/generations`."""

    data: Annotated[list[Image], AtLeastOne]


class Embedding(msgspec.Struct):
    """The vector of the text with this number, counted from 0."""

    embedding: list[float]
    index: int


class Embeddings(Answer, kw_only=True):
    """The answer of `embeddings`."""

    data: Annotated[list[Embedding], AtLeastOne]


class Ranked(msgspec.Struct):
    """How well the document with this number fits, counted from 0."""

    index: int
    relevance_score: float


class Ranking(Answer, kw_only=True):
    """The answer of `rerank`, as Jina, LocalAI and llama.cpp give it."""

    results: Annotated[list[Ranked], AtLeastOne]


class Transcript(Answer, kw_only=True):
    """The answer of `audio/transcriptions` and `audio/translations` in their JSON form."""

    text: str


class ModelEntry(msgspec.Struct):
    """One model of a server."""

    id: str
    owned_by: str | None = None
    created: int | None = None


class ModelList(Answer, kw_only=True):
    """The answer of `models`."""

    data: list[ModelEntry]
