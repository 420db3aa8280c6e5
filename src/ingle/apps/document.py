"""A YAML (or JSON) text as plain values, and where in the text each of them stands.

Read on its own terms, as it may come from anywhere: no tags but YAML's own, no dates (they stay
text), no numbers that JSON lacks, no key twice; and an anchor counts as often as it is used, so
that a small text cannot become a gigantic one.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ingle.apps.problems import InvalidApp, Problem

__all__ = ["Document", "Path", "read_document"]

Path = tuple[str | int, ...]
"""Where in a document: keys and indexes from its top."""

_LARGEST_CHARACTERS = 1024 * 1024
_MOST_VALUES = 50_000
_DEEPEST = 64
_MERGE = "tag:yaml.org,2002:merge"
_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")
)


@dataclass(frozen=True, slots=True)
class Document:
    """The values, and the line and column (from 1) of each. `name` is the file's, for people."""

    name: str
    values: dict[str, Any]
    places: dict[Path, tuple[int, int]] = field(repr=False)

    def place(self, path: Path) -> tuple[int, int]:
        """The line and column of a value, or of the nearest one around it."""
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def problem(self, path: Path, message: str) -> Problem:
        """A problem with the value there."""
        line, column = self.place(path)
        return Problem(line, column, message, self.name)


def read_document(text: str, name: str) -> Document:
    """The document in a text whose top is an object.

    Raises:
        InvalidApp: it is no YAML, too large, or has what JSON cannot say; all problems at once
            where it can be read on.
    """
    if len(text) > _LARGEST_CHARACTERS:
        raise _not_readable(name, f"It has more than {_LARGEST_CHARACTERS:,} characters.")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        if "got '?'" in said:  # PyYAML takes it for the mark of a key there
            said += '; put a text with a question mark in quotes, such as "Why?"'
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise InvalidApp([Problem(*place, f"This is no valid YAML: {said}.", name)]) from error
    except (yaml.YAMLError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise _not_readable(name, f"This is no valid YAML: {reason}.") from error
    reader = _Reader(name)
    values = reader.value(node, ()) if node is not None else None
    if reader.problems:
        raise InvalidApp(reader.problems)
    if not isinstance(values, dict):
        raise _not_readable(
            name, "An app is an object: lines such as `name: My app`, `input:` and `steps:`."
        )
    return Document(name, values, reader.places)


def _not_readable(name: str, message: str) -> InvalidApp:
    return InvalidApp([Problem(1, 1, message, name)])


class _Loader(yaml.SafeLoader):
    """YAML's safe types without dates: `2024-01-01` is text, as in JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012 -- the name and type are PyYAML's
        first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _TooMuch(Exception):
    """More values than a definition can have, from this node on."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.node = node


class _Reader:
    """Makes values of YAML's nodes and notes their places."""

    def __init__(self, name: str) -> None:
        self.places: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self._name = name
        self._constructor = yaml.constructor.SafeConstructor()
        self._count = 0
        self._open: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The value of a node, all of it; reading stops at the first that is too much."""
        try:
            return self._value(node, path)
        except _TooMuch as error:
            self._problem(error.node, str(error))
            return None

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._count += 1
        if self._count > _MOST_VALUES:
            raise _TooMuch(
                node, f"There are more than {_MOST_VALUES:,} values, each use of an anchor counted."
            )
        if id(node) in self._open:
            raise _TooMuch(node, "An anchor contains itself.")
        if len(path) > _DEEPEST:
            raise _TooMuch(node, f"It is nested more than {_DEEPEST} deep.")
        if node.tag not in _TAGS:
            self._problem(node, f"The tag {node.tag!r} is not known here. Write plain values.")
            return None
        self.places.setdefault(path, _place(node))
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._object(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self._value(item, (*path, i)) for i, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._open.remove(id(node))

    def _object(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in self._pairs(node, depth=0):
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, "A key is a word, not a list or an object.")
                continue
            key = key_node.value
            if key in values:
                self._problem(key_node, f"`{key}` is here twice.")
                continue
            # The key's place: that is where people look for a field.
            self.places[(*path, key)] = _place(key_node)
            values[key] = self._value(value_node, (*path, key))
        return values

    def _pairs(self, node: yaml.MappingNode, depth: int) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Keys and values, with what is merged in by `<<` where the object itself is silent."""
        own = [pair for pair in node.value if pair[0].tag != _MERGE]
        yield from own
        taken = {key.value for key, _ in own if isinstance(key.value, Hashable)}
        for key, merged in node.value:
            if key.tag != _MERGE:
                continue
            if depth > _DEEPEST:
                raise _TooMuch(node, "An anchor contains itself.")
            for source in merged.value if isinstance(merged, yaml.SequenceNode) else [merged]:
                if not isinstance(source, yaml.MappingNode):
                    self._problem(source, "`<<` takes an object, such as `*name`.")
                    continue
                for pair in self._pairs(source, depth + 1):
                    self._count += 1
                    if self._count > _MOST_VALUES:
                        raise _TooMuch(key, f"There are more than {_MOST_VALUES:,} values.")
                    if isinstance(pair[0], yaml.ScalarNode) and pair[0].value not in taken:
                        taken.add(pair[0].value)
                        yield pair

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            value = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            reason = getattr(error, "problem", None) or error
            self._problem(node, f"This value cannot be read: {reason}.")
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self._problem(node, f"{node.value} is no number of JSON.")
            return None
        return value

    def _problem(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(*_place(node), message, self._name))


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
