"""The apps in docs are apps, and show all that the form has."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from ingle.apps.check import load
from ingle.apps.definition import schema
from ingle.apps.exchange import import_file
from ingle.apps.starters import STARTERS, starter

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = FENCE.findall((DOCS / "apps.md").read_text())


@pytest.mark.parametrize(
    "example",
    EXAMPLES
    + [
        example
        for page in ("agents", "chat")
        for example in FENCE.findall((DOCS / f"{page}.md").read_text())
    ],
)
def test_each_example_is_an_app(example: str) -> None:
    """Whoever copies one has an app."""
    assert load(example, "apps.md").steps


@pytest.mark.parametrize(
    "part",
    ["AppDefinition", "StepDefinition", "FieldDefinition", "ToolDefinition", "ChatDefinition",
     "ExpectDefinition", "TestDefinition"],
)  # fmt: skip
def test_each_field_is_shown(part: str) -> None:
    """No field of the form is left without an example."""
    described = schema()
    fields = (described["$defs"].get(part) or described)["properties"]
    shown = "\n".join(EXAMPLES)
    assert [field for field in fields if not re.search(rf"\b{field}:", shown)] == []


@pytest.mark.parametrize("example", EXAMPLES + [starter(slug) for slug in STARTERS[:-1]])
def test_editors_find_no_fault_with_what_is_right(example: str) -> None:
    """The JSON Schema takes each of our apps, and offers the processors."""
    jsonschema_rs.validator_for(schema()).validate(yaml.safe_load(example))


@pytest.mark.parametrize(
    "wrong",
    [
        "{name: A, steps: {}}",
        "{name: A, steps: {a: {promt: x}}}",
        "{name: A, steps: {a: {use: localai/chat}}}",
        "{name: A, input: {q: strin}, steps: {a: {prompt: x}}}",
    ],
)
def test_editors_mark_what_is_wrong(wrong: str) -> None:
    """A field that is not there, a processor and a type that are none."""
    assert not jsonschema_rs.validator_for(schema()).is_valid(yaml.safe_load(wrong))


def test_what_the_import_of_llmstacks_app_gives_is_shown() -> None:
    """The app in LLMStack's form becomes just the one that stands below it."""
    theirs, ours = FENCE.findall((DOCS / "llmstack.md").read_text())
    imported = import_file(theirs, "llmstack.md")
    assert imported.text == ours
    assert ["gpt-3.5-turbo" in note.message for note in imported.notes] == [True]
    assert yaml.safe_load(ours)["steps"]
