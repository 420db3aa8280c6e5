"""Processes that are killed (SIGKILL) in the middle of runs: real ones, that nothing prepares."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingle.settings import Settings
from ingle.storage.database import Database
from ingle.testing import ScriptedUpstream, chat_stream, models, silence

THREE = """
name: Three
input: {question: text}
steps:
  first: {model: box/m, prompt: "{{ input.question }}"}
  second: {model: box/m, prompt: "second: {{ first }}"}
  third: {model: box/m, prompt: "third: {{ second }}"}
output: "{{ third }}"
"""

ONE_RUN = f"""
import asyncio, sys
from ingle.apps.check import load
from ingle.runtime import open_runtime
from ingle.settings import load_settings

TEXT = '''{THREE}'''

async def main():
    async with open_runtime(load_settings()) as runtime:
        if len(sys.argv) == 1:
            run = await runtime.runs.start(load(TEXT, "three"), {{"question": "why"}}, text=TEXT)
            print(run.id, flush=True)
            print(await run.output())
        else:
            await runtime.runs.share()
            async for events in runtime.runs.follow(sys.argv[1]):
                last = events[-1]
            print(last.output)

asyncio.run(main())
"""

MANY_RUNS = """
import asyncio, os, sys
from ingle.apps.check import load
from ingle.processors.pieces import Piece
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Runs
from ingle.settings import load_settings
from ingle.storage.apps import Apps
from ingle.storage.database import Database

TEXT = "{name: A, steps: {a: {prompt: x}, b: {prompt: '{{ a }}'}, c: {prompt: '{{ b }}'}}}"
told = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

async def work(call):
    os.write(told, f"{os.getpid()} {call.run} {call.step.name}\\n".encode())
    for _ in range(3):
        await asyncio.sleep(0.02)
        yield Piece(("choices", 0, "content"), ".")
    yield {"choices": [{"content": call.step.name}]}

async def main():
    database = Database.open(load_settings())
    published = PublishedApps(Apps(database))
    async with Runs(database, published, work, at_once=5, lease_s=2.0) as runs:
        await runs.share()
        app = load(TEXT, "a")
        await asyncio.gather(
            *(runs.start(app, {}, text=TEXT) for _ in range(int(sys.argv[2])))
        )
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def process(code: str, *arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, stdout=PIPE, env={**os.environ, **environment}
    )


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_a_killed_process_goes_on_from_its_last_finished_step(settings: Settings) -> None:
    """Started again it does at once what was left: no step that was finished is asked for again."""
    async with ScriptedUpstream(models("m"), chat_stream("one"), silence()) as upstream:
        box = {"INGLE_CONNECTION_BOX_BASE_URL": upstream.url}
        first = await process(ONE_RUN, **box)
        assert first.stdout is not None
        run = (await first.stdout.readline()).decode().strip()
        await upstream.received(3)
        first.send_signal(signal.SIGKILL)
        await first.communicate()
        upstream.script(chat_stream("two"), chat_stream("three"))
        second = await process(ONE_RUN, run, **box)
        output, _ = await second.communicate()
    assert (output.decode(), second.returncode) == ("three\n", 0)
    asked = [request for request in upstream.requests if request.path.endswith("completions")]
    prompts = [request.json["messages"][-1]["content"] for request in asked]
    assert prompts == ["why", "second: one", "second: one", "third: two"]
    with closing(Database.open(settings)) as database, database.reading() as transaction:
        rows = transaction.execute(sa.text("SELECT state, attempt FROM runs")).all()
        assert [tuple(row) for row in rows] == [("ended", 2)]


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_one_of_two_on_postgresql_is_killed(settings: Settings, tmp_path: Path) -> None:
    """Two share forty runs, one is killed in the middle: all end, and no step that it had recorded
    is done again."""
    assert settings.database_url is not None
    told = tmp_path / "told"
    url = {"INGLE_DATABASE_URL": settings.database_url}
    with closing(Database.open(settings)) as database:
        killed = await process(MANY_RUNS, str(told), "40", **url)
        other = await process(MANY_RUNS, str(told), "0", **url)
        try:
            await counted(database, "SELECT count(*) FROM runs", 40)
            await counted(database, "SELECT count(*) FROM runs WHERE state = 'ended'", 10)
            killed.kill()
            await killed.communicate()
            with database.reading() as transaction:
                recorded = {tuple(row) for row in transaction.execute(_STEPS)}
            await counted(database, "SELECT count(*) FROM runs WHERE state = 'ended'", 40)
        finally:
            other.kill()
            await other.communicate()
        with database.reading() as transaction:
            steps = [tuple(row) for row in transaction.execute(_STEPS)]
            attempts = transaction.execute(sa.text("SELECT attempt FROM runs")).scalars().all()
    assert len(steps) == len(set(steps)) == 120
    lines = [line.split() for line in told.read_text().splitlines()]
    times = Counter((run, step) for _, run, step in lines)
    assert {pid for pid, _, _ in lines} == {str(killed.pid), str(other.pid)}
    assert {times[step] for step in recorded} == {1}
    again = {run for (run, _), count in times.items() if count > 1}
    assert 0 < len(again) <= 5
    assert Counter(attempts)[2] <= 5
    assert set(attempts) <= {1, 2}


_STEPS = sa.text("SELECT run_id, step FROM steps")


async def counted(database: Database, query: str, at_least: int) -> None:
    """Returns when the count is reached."""
    while True:
        with database.reading() as transaction:
            if (transaction.exec_driver_sql(query).scalar() or 0) >= at_least:
                return
        await asyncio.sleep(0.05)
