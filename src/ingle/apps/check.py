"""From a definition to an app that can run, or to all that is wrong with it at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingle.apps.app import App, Step, Tool
from ingle.apps.definition import (
    RESERVED_NAMES,
    AppDefinition,
    FieldDefinition,
    StepDefinition,
    ToolDefinition,
)
from ingle.apps.document import Document, Path, read_document
from ingle.apps.fields import fields_schema, value_faults
from ingle.apps.graph import in_order
from ingle.apps.llmstack import from_llmstack, instead_of, is_llmstack
from ingle.apps.problems import InvalidApp, Problem, meant
from ingle.apps.secrets import secret_faults
from ingle.apps.shapes import Shape, fault_of_path
from ingle.apps.template import Template, TemplateSyntaxError, Use, is_template, parse
from ingle.apps.tests_file import faults_of_test
from ingle.processors.catalogue import PROCESSORS, AnyProcessor
from ingle.processors.validation import faults

__all__ = ["check", "load"]

CHAT = "localai/chatgpt"
"""What a step with a prompt is, if it does not say."""

_CHATS = frozenset({CHAT, "localai/chatgpt_vision"})
_MESSAGE = FieldDefinition(type="text", title="Message")
_OF_AGENT = {
    "type": "object",
    "properties": {
        "content": {"type": "string"},
        "reasoning_content": {"type": "string"},
        "calls": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "arguments": {"type": "string"},
                    "result": {"type": "string"},
                    "error": {"type": "string"},
                    "data": {},
                    "started_at": {"type": "number"},
                    "ended_at": {"type": "number"},
                },
            },
        },
        "is_exhausted": {"type": "boolean"},
        "cut_history": {},
        "messages": {"type": "array", "items": {}},
        "choices": {
            "type": "array",
            "items": {"type": "object", "properties": {"content": {}, "role": {}}},
        },
    },
}
_OF_APP = {"type": "object", "properties": {"output": {}}}
_HISTORY = {"type": "array", "items": {"type": "object", "properties": {"role": {}, "content": {}}}}
_WRONG_KIND = frozenset(
    {"list_type", "dict_type", "model_type", "model_attributes_type", "tuple_type"}
)

FindApp = Callable[[str], App | None]
"""The published app of a slug."""


def load(text: str, name: str, find_app: FindApp = lambda slug: None) -> App:
    """The app that a YAML text defines. `name` is its file's, for people.

    Raises:
        InvalidApp: all that is wrong with it, each with file, line and column.
    """
    return check(read_document(text, name), find_app)


def check(document: Document, find_app: FindApp = lambda slug: None) -> App:
    """The app that a document defines, in our form or in LLMStack's.

    Raises:
        InvalidApp: all that is wrong with it.
    """
    problems: list[Problem] = []
    if is_llmstack(document.values):
        converted = from_llmstack(document)
        document = converted.document
        problems += converted.problems
    values = document.values
    problems += [document.problem(*fault) for fault in secret_faults(values)]
    while wrong := faults(AppDefinition, values, ""):
        problems += [document.problem(fault.path, fault.message) for fault in wrong]
        # Look at the rest without what is wrong, so that all is said at once.
        shorter = _without(values, {fault.path for fault in wrong})
        if shorter == values:
            raise InvalidApp(problems)
        values = shorter
    return _Checker(document, AppDefinition.model_validate(values), find_app, problems).app()


def _without(values: Any, paths: set[Path], at: Path = ()) -> Any:
    if isinstance(values, dict):
        return {
            key: _without(value, paths, (*at, key))
            for key, value in values.items()
            if (*at, key) not in paths
        }
    if isinstance(values, list):
        return [_without(value, paths, (*at, i)) for i, value in enumerate(values)]
    return values


@dataclass(frozen=True, slots=True)
class _Target:
    """What a step runs, as far as checking goes."""

    use: str
    processor: AnyProcessor | None
    app: App | None
    output: Shape
    result: Path


class _Checker:
    def __init__(
        self,
        document: Document,
        definition: AppDefinition,
        find_app: FindApp,
        problems: list[Problem],
    ) -> None:
        self._document = document
        self._definition = definition
        self._find_app = find_app
        self._problems = problems
        self._is_chat = definition.type != "form"
        fields = definition.fields()
        if self._is_chat and not fields:
            fields = {"message": _MESSAGE}
        self._fields = fields
        self._targets: dict[str, _Target | None] = {}
        self._shapes: dict[str, Shape] = {}

    def app(self) -> App:
        """The app.

        Raises:
            InvalidApp: all that is wrong.
        """
        definition = self._definition
        self._check_fields()
        for name, step in definition.steps.items():
            self._check_name(name)
            self._targets[name] = self._target(step, ("steps", name))
        self._shapes = {"input": Shape(fields_schema(self._fields))} | {
            name: _many(target.output) if step.for_each is not None else target.output
            for (name, step), target in zip(
                definition.steps.items(), self._targets.values(), strict=True
            )
            if target is not None and name not in RESERVED_NAMES
        }
        if self._is_chat:
            self._shapes["history"] = Shape(_HISTORY)
        steps = [self._step(name, step) for name, step in definition.steps.items()]
        output = self._output()
        if definition.type == "agent" and not any(step.tools for step in definition.steps.values()):
            self._problem(("type",), "An agent has a step with `tools`, and there is none here.")
        ordered, cycle = in_order({step.name: step.needs for step in steps})
        if cycle:
            self._problem(
                ("steps", cycle[0]),
                f"These steps wait for each other: {' -> '.join((*cycle, cycle[0]))}.",
            )
        for number, test in enumerate(definition.tests):
            for path, message in faults_of_test(test, self._fields, definition.steps):
                self._problem(("tests", number, *path), message)
        if self._problems:
            raise InvalidApp(self._problems)
        by_name = {step.name: step for step in steps}
        return App(
            name=definition.name,
            slug=definition.slug or slug_of(definition.name),
            type=definition.type,
            description=definition.description,
            fields=self._fields,
            steps=tuple(by_name[name] for name in ordered),
            output=output,
            chat=definition.chat,
            tests=tuple(definition.tests),
        )

    def _problem(self, path: Path, message: str) -> None:
        self._problems.append(self._document.problem(path, message))

    def _check_fields(self) -> None:
        for name, field in self._fields.items():
            path = ("input", name)
            if field.type in ("select", "choices") and not field.options:
                self._problem(path, f"`{name}` is a {field.type} and needs `options`.")
            if field.default is not None:
                for _, message in value_faults({name: field}, {name: field.default}):
                    self._problem((*path, "default"), message)

    def _check_name(self, name: str) -> None:
        if name in RESERVED_NAMES:
            self._problem(
                ("steps", name), f"`{name}` means something else in templates; rename the step."
            )

    def _target(self, step: StepDefinition, path: Path) -> _Target | None:
        use = step.use or (CHAT if step.prompt is not None else None)
        if use is None:
            self._problem(path, "A step needs `use`, what runs, or `prompt`, for a chat.")
            return None
        if use.startswith("app/"):
            app = self._find_app(use.removeprefix("app/"))
            if app is None:
                self._problem(
                    (*path, "use"), f"There is no app {use!r}. `ingle apps list` shows all."
                )
                return None
            return _Target(use, None, app, Shape(_OF_APP), ("output",))
        processor = PROCESSORS.get(use)
        if processor is None:
            hint = instead_of(use) or meant(use, PROCESSORS).strip()
            self._problem(
                (*path, "use"),
                f"There is no processor {use!r}. {hint or '`ingle processors` shows all.'}",
            )
            return None
        if step.tools:
            if use not in _CHATS:
                self._problem((*path, "tools"), f"Only a chat has tools, and {use} is none.")
            return _Target(use, processor, None, Shape(_OF_AGENT), ("content",))
        output = Shape(processor.output.model_json_schema(mode="serialization"))
        return _Target(use, processor, None, output, processor.result)

    def _step(self, name: str, step: StepDefinition) -> Step:
        path: Path = ("steps", name)
        target = self._targets[name]
        input_, config, origins = _without_short_hands(
            step, path, is_chat_app=self._is_chat, use=target.use if target else None
        )
        own = dict(self._shapes)
        if step.for_each is not None:
            own |= {"item": Shape({}), "index": Shape({"type": "integer"})}
        reading = _Reading(self, own, origins)
        for_each = reading.value(step.for_each, (*path, "for_each"))
        when = reading.value(_condition(step.when), (*path, "when"))
        if isinstance(for_each, str):
            self._problem((*path, "for_each"), "`for_each` is a list or a template that gives one.")
        values = reading.value(input_, (*path, "input"))
        settings = reading.value(config, (*path, "config"))
        if target is not None:
            self._check_shape(target, values, settings, reading, path)
        tools = tuple(
            self._tool(tool_name, tool, (*path, "tools", tool_name), reading)
            for tool_name, tool in (step.tools or {}).items()
        )
        needs = reading.roots & (self._definition.steps.keys() - RESERVED_NAMES)
        return Step(
            name=name,
            use=target.use if target else "",
            input=values,
            config=settings,
            needs=frozenset(needs),
            result=_result(target, step),
            item_result=target.result if target else (),
            title=step.title,
            tools=tools,
            max_steps=step.max_steps,
            when=when,
            for_each=for_each,
            at_once=step.at_once,
            timeout_s=step.timeout,
            retries=step.retries,
            on_error=step.on_error,
            fallback=tuple(step.fallback),
        )

    def _tool(self, name: str, tool: ToolDefinition, path: Path, reading: _Reading) -> Tool:
        if (tool.use is None) == (tool.mcp is None):
            self._problem(path, "A tool has either `use` or `mcp`.")
        elif tool.use is not None:
            if tool.only is not None:
                self._problem((*path, "only"), "`only` is for the tools of an MCP server.")
            target = self._target(StepDefinition(use=tool.use), path)
            if target is not None and target.processor is not None:
                self._check_part(target.processor.configuration, tool.config, "config", path, {})
                self._check_set(tool, target.processor.input.model_fields, path)
            elif target is not None and target.app is not None:
                self._check_set(tool, target.app.fields, path)
        if tool.config and not (tool.use and not tool.use.startswith("app/")):
            self._problem((*path, "config"), "Only a processor has a configuration.")
        command = tool.mcp
        return Tool(
            name=name,
            use=tool.use,
            mcp=tuple(command) if isinstance(command, list) else command,
            description=tool.description,
            input=reading.value(tool.input, (*path, "input")),
            config=reading.value(tool.config, (*path, "config")),
            only=tuple(tool.only) if tool.only is not None else None,
            timeout_s=tool.timeout,
        )

    def _check_set(self, tool: ToolDefinition, fields: Collection[str], path: Path) -> None:
        for name in tool.input:
            if name not in fields:
                hint = meant(name, fields)
                self._problem(
                    (*path, "input", name),
                    f"{tool.use} has no input `{name}`.{hint} It has: {', '.join(fields)}.",
                )

    def _check_shape(
        self, target: _Target, values: Any, settings: Any, reading: _Reading, path: Path
    ) -> None:
        if target.processor is not None:
            processor = target.processor
            self._check_part(processor.input, values, "input", path, reading.origins)
            self._check_part(processor.configuration, settings, "config", path, reading.origins)
        elif target.app is not None:
            samples = _samples(values, self._shapes)
            at_templates = dict(_leaves(values))
            for inner, message in value_faults(target.app.fields, samples):
                if not any(inner[: len(leaf)] == leaf for leaf in at_templates):
                    self._problem((*path, "input", *inner), message)
            if settings:
                self._problem((*path, "config"), "An app as a step has no configuration.")

    def _check_part(
        self, shape: Any, values: Any, part: str, path: Path, origins: Mapping[Path, Path]
    ) -> None:
        """Check values against a processor's type. What a template will give is not known, but
        sometimes its kind is: a list where a text must be is wrong whatever is in it."""
        leaves = dict(_leaves(values))
        for fault in faults(shape, _samples(values, self._shapes), part):
            leaf = next((leaf for leaf in leaves if fault.path[: len(leaf)] == leaf), None)
            source = _origin((*path, part, *fault.path), origins)
            if leaf is None:
                self._problem(source, fault.message)
                continue
            kind = _kind(leaves[leaf], self._shapes)
            if fault.path == leaf and kind and _is_wrong_kind(kind, fault.kinds):
                self._problem(
                    source,
                    f"`{leaves[leaf].source.strip()}` is {_SAID[kind]}, and that does not fit: "
                    f"{fault.message.partition(', but ')[2] or fault.message}",
                )

    def _output(self) -> Any:
        reading = _Reading(self, self._shapes, {})
        output = self._definition.output
        if output is None:
            output = "{{ " + list(self._definition.steps)[-1] + " }}"
        return reading.value(output, ("output",))

    def results(self) -> dict[str, Path]:
        """Of each step, where in its output its result stands."""
        return {
            name: _result(target, self._definition.steps[name])
            for name, target in self._targets.items()
        }

    def check_use(self, use: Use, known: Mapping[str, Shape]) -> str | None:
        """What is wrong with a variable of a template; None if nothing is known to be."""
        root, *rest = use.path
        steps = self._definition.steps
        if root not in known:
            if root in steps:
                return None  # a step that has a problem of its own
            if root == "history":
                return "`history` is there in apps of type chat and agent only."
            if root in ("item", "index"):
                return f"`{root}` is there in steps with `for_each` only."
            hint = meant(str(root), [*known, *steps])
            return f"`{root}` is not known here.{hint} There are: {', '.join(known)}."
        return fault_of_path(known[str(root)], tuple(rest), str(root))


class _Reading:
    """Turns texts that are templates into templates, and notes what they use."""

    def __init__(
        self, checker: _Checker, known: Mapping[str, Shape], origins: Mapping[Path, Path]
    ) -> None:
        self.roots: set[str] = set()
        self.origins = origins
        self._checker = checker
        self._known = known
        self._results = checker.results()

    def value(self, value: Any, path: Path) -> Any:
        """The value with its templates parsed. `path` is where it stands in the definition."""
        if isinstance(value, dict):
            return {key: self.value(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, (*path, i)) for i, inner in enumerate(value)]
        if not isinstance(value, str) or not is_template(value):
            return value
        source = _origin(path, self.origins)
        try:
            template = parse(value, results=self._results)
        except TemplateSyntaxError as error:
            self._checker._problem(source, f"This template cannot be read: {error.message}")
            return ""
        for use in template.uses:
            self.roots.add(str(use.path[0]))
            if message := self._checker.check_use(use, self._known):
                self._checker._problem(source, message)
        return template


def _without_short_hands(
    step: StepDefinition, path: Path, *, is_chat_app: bool, use: str | None
) -> tuple[dict[str, Any], dict[str, Any], dict[Path, Path]]:
    """Input and configuration with the short-hands in their places, and where these came from."""
    values: dict[str, Any] = dict(step.input)
    config: dict[str, Any] = dict(step.config)
    origins: dict[Path, Path] = {}

    def put(into: dict[str, Any], part: str, key: str, value: Any, short: str) -> None:
        into[key] = value
        origins[*path, part, key] = (*path, short)

    if step.model is not None:
        put(config, "config", "model", step.model, "model")
    is_chat = use in _CHATS
    if step.system is not None:
        put(values, "input", "system_message", step.system, "system")
    if step.prompt is not None and is_chat:
        earlier = values.get("messages", [])
        messages = list(earlier) if isinstance(earlier, list) else []
        messages.append({"role": "user", "content": step.prompt})
        values["messages"] = messages
        origins[*path, "input", "messages", len(messages) - 1] = (*path, "prompt")
    elif step.prompt is not None:
        put(values, "input", "prompt", step.prompt, "prompt")
    wants_history = is_chat_app if step.history is None else step.history
    if wants_history and is_chat and step.prompt is not None and not step.input.get("chat_history"):
        put(values, "input", "chat_history", "{{ history }}", "history")
    if is_chat and not step.tools:
        config.setdefault("stream", True)
    return values, config, origins


def _condition(when: str | bool | None) -> str | bool:
    """A step's condition as a template. One without braces is what `{% if … %}` takes."""
    if not isinstance(when, str):
        return True if when is None else when
    return when if is_template(when) else f"{{% if {when} %}}true{{% endif %}}"


