"""A child process that starts, serves and ends, and all the ways in which it does not."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingle.engines.process import EngineProcess, Launch
from ingle.errors import EngineError, EngineMissing, EngineStartFailed, ModelFileInvalid

READY = "import sys, json; order = json.loads(sys.stdin.readline()); print(json.dumps({'port': 4645}), flush=True); "


def script(code: str) -> Launch:
    """A child that runs this code instead of an engine."""
    return Launch("m", (sys.executable, "-c", code), os.environ, {"model": "/m.gguf"})


async def start(code: str, within_s: float = 30) -> EngineProcess:
    return await EngineProcess.start(script(code), within_s=within_s)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_serves_where_it_says() -> None:
    """The port that the child says is the target's, and closing its input ends it."""
    process = await start(READY + "sys.stdin.read()")

    assert process.target.base_url == "http://127.0.0.1:4645/v1"
    assert process.target.name == "engine m"
    assert process.port == 4645
    await process.stop()
    assert process.ended.is_set()
    assert not is_running(process.pid)


async def test_the_key_is_random_and_in_no_argument() -> None:
    """The key comes with the order, other users cannot read it, and the log does not show it."""
    code = (
        READY
        + "print(order['key'][::-1], order['key'], sys.argv, file=sys.stderr, flush=True); sys.stdin.read()"
    )
    first, second = await asyncio.gather(start(code), start(code))
    await asyncio.gather(first.stop(), second.stop())

    key = first.target.api_key
    assert key is not None
    assert len(key) == 43
    assert key != second.target.api_key
    assert first.log.lines() == [f"{key[::-1]} … ['-c']"]
    assert key not in repr(first.target)


async def test_one_that_does_not_listen_is_killed() -> None:
    """A child that ignores the end of its input is killed after the grace time."""
    process = await start(READY + "import time; time.sleep(600)")

    began = time.monotonic()
    await process.stop(grace_s=0.05)

    assert time.monotonic() - began < 5
    assert "signal 9 (SIGKILL)" in process.how_it_ended()


async def test_one_that_never_gets_ready_is_killed() -> None:
    """After its time the start fails, with the last lines of the log, and no process is left."""
    code = "import os, sys, time; print('pid', os.getpid(), file=sys.stderr, flush=True); time.sleep(600)"

    with pytest.raises(EngineStartFailed, match=r"not ready after 1 s\. .* log: pid \d+") as caught:
        await start(code, within_s=1)

    pid = int(caught.value.message.partition("pid ")[2].partition(".")[0])
    assert not is_running(pid)


async def test_one_that_ends_tells_why() -> None:
    """An exit before serving is told with its code and the last lines of the log."""
    with pytest.raises(EngineStartFailed) as caught:
        await start("import sys; sys.exit('no such thing')")

    assert (
        "ended with exit code 1. The last lines of its log: no such thing." in caught.value.message
    )
    assert "`ingle doctor`" in caught.value.message


async def test_one_that_is_killed_at_start_tells_the_signal() -> None:
    """A child that the system kills while it loads is told by its signal, and what that hints at."""
    with pytest.raises(EngineStartFailed, match=r"signal 9 \(SIGKILL\)\. .* memory runs out"):
        await start("import os; os.kill(os.getpid(), 9)")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('{"error": {"code": "engine_missing", "message": "Not here."}}', EngineMissing),
        ('{"error": {"code": "model_file_invalid", "message": "Not here."}}', ModelFileInvalid),
        ('{"error": {"code": "who knows", "message": "Not here."}}', EngineStartFailed),
    ],
)
async def test_an_announced_error_keeps_its_kind(said: str, kind: type[EngineError]) -> None:
    """What the child says of itself is passed on as the error that it is."""
    with pytest.raises(EngineError, match=r"Not here\.") as caught:
        await start(f"print({said!r})")

    assert type(caught.value) is kind


@pytest.mark.parametrize("said", ["print('hello')", "print('x' * 10_000_000)", "print('[1]')"])
async def test_nonsense_is_no_readiness(said: str) -> None:
    """A child that says anything else than a port has not started."""
    with pytest.raises(EngineStartFailed, match="did not say where it serves"):
        await start(said + "; import time; time.sleep(600)")


