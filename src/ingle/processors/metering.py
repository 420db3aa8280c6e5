"""What the answers that pass say of the tokens and images that they took, counted for who asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from ingle.upstream.wire import Answer, Chunk, Images

__all__ = ["Used", "counted"]

T = TypeVar("T")
Json = dict[str, Any]  # Any: a JSON value has no narrower type

Used = Callable[[int, int, int], None]
"""Takes tokens of prompts, tokens of completions, images."""


async def counted(items: AsyncGenerator[T, None], used: Used) -> AsyncGenerator[T, None]:
    """The items as they are; at their end, also an early one, `used` is told once.

    Items are answers, or lists of chunks. Where a stream tells no usage, each of its chunks counts
    as a token of the completion, and the prompt is not counted.
    """
    usage: Json = {}
    chunks = images = 0
    try:
        async with aclosing(items):
            async for item in items:
                if isinstance(item, Answer):
                    usage = item.raw.get("usage") or {}
                    images += len(item.data) if isinstance(item, Images) else 0
                elif isinstance(item, list):
                    usage = _told(item) or usage
                    chunks += len(item)
                yield item
    finally:
        prompt = _whole(usage.get("prompt_tokens"))
        completion = _whole(usage.get("completion_tokens")) if usage else chunks
        used(prompt, completion, images)


def _told(chunks: list[Chunk]) -> Json | None:
    """The last usage that these chunks tell, in OpenAI's words."""
    for chunk in reversed(chunks):
        if chunk.usage:
            return chunk.usage
        if timings := chunk.timings:  # llama.cpp ends a stream with these
            prompt = _whole(timings.get("cache_n")) + _whole(timings.get("prompt_n"))
            return {"prompt_tokens": prompt, "completion_tokens": timings.get("predicted_n")}
    return None


def _whole(value: object) -> int:
    """A count as servers tell it; what is none counts nothing."""
    return value if isinstance(value, int) and value > 0 else 0
