"""A processor's fields as people read them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel
from pydantic import Field as Described

from ingle.cli.fields import Field, fields


class Message(BaseModel):
    """Something said."""


class Shape(BaseModel):
    """Fields of each kind."""

    prompt: str = Described(min_length=1, max_length=1000, description="What to do.")
    model: str | None = None
    max_tokens: int = Described(1024, ge=1)
    temperature: float = Described(0.7, ge=0, le=2)
    timeout: float = Described(60.0, gt=0)
    stream: bool = False
    size: Literal["256x256", "512x512"] = "256x256"
    messages: list[Message] = []
    stop: str | list[str] | None = None
    anything: object = None


def test_fields_are_told_by_type_default_and_range() -> None:
    """Each kind of field has a short type, its default as one writes it, and what it means."""
    assert list(fields(Shape.model_json_schema())) == [
        Field("prompt", "string, at most 1000 characters", "", True, "What to do."),
        Field("model", "string", "", False, ""),
        Field("max_tokens", "integer, ≥ 1", "1024", False, ""),
        Field("temperature", "number, 0 to 2", "0.7", False, ""),
        Field("timeout", "number, > 0", "60", False, ""),
        Field("stream", "boolean", "false", False, ""),
        Field("size", "256x256 | 512x512", "256x256", False, ""),
        Field("messages", "list of Message", "", False, ""),
        Field("stop", "string or list of string", "", False, ""),
        Field("anything", "any", "", False, ""),
    ]
