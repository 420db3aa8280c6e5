"""`ingle batch`: files in and out, what is refused before the work, and going on after SIGKILL."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingle.testing import ScriptedUpstream, chat_answer, completion_answer, error, models

Ingle = Callable[..., CompletedProcess[str]]

APP = """
name: Ask
input: {question: text, times: {type: integer, default: 1}}
steps:
  answer:
    prompt: "{{ input.question }} {{ input.times }}"
    config: {base_url: %s/v1, stream: false, model: m}
"""


def app(folder: Path, upstream: ScriptedUpstream) -> str:
    path = folder / "app.yaml"
    path.write_text(APP % upstream.url)
    return str(path)


def rows(folder: Path, *lines: str, name: str = "rows.csv") -> str:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def found(path: Path) -> list[dict[str, object]]:
    return sorted(map(json.loads, path.read_text().splitlines()), key=lambda row: int(row["_row"]))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def asked(upstream: ScriptedUpstream) -> list[str]:
    requests = [request for request in upstream.requests if request.method == "POST"]
    return [request.json["messages"][-1]["content"] for request in requests]


async def start(*args: str) -> Process:
    """`ingle` as a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-m", "ingle", *args, stdout=PIPE, stderr=PIPE
    )


async def test_columns_go_to_the_fields_of_their_names(ingle: Ingle, tmp_path: Path) -> None:
    """Each row is a run; cells are read by the field's type, and other columns are carried along."""
    out = tmp_path / "out.jsonl"
    async with ScriptedUpstream(models("m"), chat_answer("Yes")) as upstream:
        source = rows(tmp_path, "question,times,note", 'Why?,2,"a, b"', "How?,,")
        done = await asyncio.to_thread(
            ingle, "batch", app(tmp_path, upstream), source, "-o", str(out)
        )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"2 rows are in {out}.\n"
    assert found(out) == [
        {"_row": 0, "question": "Why?", "times": "2", "note": "a, b", "output": "Yes"},
        {"_row": 1, "question": "How?", "output": "Yes"},
    ]
    assert sorted(asked(upstream)) == ["How? 1", "Why? 2"]


async def test_failed_rows_are_told_and_tried_again(ingle: Ingle, tmp_path: Path) -> None:
    """Failed rows have their error, the exit code is 1, and `--retry-failed` runs just them."""
    out = tmp_path / "out.csv"
    command = ["-o", str(out), "--concurrency", "1"]
    refusal = replace(error(400, "no such thing"), endpoint="chat/completions")
    async with ScriptedUpstream(
        models("m"), chat_answer("Yes"), refusal, chat_answer("Yes")
    ) as upstream:
        command = ["batch", app(tmp_path, upstream), rows(tmp_path, "question", "a", "b"), *command]
        first = await asyncio.to_thread(ingle, *command)
        failed = out.read_text()
        again = await asyncio.to_thread(ingle, *command, "--retry-failed", "--json")
    assert first.returncode == 1
    assert "1 of them failed, see `_error`." in first.stderr
    assert failed.splitlines()[:2] == ["_row,question,output,_error", "0,a,Yes,"]
    assert re.search(r'^1,b,,"?upstream_refused: .*no such thing', failed, re.MULTILINE)
    assert again.returncode == 0
    assert {"rows": 2, "failed": 0}.items() <= json.loads(again.stdout).items()
    with out.open(newline="") as file:
        assert [row["output"] for row in csv.DictReader(file)] == ["Yes", "Yes"]
    assert asked(upstream) == ["a 1", "b 1", "b 1"]


async def test_a_processor_takes_rows_too(ingle: Ingle, tmp_path: Path) -> None:
    """The output is what people want of the processor's: the text alone."""
    out = tmp_path / "out.jsonl"
    source = rows(tmp_path, '{"text": "Once"}', name="rows.jsonl")
    async with ScriptedUpstream(models(), completion_answer(" upon")) as upstream:
        done = await asyncio.to_thread(
            ingle,
            *["batch", "localai/completions", source, "-o", str(out), "--map", "prompt=text"],
            *["--config", f"base_url={upstream.url}/v1", "--config", "max_tokens=3"],
        )
    assert done.returncode == 0, done.stderr
    assert found(out) == [{"_row": 0, "text": "Once", "output": " upon"}]
    assert upstream.requests[-1].json["max_tokens"] == 3


