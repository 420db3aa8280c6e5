"""`ingle models pull`, as people and programs use it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from ingle.testing.file_server import FileServer, file_server

DEMO = Path(__file__).parents[2] / "src/ingle/models/demo/chat.gguf"

Ingle = Any  # of conftest, which no test can import


def test_local_file(ingle: Ingle, home: Path) -> None:
    """A pulled model is listed, and where it is; stdout is left to results."""
    done = ingle("models", "pull", str(DEMO), "--name", "mine")
    assert (done.returncode, done.stdout) == (0, "")
    assert "mine is installed (" in done.stderr
    listed = json.loads(ingle("models", "--json").stdout)
    assert [model["name"] for model in listed if not model["is_builtin"]] == ["mine"]
    assert (
        "mine is installed already" in ingle("models", "pull", str(DEMO), "--name", "mine").stderr
    )


def test_lines_for_programs(ingle: Ingle) -> None:
    """With --json each event is a line; the last is `installed`, or the error."""
    done = ingle("models", "pull", str(DEMO), "--name", "mine", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {key for line in lines[:-1] for key in line} == {"progress"}
    assert lines[-1]["installed"]["name"] == "mine"
    failed = ingle("models", "pull", "nothing", "--json")
    assert failed.returncode == 2
    assert json.loads(failed.stdout)["error"]["code"] == "invalid_request"


@pytest.mark.parametrize(("rate", "reason"), [("fast", "is a number of bytes"), ("0", "never end")])
def test_bad_rate(ingle: Ingle, rate: str, reason: str) -> None:
    """A rate is a size."""
    done = ingle("models", "pull", str(DEMO), "--limit-rate", rate)
    assert done.returncode == 2
    assert reason in done.stderr


def test_suggest(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits is listed, by its memory and for a task; the best first."""
    monkeypatch.setenv("INGLE_MEMORY_LIMIT_BYTES", "6GB")
    listed = json.loads(ingle("models", "suggest", "chat", "--json").stdout)
    assert (listed[0]["name"], listed[0]["quant"]) == ("qwen3-4b", "Q4_K_M")
    assert "bge-m3" in ingle("models", "suggest", "embeddings").stdout
    wrong = ingle("models", "suggest", "cooking")
    assert (wrong.returncode, "There is no task 'cooking'" in wrong.stderr) == (2, True)


@pytest.mark.slow
async def test_interrupted(home: Path) -> None:
    """Ctrl-C keeps what has come, says so, and ends with 130; the same command goes on."""
    async with file_server() as server:
        file = server.serve("/chat.gguf", DEMO.read_bytes())
        file.etag = '"v1"'
        file.holds_after = 3_000_000
        child = await _pull(server)
        assert child.stdout is not None
        while json.loads(await child.stdout.readline())["progress"]["done_bytes"] < 2_000_000:
            pass
        child.send_signal(signal.SIGINT)
        _, told = await child.communicate()
        assert child.returncode == 130
        assert b"run the same again to go on" in told
        file.holds_after = None
        file.go.set()
        child = await _pull(server)
        await child.communicate()
        assert child.returncode == 0
        assert server.asked("/chat.gguf")[-1].range is not None
    assert (home / "models/chat/chat.gguf").read_bytes() == DEMO.read_bytes()


async def _pull(server: FileServer) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "ingle", "models", "pull", f"{server.url}/chat.gguf"]
    command.append("--json")
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