def _origin(path: Path, origins: Mapping[Path, Path]) -> Path:
    """Where in the file a value came from that a short-hand may have put where it is."""
    for length in range(len(path), 0, -1):
        if (origin := origins.get(path[:length])) is not None:
            return origin
    return path


def _result(target: _Target | None, step: StepDefinition) -> Path:
    if step.for_each is not None:
        return ("results",)
    return target.result if target else ()


def _many(one: Shape) -> Shape:
    """The shape of a step that ran for each item of a list."""
    return Shape(
        {
            "type": "object",
            "properties": {
                "results": {"type": "array", "items": {}},
                "items": {"type": "array", "items": one.schema},
            },
            "$defs": one.definitions,
        }
    )


def _leaves(values: Any, path: Path = ()) -> Iterator[tuple[Path, Template]]:
    if isinstance(values, Template):
        yield path, values
    elif isinstance(values, dict):
        for key, value in values.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from _leaves(value, (*path, index))


_SAMPLES: Mapping[str, Any] = {
    "string": "text",
    "number": 1.0,
    "integer": 1,
    "boolean": True,
    "array": [],
    "object": {},
}
_SAID = {
    "string": "a text",
    "number": "a number",
    "integer": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def _samples(values: Any, shapes: Mapping[str, Shape]) -> Any:
    """The values, with something of the right kind in the place of each template."""
    if isinstance(values, Template):
        return _SAMPLES.get(_kind(values, shapes) or "string")
    if isinstance(values, dict):
        return {key: _samples(value, shapes) for key, value in values.items()}
    if isinstance(values, list):
        return [_samples(value, shapes) for value in values]
    return values


def _kind(template: Template, shapes: Mapping[str, Shape]) -> str | None:
    """Which JSON type a template gives, where that is known."""
    if template.only_variable is None:
        return "string" if template.gives_text else None
    root, *rest = template.only_variable
    shape = shapes.get(str(root))
    return shape.kind(tuple(rest)) if shape is not None else None


def _is_wrong_kind(kind: str, faults: Iterable[str]) -> bool:
    """Whether no value of this kind can be right; a text may hold a number, but never a list."""
    if kind == "string":
        return all(fault in _WRONG_KIND for fault in faults)
    return kind in ("array", "object") and all(fault.endswith("_type") for fault in faults)


def slug_of(name: str) -> str:
    """A name as it can stand in a URL."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].strip("-") or "app"
