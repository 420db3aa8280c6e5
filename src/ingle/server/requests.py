"""What a request to a model of this machine may hold; anything else is refused by name.

llama.cpp takes a negative temperature, roles it has never heard of and an empty list of messages
without a word. Each request is decoded once into one of these shapes, which costs about as much
as parsing it; the bytes that go to the engine stay those that came. Fields that are not named here
pass unlooked at: OpenAI has more than an engine knows, and llama.cpp has its own.

The ranges are those of OpenAI's and Anthropic's API references of 2025.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ingle.errors import InvalidRequest, UnsupportedInput

__all__ = [
    "ChatRequest",
    "CompletionRequest",
    "EmbeddingRequest",
    "EngineRequest",
    "MessagesRequest",
    "RerankRequest",
    "ResponsesRequest",
    "TextRequest",
]

MAX_CHOICES = 128
MAX_INPUTS = 2048
MAX_STOPS = 16
"""OpenAI takes four; LocalAI and llama.cpp any number."""

Choices = Annotated[int, Meta(ge=1, le=MAX_CHOICES)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Bias = Annotated[float, Meta(ge=-100, le=100)]
AtLeastOne = Annotated[int, Meta(ge=1)]
NonNegative = Annotated[int, Meta(ge=0)]
Stop = Annotated[str, Meta(min_length=1)]
Stops = Stop | Annotated[list[Stop], Meta(max_length=MAX_STOPS)]
Tokens = list[int]
Object = dict[str, Any]  # Any: JSON that is not looked into here


class EngineRequest(Struct, kw_only=True):
    """What every request has."""

    model: str | None = None

    def check(self) -> None:
        """Raises:
        InvalidRequest: the fields do not fit together.
        """


class StreamOptions(Struct, kw_only=True):
    """`stream_options`."""

    include_usage: bool | None = None


class _Sampled(EngineRequest, kw_only=True):
    """What chat and plain completions share."""

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    top_p: Fraction | None = None
    n: Choices | None = None
    stop: Stops | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Bias] | None = None
    user: str | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether a stream shall end with a chunk that says how many tokens it took."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ContentPart(Struct, kw_only=True):
    """A part of a message."""

    type: Literal["text", "refusal", "image_url", "input_audio", "file", "thinking", "reasoning"]
    text: str | None = None


class ChatMessage(Struct, kw_only=True):
    """A message of a chat."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    function_call: Object | None = None


class FunctionName(Struct, kw_only=True):
    """Names a function."""

    name: str


class Function(FunctionName, kw_only=True):
    """A function that the model may call."""

    description: str | None = None
    parameters: Object | None = None


class Tool(Struct, kw_only=True):
    """A tool that the model may call."""

    type: Literal["function"]
    function: Function


class ToolChoice(Struct, kw_only=True):
    """The one tool that the model has to call."""

    function: FunctionName
    type: Literal["function"] = "function"


class JsonSchema(Struct, kw_only=True):
    """`response_format.json_schema`."""

    schema: Object
    name: str | None = None
    strict: bool | None = None


