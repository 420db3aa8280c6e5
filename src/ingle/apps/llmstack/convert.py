"""A file of LLMStack -> the same app in our form, and what became of it.

Takes what LLMStack's editor exports, and its template files, whose app stands under `app` beside
the `pages` of a form that fills parts of it in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingle.apps.definition import RESERVED_NAMES
from ingle.apps.document import Document, Path
from ingle.apps.llmstack.draft import Draft, is_empty
from ingle.apps.llmstack.fields import Fields
from ingle.apps.llmstack.processors import RULES
from ingle.apps.llmstack.references import Names, StepName, rewritten
from ingle.apps.llmstack.steps import put_step, put_tool, slug_at, translated
from ingle.apps.problems import Note, Problem
from ingle.processors.catalogue import PROCESSORS

__all__ = ["Converted", "from_llmstack", "is_llmstack"]

AGENT = "agent"
"""The step of an agent; templates of LLMStack call its answer `agent.content`."""

_TYPES: Mapping[str, str] = {"web": "form", "text-chat": "chat", "agent": "agent", "": "form"}
_NOT_SHOWN = ("input_template",)
_ELSEWHERE = ("twilio_config", "slack_config", "discord_config", "web_config")
_SEGMENT = re.compile(r"(\w+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Converted:
    """An app in our form. The places of `document` are those in LLMStack's file.

    `notes` say what became something else or was left out, `problems` what cannot be here.
    """

    document: Document
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]


def is_llmstack(values: Mapping[str, Any]) -> bool:
    """Whether the top of a document is LLMStack's form."""
    app = values.get("app")
    inner = app if isinstance(app, dict) else values
    return "steps" not in values and ("processors" in inner or "type_slug" in inner)


def from_llmstack(original: Document) -> Converted:
    """The app of a document for which `is_llmstack` is true."""
    top: Path = ("app",) if isinstance(original.values.get("app"), dict) else ()
    draft = Draft(_filled_in(original) if top else original, top)
    kind = _head(draft, original.values)
    fields = Fields(draft)
    processors = draft.objects("processors")
    names, own_names = _names(draft, fields, processors, kind)
    if kind == "agent":
        _agent(draft, names, fields, own_names)
    else:
        for index, name in own_names.items():
            put_step(draft, index, name, names, fields, is_chat=kind == "chat")
    _output(draft, names)
    _chat(draft)
    for field in _fields_of_pages(original.values):
        _tell_choice(draft, field)
    if tests := (draft.get("tests") or original.values.get("tests")):
        draft.put(("tests",), tests, ("tests",))
    return Converted(draft.document(), tuple(sorted(set(draft.notes))), tuple(draft.problems))


def _head(draft: Draft, outer: Mapping[str, Any]) -> str:
    """Write name, slug, type and description; the kind of app that LLMStack says it is."""
    name = draft.text("name") or outer.get("name") or "App"
    draft.put(("name",), name, ("name",))
    slug = draft.text("slug") or outer.get("slug")
    if isinstance(slug, str) and re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", slug):
        draft.put(("slug",), slug, ("slug",))
    written = draft.text("type_slug")
    kind = _TYPES.get(written)
    if kind is None:
        draft.problem(
            ("type_slug",),
            f"Apps of the type `{written}` are not possible here. Write `web`, `text-chat` or "
            "`agent`.",
        )
        kind = "form"
    is_chat = kind == "agent" and not draft.get("processors")
    if is_chat:
        draft.note(("type_slug",), "An agent without tools is a chat.")
    if kind != "form":
        draft.put(("type",), "chat" if is_chat else kind, ("type_slug",))
    if description := draft.text("description").strip():
        draft.put(("description",), description, ("description",))
    return kind


def _names(
    draft: Draft, fields: Fields, processors: list[tuple[int, dict[str, Any]]], kind: str
) -> tuple[Names, dict[int, str]]:
    """What templates may use, and the name here of each processor by its index."""
    ids: dict[str, StepName] = {}
    in_order: list[StepName | None] = []
    own_names: dict[int, str] = {}
    for index, processor in processors:
        given = processor.get("id")
        written = given if isinstance(given, str) and given else f"_inputs{index + 1}"
        if written in ids:
            draft.problem(("processors", index), f"The id `{written}` is here twice.")
        name = _name(written)
        while name in own_names.values():
            name += "_"
        own_names[index] = name
        ids[written] = _step_name(slug_at(draft, index), name)
        in_order += [None] * (index - len(in_order)) + [ids[written]]
    if kind == "agent":
        ids[AGENT] = StepName(AGENT, {}, ("content",))
    names = Names(
        fields=fields.names,
        steps=ids,
        in_order=tuple(in_order),
        texts_of_parts=frozenset(fields.texts_of_parts),
        add_field=fields.add,
    )
    return names, own_names


