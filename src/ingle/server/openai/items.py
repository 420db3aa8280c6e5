"""The items of a response's input, as they are kept: each with a type and an id."""

from __future__ import annotations

from typing import Any

from ingle.ids import new_id

__all__ = ["items_of"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
}


def items_of(given: str | list[Json]) -> list[Json]:
    """What was given as `input`, the short forms written out, each with an id."""
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_item(item) for item in given]


def _item(item: Json) -> Json:
    kind = str(item.get("type") or "message")
    told = {**item, "type": kind}
    if not isinstance(item.get("id"), str):
        told["id"] = new_id(_PREFIXES.get(kind, "item"))
    if kind == "message":
        content = item.get("content")
        if isinstance(content, str):
            is_answer = item.get("role") == "assistant"
            part: Json = {"type": "output_text" if is_answer else "input_text", "text": content}
            told["content"] = [{**part, "annotations": []} if is_answer else part]
        told.setdefault("status", "completed")
    return told