class ResponseFormat(Struct, kw_only=True):
    """`response_format`."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatRequest(_Sampled, kw_only=True):
    """`/v1/chat/completions`."""

    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    max_tokens: AtLeastOne | None = None
    max_completion_tokens: AtLeastOne | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    functions: list[Function] | None = None
    function_call: str | FunctionName | None = None

    @property
    def may_be_legacy(self) -> bool:
        """Whether it holds anything of the legacy function calls."""
        return (
            self.functions is not None
            or self.function_call is not None
            or any(message.role == "function" or message.function_call for message in self.messages)
        )

    def check(self) -> None:
        """See `EngineRequest`."""
        for number, message in enumerate(self.messages):
            if message.content is None and message.role != "assistant":
                raise InvalidRequest(
                    f"Message {number} is the {message.role}'s and has no `content`. Give it some "
                    "text.",
                    param=f"messages[{number}].content",
                )
        if self.top_logprobs and not self.logprobs:
            raise InvalidRequest(
                f"`top_logprobs` is {self.top_logprobs}, but `logprobs` is not true. Set both.",
                param="top_logprobs",
            )
        if self.response_format and self.response_format.type == "json_schema":
            if self.response_format.json_schema is None:
                raise InvalidRequest(
                    "`response_format` asks for a json_schema and has none. Give it as "
                    '{"json_schema": {"name": …, "schema": …}}.',
                    param="response_format.json_schema",
                )
        self._check_tool_choice()

    def _check_tool_choice(self) -> None:
        names = [tool.function.name for tool in self.tools or []]
        if isinstance(self.tool_choice, ToolChoice):
            name = self.tool_choice.function.name
            if name not in names:
                raise InvalidRequest(
                    f"`tool_choice` asks for {name!r}, which is not among the tools: "
                    f"{', '.join(names) or 'none were given'}.",
                    param="tool_choice",
                )
        elif self.tool_choice == "required" and not names:
            raise InvalidRequest(
                "`tool_choice` is required, but there are no `tools` to choose from.",
                param="tool_choice",
            )


class CompletionRequest(_Sampled, kw_only=True):
    """`/v1/completions`."""

    prompt: str | Annotated[list[str | int | Tokens], Meta(min_length=1, max_length=MAX_INPUTS)]
    max_tokens: NonNegative | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    echo: bool | None = None
    best_of: Choices | None = None
    suffix: str | None = None

    def check(self) -> None:
        """See `EngineRequest`."""
        if self.suffix:
            raise UnsupportedInput(
                "`suffix` is not supported: models here write what comes after a prompt, not what "
                "stands between two texts. Leave it out.",
                param="suffix",
            )
        if self.best_of is not None and self.best_of != (self.n or 1):
            raise UnsupportedInput(
                f"`best_of` is {self.best_of} and `n` is {self.n or 1}: choosing among more answers "
                "than are returned is not supported. Ask for all with `n`, and choose.",
                param="best_of",
            )
        if self.echo and self.logprobs is not None:
            raise UnsupportedInput(
                "`echo` and `logprobs` together ask how likely the prompt is, which the engine "
                "does not tell. Leave one of them out.",
                param="logprobs",
            )
        if isinstance(self.prompt, list) and len({type(item) for item in self.prompt}) > 1:
            raise InvalidRequest(
                "`prompt` mixes texts, tokens and lists of tokens. Give one text, one list of "
                "tokens, or several of one kind.",
                param="prompt",
            )
        if len(self.prompts()) * (self.n or 1) > MAX_CHOICES:
            raise InvalidRequest(
                f"{len(self.prompts())} prompts with {self.n or 1} answers each are more than the "
                f"{MAX_CHOICES} answers that one request may ask for. Send several requests.",
                param="prompt",
            )

    def prompts(self) -> list[str | Tokens]:
        """Each prompt by itself: a text or a list of tokens."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        tokens = [item for item in self.prompt if isinstance(item, int)]
        return [tokens] if tokens else [item for item in self.prompt if not isinstance(item, int)]


class EmbeddingRequest(EngineRequest, kw_only=True):
    """`/v1/embeddings`."""

    input: str | Annotated[list[str | int | Tokens], Meta(min_length=1, max_length=MAX_INPUTS)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: AtLeastOne | None = None

    def check(self) -> None:
        """See `EngineRequest`."""
        if self.dimensions is not None:
            raise UnsupportedInput(
                f"`dimensions` is {self.dimensions}: embeddings of models here have one length, "
                "and a shortened one is worth little unless the model was trained for it. Leave it "
                "out.",
                param="dimensions",
            )


class RerankRequest(EngineRequest, kw_only=True):
    """`/v1/rerank`, in Jina's form, which Cohere's is like."""

    query: str
    documents: Annotated[list[str | Object], Meta(min_length=1, max_length=MAX_INPUTS)]
    top_n: AtLeastOne | None = None


class TextOptions(Struct, kw_only=True):
    """`text`."""

    format: Object | None = None


class ResponsesRequest(EngineRequest, kw_only=True):
    """`/v1/responses`."""

    input: str | Annotated[list[Object], Meta(min_length=1)]
    stream: bool | None = None
    instructions: str | None = None
    text: TextOptions | None = None
    max_output_tokens: AtLeastOne | None = None
    temperature: Temperature | None = None
    top_p: Fraction | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    previous_response_id: str | None = None
    conversation: str | Object | None = None
    background: bool | None = None

    def check(self) -> None:
        """See `EngineRequest`."""
        for name in ("previous_response_id", "conversation", "background"):
            if getattr(self, name):
                raise UnsupportedInput(
                    f"`{name}` is not supported: answers are not kept here, so there is nothing to "
                    "go on from. Send the whole conversation as `input`.",
                    param=name,
                )


class AnthropicMessage(Struct, kw_only=True):
    """A message of Anthropic's form."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Object]


class TokenCountRequest(EngineRequest, kw_only=True):
    """`/v1/messages/count_tokens`."""

    messages: Annotated[list[AnthropicMessage], Meta(min_length=1)]


class MessagesRequest(TokenCountRequest, kw_only=True):
    """`/v1/messages`."""

    max_tokens: AtLeastOne
    stream: bool | None = None
    temperature: Fraction | None = None
    top_p: Fraction | None = None
    top_k: NonNegative | None = None
    stop_sequences: list[Stop] | None = None


class TextRequest(EngineRequest, kw_only=True):
    """`/v1/tokenize`."""

    content: str


class TokensRequest(EngineRequest, kw_only=True):
    """`/v1/detokenize`."""

    tokens: Tokens
