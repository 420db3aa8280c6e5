"""`ingle test`: an app's tests, for one model or several side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from xml.etree import ElementTree

import typer

from ingle.cli.completion import complete_model
from ingle.cli.terminal import AsJson, note, print_json, print_table, spinner
from ingle.errors import InvalidRequest, StorageError

if TYPE_CHECKING:
    from ingle.apps.definition import TestDefinition
    from ingle.runs.app_tests import Outcome
    from ingle.runs.source import AppSource

__all__ = ["run_tests"]

_AS_WRITTEN = "AS WRITTEN"
_NOT_IN_XML = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def run_tests(
    target: Annotated[
        str, typer.Argument(metavar="APP", help="Its file, or a published one as app/SLUG.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            autocompletion=complete_model,
            help="Who answers in the steps that write text; give it again to compare.",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            autocompletion=complete_model,
            help="Who judges, where a test asks for it; else the default model.",
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report for CI (JUnit's XML).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the tests of an app, for one model or several.

    The exit code is 1 if one failed.

    Tests are in the app's `tests`, or in a file beside it: `app.tests.yaml` for `app.yaml`.

    \b
    ingle test app.yaml
    ingle test app.yaml --model demo --model qwen3-4b --judge qwen3-4b
    """
    import asyncio

    with spinner("Running the tests"):
        outcomes = asyncio.run(_outcomes(target, model or [], judge))
    if junit is not None:
        _write_report(junit, target, outcomes)
    if as_json:
        print_json([_as_json(outcome) for outcome in outcomes])
    else:
        _print(outcomes)
    if not all(outcome.has_passed for outcome in outcomes):
        raise typer.Exit(1)


async def _outcomes(target: str, models: Sequence[str], judge: str | None) -> list[Outcome]:
    import asyncio

    from ingle.runs.app_tests import run_test
    from ingle.runs.source import read_source
    from ingle.runtime import open_runtime
    from ingle.settings import load_settings

    asked: Sequence[str | None] = models or [None]
    async with open_runtime(load_settings()) as runtime:
        source = await asyncio.to_thread(read_source, target, runtime.published)
        tests = await asyncio.to_thread(_tests, target, source)
        return [
            await run_test(
                source.app,
                test,
                test.name or f"test {number}",
                runtime.work,
                runtime.router,
                model=model,
                judge=judge,
            )
            # All tests of a model follow each other, so that each model is loaded once.
            for model in asked
            for number, test in enumerate(tests, start=1)
        ]


def _tests(target: str, source: AppSource) -> Sequence[TestDefinition]:
    """The app's own tests, and those of the file beside it.

    Raises:
        InvalidRequest: there are none, or the file cannot be read.
        InvalidApp: what is wrong with those of the file.
    """
    from ingle.apps.tests_file import read_tests
    from ingle.runs.source import read_text

    tests = list(source.app.tests)
    beside = Path(target)
    beside = beside.with_name(f"{beside.stem}.tests.yaml")
    if source.slug is None and beside.exists():
        tests += read_tests(read_text(beside), str(beside), source.app)
    if not tests:
        raise InvalidRequest(
            f"{target} has no tests. Write some under `tests:`, or in {beside.name} beside it."
        )
    return tests


def _print(outcomes: Sequence[Outcome]) -> None:
    from rich.text import Text

    models = list(dict.fromkeys(outcome.model for outcome in outcomes))
    by_test: dict[str, list[Text]] = {}
    for outcome in outcomes:
        style = "green" if outcome.has_passed else "bold red"
        by_test.setdefault(outcome.test, []).append(Text(_told(outcome), style=style))
    columns = {"TEST": "", **{model or _AS_WRITTEN: "" for model in models}}
    print_table(columns, [(name, *cells) for name, cells in by_test.items()])
    for outcome in outcomes:
        for sentence in outcome.wrong:
            who = f"{outcome.test}, {outcome.model}" if outcome.model else outcome.test
            note(f"{who}: {sentence}")
        if outcome.wrong and outcome.value is not None:
            note(f"    It said: {_shown(outcome.value)}")
    passed = sum(outcome.has_passed for outcome in outcomes)
    note(f"{passed} of {len(outcomes)} passed.")


def _told(outcome: Outcome) -> str:
    parts = ["passed" if outcome.has_passed else "FAILED", f"{outcome.seconds:.1f} s"]
    if outcome.tokens_per_second:
        parts.append(f"{outcome.tokens_per_second:.0f} tokens/s")
    return "  ".join(parts)


def _shown(value: Any) -> str:
    from ingle.runs.expectations import as_text
    from ingle.upstream.explain import printable

    return repr(printable(as_text(value), 200))


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "test": outcome.test,
        "model": outcome.model,
        "passed": outcome.has_passed,
        "wrong": outcome.wrong,
        "output": outcome.value,
        "seconds": round(outcome.seconds, 3),
        "tokens": outcome.tokens,
        "tokens_per_second": outcome.tokens_per_second,
    }


def _write_report(path: Path, target: str, outcomes: Sequence[Outcome]) -> None:
    """Write the outcomes in the form that CI systems read (JUnit's XML).

    Raises:
        StorageError: the file cannot be written.
    """
    failed = sum(not outcome.has_passed for outcome in outcomes)
    suite = ElementTree.Element(
        "testsuite", name=target, tests=str(len(outcomes)), failures=str(failed)
    )
    for outcome in outcomes:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_xml(outcome.model or target),
            name=_xml(outcome.test),
            time=f"{outcome.seconds:.3f}",
        )
        for sentence in outcome.wrong:
            failure = ElementTree.SubElement(case, "failure", message=_xml(sentence))
            failure.text = _xml(_shown(outcome.value))
    try:
        ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


def _xml(text: str) -> str:
    """The text without what XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets)."""
    return _NOT_IN_XML.sub("", text)
