"""`ingle apps`, `runs` and `schedules`: what people publish, look back at and let run by itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingle.apps.starters import STARTERS

Ingle = Callable[..., CompletedProcess[str]]

ECHO = """
name: Echo
input: {question: text}
steps:
  answer: {use: ingle/template, input: {text: "You asked: {{ input.question }}"}}
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.yaml"
    path.write_text(ECHO)
    return path


def test_a_published_app_is_at_once_in_many_places(ingle: Ingle, app: Path) -> None:
    """Publishing prints each way to the app; the command that it names runs it."""
    done = ingle("apps", "publish", str(app), "--note", "first")
    assert done.returncode == 0, done.stderr
    places = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert places == {
        "endpoint": "http://127.0.0.1:4645/api/apps/echo/run",
        "model": "app/echo",
        "mcp": "http://127.0.0.1:4645/mcp",
        "command": "ingle run app/echo --input question=…",
        "batch": "ingle batch app/echo ROWS -o FILE",
        "python": 'ingle.run("app/echo", {"question": "…"}).output',
    }
    assert ingle("run", "app/echo", "--input", "question=Why").stdout == "You asked: Why\n"


def test_versions_are_kept_and_come_back(ingle: Ingle, app: Path) -> None:
    """A file becomes the next version; an earlier one is run, shown, compared and restored."""
    ingle("apps", "publish", str(app), "--note", "first")
    app.write_text(ECHO.replace("You asked", "Asked"))
    assert json.loads(ingle("apps", "publish", str(app), "--json").stdout)["version"] == 2
    assert ingle("run", "app/echo", "--input", "question=a").stdout == "Asked: a\n"
    assert ingle("run", "app/echo@1", "--input", "question=a").stdout == "You asked: a\n"
    assert ingle("apps", "show", "echo", "--version", "1").stdout == ECHO
    assert ingle("apps", "restore", "echo", "1").returncode == 0
    changed = [
        line for line in ingle("apps", "diff", "echo").stdout.splitlines() if "ask" in line.lower()
    ]
    assert [line[0] for line in changed] == ["-", "+"]
    assert ingle("run", "app/echo", "--input", "question=a").stdout == "Asked: a\n"
    assert ingle("apps", "publish", "echo").returncode == 0
    assert ingle("run", "app/echo", "--input", "question=a").stdout == "You asked: a\n"
    told = json.loads(ingle("apps", "versions", "echo", "--json").stdout)
    assert [(one["version"], one["note"]) for one in told] == [(3, ""), (2, ""), (1, "first")]


def test_apps_are_listed_unpublished_and_removed(ingle: Ingle, app: Path) -> None:
    """Where there is none it says how to begin."""
    assert "There are no apps." in ingle("apps").stderr
    ingle("apps", "publish", str(app))
    assert ingle("apps").stdout.splitlines()[1].split()[:5] == [
        "echo",
        "Echo",
        "form",
        "version",
        "1",
    ]
    assert ingle("apps", "unpublish", "echo").returncode == 0
    assert ingle("run", "app/echo").returncode == 5
    assert ingle("apps", "rm", "echo", "--yes").returncode == 0
    assert json.loads(ingle("apps", "list", "--json").stdout) == []


def test_an_app_that_is_a_step_of_itself_is_told(ingle: Ingle, app: Path) -> None:
    """It is found out before anything runs, and says in which way."""
    ingle("apps", "publish", str(app))
    app.write_text("{name: Echo, steps: {again: {use: app/echo, input: {question: a}}}}")
    ingle("apps", "publish", str(app))
    done = ingle("run", "app/echo")
    assert done.returncode == 2
    assert "The app 'echo' is a step of itself: echo -> echo." in done.stderr


def test_files_are_checked(ingle: Ingle, app: Path, tmp_path: Path) -> None:
    """What is right is said; all problems of all files are told at once, with exit code 2."""
    assert ingle("apps", "check", str(app)).stderr == f"{app} is right.\n"
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: A\nsteps: {a: {use: no/thing}}\nx: 1\n")
    done = ingle("apps", "check", str(app), str(wrong))
    assert done.returncode == 2
    assert f"{wrong}:2:13: There is no processor 'no/thing'." in done.stderr
    assert done.stderr.endswith(f"error: {wrong} has 2 problems.\n")


