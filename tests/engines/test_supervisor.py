"""Engines as a whole: shared, restarted, evicted and never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from ingle.engines.activity import Activity
from ingle.engines.memory import Memory
from ingle.engines.preload import preload
from ingle.engines.room import Room
from ingle.engines.supervisor import Supervisor
from ingle.errors import (
    Busy,
    EngineCrashed,
    IngleError,
    ModelFileInvalid,
    ModelTooLarge,
    NotFound,
    QueueFull,
    UpstreamCut,
    UpstreamRefused,
)
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import load_settings
from ingle.testing.tiny_model import write_model
from ingle.upstream.client import Client
from ingle.upstream.wire import Completion, CompletionChunk

InstallModel = Callable[..., Model]
LONG: dict[str, Any] = {
    "prompt": "Once upon a time",
    "max_tokens": 4000,
    "ignore_eos": True,
    "stream": True,
}
SHORT: dict[str, Any] = {"prompt": "Once", "max_tokens": 1, "ignore_eos": True}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells of."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def told_to(pid: int) -> tuple[str, str]:
    """A process's environment and arguments."""
    return Path(f"/proc/{pid}/environ").read_text(), Path(f"/proc/{pid}/cmdline").read_text()


def pid_of(supervisor: Supervisor, name: str) -> int:
    (pid,) = [status.pid for status in supervisor.status() if status.name == name]
    assert pid is not None
    return pid


async def ask(supervisor: Supervisor, model: Model, client: Client) -> str:
    """A call from its start to its end; the name of the model that answered."""
    async with supervisor.lease(model) as target:
        answer = await client.post(target, "completions", SHORT, into=bytes)
    return str(json.loads(answer)["model"])


async def failure(supervisor: Supervisor, model: Model) -> IngleError:
    """The error of a lease that must not come about."""
    with pytest.raises(IngleError) as caught:
        async with supervisor.lease(model):
            pass
    return caught.value


