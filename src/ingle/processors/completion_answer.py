"""A prompt's continuations as they come: chunks in, pieces out, and in the end the whole of it.

The counterpart of `chat_answer` for `completions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ingle.processors.choices import add_logprobs, check_all_came, check_number
from ingle.processors.pieces import Path, Piece
from ingle.upstream import wire

__all__ = ["CompletionAnswer"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type


class CompletionAnswer:
    """What one server answers to one request. `url` is the one that was called, for errors."""

    def __init__(self, *, url: str) -> None:
        self._url = url
        self._choices: dict[int, _Choice] = {}
        self._first: wire.CompletionChunk | None = None
        self._usage: Json | None = None
        self._timings: Json | None = None

    def take(self, chunks: Iterable[wire.CompletionChunk]) -> list[Piece]:
        """The pieces that these chunks add, in their order.

        Raises:
            UpstreamInvalid: a choice has a number out of reason.
        """
        pieces = []
        for chunk in chunks:
            self._first = self._first or chunk
            self._usage = chunk.usage or self._usage
            self._timings = chunk.timings or self._timings
            for part in chunk.choices:
                choice = self._choices.get(part.index)
                if choice is None:
                    check_number(part.index, self._url)
                    choice = self._choices[part.index] = _Choice(part.index)
                if part.text:
                    choice.texts.append(part.text)
                    pieces.append(Piece(choice.path, part.text))
                if part.finish_reason or part.logprobs:
                    choice.finish_reason = part.finish_reason or choice.finish_reason
                    add_logprobs(choice.logprobs, part.logprobs)
        return pieces

    def take_whole(self, answer: wire.Completion) -> list[Piece]:
        """The pieces of an answer that came in one. Raises as `take` does."""
        choices = [
            wire.CompletionChoiceChunk(index=number, text=choice.text)
            for number, choice in enumerate(answer.choices)
        ]
        return self.take([wire.CompletionChunk(choices=choices)])

    def end(self) -> list[Piece]:
        """The last pieces: a continuation of nothing is empty text.

        Raises:
            UpstreamInvalid: there are no choices, or one between others is missing.
        """
        check_all_came(self._choices, self._url)
        return [Piece(choice.path, value="") for choice in self._in_order() if not choice.texts]

    def texts(self) -> list[str]:
        """The whole texts, in order; valid after `end`."""
        return ["".join(choice.texts) for choice in self._in_order()]

    def response(self) -> Json:
        """The answer that the server would have given without streaming; valid after `end`."""
        first = self._first
        assert first is not None, "an answer with choices began with one"
        said = {
            "id": first.id,
            "object": "text_completion",
            "created": first.created,
            "model": first.model,
            "choices": [choice.response() for choice in self._in_order()],
            "usage": self._usage,
            "system_fingerprint": first.system_fingerprint,
            "service_tier": first.service_tier,
            "timings": self._timings,
        }
        return {name: value for name, value in said.items() if value is not None}

    def _in_order(self) -> list[_Choice]:
        return [self._choices[number] for number in sorted(self._choices)]


class _Choice:
    """One continuation, as far as it has come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.path: Path = ("choices", number)
        self.texts: list[str] = []
        self.finish_reason: str | None = None
        self.logprobs: Json = {}

    def response(self) -> Json:
        """The choice as the server would have sent it in one."""
        return {
            "text": "".join(self.texts),
            "index": self.number,
            "logprobs": self.logprobs or None,
            "finish_reason": self.finish_reason,
        }
