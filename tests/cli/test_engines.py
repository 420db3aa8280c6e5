"""`ingle models ps`, `run` and `stop`, beside a running Ingle."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Ingle = Callable[..., CompletedProcess[str]]


@pytest.fixture
def running(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An `ingle up` where the settings of this process say that it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ingle", "up", "--port", "0"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    port = re.search(r":(\d+)$", line.strip())
    assert port
    monkeypatch.setenv("INGLE_PORT", port[1])
    yield
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


@pytest.mark.usefixtures("running")
def test_an_engine_is_loaded_listed_and_stopped(ingle: Ingle) -> None:
    """`run` loads it without a call to it, `ps` tells what it holds, `stop` ends it."""
    assert ingle("models", "ps").stderr.startswith("No engine runs.")
    needs, ready = ingle("models", "run", "demo").stderr.splitlines()
    assert re.fullmatch(
        r"demo takes up to [\d.]+ MB of [\d.]+ [GT]B: weights 4.5 MB, context 21.0 MB, prompt cache "
        r"6.3 MB, buffers [\d.]+ MB, process [\d.]+ MB\.",
        needs,
    )
    assert re.fullmatch(r"demo is ready, in .* of memory\.", ready)
    heading, demo = ingle("models", "ps").stdout.splitlines()
    assert heading.split() == ["MODEL", "STATE", "MEMORY", "CONTEXT", "SLOTS", "TOK/S", "IDLE"]
    assert re.fullmatch(r"demo +ready +[\d.]+ MB +0 of 8,192 +0 of 4 +- +0:\d\d", demo)
    [engine] = json.loads(ingle("models", "ps", "--json").stdout)
    assert (engine["name"], engine["state"], engine["leases"]) == ("demo", "ready", 0)
    done = ingle("models", "stop", "demo")
    assert (done.returncode, done.stderr) == (
        0,
        "Stopped demo. The next call to it starts it again.\n",
    )
    assert ingle("models", "ps", "--json").stdout == "[]\n"
    refused = ingle("models", "stop", "demo")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert refused.stderr.startswith("error: No engine 'demo' is running.")
    unknown = ingle("models", "run", "none/such")
    assert unknown.returncode == 5
    assert "Model 'none/such' is not installed" in unknown.stderr


def test_without_a_running_ingle_that_is_said(
    ingle: Ingle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names where it was looked for, and how to start it."""
    with socket.socket() as nobody:  # bound and not listening: no one else can take the port
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        monkeypatch.setenv("INGLE_PORT", str(port))
        done = ingle("models", "ps")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"error: No Ingle runs at http://127.0.0.1:{port}, and engines")
    assert "`ingle up`" in done.stderr
