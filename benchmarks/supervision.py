"""What it costs to have engines supervised, and what comes of too little memory for all.

    python benchmarks/supervision.py [--requests 1000] [--callers 16] [--rounds 5]

Prints a table, medians of paired rounds, on the demo model, one of 200 million parameters and tiny
ones, both with random weights:

- from a call to a model that is not loaded to its engine, against llama.cpp's own server alone: the
  same xllamacpp in a bare Python process, from its start to its port;
- from SIGKILL of an engine to the next answer;
- callers who come at once to a model that is not loaded: how often it was loaded, who was answered;
- requests at random to eight models of which two fit: what failed, and how often engines changed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from ingle.engines.cores import usable_cores
from ingle.engines.memory import Memory
from ingle.engines.room import Room
from ingle.engines.supervisor import Supervisor
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import Settings, load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.upstream.client import Client
from ingle.upstream.wire import Completion

ALONE = """
import sys
from xllamacpp import CommonParams, Server
threads = int(sys.argv[3])
parameters = CommonParams()
parameters.model.path = sys.argv[1]
parameters.port = 0
parameters.n_parallel = 4
parameters.n_ctx = int(sys.argv[2])
parameters.kv_unified = False
parameters.verbosity = 2
if threads:
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
server = Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
MODELS = 8
TURN_S = 10.0
BIG = ModelShape(width=1024, layers=18, heads=16, kv_heads=8, feed_forward=2816)


async def answer(client: Client, supervisor: Supervisor, model: Model) -> None:
    """One call of 16 tokens, with a prompt that no slot has seen."""
    body = {"prompt": f"{time.monotonic_ns()}", "max_tokens": 16, "ignore_eos": True}
    async with supervisor.lease(model) as target:
        await client.post(target, "completions", body, into=Completion)


def pid_of(supervisor: Supervisor) -> int:
    """The process of the only engine."""
    (status,) = supervisor.status()
    assert status.pid is not None
    return status.pid


def alone_s(model: Model, context_tokens: int) -> float:
    """How long llama.cpp's server takes in a process of its own."""
    began = time.perf_counter()
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            ALONE,
            str(model.path),
            str(context_tokens),
            str(usable_cores() or 0),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GOMP_SPINCOUNT": "1000"},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = time.perf_counter() - began
        process.kill()
    return taken


async def loads(settings: Settings, model: Model, rounds: int) -> Iterator[str]:
    """From a call to the engine, and what llama.cpp's server takes alone."""
    ours, theirs = [], []
    for _ in range(rounds):
        async with Supervisor(settings) as supervisor:
            began = time.perf_counter()
            async with supervisor.lease(model):
                ours.append(time.perf_counter() - began)
                (status,) = supervisor.status()
        context_tokens = (status.context_tokens or 0) * (status.slots or 0)
        theirs.append(await asyncio.to_thread(alone_s, model, context_tokens))
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return iter(
        (
            f"{model.name}: from a call to its engine      {median(ours) * 1000:6.0f} ms",
            f"{model.name}: llama.cpp's server alone       {median(theirs) * 1000:6.0f} ms",
            f"{model.name}: the one against the other      {ratio:6.2f}",
        )
    )


async def after_a_kill(settings: Settings, model: Model, rounds: int) -> str:
    """From SIGKILL to an answer, by callers who try again until they have one."""
    repairs = []
    async with Client() as client, Supervisor(settings) as supervisor:
        for _ in range(rounds):
            await answer(client, supervisor, model)
            await supervisor.stop(model.name)  # so that failures do not add up to a wait
            await answer(client, supervisor, model)
            pid = pid_of(supervisor)
            began = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            while supervisor.status()[0].state == "ready":  # noqa: ASYNC110 -- part of the figure
                await asyncio.sleep(0.001)
            await answer(client, supervisor, model)
            repairs.append(time.perf_counter() - began)
    return f"{model.name}: from SIGKILL to the next answer {median(repairs) * 1000:6.0f} ms"


async def cold_crowd(settings: Settings, model: Model, callers: int) -> str:
    """Callers who come at once."""
    pids = set()
    async with Client() as client, Supervisor(settings) as supervisor:

        async def one() -> None:
            await answer(client, supervisor, model)
            pids.add(pid_of(supervisor))

        began = time.perf_counter()
        told = await asyncio.gather(*(one() for _ in range(callers)), return_exceptions=True)
        taken = time.perf_counter() - began
    answered = sum(one is None for one in told)
    return (
        f"{callers} callers of a cold model: {len(pids)} load, {answered} answered, the last after "
        f"{taken * 1000:.0f} ms"
    )


async def too_many_models(
    settings: Settings, models: list[Model], requests: int, callers: int
) -> Iterator[str]:
    """Requests at random, so many callers at a time, where two models fit."""
    async with Supervisor(settings) as supervisor:
        async with supervisor.lease(models[0]):
            (status,) = supervisor.status()
        one_bytes = max(status.expected_bytes or 0, status.memory_bytes or 0)
    room = Room(Memory(int(2.5 * one_bytes)), turn_s=TURN_S)
    waited, failed = [], []
    wanted = iter(random.Random(1).choices(models, k=requests))
    async with Client() as client, Supervisor(settings, room=room) as supervisor:

        async def caller() -> None:
            for model in wanted:
                began = time.perf_counter()
                try:
                    await answer(client, supervisor, model)
                except Exception as error:  # noqa: BLE001 -- counted and shown
                    failed.append(error)
                waited.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        taken = time.perf_counter() - began
    waited.sort()
    return iter(
        (
            (
                f"{requests} requests by {callers} callers to {len(models)} models of which two fit: "
                f"{len(failed)} failed {failed[:1] or ''}"
            ),
            (
                f"  {room.evictions} evictions, {requests / max(1, room.evictions):.1f} requests for "
                f"each, {requests / taken:.1f} requests a second"
            ),
            f"  half were answered within {median(waited):.2f} s, all within {waited[-1]:.1f} s",
        )
    )


async def measure(arguments: argparse.Namespace) -> None:
    """All figures."""
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(overrides={"home": home, "context_tokens": 2048})
        folder = Path(home, "models")
        await asyncio.to_thread(folder.mkdir)
        for number in range(MODELS):
            write_model(folder / f"m{number}.gguf")
        models = Models(settings)
        tiny = [models.get(f"m{number}") for number in range(MODELS)]
        demo = models.get("demo")
        write_model(folder / "big.gguf", BIG)
        for model in (demo, models.get("big")):
            for line in await loads(settings, model, arguments.rounds):
                print(line, flush=True)
        print(await after_a_kill(settings, demo, arguments.rounds), flush=True)
        print(await cold_crowd(settings, demo, 16), flush=True)
        for line in await too_many_models(settings, tiny, arguments.requests, arguments.callers):
            print(line, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
