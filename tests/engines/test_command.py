"""Servers that know nothing of Ingle, run as engines: started, watched, ended with all they start."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingle.engines.launch import command_launch
from ingle.engines.process import EngineProcess
from ingle.engines.supervisor import Supervisor
from ingle.errors import EngineCrashed, EngineMissing, EngineStartFailed, ModelTooLarge
from ingle.models.command_fields import CommandOptions
from ingle.models.manifest import Model
from ingle.upstream.client import Client
from ingle.upstream.wire import ModelList

STILL_S = 10
SERVER = """
import http.server, os, signal, subprocess, sys, time

statuses = {}  # by path, a list of which the last one stays
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        left = statuses.get(self.path, [200])
        self.send_response(left.pop(0) if len(left) > 1 else left[0])
        self.end_headers()
        self.wfile.write(b'{"object": "list", "data": [{"id": "m"}]}')
    def log_message(self, *_):
        pass

def serve():
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Model]:
    """A model whose server is this code, which may call `serve` and set `statuses`."""

    def model(
        code: str = "serve()",
        *words: str,
        environment: dict[str, str] | None = None,
        health: tuple[str, ...] = ("/health", "/v1/models"),
        start_s: float = 30,
    ) -> Model:
        manifest = tmp_path / "m.yaml"
        options = CommandOptions(
            command=(sys.executable, "-c", SERVER + code, "{port}", *words),
            environment=environment or {},
            health=health,
            serves="m",
            memory_bytes=2**20,
            start_s=start_s,
        )
        return Model("m", manifest, 0, None, ("chat",), "command", command=options)

    return model


async def start(model: Model) -> EngineProcess:
    return await EngineProcess.start(command_launch(model), within_s=60)


async def start_failure(model: Model) -> str:
    with pytest.raises(EngineStartFailed) as caught:
        await start(model)
    return caught.value.message


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells of."""
    async with asyncio.timeout(STILL_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def arguments_of(pid: int) -> str:
    """What every user of the machine can read of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text()


def told(process: EngineProcess, name: str) -> int:
    """The number that the server's log gives by this name."""
    return next(int(line.split()[1]) for line in process.log.lines() if line.startswith(name))


SAY_PID = 'print("server", os.getpid(), flush=True); '


async def test_it_serves_on_the_port_that_it_was_given(
    model: Callable[..., Model], client: Client
) -> None:
    """The server is ready once its health path answers, and what it says comes back."""
    process = await start(model())

    answer = await client.get(process.target, "models", into=ModelList)
    await process.stop()
    assert [entry.id for entry in answer.data] == ["m"]


async def test_503_is_waited_for(model: Callable[..., Model]) -> None:
    """A server that answers with 503 while it loads, as vLLM does, is not ready yet."""
    process = await start(
        model('statuses["/health"] = [503, 503, 200]; serve()', health=("/health",))
    )
    assert process.target.base_url.startswith("http://127.0.0.1:")
    await process.stop()


async def test_without_health_the_models_are_asked(model: Callable[..., Model]) -> None:
    """Where /health is not there, /v1/models tells whether the server is ready."""
    process = await start(
        model('statuses.update({"/health": [404], "/v1/models": [503, 200]}); serve()')
    )
    await process.stop()


async def test_one_that_never_gets_healthy_is_ended(model: Callable[..., Model]) -> None:
    """After `start_s` the error says what was asked and answered, and what to change."""
    message = await start_failure(
        model(SAY_PID + 'statuses["/ready"] = [503]; serve()', health=("/ready",), start_s=1)
    )

    assert "was not ready after 1 s: at http://127.0.0.1:" in message
    assert "/ready answered with status 503" in message
    assert "raise `start_s`" in message
    pid = int(message.partition("log: server ")[2].partition(".")[0])
    assert not is_running(pid)


async def test_a_port_that_it_does_not_take_is_told(model: Callable[..., Model]) -> None:
    """A server that listens elsewhere is never reached, and the error names the port."""
    message = await start_failure(model("sys.argv[1] = 0; serve()", start_s=1))

    assert "nothing answered" in message
    assert "listens on `{port}`" in message


async def test_one_that_ends_at_once_tells_why(model: Callable[..., Model]) -> None:
    """The exit code and the last lines of its log are in the error."""
    message = await start_failure(model('sys.exit("no GPU found")'))

    assert "ended with exit code 1. The last lines of its log: no GPU found." in message


async def test_a_missing_program_is_told_with_what_to_do(tmp_path: Path) -> None:
    """The program is named, and that it has to be installed or written with its path."""
    options = CommandOptions(("vllm-not-here", "{port}"), {}, ("/health",), "m", 1, 30)
    model = Model("m", tmp_path / "m.yaml", 0, None, ("chat",), "command", command=options)

    with pytest.raises(EngineMissing, match=r"'vllm-not-here', .* not on the PATH .* Install it"):
        await start(model)


async def test_a_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    """So is one that is there and no program."""
    options = CommandOptions((str(tmp_path), "{port}"), {}, ("/health",), "m", 1, 30)
    model = Model("m", tmp_path / "m.yaml", 0, None, ("chat",), "command", command=options)

    assert "cannot be run: Permission denied" in await start_failure(model)


