"""The messages of a chat, and the functions that a model may call in it.

The names and shapes are those of OpenAI's API, where they are also LLMStack's. A field that is
`None` is absent: it is left out of the JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = [
    "CalledFunction",
    "ChatMessage",
    "ContentPart",
    "FunctionCall",
    "ImagePart",
    "Role",
    "TextPart",
    "Tool",
    "ToolCall",
]

Role = Literal["system", "user", "assistant", "function", "tool", "developer"]


def _is_none(value: object) -> bool:
    return value is None


def _optional(description: str) -> Any:  # Any: a field's default, whatever the field's type is
    return Field(default=None, exclude_if=_is_none, description=description)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextPart(_Strict):
    """Text within a message that has several parts."""

    type: Literal["text"] = "text"
    text: str


class ImageUrl(_Strict):
    """Where an image is: an http(s) URL or a `data:` URI."""

    url: str
    detail: Literal["auto", "low", "high"] | None = _optional("How closely to look at it.")


class ImagePart(_Strict):
    """An image within a message."""

    type: Literal["image_url"] = "image_url"
    image_url: ImageUrl

    @field_validator("image_url", mode="before", json_schema_input_type=ImageUrl | str)
    @classmethod
    def _written_plainly(cls, image_url: object) -> object:
        """LLMStack wrote the URL alone, OpenAI an object with the URL in it."""
        return {"url": image_url} if isinstance(image_url, str) else image_url


class Audio(_Strict):
    """Sound, as base64."""

    data: str
    format: str


class AudioPart(_Strict):
    """Sound within a message."""

    type: Literal["input_audio"] = "input_audio"
    input_audio: Audio


ContentPart = Annotated[TextPart | ImagePart | AudioPart, Field(discriminator="type")]


class CalledFunction(_Strict):
    """A call that a model asks for. `arguments` is the JSON text as the model wrote it."""

    name: str
    arguments: str = ""


class ToolCall(_Strict):
    """One of the calls that a model asks for; a `tool` message answers it by its `id`."""

    id: str | None = _optional("What the answer's `tool_call_id` refers to.")
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(_Strict):
    """One message of a chat: who says it, and what."""

    role: Role = Field(description="Who says it.")
    content: str | list[ContentPart] | None = _optional("What is said: text, or a list of parts.")
    name: str | None = _optional("Who says it, or which function's result this is.")
    function_call: CalledFunction | None = _optional(
        "The call that the model asks for, where `functions` were given."
    )
    tool_calls: list[ToolCall] | None = _optional(
        "The calls that the model asks for, where `tools` were given."
    )
    tool_call_id: str | None = _optional("Which tool call this message answers.")
    reasoning_content: str | None = _optional("What the model thought before it answered.")
    refusal: str | None = _optional("Why the model does not answer.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and self.role != "assistant":
            raise ValueError(f"a message of the role {self.role} needs `content`, even if empty.")
        return self


class FunctionCall(_Strict):
    """A function that the model may call, with a JSON Schema of its parameters."""

    name: str = Field(min_length=1, description="The function's name.")
    description: str | None = _optional("What it does and when to call it.")
    parameters: dict[str, Any] | None = _optional(
        "The JSON Schema of its parameters, as an object or as JSON text. Left out, it takes none."
    )

    @field_validator(
        "parameters", mode="before", json_schema_input_type=dict[str, Any] | str | None
    )
    @classmethod
    def _written_as_text(cls, parameters: object) -> object:
        if not isinstance(parameters, str):
            return parameters
        if not parameters.strip():
            return None
        try:
            return msgspec.json.decode(parameters, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"it must be a JSON Schema, written as JSON: {error}") from error


class Tool(_Strict):
    """A function as the newer form of the API wraps it."""

    type: Literal["function"] = "function"
    function: FunctionCall
