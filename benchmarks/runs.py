"""What it costs to carry out runs, beside bare asyncio and LangGraph, in one run.

    python3 -m venv /tmp/lg && /tmp/lg/bin/pip install langgraph langgraph-checkpoint-sqlite aiosqlite
    .venv/bin/python benchmarks/runs.py [--langgraph /tmp/lg/bin/python] [--rounds 15]

First a chain of 1, 10 and 100 steps that do nothing, from its start to its output. In each round
every contender runs it in turn, so that what slows the machine slows all alike; figures are medians
over rounds of wall time, a step, and ratios are medians of those within a round. Contenders:

    asyncio     a task a step, one after the other
    ingle       a walk over the steps with templates and events, of which nothing is recorded
    recorded    the same as people run it: each step's end, all events and the run in SQLite
    langgraph   a compiled StateGraph, in a process of its own
    checkpoint  the same with AsyncSqliteSaver on a file

Then 500 runs at a time, recorded, each of which streams 200 pieces at 50 a second to a listener:
CPU time a piece without that of a bare generator that is paced alike, memory a run, and how long
after its start the first piece is heard.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.processors.pieces import Piece
from ingle.runs.events import StepPiece
from ingle.runs.executor import Call, NoRecord, execute
from ingle.runs.log import RunLog
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Runs
from ingle.settings import Settings
from ingle.storage.apps import Apps
from ingle.storage.database import Database

LENGTHS = (1, 10, 100)
RUNS, PIECES, PACE_S = 500, 200, 0.02

LANGGRAPH = """
import asyncio, gc, itertools, json, sys, tempfile, time
from typing import TypedDict
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    text: str

async def step(state):
    return {"text": "x"}

def graph(length, saver):
    building = StateGraph(State)
    names = [f"s{i}" for i in range(length)]
    for name in names:
        building.add_node(name, step)
    for one, other in zip([START, *names], [*names, END]):
        building.add_edge(one, other)
    return building.compile(checkpointer=saver)

async def main():
    threads = itertools.count()
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncSqliteSaver.from_conn_string(f"{folder}/c.db") as saver:
            graphs = {}
            for line in sys.stdin:
                length, is_kept = json.loads(line)
                if (length, is_kept) not in graphs:
                    graphs[length, is_kept] = graph(length, saver if is_kept else None)
                config = {"recursion_limit": length + 5}
                config["configurable"] = {"thread_id": str(next(threads))}
                gc.collect()
                began = time.perf_counter()
                await graphs[length, is_kept].ainvoke({"text": ""}, config)
                print(time.perf_counter() - began, flush=True)

asyncio.run(main())
"""


def chain(length: int) -> str:
    """The text of an app of so many steps, each of which needs the one before."""
    steps = {f"s{i}": {"prompt": "x" if i == 0 else f"{{{{ s{i - 1} }}}}"} for i in range(length)}
    return json.dumps({"name": "chain", "steps": steps})


async def nothing(call: Call) -> AsyncGenerator[Any, None]:
    """A step's work that is none."""
    yield {"choices": [{"content": "x"}]}


