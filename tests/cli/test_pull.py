"""`ingle models pull`, as people and programs use it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from ingle.models.pull.install import Options
from ingle.models.pull.jobs import Pulls
from ingle.settings import load_settings
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


@pytest.mark.slow
async def test_what_had_come_is_removed_when_asked(home: Path) -> None:
    """`--cancel` leaves nothing of an interrupted pull; where there is nothing, it says so."""
    async with file_server() as server:
        file = server.serve("/chat.gguf", DEMO.read_bytes())
        file.cuts = [1_000_000]
        async with Pulls(load_settings()) as pulls:
            begun = await pulls.start(f"{server.url}/chat.gguf", Options(interval_s=0.01))
            async with aclosing(pulls.feed.follow(0, begun.id)) as events:
                async for event in events:
                    if event.status.progress and event.status.progress.done_bytes > 500_000:
                        break
        assert (home / "models/.pulling/chat").is_dir()
        child = await _pull(server, "--cancel")
        assert (await child.communicate())[1] == b"What had come was removed.\n"
        assert not (home / "models/.pulling/chat").exists()
        again = await _pull(server, "--cancel")
        told = (await again.communicate())[1]
    assert (again.returncode, b"Nothing has come of" in told) == (5, True)


async def _pull(server: FileServer, option: str = "--json") -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "ingle", "models", "pull", f"{server.url}/chat.gguf", option]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
