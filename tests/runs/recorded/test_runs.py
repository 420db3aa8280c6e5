"""Runs that are recorded: followed, cancelled, resumed, run again, looked at and removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import pytest

from ingle import errors
from ingle.apps.app import App
from ingle.apps.check import load
from ingle.errors import Busy, Conflict, InvalidRequest, RunNotFound, StepFailed
from ingle.processors.pieces import Piece
from ingle.runs.events import (
    Event,
    OutputPiece,
    RunCancelled,
    RunEnded,
    RunStarted,
    fold_run,
    is_last,
)
from ingle.runs.executor import Call, Work
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Run, RunFilter, Runs
from ingle.storage.apps import Apps
from ingle.storage.database import Database

TWO = """
name: Two
input: {question: text}
steps:
  answer: {prompt: "{{ input.question }}"}
  summary: {prompt: "Short: {{ answer }}"}
output: "-> {{ summary }}!"
"""
ONE = "{name: One, input: {word: text}, steps: {a: {prompt: '{{ input.word }}'}}}"

Does = Callable[[Call], AsyncGenerator[Any, None]]


async def says_its_prompt(call: Call) -> AsyncGenerator[Any, None]:
    """A model that says in two pieces what it is asked."""
    prompt = call.input["messages"][-1]["content"]
    middle = len(prompt) // 2
    for part in (prompt[:middle], prompt[middle:]):
        yield Piece(("choices", 0, "content"), part)
    yield {
        "choices": [{"role": "assistant", "content": prompt}],
        "_api_response": {
            "model": "m",
            "usage": {"prompt_tokens": len(prompt), "completion_tokens": 2},
        },
    }


class Steps:
    """Says its prompt, but waits for `go` where a step is named, and counts what was asked."""

    def __init__(self, *held: str, fails: Mapping[str, Exception] | None = None) -> None:
        self.held = set(held)
        self.fails = dict(fails or {})
        self.go = asyncio.Event()
        self.began = asyncio.Event()
        self.asked: list[str] = []

    async def __call__(self, call: Call) -> AsyncGenerator[Any, None]:
        self.asked.append(call.step.name)
        if error := self.fails.get(call.step.name):
            raise error
        if call.step.name in self.held:
            self.began.set()
            await self.go.wait()
        async for item in says_its_prompt(call):
            yield item


def runs_of(database: Database, work: Work = says_its_prompt, **options: Any) -> Runs:
    return Runs(database, PublishedApps(Apps(database)), work, **options)


async def start(runs: Runs, text: str = TWO, **options: Any) -> Run:
    app = load(text, "a")
    given = {"question": "why"} if text == TWO else {"word": "hello"}
    return await runs.start(app, options.pop("input", given), text=text, **options)


async def heard(runs: Runs, run: str, after: int = -1, key_id: str | None = None) -> list[Event]:
    return [event async for events in runs.follow(run, after, key_id) for event in events]


async def test_a_run_is_recorded_with_its_steps(database: Database) -> None:
    """Each step has what it was sent, what it gave, when, and what it cost; the run their sums."""
    async with runs_of(database) as runs:
        run = await start(runs, slug="two", version=3)
        assert await run.output() == "-> Short: why!"
        record = await runs.get(run.id)
    assert (record.app, record.version, record.state, record.attempt) == ("two", 3, "ended", 1)
    assert (record.input, record.output) == ({"question": "why"}, "-> Short: why!")
    assert (record.prompt_tokens, record.completion_tokens) == (3 + 10, 4)
    first, second = record.steps
    assert (first.step, second.step) == ("answer", "summary")
    assert second.input == {"messages": [{"role": "user", "content": "Short: why"}]}
    assert second.config == {"stream": True}
    assert second.output["choices"] == [{"role": "assistant", "content": "Short: why"}]
    assert second.usage is not None
    assert (second.usage.model, second.usage.prompt_tokens) == ("m", 10)
    assert record.created_at <= first.started_at <= first.ended_at <= second.ended_at


async def test_a_replay_is_what_was_heard_live(database: Database) -> None:
    """From any event on, the same events come again, none twice, after the run and elsewhere."""
    async with runs_of(database) as runs:
        run = await start(runs)
        live = await heard(runs, run.id)
    assert isinstance(live[-1], RunEnded)
    async with runs_of(database) as others:
        assert await heard(others, run.id) == live
        for after in (0, 4, live[-2].sequence):
            assert await heard(others, run.id, after) == live[after + 1 :]
        assert await heard(others, run.id, live[-1].sequence) == []


async def test_followed_from_another_process_while_it_runs(database: Database) -> None:
    """Who follows from elsewhere hears what is written, until the run's last event."""
    steps = Steps("summary")
    async with runs_of(database, steps) as runs, runs_of(database) as others:
        run = await start(runs)
        following = others.follow(run.id)
        events = list(await anext(following))
        while not any(isinstance(event, OutputPiece) for event in events):
            events += await anext(following)
        assert not is_last(events[-1])
        steps.go.set()
        async for more in following:
            events += more
        assert events == list(run.log.events)


