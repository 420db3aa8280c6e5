"""What a request for an answer may hold: chat, responses, and Anthropic's messages.

See `requests` for what is refused and why.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ingle.errors import InvalidRequest, UnsupportedInput
from ingle.processors.pictures import check_picture, check_pictures
from ingle.server.requests import (
    AtLeastOne,
    EngineRequest,
    Fraction,
    NonNegative,
    Object,
    SampledRequest,
    Stop,
    Temperature,
)

__all__ = [
    "ChatRequest",
    "MessagesRequest",
    "ResponsesRequest",
    "TokenCountRequest",
    "ToolChoice",
]

TopLogprobs = Annotated[int, Meta(ge=0, le=20)]


class ImageUrl(Struct, kw_only=True):
    """`image_url` of a part."""

    url: str


class ContentPart(Struct, kw_only=True):
    """A part of a message."""

    type: Literal["text", "refusal", "image_url", "input_audio", "file", "thinking", "reasoning"]
    text: str | None = None
    image_url: ImageUrl | None = None


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


class ChatRequest(SampledRequest, kw_only=True):
    """`/v1/chat/completions`."""

    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    max_tokens: AtLeastOne | None = None
    max_completion_tokens: AtLeastOne | None = None
    logprobs: bool | None = None
    top_logprobs: TopLogprobs | None = None
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
            for part in message.content if isinstance(message.content, list) else ():
                if part.image_url is not None:
                    check_picture(part.image_url.url, f"messages[{number}].content")
        if self.top_logprobs and not self.logprobs:
            raise InvalidRequest(
                f"`top_logprobs` is {self.top_logprobs}, but `logprobs` is not true. Set both.",
                param="top_logprobs",
            )
        form = self.response_format
        if form and form.type == "json_schema" and form.json_schema is None:
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
    top_logprobs: TopLogprobs | None = None
    conversation: str | Object | None = None

    def check(self) -> None:
        """See `EngineRequest`."""
        if self.conversation:
            raise UnsupportedInput(
                "`conversation` is not supported: responses are kept here, but no conversations. "
                "Go on from the last one with `previous_response_id`.",
                param="conversation",
            )
        check_pictures(self.input, "input")


class AnthropicMessage(Struct, kw_only=True):
    """A message of Anthropic's form."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Object]


class TokenCountRequest(EngineRequest, kw_only=True):
    """`/v1/messages/count_tokens`."""

    messages: Annotated[list[AnthropicMessage], Meta(min_length=1)]

    def check(self) -> None:
        """See `EngineRequest`."""
        for number, message in enumerate(self.messages):
            check_pictures(message.content, f"messages[{number}].content")


class MessagesRequest(TokenCountRequest, kw_only=True):
    """`/v1/messages`."""

    max_tokens: AtLeastOne
    stream: bool | None = None
    temperature: Fraction | None = None
    top_p: Fraction | None = None
    top_k: NonNegative | None = None
    stop_sequences: list[Stop] | None = None
