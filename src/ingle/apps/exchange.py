"""Apps that come from elsewhere, and apps to hand on: files in, files out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from ingle.apps.app import App
from ingle.apps.check import check
from ingle.apps.document import read_document
from ingle.apps.llmstack import from_llmstack, is_llmstack
from ingle.apps.problems import InvalidApp, Note, Problem
from ingle.apps.secrets import secret_faults

__all__ = ["Imported", "export", "import_file"]


@dataclass(frozen=True, slots=True)
class Imported:
    """A file as an app of ours.

    `text` is the app in our form, also where `problems` say why it cannot run; it is empty where
    the file is no YAML. `notes` say what LLMStack's file had that is something else here. Both
    name places in the file.
    """

    text: str
    app: App | None
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]


def import_file(
    text: str, name: str, find_app: Callable[[str], App | None] = lambda slug: None
) -> Imported:
    """The app in a file, LLMStack's or ours. `name` is the file's, for people; `find_app` gives
    the published app of a slug."""
    try:
        document = read_document(text, name)
    except InvalidApp as error:
        return Imported("", None, error.problems, ())
    notes: tuple[Note, ...] = ()
    own = text
    if is_llmstack(document.values):
        converted = from_llmstack(document)
        notes, own = converted.notes, _yaml(converted.document.values)
    try:
        return Imported(own, check(document, find_app), (), notes)
    except InvalidApp as error:
        return Imported(own, None, error.problems, notes)


def export(text: str, name: str) -> str:
    """The text of an app, as it was written, to hand to others.

    Raises:
        InvalidApp: a key stands in it, or it is no YAML, so that nobody can say.
    """
    document = read_document(text, name)
    if found := [document.problem(*fault) for fault in secret_faults(document.values)]:
        raise InvalidApp(found)
    return text


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # Any: PyYAML's own
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _yaml(values: dict[str, Any]) -> str:
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96)