async def test_a_file_comes_from_its_path(ingle: Ingle, tmp_path: Path) -> None:
    """A cell with `@PATH` gives a field that takes a file this file."""
    (tmp_path / "note.txt").write_text("Remember.")
    (tmp_path / "app.yaml").write_text(
        "name: Read\ninput: {paper: file}\n"
        "steps: {text: {use: ingle/text_from_file, input: {file: '{{ input.paper }}'}}}\n"
    )
    source, out = rows(tmp_path, "paper", f"@{tmp_path}/note.txt"), tmp_path / "out.jsonl"
    done = await asyncio.to_thread(
        ingle, "batch", str(tmp_path / "app.yaml"), source, "-o", str(out)
    )
    assert done.returncode == 0, (done.stderr, out.read_text())
    assert found(out)[0]["output"] == "Remember."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "app.yaml needs `question`, and there is no such column."),
        (["--map", "question=words"], "there is no such column. "),
        (["--map", "quest=text"], "does not ask for `quest`. It asks for: question, times."),
        (["--map", "question"], "`--map question` maps nothing."),
        (["--map", "question=text", "--ordered", "--retry-failed"], "Leave one out."),
        (["-o", "out.txt"], "out.txt does not say by its ending what it is."),
    ],
)
async def test_what_cannot_work_is_refused_before_the_work(
    ingle: Ingle, tmp_path: Path, options: list[str], message: str
) -> None:
    """Nothing is asked of any server, nothing is written, and the exit code is 2."""
    async with ScriptedUpstream(models("m")) as upstream:
        command = ["batch", app(tmp_path, upstream), rows(tmp_path, "text", "a")]
        done = await asyncio.to_thread(ingle, *command, "-o", str(tmp_path / "out.jsonl"), *options)
    assert (done.returncode, upstream.requests) == (2, [])
    assert message in done.stderr
    assert names(tmp_path) == ["app.yaml", "rows.csv"]


@pytest.mark.slow
async def test_a_killed_batch_goes_on_and_repeats_no_finished_row(tmp_path: Path) -> None:
    """After SIGKILL the same command runs the rows that are not in the file, each once."""
    out = tmp_path / "out.jsonl"
    questions = [f"row {number}" for number in range(40)]
    may_end = asyncio.Event()
    quick = [chat_answer("Yes")] * 15
    async with ScriptedUpstream(
        models("m"), *quick, chat_answer("Yes").paused_before(0, may_end)
    ) as upstream:
        command = ["batch", app(tmp_path, upstream), rows(tmp_path, "question", *questions)]
        command += ["-o", str(out), "--concurrency", "4"]
        process = await start(*command)
        await upstream.received(1 + 15 + 4)
        while not out.exists() or len(found(out)) < 15:  # noqa: ASYNC110 -- another process writes
            await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
        done_before = {str(row["question"]) for row in found(out)}
        with out.open("ab") as file:
            file.write(b'{"_row":39,"question":"row 3')  # as if it was killed in a write
        asked_before = len(asked(upstream))
        may_end.set()
        process = await start(*command)
        _, told = await process.communicate()
    assert process.returncode == 0, told
    assert told.decode().startswith("15 of 40 rows are done already.\n")
    assert [row["question"] for row in found(out)] == questions
    again = [text.removesuffix(" 1") for text in asked(upstream)[asked_before:]]
    assert Counter(again) == Counter(text for text in questions if text not in done_before)
    assert names(tmp_path) == ["app.yaml", "out.jsonl", "rows.csv"]


@pytest.mark.slow
async def test_ctrl_c_keeps_what_has_come(tmp_path: Path) -> None:
    """SIGINT ends it with 130 and says how to go on; the finished rows are in the file."""
    out, never = tmp_path / "out.jsonl", asyncio.Event()
    async with ScriptedUpstream(
        models("m"), chat_answer("Yes"), chat_answer("No").paused_before(0, never)
    ) as upstream:
        source = rows(tmp_path, "question", "a", "b")
        process = await start(
            *["batch", app(tmp_path, upstream), source, "-o", str(out), "--concurrency", "1"]
        )
        request = await upstream.received(3)
        process.send_signal(signal.SIGINT)
        _, told = await process.communicate()
        await request.left.wait()
    assert process.returncode == 130
    assert told.decode() == "What has come is kept: run the same again to go on.\n\n"
    assert [row["output"] for row in found(out)] == ["Yes"]


@pytest.mark.slow
async def test_two_processes_do_not_write_one_file(ingle: Ingle, tmp_path: Path) -> None:
    """The second is refused while the first is at work."""
    out, never = tmp_path / "out.jsonl", asyncio.Event()
    async with ScriptedUpstream(models("m"), chat_answer("No").paused_before(0, never)) as upstream:
        command = ["batch", app(tmp_path, upstream), rows(tmp_path, "question", "a")]
        process = await start(*command, "-o", str(out))
        await upstream.received(2)
        second = await asyncio.to_thread(ingle, *command, "-o", str(out))
        process.terminate()
        await process.communicate()
    assert second.returncode == 2
    assert second.stderr.startswith(f"error: Another process is writing {out}.")