async def test_megabytes_of_log_block_nobody() -> None:
    """A child that writes without end gets on, and only the tail is kept."""
    process = await start(
        "import sys; sys.stderr.write('x' * 5_000_000 + '\\n'); sys.stderr.write('y\\n' * 500_000);"
        + READY
        + "sys.stdin.read()"
    )
    await process.stop()

    assert process.log.lines() == ["y"] * 200


async def test_the_log_may_be_diagnosed() -> None:
    """What is read from the log goes before what is only known of the process."""
    seen: list[Sequence[str]] = []

    def diagnose(lines: Sequence[str]) -> EngineError | None:
        seen.append(lines)
        return ModelFileInvalid("The file is broken.")

    command = (sys.executable, "-c", "import sys; sys.exit('bad magic')")
    launch = Launch("m", command, os.environ, {}, diagnose)

    with pytest.raises(ModelFileInvalid, match=r"^The file is broken\.$"):
        await EngineProcess.start(launch, within_s=30)
    assert seen == [["bad magic"]]


async def test_a_command_that_is_not_there_is_told() -> None:
    """A missing program is named."""
    launch = Launch("m", ("/no/such/program",), {}, {})

    with pytest.raises(EngineStartFailed, match=r"No such file or directory \(/no/such/program\)"):
        await EngineProcess.start(launch, within_s=30)


async def test_a_cancelled_start_leaves_no_process() -> None:
    """Who gives up on a start leaves nothing behind."""
    starting = asyncio.create_task(start("import time; time.sleep(600)"))
    while not (children := _children()):  # noqa: ASYNC110 -- no event tells of a new process
        await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert not any(map(is_running, children))


FORKING = (
    "import subprocess, sys; child = subprocess.Popen(['sleep', '600']); "
    "print(child.pid, file=sys.stderr, flush=True); " + READY
)


@pytest.mark.parametrize("last", ["sys.stdin.read()", "import time; time.sleep(600)"])
async def test_what_it_has_started_ends_with_it(last: str) -> None:
    """A grandchild is gone, whether the child ends when it is told to or has to be killed."""
    process = await start(FORKING + last)
    (grandchild,) = map(int, process.log.lines())
    assert is_running(grandchild)

    await process.stop(grace_s=0.5)

    await gone(grandchild)


async def test_what_it_has_started_ends_when_it_is_killed() -> None:
    """A grandchild does not outlive a child that the system has killed."""
    process = await start(FORKING + "sys.stdin.read()")
    (grandchild,) = map(int, process.log.lines())

    os.kill(process.pid, signal.SIGKILL)

    await gone(grandchild)


async def gone(pid: int) -> None:
    """Wait until a process that is nobody's child here has ended."""
    async with asyncio.timeout(10):
        while not has_ended(pid):  # noqa: ASYNC110 -- no event tells
            await asyncio.sleep(0.01)


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def test_a_death_is_noticed_at_once() -> None:
    """A process that is killed from outside sets `ended`, and says by which signal."""
    process = await start(
        "import sys; print('last words', file=sys.stderr, flush=True); "
        + READY
        + "sys.stdin.read()"
    )

    os.kill(process.pid, signal.SIGTERM)
    async with asyncio.timeout(10):
        await process.ended.wait()

    assert process.how_it_ended() == (
        "was ended by signal 15 (SIGTERM). The last lines of its log: last words. "
    )


def _children() -> list[int]:
    return list(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


async def test_what_it_leaves_behind_does_not_hide_its_end() -> None:
    """A child of the engine that holds its pipes open is killed with it, and the end is noticed."""
    code = (
        "import subprocess, sys; sleep = [sys.executable, '-c', 'import time; time.sleep(600)']; "
        "print(subprocess.Popen(sleep).pid, file=sys.stderr, flush=True); "
        + READY
        + "sys.stdin.read()"
    )
    process = await start(code)
    child = int(process.log.lines()[0])

    os.kill(process.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        await process.ended.wait()

    async with asyncio.timeout(10):
        while is_running(child):  # noqa: ASYNC110 -- no event tells of another's child
            await asyncio.sleep(0.01)