def test_llmstack_files_are_imported_with_a_report(ingle: Ingle, tmp_path: Path) -> None:
    """LLMStack's own file becomes an app in our form, and it is told what is something else."""
    path = tmp_path / "translator.yaml"
    path.write_text(ingle("apps", "starters", "language-translator").stdout)
    done = ingle("apps", "import", str(path), "--publish")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(
        f"{path} is the app language-translator now, published as version 1.\n"
    )
    text = ingle("apps", "export", "language-translator").stdout
    assert "steps:" in text
    assert "processors:" not in text


def test_a_key_in_an_app_is_neither_published_nor_shown(
    ingle: Ingle, app: Path, tmp_path: Path
) -> None:
    """An app with a key in it is refused, and the line that holds it is not repeated."""
    app.write_text(ECHO.replace("use:", "config: {separator: sk-abcdefgh12345678}, use:"))
    done = ingle("apps", "publish", str(app))
    assert done.returncode == 2
    assert "looks like a key" in done.stderr
    assert "sk-abcdefgh12345678" not in done.stdout + done.stderr


def test_export_writes_a_file_for_others(ingle: Ingle, app: Path, tmp_path: Path) -> None:
    """The text as it was written; where it cannot be, that is told."""
    ingle("apps", "publish", str(app))
    done = ingle("apps", "export", "echo", "-o", str(tmp_path / "out.yaml"))
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "out.yaml").read_text() == ECHO
    assert ingle("apps", "export", "echo", "-o", str(tmp_path / "no" / "out.yaml")).returncode == 8


def test_starters_and_the_schema_are_printed(ingle: Ingle) -> None:
    """All starter apps with what they do; the JSON Schema that editors read."""
    told = json.loads(ingle("apps", "starters", "--json").stdout)
    assert [one["slug"] for one in told] == list(STARTERS)
    assert json.loads(ingle("apps", "schema").stdout)["title"] == "Ingle app"


def test_runs_are_looked_back_at(ingle: Ingle, app: Path) -> None:
    """A run is listed, shown with its steps, found by its words, tried again, and exported."""
    assert "There are no such runs." in ingle("runs").stderr
    ingle("run", str(app), "--input", "question=Why")
    (run,) = json.loads(ingle("runs", "list", "--json").stdout)
    assert (run["app"], run["state"], run["output"]) == ("echo", "ended", "You asked: Why")
    shown = ingle("runs", "show", run["id"]).stdout
    assert "input.question  Why\n" in shown
    assert shown.splitlines()[-1].split()[:2] == ["answer", "ended"]
    assert ingle("runs", "list", "--search", "nowhere", "--json").stdout == "[]\n"
    edited = ingle("runs", "retry", run["id"], "--edit", 'input={"question": "How"}')
    assert edited.stdout == "You asked: How\n"
    rows = list(csv.DictReader(io.StringIO(ingle("runs", "export", "--app", "app/echo").stdout)))
    assert [row["output"] for row in rows] == ["You asked: How", "You asked: Why"]
    assert ingle("runs", "cancel", run["id"]).returncode == 2
    assert ingle("runs", "show", "run_no").returncode == 5
    assert "There are: waiting, running," in ingle("runs", "list", "--state", "done").stderr


def test_schedules_are_added_paused_and_removed(ingle: Ingle, app: Path) -> None:
    """Each is listed with when it runs; what cannot run is refused."""
    assert "There are no schedules." in ingle("schedules").stderr
    ingle("apps", "publish", str(app))
    more = ["--cron", "0 7 * * 1-5", "--time-zone", "Europe/Berlin", "--input", "question=a"]
    added = json.loads(ingle("schedules", "add", "app/echo", *more, "--json").stdout)
    assert added["timing"] == {"cron": "0 7 * * 1-5", "zone": "Europe/Berlin"}
    assert added["input"] == {"question": "a"}
    assert "at 0 7 * * 1-5 (Europe/Berlin)" in ingle("schedules").stdout
    ingle("schedules", "pause", added["id"])
    assert ingle("schedules").stdout.rstrip().endswith("paused")
    ingle("schedules", "resume", added["id"])
    assert json.loads(ingle("schedules", "list", "--json").stdout)[0]["is_paused"] is False
    assert ingle("schedules", "add", "echo", "--every", "1h").returncode == 2
    assert ingle("schedules", "add", "no", "--every", "1h").returncode == 5
    ingle("schedules", "rm", added["id"])
    assert json.loads(ingle("schedules", "list", "--json").stdout) == []
