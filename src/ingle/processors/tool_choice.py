"""A `tool_choice` that names a function, for engines that understand only a word.

llama.cpp knows `none`, `auto` and `required`, and takes an object for `auto` without a word
(`json_value(body, "tool_choice", "auto")` in its server). One tool and `required` say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["with_named_tool_required"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type


def with_named_tool_required(request: Mapping[str, Any]) -> Json:
    """The same chat request, with only the tool that `tool_choice` names, which is required.

    A request whose choice is a word, or names no tool that is there, comes back unchanged.
    """
    choice = request.get("tool_choice")
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    tools = [tool for tool in request.get("tools") or [] if _name(tool) == name]
    if name is None or not tools:
        return dict(request)
    return {**request, "tools": tools, "tool_choice": "required"}


def _name(tool: Mapping[str, Any]) -> object:
    return tool.get("function", {}).get("name")