async def test_a_key_in_the_environment_is_in_no_argument_and_no_log(
    model: Callable[..., Model],
) -> None:
    """The key comes where the manifest says, and a server that logs it does not give it away."""
    code = 'print("key", os.environ["THE_KEY"], flush=True); ' + SAY_PID + "serve()"
    process = await start(model(code, environment={"THE_KEY": "={key}="}))
    key = process.target.api_key
    assert key is not None

    arguments = arguments_of(told(process, "server"))
    await process.stop()
    assert key not in arguments
    assert "key =…=" in process.log.lines()


@pytest.mark.parametrize("path", ["/health", "/v1/models"])
async def test_a_key_that_is_refused_is_told_at_once(
    model: Callable[..., Model], path: str
) -> None:
    """A server with a key of its own is not waited for, even if it is healthy for everybody."""
    message = await start_failure(model(f"statuses[{path!r}] = [401]; serve()", start_s=600))

    assert "refuses the key" in message
    assert "`{key}` in `environment`" in message


async def test_settings_of_ingle_are_not_passed_on(
    model: Callable[..., Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may hold keys; the rest of the environment is passed on, and other braces stay."""
    monkeypatch.setenv("INGLE_LOG_LEVEL", "debug")
    monkeypatch.setenv("OTHER", "1")
    code = 'print(sorted({"INGLE_LOG_LEVEL", "OTHER"} & set(os.environ)), sys.argv[2], flush=True); serve()'
    process = await start(model(code, '{"a": {"b": 1}}'))
    await process.stop()

    assert process.log.lines()[0] == """['OTHER'] {"a": {"b": 1}}"""


@pytest.mark.slow
async def test_nothing_that_it_started_is_left(model: Callable[..., Model]) -> None:
    """A server that ignores SIGTERM is killed, with its children and a daemon that it left."""
    code = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "daemon = 'import subprocess, sys; print(\"daemon\", subprocess.Popen(%r, start_new_session=True).pid, flush=True)' % sleep\n"
        "print('child', subprocess.Popen(sleep).pid, flush=True)\n"
        "subprocess.run([sys.executable, '-c', daemon])\n" + SAY_PID + "serve()"
    )
    process = await start(model(code))
    started = [told(process, name) for name in ("server", "child", "daemon")]
    assert all(map(is_running, started))

    await process.stop()
    assert not any(map(is_running, started))


async def test_a_server_that_is_killed_is_noticed(model: Callable[..., Model]) -> None:
    """Its end is the engine's, by the same signal."""
    process = await start(model(SAY_PID + "serve()"))

    os.kill(told(process, "server"), signal.SIGKILL)
    async with asyncio.timeout(STILL_S):
        await process.ended.wait()
    assert "was ended by signal 9 (SIGKILL)" in process.how_it_ended()


async def test_a_server_that_ends_is_noticed(model: Callable[..., Model]) -> None:
    """So is an exit, by its code."""
    process = await start(
        model("signal.signal(signal.SIGUSR1, lambda *_: os._exit(7)); " + SAY_PID + "serve()")
    )

    os.kill(told(process, "server"), signal.SIGUSR1)
    async with asyncio.timeout(STILL_S):
        await process.ended.wait()
    assert "ended with exit code 7" in process.how_it_ended()


async def test_it_goes_with_its_watcher(model: Callable[..., Model]) -> None:
    """Killing the process that watches it leaves neither the server nor its children."""
    process = await start(
        model(
            "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
            "print('child', subprocess.Popen(sleep).pid, flush=True)\n" + SAY_PID + "serve()"
        )
    )
    started = [told(process, name) for name in ("server", "child")]

    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: not any(map(is_running, started)))
    async with asyncio.timeout(STILL_S):
        await process.ended.wait()


async def test_the_next_call_starts_it_again(
    model: Callable[..., Model], supervisor: Supervisor, client: Client
) -> None:
    """A call that meets a killed server gets `EngineCrashed`, and the next one is answered."""
    served = model(SAY_PID + "serve()")

    async def ask(kills: bool) -> None:
        async with supervisor.lease(served) as target:
            if kills:
                line = supervisor.log_tail("m")[0]
                os.kill(int(line.split()[1]), signal.SIGKILL)
                await until(lambda: not is_running(int(line.split()[1])))
            await client.get(target, "models", into=ModelList)

    with pytest.raises(EngineCrashed, match="The last lines of its log: server"):
        await ask(kills=True)
    await ask(kills=False)
    [status] = supervisor.status()
    assert (status.state, status.expected_bytes, status.slots) == ("ready", 2**20, None)
    assert status.memory_bytes is not None
    assert status.memory_bytes > 2**20


async def test_one_that_does_not_fit_is_refused(
    model: Callable[..., Model], supervisor: Supervisor
) -> None:
    """What its manifest says that it takes counts against the memory for engines."""
    served = model()
    options = served.command
    assert options is not None
    large = Model(
        "m",
        served.path,
        0,
        None,
        ("chat",),
        "command",
        command=CommandOptions(options.command, {}, options.health, "m", 2**50, 30),
    )

    with pytest.raises(ModelTooLarge, match=r"takes 1,073,741,824 MiB, and engines may take"):
        async with supervisor.lease(large):
            pass