def _step_name(slug: str, name: str) -> StepName:
    rule = RULES.get(slug)
    if rule is None:
        return StepName(name, {}, ())
    pictures: Path | None = ("data",) if rule.gives_addresses else None
    return StepName(name, rule.outputs, PROCESSORS[rule.use].result, pictures)


def _name(written: str) -> str:
    name = re.sub(r"\W", "_", written, flags=re.ASCII)[:60]
    return f"step_{name}" if name[:1].isdigit() or name in RESERVED_NAMES else name


def _agent(draft: Draft, names: Names, fields: Fields, own_names: Mapping[int, str]) -> None:
    """Write an agent: one step that has the processors as tools."""
    path: Path = ("steps", AGENT)
    if system := draft.text("config", "system_message"):
        draft.put((*path, "system"), rewritten(system, names), ("config", "system_message"))
    message = draft.text("config", "user_message")
    if not message:
        message = "{{ input." + (fields.first_text or "message") + " }}"
    draft.put((*path, "prompt"), rewritten(message, names), ("config", "user_message"))
    if isinstance(model := draft.get("config", "model"), str) and model:
        draft.note(
            ("config", "model"),
            f"`{model}` is not on this machine: its default model is asked. Another one is chosen "
            "by `model:` in the step. An agent needs one that can call tools.",
        )
    for index, name in own_names.items():
        put_tool(draft, index, name, names, (*path, "tools"))
    steps = draft.get("config", "max_steps")
    if isinstance(steps, int) and steps != 10:
        draft.put((*path, "max_steps"), steps, ("config", "max_steps"))
    for setting, usual in (("temperature", 0.7), ("seed", None)):
        value = draft.get("config", setting)
        if value is not None and value != usual:
            draft.put((*path, "config", setting), value, ("config", setting))


def _output(draft: Draft, names: Names) -> None:
    written = draft.get("output_template")
    source: Path = ("output_template",)
    if isinstance(written, dict):
        written, source = written.get("markdown"), (*source, "markdown")
    if not is_empty(written):
        output = translated(written, names)
        draft.put(("output",), output.strip() if isinstance(output, str) else output, source)


def _chat(draft: Draft) -> None:
    """Write how a chat looks; say what of an app's looks is not shown."""
    for name in ("welcome_message", "assistant_image"):
        if said := draft.text("config", name):
            draft.put(("chat", name), said, ("config", name))
    suggested = draft.get("config", "suggested_messages")
    if isinstance(suggested, list) and suggested:
        source = ("config", "suggested_messages")
        draft.put(("chat", "suggested_messages"), [_suggested(one) for one in suggested], source)
    for name in _NOT_SHOWN:
        if re.sub(r"<[^<>]*>", "", draft.text("config", name)).strip():
            draft.note(("config", name), f"`{name}` is not shown.")
    for name in _ELSEWHERE:
        if not is_empty(draft.get(name)):
            draft.note((name,), f"`{name}` has no meaning here and is left out.")


def _suggested(message: Any) -> str:
    """A suggested message's text: what it fills in, else what it says on its button."""
    if not isinstance(message, dict):
        return str(message)
    filled_in = message.get("input")
    for value in filled_in.values() if isinstance(filled_in, dict) else []:
        text = value.get("text") if isinstance(value, dict) else value
        if isinstance(text, str) and text:
            return text
    return str(message.get("label", ""))


def _filled_in(original: Document) -> Document:
    """A template with what its pages fill in by default, where the app says nothing."""
    values = _copied(original.values)
    for field in _fields_of_pages(values):
        if not is_empty(field.get("default")):
            _fill(values["app"], _path(str(field.get("path", ""))), field["default"])
    return Document(original.name, values, original.places)


def _fill(app: dict[str, Any], path: Path, value: Any) -> None:
    at: Any = app
    for key in path[:-1]:
        if isinstance(at, dict):
            at = at.setdefault(str(key), {})
        elif isinstance(at, list) and isinstance(key, int) and key < len(at):
            at = at[key]
        else:
            return
    if path and isinstance(at, dict) and is_empty(at.get(str(path[-1]))):
        at[str(path[-1])] = value


def _tell_choice(draft: Draft, field: dict[str, Any]) -> None:
    """Say where in the file that stands which a template's page lets people choose."""
    path = _path(str(field.get("path", "")))
    if draft.has_used(path):
        name = field.get("title") or field.get("name")
        draft.note(path, f"The template lets you choose `{name}`: it is written here.")


def _fields_of_pages(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    pages = values.get("pages")
    for page in pages if isinstance(pages, list) else []:
        fields = page.get("input_fields") if isinstance(page, dict) else None
        for field in fields if isinstance(fields, list) else []:
            if isinstance(field, dict):
                yield field


def _path(written: str) -> Path:
    """A path such as `processors[0].input.system_message`."""
    return tuple(int(index) if index else name for name, index in _SEGMENT.findall(written))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
