"""LLMStack's templates in our names: `{{_inputs0.question}}` becomes `{{ input.question }}`.

Only names are changed. What the templates do is the same in both, as both are Liquid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingle.apps.liquid.values import Path, path_text

__all__ = ["Names", "StepName", "rewritten"]

# Each of these stops where the next of its kind begins, so that none reads a text twice.
_TAG = re.compile(r"\{\{(?:(?!\{\{|\}\}).)*\}\}|\{%(?:(?!\{%|%\}).)*%\}", re.DOTALL)
_ASSET = re.compile(r"<pa-asset\b((?:[^<>\"]|\"[^<\"]*\")*)>(?:\s*</pa-\w+>)?")
_RAW = re.compile(r"\{%-?\s*(end)?raw\s*-?%\}")
_LONE = re.compile(r"\{\{-?\s*([\w.\[\]\"'-]+?)\s*-?\}\}")
_REFERENCE = re.compile(
    r""""[^"]*"|'[^']*'|\|\s*\w+|(?<![\w.\]])([A-Za-z_]\w*)"""
    r"""((?:\s*\.\s*[A-Za-z_][\w-]*|\[\s*(?:-?\d+|"[^"]*"|'[^']*')\s*\])*)"""
)
_SEGMENT = re.compile(r"""\.\s*([\w-]+)|\[\s*(-?\d+)\s*\]|\[\s*["']([^"']*)["']\s*\]""")
_OWN_NAME = re.compile(r"\{%-?\s*(?:assign|capture|for|tablerow)\s+(\w+)")
_ASSIGNMENT = re.compile(r"\{%-?\s*assign\b")
_LOOP = re.compile(r"\{%-?\s*for\s+(\w+)\s+in\s+([\w.\[\]]+)")
_NUMBERED = re.compile(r"_inputs(\d+)")
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*\"([^\"]*)\"")

_SPACE_OF_EDITOR = re.compile(r"(?<=\}\}) (?=\n|$)")
"""LLMStack's editor writes a space after each variable."""

PICTURE = "data:image/png;base64,"
"""What makes an address of a picture that LLMStack gives as one, and we as base64 alone."""


@dataclass(frozen=True, slots=True)
class StepName:
    """A step as templates call it: `outputs` are fields of its output with another name here,
    `result` is what its name alone stands for, and `pictures` the path of a list of base64."""

    name: str
    outputs: Mapping[str, Path]
    result: Path
    pictures: Path | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What LLMStack's names stand for: fields of the app's input, and steps by their id."""

    fields: Mapping[str, str]
    steps: Mapping[str, StepName]
    in_order: tuple[StepName | None, ...]
    texts_of_parts: frozenset[str] = frozenset()
    """Fields that LLMStack makes an object of, with its text under `text`."""
    add_field: Callable[[str], str] = field(default=lambda name: name)
    """Called for a field that the app does not ask for; gives our name for it."""


def rewritten(source: str, names: Names) -> str:
    """The template in our names. Names that are not known stay, for the checker to tell."""
    source = _ASSET.sub(_plain_asset, source)
    own = set(_OWN_NAME.findall(source))
    pictures = {
        loop.group(1)
        for loop in _LOOP.finditer(source)
        if _is_list_of_pictures(loop.group(2), names)
    }

    is_raw = False

    def markup(match: re.Match[str]) -> str:
        nonlocal is_raw
        tag = match.group(0)
        if raw := _RAW.fullmatch(tag):
            is_raw = raw.group(1) is None
        if is_raw or raw:
            return tag
        if lone := _LONE.fullmatch(tag):
            said, is_picture = _reference(lone.group(1), names, own, pictures)
            return f"{PICTURE if is_picture else ''}{{{{ {said} }}}}"
        takes_filters = tag.startswith("{{") or _ASSIGNMENT.match(tag) is not None

        def reference(match: re.Match[str]) -> str:
            if match.group(1) is None:
                return match.group(0)
            said, is_picture = _reference(match.group(0), names, own, pictures)
            return f'{said} | prepend: "{PICTURE}"' if is_picture and takes_filters else said

        return _REFERENCE.sub(reference, tag)

    return _SPACE_OF_EDITOR.sub("", _TAG.sub(markup, source))


def _reference(written: str, names: Names, own: set[str], pictures: set[str]) -> tuple[str, bool]:
    """A variable in our names, and whether it is a picture without its address."""
    path = _path(written)
    if path is None:
        return written, False
    if path[0] in own:
        return written, path[0] in pictures and len(path) == 1
    step, full = _resolved(path, names)
    if step is None:
        return path_text(full), False
    is_picture = step.pictures is not None and full[:-1] == step.pictures
    return step.name if full == step.result else path_text((step.name, *full)), is_picture


def _resolved(path: Path, names: Names) -> tuple[StepName | None, Path]:
    """The step that a path begins with, and the path below it; else no step, and the path in our
    names, or as it is if it means nothing."""
    root, *rest = path
    if root == "_inputs" and rest and isinstance(rest[0], int):
        root, rest = f"_inputs{rest[0]}", rest[1:]
    step = names.steps.get(str(root))
    if step is None and (numbered := _NUMBERED.fullmatch(str(root))):
        number = int(numbered.group(1))
        if number == 0:
            return None, ("input", *_field(rest, names)) if rest else ("input",)
        step = names.in_order[number - 1] if number <= len(names.in_order) else None
    if step is None:
        return None, ("input", *_field(list(path), names)) if root in names.fields else path
    first = rest[0] if rest else None
    if isinstance(first, str) and first in step.outputs:
        return step, (*step.outputs[first], *rest[1:])
    return step, tuple(rest)


def _field(path: list[str | int], names: Names) -> Path:
    written = str(path[0])
    name = names.fields.get(written) or names.add_field(written)
    rest = path[1:]
    if written in names.texts_of_parts and rest == ["text"]:
        rest = []
    return name, *rest


def _path(written: str) -> Path | None:
    match = _REFERENCE.fullmatch(written)
    if match is None or match.group(1) is None:
        return None
    segments: list[str | int] = [match.group(1)]
    for name, index, quoted in _SEGMENT.findall(match.group(2)):
        segments.append(int(index) if index else name or quoted)
    return tuple(segments)


def _is_list_of_pictures(written: str, names: Names) -> bool:
    path = _path(written)
    step, full = _resolved(path, names) if path else (None, ())
    return step is not None and step.pictures is not None and full == step.pictures


def _plain_asset(match: re.Match[str]) -> str:
    """LLMStack's tag for pictures, sound and files as Markdown that any page can show."""
    attributes: dict[str, str] = dict(_ATTRIBUTE.findall(match.group(1)))
    url, kind = attributes.get("url", ""), attributes.get("type", "").partition("/")[0]
    match kind:
        case "image":
            return f"![]({url})"
        case "audio" | "video":
            return f'<{kind} controls src="{url}"></{kind}>'
        case "text":
            return url
    return f"[file]({url})"
