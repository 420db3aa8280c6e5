"""`ingle run`: against a scripted server for exact words, and the demo model for the real thing."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingle.testing import (
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    completion_answer,
    completion_stream,
    error,
    images,
    models,
)
from ingle.testing.answers import events

Ingle = Callable[..., CompletedProcess[str]]

CHAT = "chat/completions"
HELLO = '{"messages": [{"role": "user", "content": "Hello"}]}'
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 992


def arguments(upstream: ScriptedUpstream, *more: str, slug: str = "localai/chatgpt") -> list[str]:
    given = HELLO if slug == "localai/chatgpt" else "prompt=Hello"
    return ["run", slug, "--input", given, "--config", f"base_url={upstream.url}/v1", *more]


async def start(*args: str) -> Process:
    """`ingle` as a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-m", "ingle", *args, stdout=PIPE, stderr=PIPE
    )


async def test_text_alone_goes_to_stdout(ingle: Ingle) -> None:
    """People get the words of the answer, a line end, and nothing else anywhere."""
    async with ScriptedUpstream(models(), chat_answer("Hello, you!")) as upstream:
        done = await asyncio.to_thread(ingle, *arguments(upstream))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, you!\n", "")
    assert upstream.requests[-1].json["stream"] is False


async def test_fields_are_read_by_the_schema(ingle: Ingle) -> None:
    """Text stays text and numbers become numbers, from one option or several."""
    async with ScriptedUpstream(models(), completion_answer("!")) as upstream:
        await asyncio.to_thread(
            ingle,
            *["run", "localai/completions", "--input", "prompt=42", "--config", '{"seed": 7}'],
            *["--config", "max_tokens=5", "--config", f"base_url={upstream.url}/v1"],
        )
    asked = upstream.requests[-1].json
    assert (asked["prompt"], asked["seed"], asked["max_tokens"]) == ("42", 7, 5)


async def test_every_choice_and_call_is_shown(ingle: Ingle) -> None:
    """Several choices are parted by a line, and a function call is a line of JSON."""
    call = {"id": "1", "type": "function", "function": {"name": "now", "arguments": '{"in":"é"}'}}
    async with ScriptedUpstream(models(), chat_answer("One", "Two")) as upstream:
        two = await asyncio.to_thread(ingle, *arguments(upstream))
        upstream.script(chat_answer("", tool_calls=[call], finish_reason="tool_calls"))
        called = await asyncio.to_thread(ingle, *arguments(upstream))
    assert two.stdout == "One\n\n---\n\nTwo\n"
    assert called.stdout == '{"name": "now", "arguments": "{\\"in\\":\\"é\\"}"}\n'


async def test_json_is_the_whole_output(ingle: Ingle) -> None:
    """Programs get the choices and the raw response, as one document."""
    async with ScriptedUpstream(models(), chat_answer("Hi")) as upstream:
        done = await asyncio.to_thread(ingle, *arguments(upstream, "--json"))
    output = json.loads(done.stdout)
    assert output["choices"] == [{"role": "assistant", "content": "Hi"}]
    assert output["_api_response"]["id"] == "scripted-1"


async def test_pieces_are_shown_as_they_come() -> None:
    """With `--stream` each piece is on stdout before the next one has been sent."""
    second = asyncio.Event()
    answer = chat_stream("Hel", "lo, ", "you!").paused_before(2, second)
    async with ScriptedUpstream(models(), answer) as upstream:
        process = await start(*arguments(upstream, "--stream"))
        assert process.stdout is not None
        assert await process.stdout.readexactly(3) == b"Hel"
        second.set()
        assert await process.communicate() == (b"lo, you!\n", b"")
    assert process.returncode == 0


async def test_thoughts_are_not_in_the_answer(ingle: Ingle) -> None:
    """What a model thinks before it answers does not reach a pipe, streamed or not."""
    deltas = [{"role": "assistant", "reasoning_content": "Hm."}, {"content": "Yes"}]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    async with ScriptedUpstream(
        models(), events(*chunks, end, "[DONE]", endpoint=CHAT)
    ) as upstream:
        streamed = await asyncio.to_thread(ingle, *arguments(upstream, "--stream"))
        upstream.script(chat_answer("Yes", reasoning_content="Hm."))
        whole = await asyncio.to_thread(ingle, *arguments(upstream))
    assert (streamed.stdout, streamed.stderr) == ("Yes\n", "")
    assert (whole.stdout, whole.stderr) == ("Yes\n", "")