async def test_a_run_goes_on_where_it_was_stopped(database: Database) -> None:
    """A process that stops tells no last event; the next one begins with the step after the last
    recorded one, and its events replace those before."""
    steps = Steps("summary")
    async with runs_of(database, steps) as runs:
        run = await start(runs)
        await steps.began.wait()
    assert not is_last(run.log.events[-1])
    with pytest.raises(Busy, match="goes on, but not here"):
        await run.output()
    again = Steps()
    async with runs_of(database, again) as runs:
        assert (await runs.get(run.id)).state == "waiting"
        await runs.share()
        events = await heard(runs, run.id)
        record = await runs.get(run.id)
    assert again.asked == ["summary"]
    assert (record.state, record.output, record.attempt) == ("ended", "-> Short: why!", 2)
    assert events[0] == RunStarted(1 << 32, run.id, "two", events[0].at, 2)  # type: ignore[union-attr]
    assert sum(is_last(event) for event in events) == 1
    state = fold_run([*run.log.events, *events])
    assert (state.output, state.steps["answer"].state) == ("-> Short: why!", "ended")
    assert "".join(e.text for e in events if isinstance(e, OutputPiece)) == "-> Short: why!"
    assert record.prompt_tokens == 13


async def test_followers_end_when_the_process_stops(database: Database) -> None:
    """They end without a last event, whether the run is here or is waited for in the database."""
    steps = Steps("answer")
    async with runs_of(database, steps) as runs, runs_of(database) as others:
        run = await start(runs)
        await steps.began.wait()
        following = [asyncio.create_task(heard(which, run.id)) for which in (runs, others)]
        await asyncio.sleep(0)
        await others.__aexit__(None, None, None)
        await runs.__aexit__(None, None, None)
        for events in await asyncio.gather(*following):
            assert not any(is_last(event) for event in events)


async def test_cancelled_here(database: Database) -> None:
    """A run that is cancelled has one last event, which is recorded; the step's end is not."""
    steps = Steps("summary")
    async with runs_of(database, steps) as runs:
        run = await start(runs)
        await steps.began.wait()
        await runs.cancel(run.id)
        with pytest.raises(errors.RunCancelled, match="was cancelled"):
            await run.output()
        record = await runs.get(run.id)
        assert (record.state, [step.step for step in record.steps]) == ("cancelled", ["answer"])
        assert (await heard(runs, run.id)) == list(run.log.events)
        await runs.cancel(run.id)  # again is no error
        assert (await runs.get(run.id)).state == "cancelled"


async def test_cancelled_before_it_begins(database: Database) -> None:
    """A run that is cancelled at once, too, has its one last event."""
    async with runs_of(database) as runs:
        run = await start(runs)
        run.cancel()
        events = await heard(runs, run.id)
        assert isinstance(events[-1], RunCancelled)
        assert (await runs.get(run.id)).state == "cancelled"


