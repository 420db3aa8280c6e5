"""Templates of nothing but text and variables, which most are.

They are read and rendered here without python-liquid, whose import alone takes 120 ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ingle.apps.liquid.bounds import MAX_SOURCE_CHARS, MAX_TAGS, Frame
from ingle.apps.liquid.scope import Use
from ingle.apps.liquid.values import Path, at, text

__all__ = ["read_plain", "render_parts"]

_VARIABLE = re.compile(
    r"(?<!\{)\{\{\s*((?!(?:true|false|nil|null|empty|blank|and|or|contains|not|in|offset|limit|reversed"
    r"|cols|continue|with|for|as|if|else|required)\b)[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d{1,9}\])*)"
    r"\s*\}\}",
    re.ASCII,
)
_SEGMENT = re.compile(r"[A-Za-z_]\w*|\d+", re.ASCII)


def read_plain(
    source: str, results: Mapping[str, Path]
) -> tuple[tuple[str | Path, ...], tuple[Use, ...]] | None:
    """The parts of a template and the variables in it; None if Liquid has to read it."""
    if "{%" in source or len(source) > MAX_SOURCE_CHARS or source.count("{{") > MAX_TAGS:
        return None
    parts: list[str | Path] = []
    uses: list[Use] = []
    end = 0
    for match in _VARIABLE.finditer(source):
        parts.append(source[end : match.start()])
        path = _path(match.group(1))
        uses.append(
            Use(path + results.get(str(path[0]), ()) if len(path) == 1 else path, match.start(1))
        )
        parts.append(uses[-1].path)
        end = match.end()
    parts.append(source[end:])
    if any("{{" in part for part in parts if isinstance(part, str)):
        return None
    return _joined(parts), tuple(uses)


def render_parts(parts: Sequence[str | Path], uses: Sequence[Use], frame: Frame) -> str:
    """The text that the parts make. `uses` are their variables.

    Raises:
        TemplateError: a variable is not there, or the text gets too long.
    """
    variables = iter(uses)
    for part in parts:
        if isinstance(part, str):
            frame.write(part)
        else:
            frame.at = next(variables).offset
            value = at(frame.values, part, frame.at)
            if isinstance(value, list | dict):
                frame.check_length(frame.weigh(value))
            frame.write(text(value))
    return "".join(frame.out)


def _path(written: str) -> Path:
    return tuple(
        int(segment) if segment[0].isdecimal() else segment for segment in _SEGMENT.findall(written)
    )


def _joined(parts: Sequence[str | Path]) -> tuple[str | Path, ...]:
    """Without empty texts; a variable alone, but for spaces, is all there is."""
    variables = [part for part in parts if not isinstance(part, str)]
    if len(variables) == 1 and all(
        part.isspace() for part in parts if isinstance(part, str) and part
    ):
        return (variables[0],)
    return tuple(part for part in parts if part)
