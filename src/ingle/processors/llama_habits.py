"""Where llama.cpp, the engine of this machine, differs from OpenAI's API in what a chat needs.

- It reads `tool_choice` as a word: an object that names a tool counts as `auto`
  (`json_value(body, "tool_choice", "auto")` in its server). One tool and `required` say the same.
- With `none` it still shows the tools to the model, which then writes a call as its text.
- It refuses in its own words, and a picture for a text model with status 500.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingle.errors import ContextTooLong, IngleError, UnsupportedInput, UpstreamRefused

__all__ = ["meant_by", "with_choice_for_llama"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_TOO_LONG = re.compile(r"\((\d+) tokens\) exceeds the available context size \((\d+) tokens\)")
_NOT_SUPPORTED = re.compile(r"(\w+) input is not supported")


def with_choice_for_llama(request: Mapping[str, Any]) -> Json:
    """The same chat request, its `tool_choice` said in a way that llama.cpp keeps to.

    A choice that names no tool that is there stays for the engine to answer.
    """
    choice = request.get("tool_choice")
    if choice == "none":
        return {key: request[key] for key in request.keys() - {"tools", "tool_choice"}}
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    tools = [tool for tool in request.get("tools") or [] if _name(tool) == name]
    if name is None or not tools:
        return dict(request)
    return {**request, "tools": tools, "tool_choice": "required"}


def meant_by(refused: UpstreamRefused, model: str | None) -> IngleError | None:
    """What an engine's refusal means, as an error of ours; None if it says so itself."""
    said = refused.server_message or ""
    if found := _TOO_LONG.search(said):
        return ContextTooLong(
            f"The request has {int(found[1]):,} tokens, and the model {model!r} has a context "
            f"window of {int(found[2]):,}. Shorten it, or set `context_tokens` higher if the model "
            "was made for more."
        )
    if found := _NOT_SUPPORTED.search(said):
        return UnsupportedInput(
            f"The model {model!r} takes no {found[1]}: it reads text only. Leave the {found[1]} "
            "out, or ask a model that can."
        )
    return None


def _name(tool: Mapping[str, Any]) -> object:
    return tool.get("function", {}).get("name")
