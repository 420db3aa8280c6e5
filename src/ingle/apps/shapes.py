"""What is known of a value before there is one: a JSON Schema, walked along a path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingle.apps.problems import meant
from ingle.processors.pieces import Path

__all__ = ["Shape", "fault_of_path"]

_OF_LISTS = frozenset({"first", "last", "size"})
_MOST_ALTERNATIVES = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON Schema. One that says nothing allows everything."""

    schema: dict[str, Any]

    @property
    def definitions(self) -> dict[str, Any]:
        """What its references point to."""
        found: dict[str, Any] = self.schema.get("$defs", {})
        return found

    def alternatives(self) -> Iterator[Shape]:
        """The schemas that a value may follow, references resolved."""
        waiting, seen = [self.schema], 0
        while waiting and (seen := seen + 1) < _MOST_ALTERNATIVES:
            node = waiting.pop()
            if reference := node.get("$ref"):
                waiting.append(self.definitions.get(reference.rpartition("/")[2], {}))
            elif nodes := [*node.get("anyOf", []), *node.get("oneOf", [])]:
                waiting.extend(nodes)
            else:
                yield Shape({**node, "$defs": self.definitions})

    def child(self, key: str | int) -> Shape | None:
        """The shape of what stands at a key or index; None if nothing can stand there."""
        found = []
        for shape in self.alternatives():
            schema = shape.schema
            kind = schema.get("type")
            if kind is None and "properties" not in schema:
                return Shape({})
            if kind == "array" and (isinstance(key, int) or key in _OF_LISTS):
                found.append({} if key == "size" else schema.get("items", {}))
            elif kind == "string" and key == "size":
                found.append({"type": "integer"})
            elif "properties" in schema and key in schema["properties"]:
                found.append(schema["properties"][key])
            elif kind == "object" and key == "size":
                found.append({"type": "integer"})
            elif kind == "object" and schema.get(
                "additionalProperties", "properties" not in schema
            ):
                return Shape({})
        if not found:
            return None
        return Shape({"anyOf": found, "$defs": self.definitions})

    def keys(self) -> list[str]:
        """The names that are known to stand in it."""
        return list(
            dict.fromkeys(
                key for shape in self.alternatives() for key in shape.schema.get("properties", {})
            )
        )

    def kind(self, path: Path) -> str | None:
        """The one JSON type of what stands there; None if it is not known, or one of several."""
        shape: Shape | None = self
        for key in path:
            shape = shape.child(key) if shape is not None else None
        kinds = {inner.schema.get("type") for inner in shape.alternatives()} if shape else {None}
        only = kinds.pop() if len(kinds) == 1 else None
        return only if isinstance(only, str) else None


def fault_of_path(shape: Shape, path: Path, said: str) -> str | None:
    """What is wrong with this way into a value; None if it is right as far as can be known.

    `said` is what the value is called.
    """
    for key in path:
        inner = shape.child(key)
        if inner is None:
            keys = shape.keys()
            if not keys:
                return f"`{said}` has nothing inside, so `{said}.{key}` is not there."
            hint = meant(str(key), keys)
            return f"`{said}` has no `{key}`.{hint} It has: {', '.join(keys)}."
        shape = inner
        said = f"{said}[{key}]" if isinstance(key, int) else f"{said}.{key}"
    return None