async def test_stream_of_json_ends_with_the_output(ingle: Ingle) -> None:
    """Each piece is a line, and the last line, and only that, is the output."""
    slug = "localai/completions"
    async with ScriptedUpstream(models(), completion_stream("Hel", "lo")) as upstream:
        args = arguments(upstream, "--stream", "--json", slug=slug)
        done = await asyncio.to_thread(ingle, *args)
    assert done.stdout.splitlines() == [
        '{"piece":{"path":["choices",0],"text":"Hel"}}',
        '{"piece":{"path":["choices",0],"text":"lo"}}',
        '{"output":{"choices":["Hello"]}}',
    ]


async def test_stream_of_json_that_fails_ends_with_the_error(ingle: Ingle) -> None:
    """A cut answer is told as one last line, with what had arrived; stderr stays empty."""
    answer = completion_stream("Hel", "lo").cut_after(1)
    async with ScriptedUpstream(models(), answer) as upstream:
        args = arguments(upstream, "--stream", "--json", slug="localai/completions")
        done = await asyncio.to_thread(ingle, *args)
    piece, last = map(json.loads, done.stdout.splitlines())
    assert piece == {"piece": {"path": ["choices", 0], "text": "Hel"}}
    assert last["error"]["code"] == "upstream_cut"
    assert last["error"]["partial"] == "Hel"
    assert last["error"]["url"] == f"{upstream.url}/v1/completions"
    assert (done.returncode, done.stderr) == (7, "")


def test_stream_of_json_ends_with_an_error_even_if_nothing_was_asked(ingle: Ingle) -> None:
    """Wrong input, an unknown processor and wrong usage are each one last line as well."""
    for args, code in (
        (["localai/completions"], "invalid_request"),
        (["localai/nope"], "processor_not_found"),
        (["localai/completions", "--nope"], "usage"),
    ):
        done = ingle("run", *args, "--stream", "--json")
        assert json.loads(done.stdout)["error"]["code"] == code
        assert done.stderr == ""


async def test_cut_answer_is_an_error_after_what_was_shown(ingle: Ingle) -> None:
    """People see what came, on lines of its own, and then why it ended; not the words twice."""
    answer = chat_stream("Hello, ", "you").cut_after(2)
    async with ScriptedUpstream(models(), answer) as upstream:
        done = await asyncio.to_thread(ingle, *arguments(upstream, "--stream"))
    assert (done.returncode, done.stdout) == (7, "Hello, \n")
    assert done.stderr.startswith(f"error: POST {upstream.url}/v1/chat/completions")
    assert "What had arrived: Hello" not in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
async def test_ctrl_c_stops_the_work(as_json: bool) -> None:
    """Ctrl-C ends with code 130, leaves the server at once, and ends a stream of JSON rightly."""
    answer = chat_stream("Hel", "lo").paused_before(2, asyncio.Event())
    async with ScriptedUpstream(models(), answer) as upstream:
        process = await start(*arguments(upstream, "--stream", *["--json"] * as_json))
        assert process.stdout is not None
        begun = await process.stdout.readuntil(b"Hel")
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        await upstream.requests[-1].left.wait()
    assert process.returncode == 130
    if as_json:
        lines = (begun + out).decode().splitlines()
        assert json.loads(lines[-1]) == {
            "error": {"code": "interrupted", "message": "Interrupted."}
        }
        assert err == b""
    else:
        assert (begun + out, err) == (b"Hel\n", b"\n")


async def test_reader_that_leaves_stops_the_work() -> None:
    """`ingle run … | head -c 3` is silent, and the server is left."""
    more = asyncio.Event()
    answer = chat_stream("Hel", *["lo"] * 50, "end").paused_before(2, more)
    answer = answer.paused_before(40, asyncio.Event())
    reading, writing = os.pipe()
    async with ScriptedUpstream(models(), answer) as upstream:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "ingle", *arguments(upstream, "--stream")],
            stdout=writing,
            stderr=PIPE,
        )
        os.close(writing)
        assert await asyncio.to_thread(os.read, reading, 3) == b"Hel"
        os.close(reading)
        more.set()
        _, err = await process.communicate()
        await upstream.requests[-1].left.wait()
    assert (process.returncode, err) == (1, b"")


