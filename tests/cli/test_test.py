"""`ingle test`: the table, the exit code, and the reports for programs and CI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree

import pytest

Ingle = Callable[..., CompletedProcess[str]]

ECHO = """
name: Echo
input: {question: text}
steps:
  answer: {use: ingle/template, input: {text: "You asked: {{ input.question }}"}}
tests:
  - name: repeats
    input: {question: "Why?"}
    expect: {contains: why}
"""
BESIDE = """
tests:
  - input: {question: "How?"}
    expect: {contains: when}
"""


@pytest.fixture
def app(tmp_path: Path) -> str:
    (tmp_path / "app.yaml").write_text(ECHO)
    return str(tmp_path / "app.yaml")


def test_tests_that_pass_are_a_table_and_exit_code_0(ingle: Ingle, app: str) -> None:
    """A line for each test, on stdout; how many passed, beside it."""
    done = ingle("test", app)
    assert done.returncode == 0, done.stderr
    heading, line = done.stdout.splitlines()
    assert heading.split() == ["TEST", "AS", "WRITTEN"]
    assert re.fullmatch(r"repeats  passed  \d\.\d s", line)
    assert done.stderr == "1 of 1 passed.\n"


def test_a_failed_test_says_why_and_is_exit_code_1(ingle: Ingle, app: str, tmp_path: Path) -> None:
    """Tests of the file beside the app count too; CI gets the same as XML."""
    (tmp_path / "app.tests.yaml").write_text(BESIDE)
    report = tmp_path / "report.xml"
    done = ingle("test", app, "--junit", str(report))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "test 2: It does not contain 'when'.",
        "    It said: 'You asked: How?'",
        "1 of 2 passed.",
    ]
    suite = ElementTree.parse(report).getroot()
    assert suite.attrib == {"name": app, "tests": "2", "failures": "1"}
    assert [case.get("name") for case in suite.iter("testcase")] == ["repeats", "test 2"]
    assert [found.text for found in suite.iter("failure")] == ["'You asked: How?'"]


def test_programs_get_every_outcome(ingle: Ingle, app: str) -> None:
    """Each with its model, what it said and what was wrong."""
    told = json.loads(ingle("test", app, "--model", "a", "--model", "b", "--json").stdout)
    assert [(one["model"], one["passed"], one["output"]) for one in told] == [
        ("a", True, "You asked: Why?"),
        ("b", True, "You asked: Why?"),
    ]


def test_an_app_without_tests_is_told(ingle: Ingle, tmp_path: Path) -> None:
    """It says where to write some."""
    path = tmp_path / "app.yaml"
    path.write_text(ECHO.partition("tests:")[0])
    done = ingle("test", str(path))
    assert done.returncode == 2
    assert "has no tests. Write some under `tests:`, or in app.tests.yaml beside" in done.stderr