async def test_many_callers_share_one_start(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """Sixteen callers of a cold model get one process, and all get answers."""
    model = install("m")

    async def pid() -> int:
        async with supervisor.lease(model) as target:
            await client.post(target, "completions", SHORT, into=Completion)
            return pid_of(supervisor, "m")

    pids = await asyncio.gather(*(pid() for _ in range(16)))

    assert len(set(pids)) == 1
    (status,) = supervisor.status()
    assert (status.name, status.state, status.leases) == ("m", "ready", 0)
    assert (status.slots, status.context_tokens) == (2, 4096)
    assert (status.memory_bytes or 0) > 10 * 2**20
    assert status.started_at is not None
    assert status.last_used_at is not None
    assert status.last_used_at > status.started_at


async def test_a_start_that_fails_fails_for_all_and_is_tried_again(
    supervisor: Supervisor, install: InstallModel
) -> None:
    """All who waited get the same error, later callers a new try, and then a growing wait."""
    bad = install("m", **{"general.architecture": "nonesuch"})

    errors = await asyncio.gather(*(failure(supervisor, bad) for _ in range(4)))

    assert {type(error) for error in errors} == {ModelFileInvalid}
    assert len({error.message for error in errors}) == 1
    assert len({id(error) for error in errors}) == 4
    assert supervisor.status()[0].state == "failed"

    again = await failure(supervisor, bad)
    assert again.message == errors[0].message
    refused = await failure(supervisor, bad)
    assert isinstance(refused, ModelFileInvalid)
    assert "failed 2 times in a row; next try in 1 s. The last time: llama.cpp" in refused.message
    assert supervisor.status()[0].next_try_s > 0

    async with supervisor.lease(install("m")):  # another file is tried at once
        assert supervisor.status()[0].failures == 0


async def test_a_caller_who_gives_up_does_not_end_the_start(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """Of callers who wait for a start one may leave, even the first; the others are answered."""
    model = install("m")
    first, second = (asyncio.create_task(ask(supervisor, model, client)) for _ in range(2))
    await until(lambda: bool(supervisor.status()))

    first.cancel()

    assert await second == "m"
    assert first.cancelled()


async def test_a_start_that_nobody_waits_for_is_ready_for_the_next(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """If all callers have left, the engine still comes up and is idle."""
    model = install("m")
    only = asyncio.create_task(ask(supervisor, model, client))
    await until(lambda: bool(supervisor.status()))
    only.cancel()

    await until(lambda: supervisor.status()[0].state == "ready")

    pid = pid_of(supervisor, "m")
    assert await ask(supervisor, model, client) == "m"
    assert pid_of(supervisor, "m") == pid


async def test_a_crash_in_the_midst_of_a_stream_is_told_and_mended(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """The call in flight learns of the signal and keeps what had come; the next call is answered."""
    model = install("m")
    pids = []

    async def kill_while_it_answers() -> None:
        async with supervisor.lease(model) as target:
            pids.append(pid_of(supervisor, "m"))
            chunks = client.stream(target, "completions", LONG, into=CompletionChunk)
            async with aclosing(chunks):
                async for batch in chunks:
                    if any(choice.written for chunk in batch for choice in chunk.choices):
                        os.kill(pids[0], signal.SIGKILL)

    with pytest.raises(EngineCrashed) as caught:
        await kill_while_it_answers()

    assert f"The engine of 'm' (process {pids[0]}) was ended by signal 9 (SIGKILL)" in str(
        caught.value
    )
    assert "the next one starts the engine again" in str(caught.value)
    assert isinstance(caught.value.__cause__, UpstreamCut)
    assert caught.value.__cause__.partial
    assert await ask(supervisor, model, client) == "m"
    assert pid_of(supervisor, "m") != pids[0]


async def test_a_crash_of_an_idle_engine_costs_no_call(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """An engine that dies while nobody uses it is just started again."""
    model = install("m")
    await ask(supervisor, model, client)
    os.kill(pid_of(supervisor, "m"), signal.SIGKILL)
    await until(lambda: supervisor.status()[0].state == "failed")

    assert await ask(supervisor, model, client) == "m"


async def test_an_error_of_a_living_engine_stays_what_it_is(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """What the engine refuses is not taken for a crash."""
    with pytest.raises(UpstreamRefused, match="400"):
        async with supervisor.lease(install("m")) as target:
            await client.post(target, "completions", {"prompt": 7.5}, into=Completion)

    assert supervisor.status()[0].state == "ready"


async def test_an_idle_engine_is_stopped(home: Path, install: InstallModel, client: Client) -> None:
    """After its idle time an engine goes; while it is used it stays, however long that is."""
    model = install("m")
    settings = load_settings(overrides={"idle_stop_s": 0.05, "threads": 1})
    async with Supervisor(settings) as supervisor:
        async with supervisor.lease(model):
            pid = pid_of(supervisor, "m")
            await ask(supervisor, model, client)
            await asyncio.sleep(0.2)  # the time itself is what is tested
            assert is_running(pid)
        await until(lambda: not supervisor.status())

        assert not is_running(pid)
        assert await ask(supervisor, model, client) == "m"


async def test_an_engine_that_nobody_came_for_is_stopped(home: Path, install: InstallModel) -> None:
    """If all callers left during the start, its idle time begins when it is ready."""
    model = install("m")
    settings = load_settings(overrides={"idle_stop_s": 0.05, "threads": 1})
    async with Supervisor(settings) as supervisor:
        only = asyncio.create_task(failure(supervisor, model))
        await until(lambda: bool(supervisor.status()))
        only.cancel()

        await until(lambda: supervisor.status() == [])


async def test_a_stop_lets_running_calls_end(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """An engine that is to stop ends its calls first, and a call that comes then starts it anew."""
    model = install("m")
    async with supervisor.lease(model) as target:
        pid = pid_of(supervisor, "m")
        stopping = asyncio.create_task(supervisor.stop("m"))
        await until(lambda: supervisor.status()[0].state == "stopping")
        late = asyncio.create_task(ask(supervisor, model, client))
        await client.post(target, "completions", SHORT, into=Completion)
        assert not late.done()

    await stopping
    assert not is_running(pid)
    assert await late == "m"
    assert pid_of(supervisor, "m") != pid


async def test_a_stop_does_not_wait_for_ever(
    home: Path, install: InstallModel, client: Client
) -> None:
    """After `drain_s` a running call is cut, and told that the engine was stopped."""
    model = install("m")
    async with Supervisor(load_settings(overrides={"drain_s": 0.05})) as supervisor:

        async def stop_while_it_answers() -> None:
            async with supervisor.lease(model) as target:
                chunks = client.stream(target, "completions", LONG, into=CompletionChunk)
                async with aclosing(chunks):
                    await anext(chunks)
                    await supervisor.stop("m")
                    async for _ in chunks:
                        pass

        with pytest.raises(EngineCrashed, match="was stopped while it answered"):
            await stop_while_it_answers()


async def test_stopping_what_does_not_run_does_nothing(supervisor: Supervisor) -> None:
    """An engine that never ran can be stopped, and has no log."""
    await supervisor.stop("m")

    assert supervisor.status() == []
    with pytest.raises(NotFound, match="No engine runs for 'm'"):
        supervisor.log_tail("m")


async def test_leaving_the_context_ends_all(home: Path, install: InstallModel) -> None:
    """No engine outlives its supervisor; who waits for a start is told, and nobody starts one."""
    first, second, third = install("a"), install("b"), install("c")
    async with Supervisor(load_settings()) as supervisor:
        async with supervisor.lease(first):
            pid = pid_of(supervisor, "a")
        waiting = asyncio.create_task(failure(supervisor, second))
        await until(lambda: len(supervisor.status()) == 2)

    assert not is_running(pid)
    assert isinstance(await waiting, Busy)
    assert isinstance(await failure(supervisor, third), Busy)
    assert supervisor.status() == []


async def test_models_that_do_not_fit_together_take_turns(
    home: Path, install: InstallModel, client: Client
) -> None:
    """Under a limit that holds one model, calls to two are all answered, though both are at work."""
    first, second = install("a"), install("b")
    settings = load_settings(overrides={"slots": 2, "context_tokens": 4096, "threads": 1})
    room = Room(Memory(80 * 2**20), turn_s=0.1)
    async with Supervisor(settings, room=room) as supervisor:
        pending = [ask(supervisor, model, client) for model in (first, second) * 8]
        answers = await asyncio.gather(*pending)

        assert sorted(answers) == ["a"] * 8 + ["b"] * 8
        assert len(supervisor.status()) == 1


async def test_the_least_recently_used_engine_makes_room(
    home: Path, install: InstallModel, client: Client
) -> None:
    """Of two idle engines the one that was used last stays."""
    models = [install(name) for name in "abc"]
    settings = load_settings(overrides={"slots": 2, "context_tokens": 4096, "threads": 1})
    async with Supervisor(settings, room=Room(Memory(130 * 2**20))) as supervisor:
        for model in (models[0], models[1], models[0], models[2]):
            assert await ask(supervisor, model, client) == model.name

        assert [status.name for status in supervisor.status()] == ["a", "c"]


async def test_a_model_at_work_is_not_evicted(home: Path, install: InstallModel) -> None:
    """Where no room comes about in time, the caller is told to come later."""
    first, second = install("a"), install("b")
    room = Room(Memory(100 * 2**20), wait_s=0.05)
    async with (
        Supervisor(load_settings(overrides={"slots": 2}), room=room) as supervisor,
        supervisor.lease(first),
    ):
        error = await failure(supervisor, second)

        assert isinstance(error, Busy)
        assert "and a did not end their work" in error.message
        assert supervisor.status()[0].name == "a"


async def test_a_model_that_can_never_fit_is_refused(home: Path, install: InstallModel) -> None:
    """A limit from the settings holds, and the refusal says what to do."""
    settings = load_settings(overrides={"memory_limit_bytes": 40 * 2**20})
    async with Supervisor(settings) as supervisor:
        error = await failure(supervisor, install("m"))

    assert isinstance(error, ModelTooLarge)
    assert "engines may take 40 MiB. No context would fit" in error.message


async def test_a_file_that_was_cut_after_it_was_listed_is_told(
    supervisor: Supervisor, install: InstallModel
) -> None:
    """Files are looked at again before a start, and no child is started for a broken one."""
    model = install("m")
    model.path.write_bytes(model.path.read_bytes()[:50_000])

    error = await failure(supervisor, model)

    assert isinstance(error, ModelFileInvalid)
    assert "it is cut short" in error.message
    model.path.unlink()
    assert "is not there" in (await failure(supervisor, model)).message
    assert supervisor.status() == []


async def test_a_replaced_file_is_loaded(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """A model whose file was replaced is not answered for by the engine of the old file."""
    old = install("m")
    await ask(supervisor, old, client)
    pid = pid_of(supervisor, "m")
    write_model(old.path)
    new = install("m", **{"llama.context_length": 1024})

    assert new != old
    assert await ask(supervisor, new, client) == "m"
    assert pid_of(supervisor, "m") != pid
    assert supervisor.status()[0].context_tokens == 1024


async def test_the_child_gets_no_secrets_and_is_out_of_reach_of_ctrl_c(
    supervisor: Supervisor, install: InstallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment holds no keys of ours and calms OpenMP; its process group is its own."""
    model = install("m")
    monkeypatch.setenv("LOCALAI_API_KEY", "secret-1")
    monkeypatch.setenv("INGLE_CONNECTION_X_API_KEY", "secret-2")

    async with supervisor.lease(model) as target:
        pid = pid_of(supervisor, "m")
        environment, arguments = told_to(pid)

        assert "GOMP_SPINCOUNT=1000" in environment
        assert "secret-" not in environment
        assert str(target.api_key) not in environment + arguments
        assert os.getsid(pid) == pid


async def test_a_pinned_model_outlives_its_idle_time_and_its_rivals(
    home: Path, install: InstallModel, client: Client
) -> None:
    """It is neither stopped when idle nor for another, which is refused with its name."""
    pinned, other = install("pinned"), install("other")
    settings = load_settings(
        overrides={"idle_stop_s": 0.01, "pinned_models": "pinned", "threads": 1}
    )
    async with Supervisor(settings, room=Room(Memory(80 * 2**20))) as supervisor:
        await ask(supervisor, pinned, client)

        error = await failure(supervisor, other)

        assert isinstance(error, Busy)
        assert "the pinned pinned hold" in error.message
        [status] = supervisor.status()
        assert (status.name, status.is_pinned) == ("pinned", True)


async def test_more_callers_than_may_wait_are_refused(
    home: Path, install: InstallModel, client: Client
) -> None:
    """Of twelve callers at once, two are answered at a time, six wait, and four are told to go."""
    model = install("m")
    settings = load_settings(overrides={"slots": 2, "queue": 6, "threads": 1})
    async with Supervisor(settings) as supervisor:
        calls = [ask(supervisor, model, client) for _ in range(12)]
        answers = await asyncio.gather(*calls, return_exceptions=True)

        refused = [answer for answer in answers if isinstance(answer, QueueFull)]
        assert answers.count("m") == 8
        assert len(refused) == 4
        assert "6 calls wait for the model 'm' already, beside the 2 that it" in str(refused[0])
        async with supervisor.lease(model):
            assert await asyncio.gather(*(ask(supervisor, model, client) for _ in range(7))) == (
                ["m"] * 7
            )


async def test_models_are_loaded_before_they_are_asked_for(
    home: Path, install: InstallModel, caplog: pytest.LogCaptureFixture
) -> None:
    """One that fails is logged and shown, until a call starts it, and the next is loaded anyway."""
    install("bad", **{"general.architecture": "nonesuch"})
    install("good")
    settings = load_settings(overrides={"preload": "none,bad,good", "threads": 1})
    models = Models(settings)
    async with Supervisor(settings) as supervisor:
        await preload(supervisor, models, settings.preload)

        told = {status.name: status for status in supervisor.status()}
        assert {name: status.state for name, status in told.items()} == {
            "bad": "failed",
            "good": "ready",
            "none": "failed",
        }
        assert "Model 'none' is not installed" in (told["none"].last_error or "")
        assert "Model 'bad' of the setting `preload` is not loaded: llama.cpp" in caplog.text
        install("none")
        async with supervisor.lease(models.get("none")):
            assert [status.state for status in supervisor.status() if status.name == "none"] == [
                "ready"
            ]


async def test_an_engine_tells_what_it_does(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """Slots at work and tokens that it keeps, and how fast it wrote."""
    model = install("m")
    async with supervisor.lease(model) as target:
        assert await supervisor.activity(client) == {"m": Activity(0, 0, None)}
        chunks = client.stream(target, "completions", LONG, into=CompletionChunk)
        async with aclosing(chunks):
            await anext(chunks)
            doing = (await supervisor.activity(client))["m"]
            assert doing.slots_used == 1
            assert 16 <= doing.context_used_tokens < 4096
        body = {**SHORT, "max_tokens": 20}
        await client.post(target, "completions", body, into=Completion)
        assert ((await supervisor.activity(client))["m"].tokens_s or 0) > 1


@pytest.mark.slow  # the two times that it is given
async def test_an_engine_that_hangs_is_not_waited_for(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """One that was halted tells nothing, and is killed when it is to stop."""
    model = install("m")
    await ask(supervisor, model, client)
    pid = pid_of(supervisor, "m")
    os.kill(pid, signal.SIGSTOP)

    assert await supervisor.activity(client) == {}
    await supervisor.stop("m")

    assert not is_running(pid)


OWNER = """
import asyncio, sys
from ingle.engines.supervisor import Supervisor
from ingle.models.store import Models
from ingle.settings import load_settings

async def main():
    settings = load_settings()
    async with Supervisor(settings) as supervisor:
        async with supervisor.lease(Models(settings).get("demo")):
            print(supervisor.status()[0].pid, flush=True)
            await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_no_engine_outlives_a_killed_ingle() -> None:
    """SIGKILL of the process that owns an engine ends the engine too."""
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    assert is_running(pid)

    owner.kill()
    await owner.wait()

    await until(lambda: not is_running(pid))
