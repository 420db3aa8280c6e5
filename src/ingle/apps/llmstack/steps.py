"""A processor in LLMStack's file -> a step, or a tool of an agent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingle.apps.document import Path
from ingle.apps.llmstack.draft import Draft, is_empty
from ingle.apps.llmstack.fields import Fields
from ingle.apps.llmstack.processors import CHAT, RULES, Rule
from ingle.apps.llmstack.references import Names, rewritten
from ingle.processors.catalogue import PROCESSORS

__all__ = ["put_step", "put_tool", "slug_at", "translated"]

_ORDER = (
    "use",
    "title",
    "description",
    "model",
    "system",
    "prompt",
    "history",
    "when",
    "input",
    "config",
)
_NO_CHANGE: Mapping[str, Any] = {"n": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""What hosted services do anyway."""
_SIZES = (256, 512, 1024)
_LONE_FIELD = re.compile(r"\{\{ input\.(\w+) \}\}")

_LONG_FORM: Mapping[Path, Path] = {
    ("model",): ("config", "model"),
    ("system",): ("input", "system_message"),
    ("prompt",): ("input", "prompt"),
}
"""Tools have no short-hands."""

Parts = dict[Path, tuple[Any, Path]]
"""Values by where in a step they go, and where in the original they came from."""


def slug_at(draft: Draft, index: int) -> str:
    """The slug of the processor at this index."""
    source = ("processors", index)
    return f"{draft.text(*source, 'provider_slug')}/{draft.text(*source, 'processor_slug')}"


