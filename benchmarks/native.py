"""What a build of llama.cpp for this very processor gains over the wheel that runs anywhere.

    ingle doctor --build
    python benchmarks/native.py [--threads 1] [--rounds 3] [--weights q8_0 q4_0]

For each kind of weights, a model of 255 million random ones: tokens a second of reading a prompt of
512 tokens, and of writing for 1 and for 4 callers. Seconds are those of the engine's own processor
time, which other work on the machine changes little. The two builds take turns within each round,
each in an engine of its own; figures are medians, and the gain is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from ingle.engines.fit import fit
from ingle.engines.launch import llama_launch
from ingle.engines.memory import Memory
from ingle.engines.native import find_build
from ingle.engines.process import EngineProcess
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.upstream.client import Client
from ingle.upstream.wire import Completion

SHAPE = ModelShape(
    width=1024, layers=18, heads=16, kv_heads=16, feed_forward=2816, context_tokens=2048
)
PROMPT_TOKENS = 512
CALLERS = (1, 4)
FIGURES = ("prompt of 512 tokens", *(f"{callers} writing" for callers in CALLERS))


async def measure(
    client: Client, model: Model, library: Path | None, threads: int, tokens: int
) -> list[float]:
    """Tokens a second of each of `FIGURES`."""
    size = fit(model, slots=max(CALLERS), context_tokens=1024, limit=Memory(2**36))
    launch = llama_launch(model, size, threads=threads, library=library)
    engine = await EngineProcess.start(launch, within_s=120)
    try:
        await _complete(client, engine, "warm", 4)
        began = cpu_s(engine.pid)
        read = await _complete(client, engine, unseen(PROMPT_TOKENS), 1)
        figures = [read / (cpu_s(engine.pid) - began)]
        for callers in CALLERS:
            began = cpu_s(engine.pid)
            await asyncio.gather(
                *(_complete(client, engine, unseen(8), tokens) for _ in range(callers))
            )
            figures.append(callers * tokens / (cpu_s(engine.pid) - began))
        return figures
    finally:
        await engine.stop()


def cpu_s(pid: int) -> float:
    """The processor time that a process has used, in seconds. Source: proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def unseen(characters: int) -> str:
    """A prompt that is in no cache; a character is a token of these models."""
    return "".join(random.choices("abcdefgh", k=characters))


async def _complete(client: Client, engine: EngineProcess, prompt: str, tokens: int) -> int:
    """One answer of so many tokens; how many tokens the prompt had, a character each."""
    body = {"prompt": prompt, "max_tokens": tokens, "ignore_eos": True, "cache_prompt": False}
    await client.post(engine.target, "completions", body, into=Completion)
    return len(prompt)


async def compare(model: Model, library: Path, threads: int, rounds: int, tokens: int) -> None:
    """Both builds in turn, and the gain."""
    measured: dict[Path | None, list[list[float]]] = {None: [], library: []}
    async with Client() as client:
        for _ in range(rounds):
            for build, figures in measured.items():
                figures.append(await measure(client, model, build, threads, tokens))
    print(f"{model.name}, {threads} threads:")
    portable, native = measured.values()
    for number, name in enumerate(FIGURES):
        before = [figures[number] for figures in portable]
        after = [figures[number] for figures in native]
        gain = median(b / a for a, b in zip(before, after, strict=True))
        print(
            f"  {name}: {median(before):.1f} -> {median(after):.1f} tokens a CPU second, {gain:.2f}"
        )


async def run(arguments: argparse.Namespace) -> None:
    """All kinds of weights."""
    library = arguments.library
    if library is None:
        found = find_build(load_settings().home)
        if found is None or found.fault:
            sys.exit(
                f"No build to measure{f': {found.fault}' if found else ''}. Run `ingle doctor --build`."
            )
        library = found.folder
    with tempfile.TemporaryDirectory() as home:
        models = Models(load_settings(overrides={"home": home}))
        models.folder.mkdir()
        for weights in arguments.weights:
            write_model(models.folder / f"{weights}.gguf", replace(SHAPE, weights=weights))
            model = models.get(weights)
            await compare(model, library, arguments.threads, arguments.rounds, arguments.tokens)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--library", type=Path, help="a folder with another xllamacpp")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--weights", nargs="+", default=["q8_0", "q4_0"])
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
