"""Tests of an app: in its definition, or in a file beside it; checked like all of a definition."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field

from ingle.apps.app import App
from ingle.apps.definition import FieldDefinition, TestDefinition
from ingle.apps.document import Path, read_document
from ingle.apps.fields import value_faults
from ingle.apps.problems import InvalidApp, meant
from ingle.processors.json_fit import validator_of
from ingle.processors.validation import faults

__all__ = ["faults_of_test", "read_tests"]


class _TestsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tests: list[TestDefinition] = Field(min_length=1)


def read_tests(text: str, name: str, app: App) -> tuple[TestDefinition, ...]:
    """The tests in the text of a file such as `app.tests.yaml`: an object with `tests`.

    Raises:
        InvalidApp: all that is wrong with them, each with file, line and column.
    """
    document = read_document(text, name)
    if wrong := faults(_TestsFile, document.values, ""):
        raise InvalidApp(document.problem(fault.path, fault.message) for fault in wrong)
    tests = _TestsFile.model_validate(document.values).tests
    problems = [
        document.problem(("tests", number, *path), message)
        for number, test in enumerate(tests)
        for path, message in faults_of_test(test, app.fields, [step.name for step in app.steps])
    ]
    if problems:
        raise InvalidApp(problems)
    return tuple(tests)


def faults_of_test(
    test: TestDefinition, fields: Mapping[str, FieldDefinition], steps: Collection[str]
) -> Iterator[tuple[Path, str]]:
    """What is wrong with a test for an app of these fields and steps, and where in the test."""
    for path, message in value_faults(fields, test.input):
        yield ("input", *path), message
    if test.step is not None and test.step not in steps:
        yield ("step",), f"There is no step `{test.step}`.{meant(test.step, steps)}"
    expect = test.expect
    if not expect.model_fields_set:
        yield (
            ("expect",),
            "Nothing is expected. Write what must hold, such as `contains: Paris`.",
        )
    if expect.matches is not None:
        try:
            re.compile(expect.matches)
        except re.error as error:
            yield ("expect", "matches"), f"This is no regular expression: {error}."
    if expect.schema_ is not None:
        try:
            validator_of(expect.schema_)
        except ValueError as error:
            yield ("expect", "schema"), f"`schema`: {error}"
