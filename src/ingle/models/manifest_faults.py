"""What is wrong in a manifest, for who wrote it: the line, the field, and what it may be."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

import yaml
from pydantic import BaseModel, ValidationError

__all__ = ["manifest_fault"]

Place = Sequence[int | str]


def manifest_fault(error: ValidationError, text: bytes, shape: type[BaseModel]) -> str:
    """The first fault, in words that follow a colon: "line 3: `slot` is unknown, did you mean …"."""
    first = error.errors(include_url=False)[0]
    place, line = _found(yaml.compose(text, Loader=yaml.SafeLoader), first["loc"])
    if first["type"] == "missing":
        place = [*place, first["loc"][-1]]
    before = f"line {line}: " if line else ""
    where = f"`{'.'.join(map(str, place))}`" if place else "the whole file"
    if first["type"] == "extra_forbidden":
        return f"{before}the field {where} is unknown, {_known(place, shape)}"
    said = first["msg"].replace("a valid tuple", "a list").replace("a valid dictionary", "fields")
    if first["type"] == "value_error":  # our own words, and Pydantic's before them
        return f"{before}{where}: {said.removeprefix('Value error, ')}"
    return f"{before}{where}: {said[:1].lower()}{said[1:]}"


def _found(node: yaml.Node | None, loc: Place) -> tuple[list[int | str], int | None]:
    """What of the place is in the file, without Pydantic's names of alternatives; and its line."""
    place: list[int | str] = []
    line = None
    for part in loc:
        pair = None
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            pair = (node.value[part], node.value[part])
        if pair is not None:
            place.append(part)
            line, node = pair[0].start_mark.line + 1, pair[1]
    return place, line


def _known(place: Place, shape: type[BaseModel]) -> str:
    """The field that was meant, or else all that there are."""
    for part in place[:-1]:
        if isinstance(part, str):
            shape = _inside(shape, part)
    names = sorted(shape.model_fields)
    near = difflib.get_close_matches(str(place[-1]), names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"and there are: {', '.join(names)}"


def _inside(shape: type[BaseModel], field: str) -> type[BaseModel]:
    """The fields that a field's value has in turn, or each of its items; else the same fields."""
    annotation = shape.model_fields[field].annotation
    kinds = [annotation, *get_args(annotation)]
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), shape)
