"""What a model may call, as functions of OpenAI's API: processors and other apps.

What the app sets in a tool's input is not shown to the model, nor may it set it. A call takes
arguments that a model wrote, and gives a JSON value; all that can go wrong in it is an error with
a text that the model can act on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ingle.apps.app import App, Tool
from ingle.apps.fields import fields_schema
from ingle.errors import AppNotFound, InvalidRequest
from ingle.processors.base import Output
from ingle.processors.catalogue import get_processor, run_processor
from ingle.processors.legacy_functions import NO_PARAMETERS
from ingle.processors.pieces import Piece

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["Function", "RunApp", "app_function", "processor_function", "read_arguments", "told"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

RunApp = Callable[[str, App | None, Json, str], AsyncGenerator[Piece | Json, None]]
"""The app of a slug as a part of a run, on this input and under this key; its output is at
`output`."""

_SHOWN_ARGUMENTS = 200
_CUT = re.compile(r"\n\[([\d,]+) more characters were cut off here\.\]\Z")
_ENCODED = re.compile(r"(?:data:([\w.+/-]+)[;,].*|[A-Za-z0-9+/=_-]{2000,})", re.DOTALL)
"""A file, as a data URI or as base64: nothing that a model could read."""


@dataclass(frozen=True, slots=True)
class Function:
    """Something that a model may call. `parameters` is the JSON Schema of its arguments.

    `call` takes the arguments and a key that is the same each time this very call is made. It
    raises `IngleError` where the call fails; after `timeout_s` it is cancelled.
    """

    name: str
    description: str
    parameters: Json
    call: Callable[[Json, str], Awaitable[Any]]
    timeout_s: float

    def schema(self) -> Json:
        """It, as one of the `tools` of a chat."""
        function = {"name": self.name, "parameters": self.parameters}
        if self.description:
            function["description"] = self.description
        return {"type": "function", "function": function}


def processor_function(tool: Tool, slug: str, router: Router) -> Function:
    """A processor. The result is what people want of its output, such as the text."""
    processor = get_processor(slug)

    async def call(arguments: Json, key: str) -> Any:
        config = tool.config
        if "idempotency_key" in processor.configuration.model_fields:
            config = {"idempotency_key": key, **config}
        values = _with_set(arguments, tool)
        output: Json = {}
        async with aclosing(run_processor(slug, values, config, router)) as items:
            async for item in items:
                if isinstance(item, Output):
                    output = item.model_dump(mode="json")
        result: Any = output
        for step in processor.result:
            try:
                result = result[step]
            except (KeyError, IndexError, TypeError):
                return output
        return result

    return Function(
        tool.name,
        tool.description or processor.description,
        _without_set(processor.input.model_json_schema(), tool),
        call,
        tool.timeout_s,
    )


def app_function(tool: Tool, slug: str, app: App | None, run_app: RunApp) -> Function:
    """Another app; the result is its output.

    Raises:
        AppNotFound: there is no such app.
    """
    if app is None:
        raise AppNotFound(f"There is no app {slug!r}. `ingle apps list` shows all.")

    async def call(arguments: Json, key: str) -> Any:
        output: Json = {}
        async with aclosing(run_app(slug, app, _with_set(arguments, tool), key)) as items:
            async for item in items:
                if not isinstance(item, Piece):
                    output = item
        return output.get("output")

    parameters = _without_set(fields_schema(app.fields), tool)
    description = tool.description or app.description or app.name
    return Function(tool.name, description, parameters, call, tool.timeout_s)


def read_arguments(written: str) -> Json:
    """The arguments that a model wrote; nothing at all counts as none.

    Raises:
        InvalidRequest: it is not the JSON of an object; fit for the model to read.
    """
    if not written.strip():
        return {}
    try:
        arguments = msgspec.json.decode(written)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(
            f"The arguments are not valid JSON ({error}): {_shortened(written)!r}. Call it again "
            'with a JSON object such as {"name": "value"}.'
        ) from error
    if not isinstance(arguments, dict):
        raise InvalidRequest(
            f"The arguments are no JSON object: {_shortened(written)!r}. Call it again with one, "
            'such as {"name": "value"}.'
        )
    return arguments


def told(result: Any, most: int) -> tuple[str, bool]:
    """A result as a text for the model of at most so many characters, and a note of what was cut;
    and whether files were left out of it."""
    shown, has_files = _without_files(result)
    text = shown if isinstance(shown, str) else msgspec.json.encode(shown).decode()
    if not text.strip() or text == "null":
        return "It gave nothing back.", has_files
    return cut(text, most), has_files


def cut(text: str, most: int) -> str:
    """The text, or its beginning and how much was left out, what was before included."""
    if len(text) <= most:
        return text
    before = _CUT.search(text)
    gone = int(before[1].replace(",", "")) if before else 0
    whole = text[: before.start()] if before else text
    return f"{whole[:most]}\n[{len(whole[most:]) + gone:,} more characters were cut off here.]"


def _without_files(value: Any) -> tuple[Any, bool]:
    """A value with a note in the place of each file, and whether there were any."""
    if isinstance(value, str):
        found = _ENCODED.fullmatch(value) if len(value) >= 1000 else None
        if found is None:
            return value, False
        return f"[{found[1] or 'a file'}, {len(value) * 3 // 4:,} bytes: shown to the user]", True
    if isinstance(value, dict):
        parts = {key: _without_files(inner) for key, inner in value.items()}
        return {k: part for k, (part, _) in parts.items()}, any(is_ for _, is_ in parts.values())
    if isinstance(value, list):
        items = [_without_files(inner) for inner in value]
        return [item for item, _ in items], any(is_ for _, is_ in items)
    return value, False


def _with_set(arguments: Mapping[str, Any], tool: Tool) -> Json:
    """The arguments and what the app sets.

    Raises:
        InvalidRequest: the model sets that, too.
    """
    if taken := sorted(arguments.keys() & tool.input.keys()):
        raise InvalidRequest(f"{', '.join(taken)}: this is set already. Call it again without.")
    return {**arguments, **tool.input}


def _without_set(schema: Json, tool: Tool) -> Json:
    """The schema without the fields that the app sets, and without names for forms."""
    properties = {
        name: _plain(field)
        for name, field in schema.get("properties", {}).items()
        if name not in tool.input
    }
    required = [name for name in schema.get("required", []) if name not in tool.input]
    plain: Json = {**NO_PARAMETERS, "properties": properties}
    if required:
        plain["required"] = required
    used = msgspec.json.encode(properties)
    if (definitions := schema.get("$defs")) and b'"$ref"' in used:
        plain["$defs"] = {name: _plain(inner) for name, inner in definitions.items()}
    return plain


def _plain(node: Any) -> Any:
    """A schema without titles, which say in other words what the names say."""
    if isinstance(node, list):
        return [_plain(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key not in ("title", "properties")}
    plain = {key: _plain(value) for key, value in kept.items()}
    if "properties" in node:
        plain["properties"] = {name: _plain(inner) for name, inner in node["properties"].items()}
    return plain


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_ARGUMENTS else text[:_SHOWN_ARGUMENTS] + "…"
