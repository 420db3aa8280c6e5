"""How many tokens an answer took, as its own bytes tell; read once, when it is over."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["TokenCounts", "told_tokens"]

_PROMPT = re.compile(rb'"(?:prompt|input)_tokens":\s*(\d{1,18})')
_COMPLETION = re.compile(rb'"(?:completion|output)_tokens":\s*(\d{1,18})')
# llama.cpp ends a stream with these where the caller asked for no usage.
_CACHED, _READ, _PREDICTED = (
    re.compile(rb'"%b":(\d{1,18})' % name) for name in (b"cache_n", b"prompt_n", b"predicted_n")
)


class TokenCounts(NamedTuple):
    """Tokens of the prompt and of the completion; None where nothing was told."""

    prompt: int | None
    completion: int | None


def told_tokens(told: bytes) -> TokenCounts:
    """What some bytes of an answer say last. In a JSON string the quotes would be escaped."""
    prompt = _last(_PROMPT, told)
    if prompt is None and (read := _last(_READ, told)) is not None:
        prompt = read + (_last(_CACHED, told) or 0)
    completion = _last(_COMPLETION, told)
    return TokenCounts(prompt, _last(_PREDICTED, told) if completion is None else completion)


def _last(pattern: re.Pattern[bytes], told: bytes) -> int | None:
    found = pattern.findall(told)
    return int(found[-1]) if found else None
