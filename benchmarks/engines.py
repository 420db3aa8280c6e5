"""What supervised engines do: how fast they start, and what they lose to each other.

    python benchmarks/engines.py [--callers 16] [--tokens 48]

Prints, each figure a median of paired rounds on models with random weights:

- the time from a lease to a target, and from SIGKILL to the next answer;
- tokens a second of 4 callers, before and after more callers than there are slots came at once;
- tokens a second of one engine alone, and of two at work at once, with OpenMP's own spinning and
  with `GOMP_SPINCOUNT=1000`, which is what Ingle sets.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from ingle.engines.supervisor import Supervisor
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import Settings, load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.upstream.client import Client
from ingle.upstream.wire import Completion

SPINNING = "300000"  # libgomp's own count where the threads have a core each
SHAPE = ModelShape(width=512, layers=8, heads=8, kv_heads=8, feed_forward=1408)


async def answer(client: Client, supervisor: Supervisor, model: Model, tokens: int) -> None:
    """One call of so many tokens, with a prompt that no slot has seen."""
    body = {"prompt": f"{time.monotonic_ns()}", "max_tokens": tokens, "ignore_eos": True}
    async with supervisor.lease(model) as target:
        await client.post(target, "completions", body, into=Completion)


async def rate(
    client: Client, supervisor: Supervisor, models: list[Model], callers: int, tokens: int
) -> float:
    """Tokens a second of all callers together, each model having so many of them."""
    began = time.perf_counter()
    await asyncio.gather(*(answer(client, supervisor, model, tokens) for model in models * callers))
    return len(models) * callers * tokens / (time.perf_counter() - began)


async def starts(settings: Settings, model: Model, rounds: int) -> None:
    """The time to a target, and to the next answer after a SIGKILL."""
    leases, repairs = [], []
    for _ in range(rounds):
        async with Client() as client, Supervisor(settings) as supervisor:
            began = time.perf_counter()
            async with supervisor.lease(model):
                leases.append(time.perf_counter() - began)
            (status,) = supervisor.status()
            assert status.pid is not None
            os.kill(status.pid, signal.SIGKILL)
            began = time.perf_counter()
            while supervisor.status()[0].state == "ready":  # noqa: ASYNC110 -- part of the figure
                await asyncio.sleep(0.001)
            await answer(client, supervisor, model, 1)
            repairs.append(time.perf_counter() - began)
    print(f"lease of {model.name} to target: {median(leases) * 1000:.0f} ms")
    print(f"SIGKILL to the next answer: {median(repairs) * 1000:.0f} ms")


async def crowd(settings: Settings, model: Model, callers: int, tokens: int, rounds: int) -> None:
    """What four callers get before and after a crowd."""
    ratios = []
    async with Client() as client, Supervisor(settings) as supervisor:
        await rate(client, supervisor, [model], 4, tokens)
        for _ in range(rounds):
            before = await rate(client, supervisor, [model], 4, tokens)
            crowded = await rate(client, supervisor, [model], callers, tokens)
            after = await rate(client, supervisor, [model], 4, tokens)
            ratios.append(after / before)
            print(f"  4 callers {before:.0f}, {callers} callers {crowded:.0f}, 4 again {after:.0f}")
    print(f"4 callers after {callers} at once, against before: {median(ratios):.2f}")


async def neighbours(settings: Settings, models: list[Model], tokens: int, rounds: int) -> None:
    """What two engines get at once, against one alone: 1 is no loss."""
    kept: dict[str, list[float]] = {SPINNING: [], "1000": []}
    for _ in range(rounds):
        for spins, ratios in kept.items():
            with spinning(spins):
                async with Client() as client, Supervisor(settings) as supervisor:
                    await rate(client, supervisor, models, 1, 1)
                    alone = await rate(client, supervisor, models[:1], 1, tokens)
                    together = await rate(client, supervisor, models, 1, tokens)
            ratios.append(together / alone)
            print(f"  GOMP_SPINCOUNT={spins}: alone {alone:.0f}, two together {together:.0f}")
    for spins, ratios in kept.items():
        print(f"two engines at once, GOMP_SPINCOUNT={spins}: {median(ratios):.2f} of one alone")


@contextmanager
def spinning(count: str) -> Iterator[None]:
    """Engines that start meanwhile spin so often before they sleep."""
    os.environ["GOMP_SPINCOUNT"] = count
    try:
        yield
    finally:
        del os.environ["GOMP_SPINCOUNT"]


async def measure(arguments: argparse.Namespace) -> None:
    """All figures."""
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(overrides={"home": home, "context_tokens": 1024})
        folder = Path(home, "models")
        await asyncio.to_thread(folder.mkdir)
        for name in ("one", "two"):
            write_model(folder / f"{name}.gguf", SHAPE)
        models = Models(settings)
        pair = [models.get("one"), models.get("two")]
        await starts(settings, models.get("demo"), 5)
        await crowd(settings, pair[0], arguments.callers, arguments.tokens, arguments.rounds)
        await neighbours(settings, pair, arguments.tokens, arguments.rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
