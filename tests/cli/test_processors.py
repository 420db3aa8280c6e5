"""`ingle processors`: which there are, and their fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

from ingle.processors.catalogue import PROCESSORS

Ingle = Callable[..., CompletedProcess[str]]


def test_list_has_every_processor(ingle: Ingle) -> None:
    """Each processor is a row: its slug and what it does."""
    heading, *rows = ingle("processors").stdout.splitlines()
    assert heading.split() == ["PROCESSOR", "WHAT", "IT", "DOES"]
    assert [row.split(maxsplit=1) for row in rows] == [
        [processor.slug, processor.description] for processor in PROCESSORS.values()
    ]


def test_fields_of_one_are_shown(ingle: Ingle) -> None:
    """One processor has tables of its input, configuration and output."""
    lines = ingle("processors", "localai/image_generations").stdout.splitlines()
    assert lines[0] == "localai/image_generations  LocalAI image generation"
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert rows["INPUT"] == ["INPUT", "TYPE", "DEFAULT", "MEANING"]
    assert rows["prompt"][1:7] == ["string,", "at", "most", "1000", "characters", "required"]
    assert rows["size"][1:7] == ["256x256", "|", "512x512", "|", "1024x1024", "256x256"]
    assert rows["timeout"][1:5] == ["number,", ">", "0", "60"]
    assert rows["data"][1:4] == ["list", "of", "string"]


def test_programs_get_the_schemas(ingle: Ingle) -> None:
    """`--json` gives the JSON Schemas, of all or of one."""
    every = json.loads(ingle("processors", "--json").stdout)
    assert [schema["slug"] for schema in every] == list(PROCESSORS)
    one = json.loads(ingle("processors", "localai/completions", "--json").stdout)
    assert one in every
    assert one["input"]["properties"]["prompt"]["type"] == "string"


def test_unknown_processor_is_an_error(ingle: Ingle) -> None:
    """A slug that is not there is an error with the nearest one."""
    done = ingle("processors", "localai/chatgtp")
    assert done.returncode == 5
    assert "Did you mean `localai/chatgpt`?" in done.stderr
