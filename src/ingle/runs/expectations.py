"""Whether a value is what a test of an app expects. What a model must judge is in `judge`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ingle.apps.definition import ExpectDefinition
from ingle.errors import InvalidRequest
from ingle.processors.json_fit import misfits
from ingle.processors.json_text import find_json
from ingle.upstream.explain import printable

__all__ = ["as_text", "unmet"]

_SHOWN = 60


def unmet(expect: ExpectDefinition, value: Any) -> Iterator[str]:
    """A sentence for each thing that is expected and does not hold.

    Texts are looked for in any case; a value that is no text is looked at as its JSON.
    """
    text = as_text(value)
    folded = text.casefold()
    for wanted in _listed(expect.contains):
        if wanted.casefold() not in folded:
            yield f"It does not contain {_shown(wanted)}."
    for unwanted in _listed(expect.lacks):
        if unwanted.casefold() in folded:
            yield f"It contains {_shown(unwanted)}."
    if expect.matches is not None and not re.search(expect.matches, text):
        yield f"Nothing in it matches {_shown(expect.matches)}."
    if "equals" in expect.model_fields_set and _bare(value) != _bare(expect.equals):
        yield f"It is not {_shown(as_text(expect.equals))}."
    if expect.schema_ is not None:
        yield from _misfits(value, expect.schema_)


def as_text(value: Any) -> str:
    """A text as it is; any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _misfits(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    if isinstance(value, str):
        try:
            value = find_json(value, param="output")
        except InvalidRequest as error:
            yield error.message.partition(" Ask the model")[0]
            return
    if found := misfits(value, schema):
        yield f"It does not fit the schema: {found}."


def _listed(texts: str | list[str] | None) -> list[str]:
    return [texts] if isinstance(texts, str) else texts or []


def _bare(value: Any) -> Any:
    """Models end a text with or without a line's end; that is no difference."""
    return value.strip() if isinstance(value, str) else value


def _shown(text: str) -> str:
    return repr(printable(text, _SHOWN))
