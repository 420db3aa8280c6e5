"""A chat answer as it comes: chunks in, pieces out, and in the end the whole of it.

Each choice is kept apart. Texts are collected as they came and joined once, at the end. The
response that is put together from a stream is the one that the server would have given without
streaming: `id`, `object`, `created`, `model`, `system_fingerprint`, `service_tier`, `usage`,
`timings`, and each choice's message, finish reason and log probabilities. Fields of chunks that
`upstream.wire` does not name are dropped; of an answer that was not streamed everything is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast, get_args

from ingle.processors.chat_calls import ChatCalls
from ingle.processors.choices import add_logprobs, check_all_came, check_number
from ingle.processors.messages import ChatMessage, Role
from ingle.processors.pieces import Path, Piece
from ingle.upstream import wire

__all__ = ["ChatAnswer"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_ROLES = frozenset(get_args(Role))


class ChatAnswer:
    """What one server answers to one request.

    With `in_old_form`, the first tool call of each message is its `function_call`. `url` is the
    one that was called, for errors.
    """

    def __init__(self, *, url: str, in_old_form: bool = False) -> None:
        self._url = url
        self._in_old_form = in_old_form
        self._choices: dict[int, _Choice] = {}
        self._first: wire.ChatChunk | None = None
        self._usage: Json | None = None
        self._timings: Json | None = None
        self._raw: Json | None = None

    def take(self, chunks: Iterable[wire.ChatChunk]) -> list[Piece]:
        """The pieces that these chunks add, in their order.

        Raises:
            UpstreamInvalid: a choice has a number, or a message a number of calls, out of reason.
        """
        pieces: list[Piece] = []
        choices = self._choices
        for chunk in chunks:
            if chunk.usage is not None:
                self._usage = chunk.usage
            if chunk.timings is not None:
                self._timings = chunk.timings
            for part in chunk.choices:
                delta = part.delta
                choice = choices.get(part.index)
                if choice is None:
                    choice = self._begin(chunk, part)
                    pieces.append(Piece((*choice.path, "role"), value=choice.role))
                if text := delta.content:  # nearly every chunk holds this and nothing else
                    choice.content.append(text)
                    pieces.append(Piece(choice.content_path, text))
                if delta.reasoning_content or delta.reasoning or delta.refusal:
                    pieces += choice.take_other_text(delta)
                if delta.tool_calls or delta.function_call:
                    pieces += choice.calls.take(delta)
                    check_number(len(choice.calls), self._url, what="a count of function calls of")
                if part.finish_reason or part.logprobs:
                    choice.take_facts(part)
        return pieces

    def take_whole(self, answer: wire.ChatCompletion) -> list[Piece]:
        """The pieces of an answer that came in one. Raises as `take` does."""
        self._raw = answer.raw
        choices = [
            wire.ChatChoiceChunk(
                index=number, delta=choice.message, finish_reason=choice.finish_reason
            )
            for number, choice in enumerate(answer.choices)
        ]
        return self.take([wire.ChatChunk(choices=choices)])

    def end(self) -> list[Piece]:
        """The last pieces: a message that says nothing at all has empty text as its content.

        Raises:
            UpstreamInvalid: there are no choices, or one between others is missing.
        """
        check_all_came(self._choices, self._url)
        return [
            Piece(choice.content_path, value="")
            for choice in self._choices.values()
            if choice.is_empty()
        ]

    def messages(self) -> list[ChatMessage]:
        """The message of each choice, in order; valid after `end`."""
        return [choice.message() for choice in self._in_order()]

    def response(self) -> Json:
        """All that the server said, as one answer; valid after `end`."""
        if self._raw is not None:
            return self._raw
        first = self._first
        assert first is not None, "an answer with choices began with one"
        said = {
            "id": first.id,
            "object": "chat.completion",
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

    def _begin(self, chunk: wire.ChatChunk, part: wire.ChatChoiceChunk) -> _Choice:
        check_number(part.index, self._url)
        if self._first is None:
            self._first = chunk
        choice = _Choice(part.index, part.delta.role, in_old_form=self._in_old_form)
        self._choices[part.index] = choice
        return choice


class _Choice:
    """One of the messages that answer, as far as it has come. Its role is the first it had."""

    def __init__(self, number: int, role: str | None, *, in_old_form: bool) -> None:
        self.number = number
        self.path: Path = ("choices", number)
        # Checked against the members of `Role`, which mypy cannot follow.
        self.role = cast("Role", role if role in _ROLES else "assistant")
        self.content: list[str] = []
        self.content_path: Path = (*self.path, "content")
        self.calls = ChatCalls(self.path, in_old_form=in_old_form)
        self._reasoning: list[str] = []
        self._reasoning_name = "reasoning_content"
        self._refusal: list[str] = []
        self._finish_reason: str | None = None
        self._logprobs: Json = {}

    def take_other_text(self, delta: wire.ChatDelta) -> list[Piece]:
        """The pieces of what the model thought, under whichever name, and of why it refuses."""
        pieces = []
        if thought := delta.reasoning_content or delta.reasoning:
            if not delta.reasoning_content:
                self._reasoning_name = "reasoning"
            self._reasoning.append(thought)
            pieces.append(Piece((*self.path, "reasoning_content"), thought))
        if delta.refusal:
            self._refusal.append(delta.refusal)
            pieces.append(Piece((*self.path, "refusal"), delta.refusal))
        return pieces

    def take_facts(self, part: wire.ChoiceChunk) -> None:
        """Keep why the choice ended, and its tokens' log probabilities."""
        self._finish_reason = part.finish_reason or self._finish_reason
        add_logprobs(self._logprobs, part.logprobs)

    def is_empty(self) -> bool:
        """Whether the message has neither content nor anything that stands in its place."""
        return not (self.content or len(self.calls) or self._refusal)

    def message(self) -> ChatMessage:
        """The message as the output has it."""
        return ChatMessage(
            role=self.role,
            content=self._text(),
            function_call=self.calls.function_call(),
            tool_calls=self.calls.tool_calls(),
            reasoning_content="".join(self._reasoning) or None,
            refusal="".join(self._refusal) or None,
        )

    def response(self) -> Json:
        """The choice as the server would have sent it in one."""
        message: Json = {"role": self.role, "content": self._text()}
        if self._reasoning:
            message[self._reasoning_name] = "".join(self._reasoning)
        if self._refusal:
            message["refusal"] = "".join(self._refusal)
        choice: Json = {
            "index": self.number,
            "message": message | self.calls.response(),
            "finish_reason": self._finish_reason,
        }
        return choice | ({"logprobs": self._logprobs} if self._logprobs else {})

    def _text(self) -> str | None:
        return "".join(self.content) if self.content or self.is_empty() else None
