"""Functions that give what stands at a path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.values import Path, at, optional, unknown
from ingle.errors import TemplateError

__all__ = ["Evaluate", "constant", "dynamic", "reader"]

Evaluate: TypeAlias = Callable[[Frame], Any]
"""Gives a value: JSON."""


def constant(value: Any) -> Evaluate:
    """A function that gives this value."""
    return lambda frame: value


def reader(path: Path, slot: str | None, offset: int, is_optional: bool) -> Evaluate:
    """A function that gives what stands at a path: in the template's own slot, or from outside.

    With `is_optional`, a field that is missing is null.
    """
    root, rest = str(path[0]), path[1:]
    if slot is not None:
        return _own(slot, path, offset, is_optional)
    if not is_optional:
        return lambda frame: at(frame.values, path, offset)

    def evaluate(frame: Frame) -> Any:
        if root not in frame.values:
            raise unknown(root, frame.values, offset)
        return optional(frame.values[root], rest)

    return evaluate


def _own(slot: str, path: Path, offset: int, is_optional: bool) -> Evaluate:
    rest = path[1:]

    def evaluate(frame: Frame) -> Any:
        if slot not in frame.names:
            if is_optional:
                return None
            raise TemplateError(
                f"`{path[0]}` has no value yet: the tag that gives it one did not run.", offset
            )
        if is_optional:
            return optional(frame.names[slot], rest)
        return at({str(path[0]): frame.names[slot]}, path, offset) if rest else frame.names[slot]

    return evaluate


def dynamic(
    base: Evaluate, name: str, rest: list[Evaluate], offset: int, is_optional: bool
) -> Evaluate:
    """A path on from a base, by keys that are themselves values."""

    def evaluate(frame: Frame) -> Any:
        value = base(frame)
        for part in rest:
            key = part(frame)
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise TemplateError("An index in brackets is a text or a whole number.", offset)
            if is_optional:
                value = optional(value, (key,))
            else:
                value = at({name: value}, (name, key), offset)
        return value

    return evaluate