async def test_cancelled_from_another_process(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that runs it is asked to stop it."""
    monkeypatch.setattr("ingle.runs.carrier._BEAT_S", 0.01)
    steps = Steps("answer")
    async with runs_of(database, steps) as runs, runs_of(database) as others:
        run = await start(runs)
        await steps.began.wait()
        await others.cancel(run.id)
        assert isinstance((await heard(others, run.id))[-1], RunCancelled)
    with pytest.raises(errors.RunCancelled):
        await run.output()


async def test_an_ended_run_cannot_be_cancelled(database: Database) -> None:
    """It says so, and stays as it is."""
    async with runs_of(database) as runs:
        run = await start(runs)
        await run.output()
        with pytest.raises(Conflict, match="it has ended"):
            await runs.cancel(run.id)


async def test_runs_beyond_the_bound_wait(database: Database) -> None:
    """They begin in their order as soon as there is room; one that waits can be cancelled."""
    steps = Steps("a")
    async with runs_of(database, steps, at_once=1) as runs:
        first, second, third = [await start(runs, ONE) for _ in range(3)]
        await steps.began.wait()
        assert [r.state for r in await runs.list()] == ["waiting", "waiting", "running"]
        await runs.cancel(second.id)
        with pytest.raises(errors.RunCancelled):
            await second.output()
        assert isinstance((await heard(runs, second.id))[-1], RunCancelled)
        steps.go.set()
        assert await first.output() == await third.output() == "hello"
    assert steps.asked == ["a", "a"]


async def test_a_run_that_waits_is_taken_by_who_has_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process carries it out, and who started it hears of it."""
    monkeypatch.setattr("ingle.runs.carrier._BEAT_S", 0.01)
    steps = Steps("a")
    async with runs_of(database, steps, at_once=1) as runs, runs_of(database) as others:
        busy = await start(runs, ONE)
        waits = await start(runs, ONE)
        await steps.began.wait()
        await others.share()
        assert await waits.output() == "hello"
        assert waits.log.events[0].sequence == 0
        steps.go.set()
        assert await busy.output() == "hello"
    assert steps.asked == ["a"]


async def test_a_failed_run_is_resumed(database: Database) -> None:
    """The same run goes on from the step that failed, and then has another last event."""
    steps = Steps(fails={"summary": InvalidRequest("no")})
    async with runs_of(database, steps) as runs:
        run = await start(runs)
        with pytest.raises(StepFailed, match="`summary` failed: no"):
            await run.output()
        failed = await runs.get(run.id)
        assert failed.fault is not None
        assert (failed.fault.step, failed.fault.code) == ("summary", "invalid_request")
        assert [(step.step, step.state) for step in failed.steps] == [
            ("answer", "ended"),
            ("summary", "failed"),
        ]
        assert failed.steps[1].input["messages"][0]["content"] == "Short: why"
        steps.fails.clear()
        resumed = await runs.resume(run.id)
        assert await resumed.output() == "-> Short: why!"
        events = await heard(runs, run.id)
        assert (events[0].sequence, sum(map(is_last, events))) == (1 << 32, 1)
        record = await runs.get(run.id)
        assert [(step.step, step.state) for step in record.steps] == [
            ("answer", "ended"),
            ("summary", "ended"),
        ]
        assert record.fault is None
        with pytest.raises(Conflict, match="it is ended"):
            await runs.resume(run.id)
    assert steps.asked == ["answer", "summary", "summary"]


async def test_a_run_again_from_a_step(database: Database) -> None:
    """A new run keeps the outputs of the steps before, and remembers what it came from."""
    steps = Steps()
    async with runs_of(database, steps) as runs:
        run = await start(runs)
        await run.output()
        again = await runs.retry(run.id, "summary")
        assert await again.output() == "-> Short: why!"
        assert steps.asked == ["answer", "summary", "summary"]
        assert (await runs.get(again.id)).parent == run.id
        assert [r.id for r in await runs.list(RunFilter(parent=run.id))] == [again.id]
        state = fold_run(await heard(runs, again.id))
        assert {name: step.state for name, step in state.steps.items()} == {
            "answer": "ended",
            "summary": "ended",
        }


async def test_a_run_again_with_edits(database: Database) -> None:
    """An edited output holds for those that need it; an edited input for all."""
    steps = Steps()
    async with runs_of(database, steps) as runs:
        run = await start(runs)
        await run.output()
        edited = {"choices": [{"role": "assistant", "content": "mine"}]}
        assert await (await runs.retry(run.id, edits={"answer": edited})).output() == (
            "-> Short: mine!"
        )
        assert steps.asked == ["answer", "summary", "summary"]
        other = await runs.retry(run.id, edits={"input": {"question": "who"}})
        assert await other.output() == "-> Short: who!"
        assert steps.asked[3:] == ["answer", "summary"]
        with pytest.raises(InvalidRequest, match="no step 'nope'"):
            await runs.retry(run.id, "nope")


async def test_a_run_is_its_keys_only(database: Database) -> None:
    """Another key's run is not there, whatever is asked; who needs no key sees all."""
    async with runs_of(database) as runs:
        run = await start(runs, key_id="mine")
        await run.output()
        for asked in (
            runs.get(run.id, "other"),
            heard(runs, run.id, key_id="other"),
            runs.cancel(run.id, "other"),
            runs.resume(run.id, "other"),
            runs.retry(run.id, key_id="other"),
            runs.rate(run.id, 1, key_id="other"),
            runs.remove(run.id, "other"),
        ):
            with pytest.raises(RunNotFound, match="There is no run"):
                await asked
        assert await runs.list(RunFilter(key_id="other")) == []
        assert len(await runs.list(RunFilter(key_id="mine"))) == len(await runs.list()) == 1
        assert (await runs.get(run.id, "mine")).id == run.id


async def test_a_running_run_is_its_keys_only(database: Database) -> None:
    """Also one that is carried out here cannot be followed or cancelled by others."""
    steps = Steps("answer")
    async with runs_of(database, steps) as runs:
        run = await start(runs, key_id="mine")
        await steps.began.wait()
        with pytest.raises(RunNotFound):
            await heard(runs, run.id, key_id="other")
        with pytest.raises(RunNotFound):
            await runs.cancel(run.id, "other")
        steps.go.set()
        await run.output()


async def test_lists_are_filtered_searched_and_paged(database: Database) -> None:
    """The newest come first; texts are found in inputs and outputs, as they were written."""
    async with runs_of(database) as runs:
        ids: list[str] = []
        for word in ('say "hi"', "50% of_it", "Ünïcode"):
            run = await start(runs, ONE, input={"word": word}, slug=f"app-{len(ids)}")
            await run.output()
            ids.append(run.id)
            await asyncio.sleep(0.002)  # ids sort by the millisecond
        assert [run.id for run in await runs.list()] == ids[::-1]
        assert [run.id for run in await runs.list(limit=2)] == [ids[2], ids[1]]
        assert [run.id for run in await runs.list(before=ids[1])] == [ids[0]]
        for text, index in (('"HI"', 0), ("50% OF_", 1), ("ïcode", 2)):
            assert [run.id for run in await runs.list(RunFilter(text=text))] == [ids[index]]
        assert await runs.list(RunFilter(text="50x of")) == []
        assert [run.id for run in await runs.list(RunFilter(app="app-1"))] == [ids[1]]
        assert await runs.list(RunFilter(state="failed")) == []
        assert await runs.list(RunFilter(until=1.0)) == []
        assert len(await runs.list(RunFilter(since=1.0))) == 3
        with pytest.raises(InvalidRequest, match="1 to 1,000"):
            await runs.list(limit=0)


async def test_table_of_runs(database: Database) -> None:
    """A row a run, in which nothing is a formula for a spreadsheet."""
    async with runs_of(database) as runs:
        run = await start(runs, ONE, input={"word": "=1+1"}, slug="one", version=2)
        await run.output()
        await runs.rate(run.id, -1, "wrong")
        header, row = [row async for row in runs.table()]
    table = dict(zip(header, row, strict=True))
    assert {name: table[name] for name in ("id", "app", "version", "state", "input", "output")} == {
        "id": run.id,
        "app": "one",
        "version": "2",
        "state": "ended",
        "input": '{"word":"=1+1"}',
        "output": "'=1+1",
    }
    assert (table["thumb"], table["comment"], table["error"]) == ("-1", "wrong", "")


async def test_feedback(database: Database) -> None:
    """A thumb and words are kept, and can be changed."""
    async with runs_of(database) as runs:
        run = await start(runs)
        await run.output()
        await runs.rate(run.id, 1, "good")
        await runs.rate(run.id, None, "on second thoughts")
        record = await runs.get(run.id)
        assert (record.thumb, record.comment) == (None, "on second thoughts")
        with pytest.raises(InvalidRequest, match="1 or -1"):
            await runs.rate(run.id, 2)


async def test_removal(database: Database) -> None:
    """A run that is over goes with its steps and events; one that is not must be cancelled."""
    steps = Steps("a")
    async with runs_of(database, steps) as runs:
        run = await start(runs, ONE)
        await steps.began.wait()
        with pytest.raises(Conflict, match=r"is running\. Cancel it"):
            await runs.remove(run.id)
        steps.go.set()
        await run.output()
        await runs.remove(run.id)
        with pytest.raises(RunNotFound):
            await runs.get(run.id)
    with database.reading() as transaction:
        for table in ("runs", "steps", "events"):
            assert transaction.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


async def test_old_runs_are_removed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `keep_days` a run is removed, and texts that nothing refers to any more."""
    monkeypatch.setattr("ingle.runs.carrier._BEAT_S", 0.01)
    async with runs_of(database) as runs:
        old, new = await start(runs, ONE), await start(runs, TWO)
        await old.output()
        await new.output()
    with database.writing() as transaction:
        transaction.exec_driver_sql(
            f"UPDATE runs SET ended_at = ended_at - 2 * 86400 WHERE id = '{old.id}'"
        )
    async with runs_of(database, keep_days=1) as runs:
        await runs.share()
        while len(await runs.list()) == 2:  # noqa: ASYNC110 -- no event tells of it
            await asyncio.sleep(0.01)
        assert [run.id for run in await runs.list()] == [new.id]
    with database.reading() as transaction:
        assert transaction.exec_driver_sql("SELECT text FROM definitions").scalars().all() == [TWO]


async def test_a_run_that_is_not_kept(database: Database) -> None:
    """It can be followed while it runs, waits for room like others, and leaves nothing behind."""
    steps = Steps("a")
    async with runs_of(database, steps, at_once=1) as runs:
        first = await start(runs, ONE, is_kept=False)
        second = await start(runs, ONE, is_kept=False)
        await steps.began.wait()
        steps.go.set()
        assert await first.output() == await second.output() == "hello"
        with pytest.raises(RunNotFound):
            await runs.get(first.id)


async def test_wrong_input_begins_nothing(database: Database) -> None:
    """The input is checked before anything is recorded."""
    async with runs_of(database) as runs:
        with pytest.raises(InvalidRequest, match="`question` is missing"):
            await start(runs, input={})
        assert await runs.list() == []


async def test_a_run_pins_its_text(database: Database) -> None:
    """It goes on with the text that it began with, though the app is another now."""
    apps = Apps(database)
    apps.save_draft("two", TWO, name="Two", type="form")
    apps.publish("two")
    steps = Steps("summary")
    app = PublishedApps(apps).find("two")
    async with runs_of(database, steps) as runs:
        run = await runs.start(app, {"question": "why"}, text=apps.text("two"), slug="two")
        await steps.began.wait()
    apps.save_draft("two", TWO.replace("->", "=>"), name="Two", type="form")
    apps.publish("two")
    apps.remove("two")
    async with runs_of(database) as runs:
        await runs.share()
        last = (await heard(runs, run.id))[-1]
    assert isinstance(last, RunEnded)
    assert last.output == "-> Short: why!"


async def test_odd_values_are_kept_as_they_are(database: Database) -> None:
    """Half a surrogate pair, a null character and huge numbers go through the record."""
    odd = {"choices": [{"content": "a\ud800b\x00c"}], "n": 10**30, "f": 1.5}

    async def gives(call: Call) -> AsyncGenerator[Any, None]:
        yield odd

    async with runs_of(database, gives) as runs:
        run = await start(runs, ONE)
        assert await run.output() == "a\ud800b\x00c"
        record = await runs.get(run.id)
        assert record.steps[0].output == odd
        assert record.output == "a\ud800b\x00c"
        assert await heard(runs, run.id) == list(run.log.events)


async def test_secrets_are_masked(database: Database) -> None:
    """What was sent is kept without the texts of fields that are named like secrets."""
    text = """
name: A
input: {mine: string}
steps:
  a:
    use: ingle/http_request
    input:
      url: https://x.example
      headers:
        Authorization: "Bearer {{ input.mine }}"
        X-Api-Key: "{{ input.mine }}"
        Accept: text/plain
"""

    async def gives(call: Call) -> AsyncGenerator[Any, None]:
        assert call.input["headers"]["Authorization"] == "Bearer abc"
        yield {"text": "ok"}

    async with runs_of(database, gives) as runs:
        run = await runs.start(load(text, "a"), {"mine": "abc"}, text=text)
        await run.output()
        sent = (await runs.get(run.id)).steps[0].input["headers"]
    assert sent == {"Authorization": "…", "X-Api-Key": "…", "Accept": "text/plain"}


def published(database: Database) -> tuple[Apps, PublishedApps]:
    apps = Apps(database)
    return apps, PublishedApps(apps)


def test_published_apps(database: Database) -> None:
    """A version is read once; what is published now is what the name means."""
    apps, found = published(database)
    apps.save_draft("one", ONE, name="One", type="form")
    with pytest.raises(errors.AppNotFound, match="not published"):
        found.find("one")
    assert found.find_if_there("none") is None
    apps.publish("one")
    first: App = found.find("one")
    assert found.find("one") is first
    apps.save_draft("one", TWO, name="Two", type="form")
    assert found.find("one") is first
    apps.publish("one")
    assert found.find("one").name == "Two"
    assert found.find("one", 1) is first
