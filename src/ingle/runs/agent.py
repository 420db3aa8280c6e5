"""A model with tools: it is asked, what it calls is done, and it is asked again with the results.

That ends with the first answer that calls nothing. After `max_steps` times, a last answer is asked
for without tools, and the model is told so. What it writes before it calls something is passed on
as it comes; then it is void as an answer, and kept in `messages`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from ingle.errors import ContextTooLong, IngleError, InvalidRequest, UpstreamRefused
from ingle.processors.catalogue import run_processor
from ingle.processors.chat_completions import ChatCompletionsOutput
from ingle.processors.chat_history import is_too_long
from ingle.processors.messages import ChatMessage
from ingle.processors.pieces import Piece
from ingle.runs.executor import Call
from ingle.runs.tools import Function, cut, read_arguments, told

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["agent"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_CHAT = "localai/chatgpt"
_VISION = "localai/chatgpt_vision"
_CONTENT = ("choices", 0, "content")
_REASONING = ("choices", 0, "reasoning_content")

_AT_ONCE = 8
_MOST_CALLS = 500
"""So many calls in one step, at most: paths of pieces go up to 1023."""

_MOST_CHARACTERS = 20_000
"""Of one result: some 5,000 tokens."""

_FEWEST_CHARACTERS = 200
_OUT_OF_STEPS = (
    "You have used all {steps} steps, so nothing more can be called. Answer now from what you know "
    "so far, and say what is missing."
)
_EMPTY = "Your last message was empty. Give your answer now, in words, without calling anything."


async def agent(
    call: Call, functions: Sequence[Function], router: Router
) -> AsyncGenerator[Piece | Json, None]:
    """The pieces of an agent's answer, and last its output. Closing it stops all that runs.

    The output has `content`, the answer; `calls`, each with its name, arguments, result or error
    and times; `messages`, all that was added to the chat; `choices`, as a chat's; `is_exhausted`,
    whether it ran out of steps; and the sum of all tokens in `_api_response`.

    Raises:
        IngleError: the model could not be asked.
    """
    asking = _Agent(call, functions, router)
    async with aclosing(asking.answer()) as pieces:
        async for piece in pieces:
            yield piece
    yield asking.output()


class _Agent:
    def __init__(self, call: Call, functions: Sequence[Function], router: Router) -> None:
        self._call = call
        self._router = router
        self._functions = {function.name: function for function in functions}
        self._input = _chat_input(call)
        self._config: Json = {**call.config, "stream": True}
        self._added: list[Json] = []
        self._calls: list[Json] = []
        self._reasoning = ""
        self._content = ""
        """What has been passed on as the answer."""
        self._is_exhausted = False
        self._cut_history: Json | None = None
        self._usage: dict[str, int] = {}
        self._response: Json = {}
        self._said = ChatMessage(role="assistant")
        self._most_characters = _MOST_CHARACTERS

    async def answer(self) -> AsyncGenerator[Piece, None]:
        """Ask until there is an answer."""
        yield Piece(("calls",), value=[])
        yield Piece(("messages",), value=[])
        note: str | None = _OUT_OF_STEPS.format(steps=self._call.step.max_steps)
        for _ in range(self._call.step.max_steps):
            async with aclosing(self._asked(with_tools=True)) as pieces:
                async for piece in pieces:
                    yield piece
            asked = _calls_of(self._said, len(self._calls))
            if not asked:
                note = None if _text(self._said) else _EMPTY
                break
            if len(self._calls) + len(asked) > _MOST_CALLS:
                break
            async with aclosing(self._turn(asked)) as pieces:
                async for piece in pieces:
                    yield piece
            # Whoever forces a call means the first one; else there would never be an answer.
            self._config.pop("tool_choice", None)
        self._is_exhausted = note not in (None, _EMPTY)
        if note is not None:
            async with aclosing(self._last_answer(note)) as pieces:
                async for piece in pieces:
                    yield piece
        answer = _text(self._said) or _nothing_said(self._calls)
        if answer != self._content:
            self._content = answer
            yield Piece(("content",), value=answer)
        yield self._add({"role": "assistant", "content": self._content})
        yield Piece(("choices",), value=self._choices())
        yield Piece(("is_exhausted",), value=self._is_exhausted)

    def output(self) -> Json:
        """The output, once there is an answer."""
        thought = {"reasoning_content": self._reasoning} if self._reasoning else {}
        left_out = {"cut_history": self._cut_history} if self._cut_history else {}
        return {
            "content": self._content,
            **thought,
            "calls": self._calls,
            "messages": self._added,
            "choices": self._choices(),
            "is_exhausted": self._is_exhausted,
            **left_out,
            "_api_response": {**self._response, "usage": self._usage},
        }

    def _choices(self) -> list[Json]:
        return [{"role": "assistant", "content": self._content}]

    def _add(self, message: Json) -> Piece:
        self._added.append(message)
        return Piece(("messages", len(self._added) - 1), value=message)

    def _void(self) -> list[Piece]:
        """What was passed on is no answer, if anything was."""
        if not self._content:
            return []
        self._content = ""
        return [Piece(("content",), value="")]

    async def _last_answer(self, note: str) -> AsyncGenerator[Piece, None]:
        """Ask for an answer without tools, and say why."""
        for piece in self._void():
            yield piece
        if text := _text(self._said):
            yield self._add({"role": "assistant", "content": text})
        yield self._add({"role": "user", "content": note})
        async with aclosing(self._asked(with_tools=False)) as pieces:
            async for piece in pieces:
                yield piece

    async def _asked(self, *, with_tools: bool) -> AsyncGenerator[Piece, None]:
        """Ask the model once; what it said is in `_said` then. Results that do not fit in its
        context window are shortened until they do."""
        while True:
            try:
                async with aclosing(self._ask(with_tools=with_tools)) as pieces:
                    async for piece in pieces:
                        yield piece
            except (ContextTooLong, UpstreamRefused) as error:
                results = [len(m["content"]) for m in self._added if m["role"] == "tool"]
                longest = max(results, default=0)
                if longest <= 2 * _FEWEST_CHARACTERS or not is_too_long(error):
                    raise
                self._most_characters = max(longest // 4, _FEWEST_CHARACTERS)
            else:
                return
            for number, message in enumerate(self._added):
                if message["role"] == "tool":
                    shorter = cut(message["content"], self._most_characters)
                    self._added[number] = {**message, "content": shorter}
                    yield Piece(("messages", number), value=self._added[number])

    async def _ask(self, *, with_tools: bool) -> AsyncGenerator[Piece, None]:
        values = {**self._input, "messages": [*self._input["messages"], *map(_sent, self._added)]}
        config = self._config
        if with_tools and self._functions:
            values["tools"] = [function.schema() for function in self._functions.values()]
        else:
            config = {name: config[name] for name in config.keys() - {"tool_choice"}}
        separator = "\n\n" if self._reasoning else ""
        async with aclosing(run_processor(_CHAT, values, config, self._router)) as items:
            async for item in items:
                if isinstance(item, ChatCompletionsOutput):
                    self._take(item)
                elif type(item) is Piece and item.value is msgspec.UNSET:
                    if item.path == _CONTENT:
                        self._content += item.text
                        yield Piece(("content",), item.text)
                    elif item.path == _REASONING:
                        text, separator = separator + item.text, ""
                        self._reasoning += text
                        yield Piece(("reasoning_content",), text)
                elif type(item) is Piece and item.path == ("cut_history",):
                    self._cut_history = item.value
                    yield item

    def _take(self, output: ChatCompletionsOutput) -> None:
        self._said = output.choices[0]
        said = output.api_response
        for name, count in (said.get("usage") or {}).items():
            if isinstance(count, int):
                self._usage[name] = self._usage.get(name, 0) + count
        self._response = {
            name: said[name] for name in ("id", "model", "timings") if said.get(name) is not None
        }

    async def _turn(self, asked: list[Json]) -> AsyncGenerator[Piece, None]:
        """Do what the model called, side by side; the results are added in the calls' order."""
        for piece in self._void():
            yield piece
        spoken: Json = {"role": "assistant", "content": _text(self._said), "tool_calls": asked}
        if self._said.reasoning_content:
            spoken["reasoning_content"] = self._said.reasoning_content
        yield self._add(spoken)
        first = len(self._calls)
        self._calls += map(_begun, asked)
        numbers = range(first, len(self._calls))
        for number in numbers:
            yield Piece(("calls", number), value=self._calls[number])
        turns = asyncio.Semaphore(_AT_ONCE)
        running = {asyncio.create_task(self._done(number, turns)): number for number in numbers}
        try:
            while running:
                ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    number = running.pop(task)
                    self._calls[number] = {**self._calls[number], **task.result()}
                    for name, value in task.result().items():
                        yield Piece(("calls", number, name), value=value)
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
        for number in numbers:
            yield self._add(_answer_to(self._calls[number]))
        self._said = ChatMessage(role="assistant")

    async def _done(self, number: int, turns: asyncio.Semaphore) -> Json:
        """What came of a call: its result or an error, both as the model reads them."""
        one = self._calls[number]
        async with turns:
            try:
                result, data = await self._result(one, _key(self._call.key, number, one))
            except IngleError as error:
                said = cut(error.message, self._most_characters)
                return {"error": f"Error: {said}", "ended_at": time.time()}
        shown = {"data": data} if data is not None else {}
        return {"result": result, **shown, "ended_at": time.time()}

    async def _result(self, one: Json, key: str) -> tuple[str, Any]:
        function = self._functions.get(one["name"])
        if function is None:
            raise InvalidRequest(
                f"There is no tool {one['name'][:80]!r}. There are: {', '.join(self._functions)}."
            )
        arguments = read_arguments(one["arguments"])
        try:
            async with asyncio.timeout(function.timeout_s) as limit:
                value = await function.call(arguments, key)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise InvalidRequest(
                f"{function.name} did not end within {function.timeout_s:g} s and was stopped."
            ) from error
        text, has_files = told(value, self._most_characters)
        return text, value if has_files else None


