"""`logprobs` of `/v1/completions`, which llama.cpp gives in the form that only chat has.

Source: OpenAI's API reference, the legacy completion object. A token that is a part of a character
is written `bytes:\\xf0\\x9f`, as OpenAI does.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Any

__all__ = ["LogprobsForm"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type


class LogprobsForm:
    """Turns the log probabilities of one choice into the old form, chunk by chunk.

    `top` is how many alternatives were asked for. Offsets count the characters of the text that is
    returned.
    """

    def __init__(self, top: int) -> None:
        self._top = top
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def convert(self, logprobs: object) -> Json | None:
        """`{"content": [{token, bytes, logprob, top_logprobs}]}` in the old form."""
        content = logprobs.get("content") if isinstance(logprobs, dict) else None
        if not isinstance(content, list):
            return None
        return {
            "tokens": [_written(token) for token in content],
            "token_logprobs": [token["logprob"] for token in content],
            "top_logprobs": [self._alternatives(token) for token in content] if self._top else None,
            "text_offset": list(self._offsets(content)),
        }

    def _alternatives(self, token: Json) -> Json:
        """The likeliest tokens; with the chosen one it may be one more than was asked for."""
        top = {_written(other): other["logprob"] for other in token["top_logprobs"][: self._top]}
        return {**top, _written(token): token["logprob"]}

    def _offsets(self, content: Iterable[Json]) -> Iterable[int]:
        for token in content:
            yield self._offset
            self._offset += len(self._decoder.decode(bytes(token["bytes"])))


def _written(token: Json) -> str:
    raw = bytes(token["bytes"])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)
