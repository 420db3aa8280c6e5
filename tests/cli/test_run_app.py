"""`ingle run app.yaml`: what a pipe gets, what a terminal shows, and what is told of a wrong app."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingle.apps.check import load
from ingle.cli.run_screen import RunScreen
from ingle.runs.events import (
    Event,
    Fault,
    OutputPiece,
    StepEnded,
    StepPiece,
    StepRetried,
    StepSkipped,
    StepStarted,
    Usage,
)
from ingle.testing import ScriptedUpstream, chat_stream, error, models

Ingle = Callable[..., CompletedProcess[str]]

TWO = """
name: Two
input: {question: text}
steps:
  draft: {prompt: "{{ input.question }}", config: {base_url: %(url)s/v1, model: m}}
  answer: {prompt: "Better: {{ draft }}", config: {base_url: %(url)s/v1, model: m}}
output: "So: {{ answer }}"
"""


def written(folder: Path, text: str, name: str = "app.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


async def test_a_pipe_gets_the_output_alone(ingle: Ingle, tmp_path: Path) -> None:
    """Only the app's output is on stdout and nothing is on stderr; steps use each other."""
    async with ScriptedUpstream(
        models("m"), chat_stream("Ro", "ugh"), chat_stream("Fi", "ne")
    ) as upstream:
        app = written(tmp_path, TWO % {"url": upstream.url})
        done = await asyncio.to_thread(ingle, "run", app, "--input", "question=Why?")
    assert (done.returncode, done.stdout, done.stderr) == (0, "So: Fine\n", "")
    assert upstream.requests[-1].json["messages"] == [{"role": "user", "content": "Better: Rough"}]


async def test_programs_get_the_output_or_every_event(ingle: Ingle, tmp_path: Path) -> None:
    """`--json` prints one document; with `--stream`, a line for each event, and one last one."""
    async with ScriptedUpstream(models("m"), chat_stream("Fi", "ne")) as upstream:
        command = ["run", written(tmp_path, TWO % {"url": upstream.url}), "--input", "question=?"]
        whole = await asyncio.to_thread(ingle, *command, "--json")
        streamed = await asyncio.to_thread(ingle, *command, "--json", "--stream")
    assert json.loads(whole.stdout) == {"output": "So: Fine"}
    events = [json.loads(line) for line in streamed.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert (kinds[0], kinds[-1], kinds.count("run_ended")) == ("run_started", "run_ended", 1)
    assert "".join(event["text"] for event in events if event["type"] == "output") == "So: Fine"


async def test_output_goes_to_a_file(ingle: Ingle, tmp_path: Path) -> None:
    """A file in the output is saved as what it is, and stdout stays empty."""
    app = written(tmp_path, "{name: A, input: {f: file}, steps: {a: {use: ingle/template, "
                  "input: {text: x}}}, output: '{{ input.f }}'}")  # fmt: skip
    (tmp_path / "in.txt").write_text("Some text")
    given = ["--input", f"f=@{tmp_path}/in.txt", "-o", str(tmp_path / "out.txt")]
    done = await asyncio.to_thread(ingle, "run", app, *given)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == f"Saved {tmp_path}/out.txt (9 B)\n"
    assert (tmp_path / "out.txt").read_text() == "Some text"


async def test_a_failed_step_is_told_and_is_the_exit_code(ingle: Ingle, tmp_path: Path) -> None:
    """The error names the step and what happened in it; the exit code is that of a failed step."""
    async with ScriptedUpstream(models("m"), error(400, "no such thing")) as upstream:
        app = written(tmp_path, TWO % {"url": upstream.url})
        done = await asyncio.to_thread(ingle, "run", app, "--input", "question=Why?")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("error: The step `draft` failed: ")
    assert "no such thing" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "`question` is missing. Give it as in `--input question=…`."),
        (["--input", "quest=x"], "The app does not ask for `quest`. Did you mean `question`?"),
        (["--input", "question=x", "--config", "n=1"], "`--config` is for processors"),
    ],
)
def test_a_wrong_input_is_told(
    ingle: Ingle, tmp_path: Path, options: list[str], message: str
) -> None:
    """Before anything runs: what is wrong, and how it is given."""
    app = written(tmp_path, TWO % {"url": "http://127.0.0.1:9"})
    done = ingle("run", app, *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_all_problems_are_shown_with_their_lines(ingle: Ingle, tmp_path: Path) -> None:
    """Each with file, line and column, the line itself and a mark below the place; exit code 2."""
    app = written(
        tmp_path,
        "name: Bad\n"
        "input: {question: text}\n"
        "steps:\n"
        "  answer:\n"
        "    use: localai/chatgt\n"
        "  two: {prompt: '{{ input.qestion }}'}\n",
    )
    done = ingle("run", app)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"{app}:5:5: There is no processor 'localai/chatgt'. Did you mean `localai/chatgpt`?",
        "      use: localai/chatgt",
        "      ^",
        f"{app}:6:9: `input` has no `qestion`. Did you mean `question`? It has: question.",
        "    two: {prompt: '{{ input.qestion }}'}",
        "          ^",
        f"error: {app} has 2 problems.",
    ]
    told = json.loads(ingle("run", app, "--json").stderr)["error"]
    assert [(problem["line"], problem["column"]) for problem in told["problems"]] == [
        (5, 5),
        (6, 9),
    ]


