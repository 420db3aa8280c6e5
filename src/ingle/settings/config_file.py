"""Reading and editing `config.yaml`: text to settings' texts and lines, and one key set in place.

Every value stays text until its setting reads it, as in an environment variable. So YAML's own
guesses (`no` is false, `010` is 8, `1:30` is 90) never happen. It knows nothing of which settings
there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ingle.errors import ConfigurationError
from ingle.files import storage_error

__all__ = ["MAX_BYTES", "Entry", "parse", "read_text", "with_value", "without"]

MAX_BYTES = 64 * 1024
"""The largest file that is read; real ones have a few hundred bytes."""

_MAX_DEPTH = 8  # deeper nesting has no use here and would end in a RecursionError
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})  # YAML 1.1's ways to write nothing

Value = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the file, as written, and its line; `None` was written as null or left empty."""

    value: Value
    line: int


def read_text(path: Path) -> str:
    """The file's text; empty if there is no file.

    Raises:
        ConfigurationError: it is no regular file, too long, or not UTF-8.
        StorageError: it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise ConfigurationError(
                f"{path} is not a file. Move it away; settings are read from a file of this name."
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise storage_error(f"{path} cannot be read", error) from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError(
            f"{path} is longer than {MAX_BYTES} bytes, so it can hardly be Ingle's configuration. "
            "Shorten it or move it away."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error


def parse(text: str, path: Path) -> dict[tuple[str, ...], Entry]:
    """The file's values by their path of keys, such as `("connections", "localai", "base_url")`.

    Raises:
        ConfigurationError: it is not YAML, not a mapping, has a key twice, or uses anchors,
            aliases or tags.
    """
    root = _compose(text, path)
    if root is None or _is_null(root):
        return {}
    if not isinstance(root, yaml.MappingNode):
        kind = "list" if isinstance(root, yaml.SequenceNode) else "text"
        raise ConfigurationError(
            f"{path} must hold `name: value` lines, but it holds one {kind}. "
            "Write for example `port: 5000`."
        )
    return dict(_entries(root, (), path))


def with_value(text: str, key: str, value: str, path: Path) -> str:
    """The same text with one top-level key set; all else, comments included, stays as it is.

    Raises:
        ConfigurationError: the file is written in a way that cannot be edited safely.
    """
    expected = _values_without(text, key, path) | {(key,): value}
    written = _as_yaml(value)
    nodes = _top_level(text, path).get(key)
    if nodes is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        edited = f"{text}{gap}{key}: {written}\n"
    else:
        colon = text.index(":", nodes[0].end_mark.index) + 1
        start, end = nodes[1].start_mark.index, _end(nodes[1], text)
        between = text[colon:start]  # spaces; a comment too if the value begins on a later line
        if "\n" in between:
            edited = f"{text[:colon]} {written}{between.rstrip()}{text[end:]}"
        else:
            edited = f"{text[:colon]}{between or ' '}{written}{text[end:]}"
    return _checked(edited, expected, key, path)


def without(text: str, key: str, path: Path) -> str:
    """The same text without one top-level key and its lines; unchanged if it is not there.

    Raises:
        ConfigurationError: the file is written in a way that cannot be edited safely.
    """
    expected = _values_without(text, key, path)
    nodes = _top_level(text, path).get(key)
    if nodes is None:
        return text
    first = text.rfind("\n", 0, nodes[0].start_mark.index) + 1
    last = text.find("\n", _end(nodes[1], text))
    edited = text[:first] + (text[last + 1 :] if last >= 0 else "")
    return _checked(edited, expected, key, path)


def _values_without(text: str, key: str, path: Path) -> dict[tuple[str, ...], Value]:
    return {keys: entry.value for keys, entry in parse(text, path).items() if keys[0] != key}


def _checked(edited: str, expected: Mapping[tuple[str, ...], Value], key: str, path: Path) -> str:
    """The edited text, if reading it gives exactly what is expected."""
    try:
        values = {keys: entry.value for keys, entry in parse(edited, path).items()}
    except ConfigurationError:
        values = None
    if values != expected or len(edited.encode()) > MAX_BYTES:
        raise ConfigurationError(
            f"{path} is written in a way that `{key}` cannot be changed in without risk. "
            "Edit it by hand; nothing was changed."
        )
    return edited


def _compose(text: str, path: Path) -> yaml.Node | None:
    try:
        _refuse_tricks(text, path)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f" line {mark.line + 1}" if mark else ""
        reason = error.problem or error.context or "it cannot be read"
        raise ConfigurationError(
            f"{path}{line} is not YAML: {reason}. Write one `name: value` a line."
        ) from None  # the cause quotes the line, and a key may stand there
    except yaml.YAMLError as error:  # a character that YAML forbids
        raise ConfigurationError(
            f"{path} is not YAML: {error}. Write one `name: value` a line."
        ) from error


def _refuse_tricks(text: str, path: Path) -> None:
    """Refuse what lets a small text grow or mean something else, before any of it is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        trick = ""
        if isinstance(event, yaml.AliasEvent):
            trick = f"the alias `*{event.anchor}`"
        elif isinstance(event, yaml.NodeEvent) and event.anchor:
            trick = f"the anchor `&{event.anchor}`"
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            trick = f"the tag `{event.tag}`"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                trick = "such deep nesting"
        if trick:
            line = f" line {event.start_mark.line + 1}" if event.start_mark else ""
            raise ConfigurationError(
                f"{path}{line} uses {trick}, which settings do not need. Write the value itself."
            )


def _entries(
    node: yaml.MappingNode, above: tuple[str, ...], path: Path
) -> Iterator[tuple[tuple[str, ...], Entry]]:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigurationError(f"{path} line {line}: a key must be a plain word.")
        key = key_node.value
        if key in seen:
            raise ConfigurationError(
                f"{path} line {line} sets {key!r} again; line {seen[key]} sets it already. "
                "Remove one of the two."
            )
        seen[key] = line
        if isinstance(value_node, yaml.MappingNode):
            yield from _entries(value_node, (*above, key), path)
        else:
            yield (*above, key), Entry(_value(value_node, path), line)


def _value(node: yaml.Node, path: Path) -> Value:
    if _is_null(node):
        return None
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if not isinstance(item, yaml.ScalarNode):
                raise ConfigurationError(
                    f"{path} line {item.start_mark.line + 1}: a list here holds plain words only."
                )
        return tuple(item.value for item in node.value)
    return str(node.value)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULLS


def _top_level(text: str, path: Path) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    root = _compose(text, path)
    if not isinstance(root, yaml.MappingNode):
        return {}
    return {key.value: (key, value) for key, value in root.value}


def _end(node: yaml.Node, text: str) -> int:
    """Where the node's own text ends.

    The end that PyYAML gives for a block collection is the next token's start, behind comments.
    """
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last, text)
    start = node.start_mark.index
    return start + len(text[start : node.end_mark.index].rstrip(" \t\r\n"))


def _as_yaml(value: str) -> str:
    """The value as one line of YAML, in quotes only where it would not read back as this text."""
    style = '"' if value in _NULLS or not value.isprintable() else None
    events = [
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(),
        yaml.MappingStartEvent(None, None, True, flow_style=False),
        yaml.ScalarEvent(None, None, (True, True), "k"),
        yaml.ScalarEvent(None, None, (True, True), value, style=style),
        yaml.MappingEndEvent(),
        yaml.DocumentEndEvent(),
        yaml.StreamEndEvent(),
    ]
    written: str = yaml.emit(events, allow_unicode=True, width=2 * MAX_BYTES)
    return written.removeprefix("k:").strip("\n").lstrip(" ")