def _chat_input(call: Call) -> Json:
    """What is said, in the form of a chat."""
    values: Json = {"messages": [], **call.input}
    if call.step.use == _VISION:
        values["messages"] = [{"role": "user", "content": values["messages"]}]
    return values


def _calls_of(said: ChatMessage, first: int) -> list[Json]:
    """What the model calls, each with an id; old servers know one `function_call` only."""
    calls = [call.model_dump(mode="json") for call in said.tool_calls or []]
    if not calls and said.function_call is not None:
        calls = [{"type": "function", "function": said.function_call.model_dump(mode="json")}]
    ids = {call.get("id") for call in calls}
    if None in ids or len(ids) < len(calls):
        # Templates of Mistral's models accept ids of nine letters and digits only.
        for number, call in enumerate(calls, first):
            call["id"] = f"call{number:05}"
    return calls


def _begun(call: Json) -> Json:
    function = call["function"]
    return {
        "id": call["id"],
        "name": function["name"],
        "arguments": function["arguments"],
        "started_at": time.time(),
    }


def _key(key: str, number: int, call: Json) -> str:
    """The same when a step that was cut short asks for just this call again; a model may as well
    ask for another one, and nobody must take that for the first."""
    said = f"{call['name']}\0{call['arguments']}"
    return f"{key}/{number}/{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _answer_to(done: Json) -> Json:
    content = done["error"] if "error" in done else done["result"]
    return {"role": "tool", "tool_call_id": done["id"], "name": done["name"], "content": content}


def _sent(message: Json) -> Json:
    """A message as it goes to the model.

    Thoughts are left out, which several servers refuse, and arguments that are not JSON, which
    templates fail to read; the error that follows them says what they were.
    """
    sent = {name: value for name, value in message.items() if name != "reasoning_content"}
    if calls := sent.get("tool_calls"):
        sent["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": _readable(call)}}
            for call in calls
        ]
    return sent


def _readable(call: Json) -> str:
    written: str = call["function"]["arguments"]
    try:
        read_arguments(written)
    except InvalidRequest:
        return "{}"
    return written if written.strip() else "{}"


def _text(said: ChatMessage) -> str:
    text = said.content if isinstance(said.content, str) else ""
    return text if text.strip() else said.refusal or ""


def _nothing_said(calls: list[Json]) -> str:
    """What stands in the place of an answer that never came."""
    done = f" after {len(calls)} calls of tools" if calls else ""
    return f"The model gave no answer{done}, even when it was asked for one."