async def test_images_are_told_of_and_saved(ingle: Ingle, tmp_path: Path) -> None:
    """Without `--output` people read what came; with it each image is a file of its own."""
    slug = "localai/image_generations"
    encoded = base64.b64encode(PNG).decode()
    async with ScriptedUpstream(models(), images(encoded, encoded)) as upstream:
        told = await asyncio.to_thread(ingle, *arguments(upstream, slug=slug))
        path = tmp_path / "cat.png"
        saved = await asyncio.to_thread(ingle, *arguments(upstream, "-o", str(path), slug=slug))
        as_json = await asyncio.to_thread(ingle, *arguments(upstream, "--json", slug=slug))
    assert told.stdout.splitlines() == ["Image 1: PNG, 1.0 kB", "Image 2: PNG, 1.0 kB"]
    assert told.stderr == "`--output FILE` saves it, `--json` prints it as base64.\n"
    second = tmp_path / "cat-2.png"
    assert saved.stderr == f"Saved {path} (1.0 kB), {second} (1.0 kB)\n"
    assert [file.read_bytes() for file in (path, second)] == [PNG, PNG]
    assert json.loads(as_json.stdout) == {"data": [encoded, encoded]}


async def test_text_is_saved(ingle: Ingle, tmp_path: Path) -> None:
    """`--output` of a text is a file with it, beside what is printed."""
    path = tmp_path / "answer.txt"
    async with ScriptedUpstream(models(), chat_answer("Zoë")) as upstream:
        done = await asyncio.to_thread(ingle, *arguments(upstream, "--output", str(path)))
    assert done.stdout == "Zoë\n"
    assert path.read_text(encoding="utf-8") == "Zoë\n"


async def test_output_that_cannot_be_saved_is_told_before_the_work(
    ingle: Ingle, tmp_path: Path
) -> None:
    """A folder, or a folder that is not there, is refused before anything is asked."""
    async with ScriptedUpstream() as upstream:
        for path in (tmp_path, tmp_path / "none" / "cat.png"):
            done = await asyncio.to_thread(ingle, *arguments(upstream, "--output", str(path)))
            assert done.returncode == 2
            assert done.stderr.startswith(f"error: `--output {path}` ")
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (
            ["localai/completions"],
            2,
            "`input.prompt` is missing. `ingle processors localai/completions` shows the fields.",
        ),
        (["localai/completions", "--input", "promt=x"], 2, "Did you mean `prompt`?"),
        (
            ["localai/completions", "--input", "prompt=x", "--config", "temperature=9"],
            2,
            "`config.temperature` is 9, but must be less than or equal to 2.",
        ),
        (["localai/completion"], 5, "Did you mean `localai/completions`?"),
        (["localai/completions", "--input", "-", "--config", "-"], 2, "stdin (-) can give only"),
    ],
)
def test_wrong_input_names_the_field(
    ingle: Ingle, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, message: str
) -> None:
    """What is wrong is said by the field's name, with the next step."""
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))
    done = ingle("run", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr


async def test_server_that_refuses_is_quoted(ingle: Ingle) -> None:
    """A server's own words are in the error, as text and as JSON on stderr."""
    refusal = replace(error(400, "I would rather not."), endpoint=CHAT)
    async with ScriptedUpstream(models(), refusal) as upstream:
        people = await asyncio.to_thread(ingle, *arguments(upstream))
        program = await asyncio.to_thread(ingle, *arguments(upstream, "--json"))
    assert people.returncode == 7
    assert "I would rather not." in people.stderr
    assert (program.returncode, program.stdout) == (7, "")
    told = json.loads(program.stderr)["error"]
    assert (told["status"], told["server_message"]) == (400, "I would rather not.")


def test_demo_model_answers(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing set up, the model that comes with Ingle goes on from a prompt in a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Once upon a time"))
    args = ["run", "localai/completions", "--input", "prompt=-", "--config", "max_tokens=8"]
    done = ingle(*args, "--stream", "--json")
    *pieces, last = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (0, "")
    assert "".join(line["piece"]["text"] for line in pieces) == last["output"]["choices"][0]
    assert len(pieces) > 1
