"""An app that has been checked: its steps with their templates, in the order they can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ingle.apps.definition import ChatDefinition, FieldDefinition, TestDefinition
from ingle.apps.template import Template
from ingle.processors.pieces import Path

__all__ = ["App", "Step", "Tool", "filled"]

Values = Any
"""JSON values in which any text may be a `Template` instead."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may call. Either `use` or `mcp` is set."""

    name: str
    use: str | None
    mcp: str | tuple[str, ...] | None
    description: str | None
    input: Values
    config: Values
    only: tuple[str, ...] | None
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `needs` are the steps whose values its templates use.

    `result` is where in its output that stands which its name alone means in a template, and
    `item_result` the same in the output for one item, in a step with `for_each`.
    """

    name: str
    use: str
    input: Values
    config: Values
    needs: frozenset[str]
    result: Path
    item_result: Path = ()
    title: str | None = None
    tools: tuple[Tool, ...] = ()
    max_steps: int = 10
    when: Template | bool = True
    for_each: Template | list[Any] | None = None
    at_once: int = 4
    timeout_s: float | None = None
    retries: int = 0
    on_error: Literal["fail", "skip"] = "fail"
    fallback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class App:
    """An app. `steps` are in an order in which each comes after those that it needs."""

    name: str
    slug: str
    type: Literal["form", "chat", "agent"]
    description: str
    fields: Mapping[str, FieldDefinition]
    steps: tuple[Step, ...]
    output: Values
    chat: ChatDefinition = field(default_factory=ChatDefinition)
    tests: tuple[TestDefinition, ...] = ()


def filled(values: Values, names: Mapping[str, Any]) -> Any:
    """The values with each template rendered.

    Raises:
        TemplateError: a template cannot be rendered with these names.
    """
    if isinstance(values, Template):
        return values.render(names)
    if isinstance(values, dict):
        return {key: filled(value, names) for key, value in values.items()}
    if isinstance(values, list):
        return [filled(value, names) for value in values]
    return values