def test_an_app_that_is_not_there_is_told(ingle: Ingle, tmp_path: Path) -> None:
    """A file by its path, a published app by its slug."""
    file, published = ingle("run", str(tmp_path / "no.yaml")), ingle("run", "app/no")
    assert (file.returncode, published.returncode) == (2, 5)
    assert f"The app {tmp_path}/no.yaml cannot be read: No such file or directory." in file.stderr
    assert published.stderr.startswith("error: There is no app 'no'.")


@pytest.mark.slow
async def test_ctrl_c_cancels_the_run(ingle: Ingle, tmp_path: Path) -> None:
    """SIGINT leaves the server, ends with 130, and the run is recorded as cancelled."""
    stuck = chat_stream("Ro", "ugh").paused_before(2, asyncio.Event())
    async with ScriptedUpstream(models("m"), stuck) as upstream:
        app = written(tmp_path, TWO % {"url": upstream.url})
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-W", "error", "-m", "ingle", "run", app, "--input", "question=a"],
            stdout=PIPE,
            stderr=PIPE,
        )
        request = await upstream.received(2)
        process.send_signal(signal.SIGINT)
        out = await process.communicate()
        await request.left.wait()
    assert (process.returncode, out) == (130, (b"", b"\n"))
    listed = await asyncio.to_thread(ingle, "runs", "list", "--json")
    assert [run["state"] for run in json.loads(listed.stdout)] == ["cancelled"]


SIDE_BY_SIDE = """
name: A
steps:
  one: {title: The first, prompt: a}
  two: {prompt: b}
  last: {prompt: "{{ one }}{{ two }}"}
  never: {prompt: c, when: false}
output: "= {{ last }}"
"""


def shown(capsys: pytest.CaptureFixture[str], *events: Event) -> tuple[str, str]:
    """What a terminal is shown of these events on stdout and on stderr."""
    screen = RunScreen(load(SIDE_BY_SIDE, "a"), lambda: None)
    for event in events:
        screen.take(event)
    screen.end("= xy")
    out, err = capsys.readouterr()
    return out, err


def piece(step: str, text: str) -> StepPiece:
    return StepPiece(0, step, ("choices", 0, "content"), text)


def test_a_terminal_shows_one_step_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Steps that write at once do not mix; what is in the output is shown there, and last."""
    out, err = shown(
        capsys,
        OutputPiece(0, "= "),
        StepSkipped(0, "never", 0),
        StepStarted(0, "one", "u", 0),
        StepStarted(0, "two", "u", 0),
        piece("one", "a"),
        piece("two", "b"),
        StepEnded(0, "two", {}, 2),
        piece("one", "A"),
        StepRetried(0, "one", Fault("c", "It broke.")),
        StepEnded(0, "one", {}, 1.5, Usage(completion_tokens=3, tokens_per_second=20.4)),
        StepStarted(0, "last", "u", 0),
        piece("last", "x"),
        OutputPiece(0, "x"),
        OutputPiece(0, "y"),
        StepEnded(0, "last", {}, 3),
    )
    assert out == "= xy\n"
    assert err.splitlines() == [
        "never",
        "skipped",
        "The first",
        "aA",
        "The first: It broke. It is tried again.",
        "1.5 s, 3 tokens, 20 a second",
        "two",
        "b",
        "2.0 s",
        "",
    ]