def translated(value: Any, names: Names) -> Any:
    """The value with its templates in our names."""
    if isinstance(value, dict):
        return {key: translated(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [translated(inner, names) for inner in value]
    return rewritten(value, names) if isinstance(value, str) else value


def put_step(
    draft: Draft, index: int, name: str, names: Names, fields: Fields, *, is_chat: bool
) -> None:
    """Write a processor as a step."""
    source = ("processors", index)
    slug = slug_at(draft, index)
    rule = RULES.get(slug)
    if rule is None:
        draft.put(("steps", name, "use"), slug, (*source, "processor_slug"))
        return
    parts = _parts(draft, source, rule, names)
    parts[("use",)] = (rule.use, (*source, "processor_slug"))
    if title := draft.text(*source, "name"):
        parts[("title",)] = (title, (*source, "name"))
    if rule.use == CHAT:
        _one_prompt(parts)
        if is_chat:
            _history(draft, source, slug, parts)
        if ("prompt",) in parts:
            del parts[("use",)]
    _only_with_its_file(parts, fields)
    _put(draft, ("steps", name), parts)


def put_tool(draft: Draft, index: int, name: str, names: Names, path: Path) -> None:
    """Write a processor of an agent as a tool of its step."""
    source = ("processors", index)
    slug = slug_at(draft, index)
    rule = RULES.get(slug)
    parts: Parts = {}
    if rule is not None:
        asked = {str(field.get("name")) for _, field in draft.objects(*source, "input_fields")}
        for part, (value, origin) in _parts(draft, source, rule, names).items():
            variables = set(re.findall(r"\{\{\s*(\w+)", str(value))) & asked
            if not variables and part == ("prompt",) and rule.use == CHAT:
                parts["input", "messages"] = ([{"role": "user", "content": value}], origin)
            elif not variables:
                parts[_LONG_FORM.get(part, part)] = (value, origin)
            elif not re.fullmatch(r"\s*\{\{\s*\w+\s*\}\}\s*", str(value)):
                draft.problem(
                    origin,
                    f"A tool is called with the fields of `{rule.use}`, and this makes one of "
                    f"`{', '.join(sorted(variables))}`. Make an app of it, with a step that does "
                    "so, and use `app/<slug>` as the tool.",
                )
    parts[("use",)] = (rule.use if rule else slug, (*source, "processor_slug"))
    if description := draft.text(*source, "description"):
        parts[("description",)] = (description, (*source, "description"))
    _put(draft, (*path, name), parts)


def _put(draft: Draft, path: Path, parts: Parts) -> None:
    for part in sorted(parts, key=lambda part: _ORDER.index(str(part[0]))):
        value, source = parts[part]
        draft.put((*path, *part), value, source)


def _parts(draft: Draft, source: Path, rule: Rule, names: Names) -> Parts:
    """The processor's input and configuration, each value where it goes in a step."""
    parts: Parts = {}
    for group, places in (("input", rule.input), ("config", rule.config)):
        given = draft.get(*source, group)
        if given is not None and not isinstance(given, dict):
            draft.problem((*source, group), f"`{group}` must be an object.")
            continue
        for field, value in (given or {}).items():
            origin = (*source, group, field)
            target = _target(draft, origin, rule, places, value)
            if target is not None and not _is_default(rule, target, value):
                parts[target] = (translated(_fitting(draft, target, value, origin), names), origin)
    if rule.note:
        draft.note(source, rule.note)
    if said := [text for name in rule.system_of if (text := draft.text(*source, "config", name))]:
        origin = (*source, "config", rule.system_of[-1])
        parts[("system",)] = (translated("\n".join(said), names), origin)
    if rule.size_of:
        origin = (*source, "config", rule.size_of)
        parts[("config", "size")] = (_size(draft.get(*origin)), origin)
    return parts


def _target(
    draft: Draft, source: Path, rule: Rule, places: Mapping[str, Path], value: Any
) -> Path | None:
    """Where in a step a value goes; None if it is left out, of which is told what matters."""
    field = str(source[-1])
    if field in ("model", "provider_config") and rule.is_hosted:
        _model(draft, source, value)
        return None
    if is_empty(value) or field in rule.silent:
        return None
    if field in _CANNOT_BE:
        draft.problem(source, _CANNOT_BE[field])
        return None
    if field in rule.told:
        if _matters(field, value):
            draft.note(source, rule.told[field])
        return None
    if field in places:
        return places[field]
    if field in rule.keeps:
        return ("model",) if field == "model" else ("config", field)
    draft.note(source, f"`{field}` has no meaning here and is left out.")
    return None


_CANNOT_BE: Mapping[str, str] = {
    "connection_id": "Connections of LLMStack are not here. For a server that asks for a key, ask "
    "for the key in the app's input and write it in `input.headers`.",
    "datasource": "There are no datasources here. Ask for a `file`, read it with "
    "`ingle/text_from_file`, and put its text into the prompt.",
}


def _model(draft: Draft, source: Path, value: Any) -> None:
    model = value.get("model") if isinstance(value, dict) else value
    if isinstance(model, str) and model:
        draft.note(
            source,
            f"`{model}` is not on this machine: its default model is asked. Another one is chosen "
            "by `model:` in the step.",
        )


def _matters(field: str, value: Any) -> bool:
    """Whether a value that is lost would have changed something."""
    if field == "n":
        return bool(value != 1)
    if field == "instructions" and isinstance(value, list):
        return any(isinstance(one, dict) and one.get("type") != "Wait" for one in value)
    return True


def _is_default(rule: Rule, target: Path, value: Any) -> bool:
    """Whether it need not be said, as it is so anyway."""
    if target[0] != "config":
        return False
    name = str(target[-1])
    if rule.is_hosted and name in _NO_CHANGE and value == _NO_CHANGE[name]:
        return True
    field = PROCESSORS[rule.use].configuration.model_fields.get(name)
    return name == "stream" or (field is not None and field.default == value)


def _fitting(draft: Draft, target: Path, value: Any, source: Path) -> Any:
    """The value in the form that it has here."""
    if target == ("input", "messages") and isinstance(value, list):
        return [_message(one) for one in value]
    if target in (("input", "headers"), ("input", "query")) and isinstance(value, list):
        return {one.get("key"): one.get("value") for one in value if isinstance(one, dict)}
    if target == ("config", "size") and value not in map(_size, _SIZES):
        draft.note(source, f"Pictures are square: {_size(None)} instead of {value}.")
        return _size(None)
    return value


def _message(message: Any) -> Any:
    """A message without the fields that were left empty."""
    if not isinstance(message, dict):
        return message
    said = {key: value for key, value in message.items() if not is_empty(value)}
    call = said.get("function_call")
    if isinstance(call, dict) and not call.get("name"):
        del said["function_call"]
    if "message" in said and "content" not in said:
        said["content"] = said.pop("message")
    return {"role": "user", **said} if "type" not in said else said


def _only_with_its_file(parts: Parts, fields: Fields) -> None:
    """A step that works on a file which may be missing is skipped where it is."""
    for part in (("input", "file"), ("input", "image")):
        value, source = parts.get(part, (None, ()))
        lone = _LONE_FIELD.fullmatch(str(value))
        if lone and lone.group(1) in fields.optional_files:
            parts[("when",)] = (f"input.{lone.group(1)}", source)


def _size(wanted: Any) -> str:
    """The size that there is, nearest to the one wanted."""
    pixels = wanted if isinstance(wanted, int) else _SIZES[-1]
    nearest = min(_SIZES, key=lambda size: abs(size - pixels))
    return f"{nearest}x{nearest}"


def _one_prompt(parts: Parts) -> None:
    """A chat with one message of the user says it as `prompt`."""
    messages, source = parts.get(("input", "messages"), ([], ()))
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], dict):
        message = messages[0]
        if set(message) == {"role", "content"} and message["role"] == "user":
            del parts[("input", "messages")]
            parts[("prompt",)] = (message["content"], (*source, 0, "content"))


def _history(draft: Draft, source: Path, slug: str, parts: Parts) -> None:
    """In a chat, whether the step is told what was said before."""
    given = draft.get(*source, "config", "retain_history")
    remembers = slug == "promptly/text_chat" or bool(given)
    if ("prompt",) in parts:
        if not remembers:
            parts[("history",)] = (False, (*source, "config", "retain_history"))
    elif remembers and ("input", "chat_history") not in parts:
        parts[("input", "chat_history")] = ("{{ history }}", (*source, "config", "retain_history"))