async def bare(length: int) -> None:
    """A task a step."""

    async def step() -> str:
        return "x"

    for _ in range(length):
        await asyncio.create_task(step())


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds."""
    gc.collect()
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def begun(python: str) -> subprocess.Popen[str]:
    """LangGraph in a process of its own, which is asked by lines."""
    return subprocess.Popen(
        [python, "-c", LANGGRAPH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def chains(runs: Runs, rounds: int, langgraph: str | None) -> None:
    """Measure all contenders at all lengths and print a table."""
    child = None if langgraph is None else begun(langgraph)

    def asked(length: int, *, is_kept: bool) -> float:
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps([length, is_kept]) + "\n")
        child.stdin.flush()
        return float(child.stdout.readline())

    print(f"us a step   {'steps':>5} {'asyncio':>8} {'ingle':>8} {'recorded':>9}", end="")
    print(f" {'langgraph':>10} {'checkpoint':>11} {'recorded/checkpoint':>20}")
    for length in LENGTHS:
        text = chain(length)
        app = load(text, "chain")

        async def walked(app: App = app) -> None:
            await execute(app, {}, run="r", log=RunLog(), work=nothing, record=NoRecord())

        async def recorded(app: App = app, text: str = text) -> None:
            await (await runs.start(app, {}, text=text)).output()

        async def as_bare(length: int = length) -> None:
            await bare(length)

        found: dict[str, list[float]] = {}
        for number in range(rounds + 2):
            row = {
                "asyncio": await timed(as_bare),
                "ingle": await timed(walked),
                "recorded": await timed(recorded),
            }
            if child is not None:
                # In a thread, so that what our loop has to do by the clock is not left for later.
                row["langgraph"] = await asyncio.to_thread(asked, length, is_kept=False)
                row["checkpoint"] = await asyncio.to_thread(asked, length, is_kept=True)
            if number >= 2:  # the first rounds warm up
                for name, seconds in row.items():
                    found.setdefault(name, []).append(seconds / length * 1e6)
        medians = {name: statistics.median(values) for name, values in found.items()}
        print(f"            {length:5} {medians['asyncio']:8.1f} {medians['ingle']:8.1f}", end="")
        print(f" {medians['recorded']:9.1f}", end="")
        if child is not None:
            pairs = zip(found["recorded"], found["checkpoint"], strict=True)
            ratio = statistics.median(mine / other for mine, other in pairs)
            print(f" {medians['langgraph']:10.1f} {medians['checkpoint']:11.1f}", end="")
            print(f" {ratio:20.3f}", end="")
        print(flush=True)
    if child is not None:
        child.communicate()


async def streams(call: Call) -> AsyncGenerator[Any, None]:
    """A model that writes fifty tokens a second."""
    async for text in paced():
        yield Piece(("choices", 0, "content"), text)
    yield {"choices": [{"content": " word" * PIECES}]}


async def paced() -> AsyncGenerator[str, None]:
    """The texts alone."""
    for _ in range(PIECES):
        await asyncio.sleep(PACE_S)
        yield " word"


def resident_bytes() -> int:
    """The memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def many(database: Database) -> None:
    """Measure 500 runs at a time and print what each costs."""
    first_s: list[float] = []
    pieces = 0
    text = "{name: A, steps: {a: {prompt: x}}, output: '{{ a }}'}"
    app = load(text, "a")

    async def drained() -> None:
        async for _ in paced():
            pass

    began = time.process_time()
    await asyncio.gather(*(drained() for _ in range(RUNS)))
    paced_s = time.process_time() - began
    async with Runs(database, PublishedApps(Apps(database)), streams, at_once=RUNS) as runs:
        await (await runs.start(app, {}, text=text)).output()
        gc.collect()
        before = resident_bytes()
        peak = 0

        async def one() -> None:
            nonlocal pieces, peak
            began = time.perf_counter()
            run = await runs.start(app, {}, text=text)
            has_heard = False
            async for events in runs.follow(run.id):
                count = sum(isinstance(event, StepPiece) for event in events)
                if count and not has_heard:
                    has_heard = True
                    first_s.append(time.perf_counter() - began - PACE_S)
                pieces += count
            peak = max(peak, resident_bytes())

        began, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(one() for _ in range(RUNS)))
        cpu_s, wall_s = time.process_time() - began, time.perf_counter() - wall
    assert pieces == RUNS * PIECES
    print(f"{RUNS} runs at a time, {pieces:,} pieces in {wall_s:.1f} s:")
    print(f"  CPU a piece           {(cpu_s - paced_s) / pieces * 1e6:6.1f} us")
    print(f"  of that, bare pacing  {paced_s / pieces * 1e6:6.1f} us more")
    print(f"  memory a run          {(peak - before) / RUNS / 1024:6.0f} KiB")
    print(f"  first piece heard     {statistics.median(first_s) * 1000:6.1f} ms after it was due")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--langgraph", help="a Python that has langgraph and its SQLite saver")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(Settings(home=Path(folder) / "home"))
        async with Runs(database, PublishedApps(Apps(database)), nothing) as runs:
            await chains(runs, arguments.rounds, arguments.langgraph)
        await many(database)
        database.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
