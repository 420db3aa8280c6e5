"""What an app of LLMStack asks for, as our fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingle.apps.llmstack.draft import Draft, is_empty

__all__ = ["Fields"]

_TYPES: Mapping[str, str] = {
    "string": "string",
    "text": "text",
    "textarea": "text",
    "richtext": "text",
    "multi": "text",
    "number": "number",
    "float": "number",
    "int": "integer",
    "integer": "integer",
    "bool": "boolean",
    "boolean": "boolean",
    "select": "select",
    "file": "file",
    "image": "image",
    "voice": "audio",
    "color": "string",
    "dict": "json",
    "list": "json",
}
_FILES = frozenset({"file", "image", "audio"})
_TEXTS = frozenset({"string", "text"})
_KEPT = ("title", "description")


class Fields:
    """The fields, written into a draft one after the other.

    `names` are ours by LLMStack's. `optional_files` are those of ours that may be missing.
    """

    def __init__(self, draft: Draft) -> None:
        self.names: dict[str, str] = {}
        self.texts_of_parts: set[str] = set()
        self.optional_files: set[str] = set()
        self.first_text: str | None = None
        self._draft = draft
        fields = draft.objects("input_fields")
        self._is_only_one = len(fields) == 1
        for index, field in fields:
            self._write(index, field)

    def add(self, name: str) -> str:
        """Ask for something more, which templates use and the app forgot; our name for it."""
        ours = self._name(name)
        self._draft.put(("input", ours), {"type": "string", "default": ""}, ("input_fields",))
        self._draft.note(
            ("input_fields",),
            f"A template uses `{name}`, and no input field gives it. It is one now, which may stay "
            "empty.",
        )
        return ours

    def _write(self, index: int, field: dict[str, Any]) -> None:
        source = ("input_fields", index)
        written = field.get("name")
        if not isinstance(written, str) or not written:
            self._draft.problem(source, "An input field needs a `name`.")
            return
        name = self._name(written)
        if name != written:
            self._draft.note((*source, "name"), f"`{written}` is called `{name}` here.")
        kind = self._type(field, written, source)
        value: dict[str, Any] = {"type": kind}
        value |= {key: field[key] for key in _KEPT if not is_empty(field.get(key))}
        if kind == "select":
            value["options"] = _options(field.get("options"))
        if not is_empty(field.get("default")):
            value["default"] = field["default"]
        elif not field.get("required") and not self._is_only_one:  # there would be nothing to do
            value |= {"default": ""} if kind in _TEXTS else {"required": False}
            if kind in _FILES:
                self.optional_files.add(name)
        if kind in _TEXTS and self.first_text is None:
            self.first_text = name
        if kind == "file" and isinstance(accept := field.get("filesAccept"), str):
            value["accept"] = accept
        self._draft.put(("input", name), value if len(value) > 1 else kind, source)

    def _type(self, field: dict[str, Any], name: str, source: tuple[str, int]) -> str:
        written = str(field.get("type") or "string")
        if written == "multi":
            self.texts_of_parts.add(name)
            if field.get("allowFiles"):
                self._draft.note(
                    source,
                    f"`{name}` takes text alone. For files, add a field of the type `file` or "
                    "`image`, and use it in a step.",
                )
        if written in _TYPES:
            return _TYPES[written]
        what = {
            "datasource": "There are no datasources here: ask for a `file`, and read it with "
            "`ingle/text_from_file`.",
            "connection": "Connections are set up once, with `ingle connections add`, and not "
            "asked for by apps.",
        }
        self._draft.note(
            source,
            f"`{name}` is a text now. {what.get(written, f'`{written}` is not known here.')}",
        )
        return "string"

    def _name(self, written: str) -> str:
        name = re.sub(r"\W", "_", written, flags=re.ASCII)
        name = f"_{name}" if name[0].isdigit() else name
        while name in self.names.values():
            name += "_"
        self.names[written] = name
        return name


def _options(written: Any) -> list[Any]:
    """Options, written as a list or as `label:value, label:value`."""
    if isinstance(written, str):
        pairs = [part.strip().partition(":") for part in written.split(",") if part.strip()]
        return [_option(label.strip(), value.strip() or label.strip()) for label, _, value in pairs]
    options: list[Any] = []
    for option in written if isinstance(written, list) else []:
        if isinstance(option, dict):
            value = _said(option.get("value", option.get("label", "")))
            options.append(_option(_said(option.get("label", value)), value))
        else:
            options.append(_said(option))
    return options


def _option(label: str, value: str) -> str | dict[str, str]:
    return value if label == value else {"label": label, "value": value}


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
