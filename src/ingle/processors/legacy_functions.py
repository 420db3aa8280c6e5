"""OpenAI's first form of function calls, `functions` and `function_call`, on servers of today.

Today's servers know only `tools`, `tool_choice` and `tool_calls`. A request is translated on its
way out and the answer on its way back, so that who asked in the old form is answered in it. These
are pure functions on plain JSON values, whole or in chunks; they know nothing of HTTP.

What the old form cannot say: it has room for one call a message. The server is asked for one
(`parallel_tool_calls: false`); of an answer with more, the first is passed on.

See `docs/decisions/0022-legacy-functions.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ingle.errors import InvalidRequest

__all__ = ["has_functions", "is_legacy", "with_function_call", "with_tools"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}
"""The JSON Schema of a function that takes nothing; several servers want one to be there."""


def has_functions(request: Mapping[str, Any]) -> bool:
    """Whether the request offers functions in the old form, so that its answer needs it too."""
    return bool(request.get("functions"))


def is_legacy(request: Mapping[str, Any]) -> bool:
    """Whether anything of the old form is in a chat request, in its fields or its messages."""
    return (
        "functions" in request
        or "function_call" in request
        or any(_is_legacy_message(message) for message in _messages(request))
    )


def with_tools(request: Mapping[str, Any]) -> Json:
    """The same chat request in the form of today; `request` itself stays as it is.

    Raises:
        InvalidRequest: `functions` stand beside `tools`, are no list of objects with names, or
            `function_call` names one that is not there.
    """
    functions = request.get("functions") or []
    if functions and request.get("tools"):
        raise InvalidRequest(
            "`functions` and `tools` say the same thing in an old and a new form; give one of them.",
            param="functions",
        )
    if not isinstance(functions, list) or not all(_is_function(item) for item in functions):
        raise InvalidRequest(
            "`functions` must be a list of objects that each have a `name`.", param="functions"
        )
    translated = {
        key: value for key, value in request.items() if key not in {"functions", "function_call"}
    }
    if "messages" in request:
        translated["messages"] = _translated_messages(request["messages"])
    choice = _tool_choice(request.get("function_call"), [item["name"] for item in functions])
    if functions:
        translated["tools"] = [
            {"type": "function", "function": {"parameters": NO_PARAMETERS, **_present(item)}}
            for item in functions
        ]
        translated["parallel_tool_calls"] = False
        if choice is not None:
            translated["tool_choice"] = choice
    return translated


def with_function_call(answer: Mapping[str, Any]) -> Json:
    """A chat answer, or one chunk of it, in the old form; `answer` itself stays as it is."""
    choices = answer.get("choices")
    if not isinstance(choices, list):
        return dict(answer)
    return {**answer, "choices": [_translated_choice(choice) for choice in choices]}


def _messages(request: Mapping[str, Any]) -> list[Json]:
    messages = request.get("messages")
    if not isinstance(messages, list):
        return []
    return [message for message in messages if isinstance(message, dict)]


def _is_legacy_message(message: Mapping[str, Any]) -> bool:
    return message.get("role") == "function" or bool(message.get("function_call"))


def _is_function(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str)


def _present(item: Mapping[str, Any]) -> Json:
    return {key: value for key, value in item.items() if value is not None}


def _tool_choice(function_call: object, names: list[str]) -> str | Json | None:
    """What `tool_choice` says the same as `function_call`, which may be a bare name as well."""
    if function_call is None or function_call in ("none", "auto"):
        return function_call if isinstance(function_call, str) else None
    name = function_call.get("name") if isinstance(function_call, dict) else function_call
    if name not in names:
        raise InvalidRequest(
            f"`function_call` asks for {name!r}, which is not among the functions: "
            f"{', '.join(names) or 'none were given'}. It may be none, auto, or one of their names.",
            param="function_call",
        )
    return {"type": "function", "function": {"name": name}}


def _translated_messages(messages: object) -> object:
    """Messages whose calls and results are tied together by ids, as the new form wants it.

    The old form has no ids: a result answers the last call of its name that has no answer yet.
    The ids are made of the call's number, nine letters and digits long, since templates of
    Mistral's models accept no others.
    """
    if not isinstance(messages, list):
        return messages
    unanswered: defaultdict[object, list[str]] = defaultdict(list)
    translated = []
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or not _is_legacy_message(message):
            translated.append(message)
            continue
        message, call = dict(message), message.get("function_call")
        identifier = f"call{number:05}"
        if message.get("role") == "function":
            message["role"] = "tool"
            earlier = unanswered[message.get("name")]
            message["tool_call_id"] = earlier.pop() if earlier else identifier
        elif isinstance(call, dict):
            del message["function_call"]
            message["tool_calls"] = [{"id": identifier, "type": "function", "function": call}]
            unanswered[call.get("name")].append(identifier)
        translated.append(message)
    return translated


def _translated_choice(choice: object) -> object:
    if not isinstance(choice, dict):
        return choice
    translated = dict(choice)
    for key in ("message", "delta"):
        if isinstance(said := choice.get(key), dict) and "tool_calls" in said:
            translated[key] = _translated_answer(said)
    if choice.get("finish_reason") == "tool_calls":
        translated["finish_reason"] = "function_call"
    return translated


def _translated_answer(message: Json) -> Json:
    """A message or a delta with its first call in the old form and the others left out."""
    calls = message["tool_calls"]
    translated = {key: value for key, value in message.items() if key != "tool_calls"}
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, dict) and call.get("index", 0) == 0 and "function" in call:
            translated["function_call"] = call["function"]
            break
    return translated
