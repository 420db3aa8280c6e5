"""Answers put together from several calls to an engine, each of which makes one choice.

At most as many calls run at once as the engine has slots; the others wait here, not there, where
they would hold its few HTTP threads. A stream passes each piece on as it comes, whichever choice
it belongs to. The usage is that of all calls, a prompt counted once.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ingle.errors import IngleError
from ingle.server.answer import Answer
from ingle.server.corrections import Assembled, Part
from ingle.server.decoding import fields_of
from ingle.server.engine_calls import EngineCalls

__all__ = ["answer_assembled"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type


async def answer_assembled(
    assembled: Assembled, model: str, calls: EngineCalls, at_once: int, answer: Answer
) -> bytes:
    """Run the parts, at most `at_once` of them side by side, and answer with what they make.

    Returns the usage as JSON.

    Raises:
        IngleError: a part failed; the others were stopped.
    """
    work = _Assembly(assembled, model, calls, answer)
    run = work.stream_part if assembled.is_stream else work.run_part
    await _side_by_side(run, assembled.parts, at_once)
    return await work.finish()


async def _side_by_side(
    run: Callable[[int, Part], Awaitable[None]], parts: tuple[Part, ...], at_once: int
) -> None:
    slots = asyncio.Semaphore(at_once)

    async def in_a_slot(number: int, part: Part) -> None:
        async with slots:
            await run(number, part)

    try:
        async with asyncio.TaskGroup() as tasks:
            for number, part in enumerate(parts):
                tasks.create_task(in_a_slot(number, part))
    except ExceptionGroup as group:
        # One reason is enough for who asked; the first part to fail stopped the others.
        first = group.exceptions[0]
        raise first if isinstance(first, IngleError) else group from None


class _Assembly:
    def __init__(
        self, assembled: Assembled, model: str, calls: EngineCalls, answer: Answer
    ) -> None:
        self._assembled = assembled
        self._calls = calls
        self._answer = answer
        self._endpoint = "chat/completions" if assembled.is_chat else "completions"
        self._choices: dict[int, Json] = {}
        self._prompt_tokens = 0
        self._completion_tokens = 0
        kind = "chat.completion" if assembled.is_chat else "text_completion"
        self._envelope: Json = {
            "id": f"{'chatcmpl' if assembled.is_chat else 'cmpl'}-{secrets.token_hex(12)}",
            "object": f"{kind}.chunk" if assembled.is_chat and assembled.is_stream else kind,
            "created": int(time.time()),
            "model": model,
        }

    async def run_part(self, number: int, part: Part) -> None:
        """Make one choice whole."""
        if part.body is None:
            self._count({"prompt_tokens": part.prompt_tokens}, part)
            choice = _empty_choice()
        else:
            told = await self._calls.in_one(self._endpoint, fields_of(part.body))
            self._count(told.get("usage"), part)
            choice = part.edited(told["choices"][0])
        if not self._assembled.is_chat:
            choice["text"] = part.prefix + choice["text"]
        self._choices[number] = {**choice, "index": number}

    async def stream_part(self, number: int, part: Part) -> None:
        """Pass on the pieces of one choice."""
        if part.body is None:
            self._count({"prompt_tokens": part.prompt_tokens}, part)
            await self._write_choice(number, {**_empty_choice(), "text": part.prefix})
            return
        is_first = True
        async with self._calls.events(self._endpoint, part.body) as events:
            async for event in events:
                chunk: Json = msgspec.json.decode(event, type=dict)
                self._count(chunk.get("usage"), part)
                if not chunk.get("choices"):
                    continue
                choice = part.edited(chunk["choices"][0])
                if is_first:
                    await self._write_opening(number, part, choice)
                    is_first = False
                await self._write_choice(number, choice)

    async def finish(self) -> bytes:
        """Say what all of it took, and end. Returns that."""
        usage = {
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": self._completion_tokens,
            "total_tokens": self._prompt_tokens + self._completion_tokens,
        }
        if not self._assembled.is_stream:
            choices = [choice for _, choice in sorted(self._choices.items())]
            await self._answer.json({**self._envelope, "choices": choices, "usage": usage})
            return msgspec.json.encode(usage)
        if self._assembled.wants_usage:
            await self._write({"choices": [], "usage": usage})
        await self._answer.write(b"data: [DONE]\n\n")
        await self._answer.finish()
        return msgspec.json.encode(usage)

    async def _write_opening(self, number: int, part: Part, choice: Json) -> None:
        """What comes before the first piece: the prompt for `echo`, the role of a chat's answer."""
        if part.prefix:
            await self._write_choice(
                number, {"text": part.prefix, "logprobs": None, "finish_reason": None}
            )
        if self._assembled.is_chat and "role" not in choice["delta"]:
            delta = {"role": "assistant", "content": ""}
            await self._write_choice(number, {"delta": delta, "finish_reason": None})

    async def _write_choice(self, number: int, choice: Json) -> None:
        await self._write({"choices": [{**choice, "index": number}]})

    async def _write(self, chunk: Json) -> None:
        if not self._answer.is_started:
            await self._answer.start_stream()
        event = msgspec.json.encode({**self._envelope, **chunk})
        await self._answer.write(b"data: %b\n\n" % event)

    def _count(self, usage: Json | None, part: Part) -> None:
        if usage:
            self._completion_tokens += usage.get("completion_tokens", 0)
            self._prompt_tokens += usage.get("prompt_tokens", 0) if part.counts_prompt else 0


def _empty_choice() -> Json:
    return {"text": "", "logprobs": None, "finish_reason": "length"}
