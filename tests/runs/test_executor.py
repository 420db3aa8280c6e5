"""The walk over an app's steps: order, failure, retries, lists, cancelling, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
import pytest

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.apps.fields import read_input
from ingle.errors import Busy, InvalidRequest, StepFailed, StorageError
from ingle.processors.pieces import Piece
from ingle.runs.events import OutputPiece, StepBroken, StepRetried, fold_run, is_last
from ingle.runs.executor import Call, NoRecord, Record, Recorded, Work, execute
from ingle.runs.log import RunLog

Does = Callable[[Call], AsyncGenerator[Any, None]]


async def says_its_prompt(call: Call) -> AsyncGenerator[Any, None]:
    """A model that says in two pieces what it is asked."""
    prompt = call.input["messages"][-1]["content"]
    middle = len(prompt) // 2
    for part in (prompt[:middle], prompt[middle:]):
        yield Piece(("choices", 0, "content"), part)
    yield {"choices": [{"role": "assistant", "content": prompt}]}


def by_step(**works: Does) -> Work:
    """What each step does; those that are not named say their prompt."""

    def work(call: Call) -> AsyncGenerator[Any, None]:
        return works.get(call.step.name, says_its_prompt)(call)

    return work


async def run(
    app: App, work: Work = says_its_prompt, *, record: Record | None = None, **values: Any
) -> tuple[Any, RunLog]:
    log = RunLog()
    output = await execute(
        app,
        read_input(app.fields, values),
        run="run_1",
        log=log,
        work=work,
        record=record or NoRecord(),
    )
    return output, log


def kinds(log: RunLog) -> list[str]:
    return [event.__struct_config__.tag for event in log.events]  # type: ignore[misc]


TWO = """
name: Two
input: {question: text}
steps:
  answer: {prompt: "{{ input.question }}"}
  summary: {prompt: "Short: {{ answer }}"}
output: "-> {{ summary }}!"
"""


async def test_steps_run_in_order_and_the_output_is_rendered() -> None:
    """Each step gets what the ones before made; the events tell all of it, numbered from 0."""
    output, log = await run(load(TWO, "a"), question="why")
    assert output == "-> Short: why!"
    assert [event.sequence for event in log.events] == list(range(len(log.events)))
    assert kinds(log) == [
        "run_started", "output", "step_started", "piece", "piece", "step_ended",
        "step_started", "piece", "output", "piece", "output", "step_ended", "output", "run_ended",
    ]  # fmt: skip
    assert "".join(e.text for e in log.events if isinstance(e, OutputPiece)) == output


async def test_fold_of_the_events_is_the_run() -> None:
    """Whoever has the events knows the run: its state, output and steps."""
    _, log = await run(load(TWO, "a"), question="why")
    state = fold_run(log.events)
    assert (state.state, state.output) == ("ended", "-> Short: why!")
    assert {name: (step.state, step.output) for name, step in state.steps.items()} == {
        "answer": ("ended", {"choices": [{"role": "assistant", "content": "why"}]}),
        "summary": ("ended", {"choices": [{"role": "assistant", "content": "Short: why"}]}),
    }


async def test_fold_of_some_events_is_the_run_so_far() -> None:
    """A step's output grows with its pieces."""
    _, log = await run(load(TWO, "a"), question="why")
    pieces = [i for i, kind in enumerate(kinds(log)) if kind == "piece"]
    state = fold_run(log.events[: pieces[0] + 1])
    assert state.steps["answer"].output == {"choices": [{"content": "w"}]}


async def test_steps_that_need_nothing_of_each_other_run_side_by_side() -> None:
    """Neither of two ends before the other has begun."""
    both = asyncio.Barrier(2)

    async def meets(call: Call) -> AsyncGenerator[Any, None]:
        await both.wait()
        async for item in says_its_prompt(call):
            yield item

    app = load("{name: A, steps: {a: {prompt: x}, b: {prompt: y}}, output: '{{ a }}{{ b }}'}", "a")
    assert (await run(app, meets))[0] == "xy"


async def test_output_follows_its_own_order_whoever_writes_first() -> None:
    """What a later variable's step writes early waits for its turn, and is not lost."""
    first_may_go = asyncio.Event()

    async def waits(call: Call) -> AsyncGenerator[Any, None]:
        await first_may_go.wait()
        async for item in says_its_prompt(call):
            yield item

    async def goes_first(call: Call) -> AsyncGenerator[Any, None]:
        async for item in says_its_prompt(call):
            yield item
        first_may_go.set()

    app = load(
        "{name: A, steps: {a: {prompt: one}, b: {prompt: two}}, output: '{{ a }}, {{ b }}.'}", "a"
    )
    output, log = await run(app, by_step(a=waits, b=goes_first))
    assert output == "one, two."
    texts = [event.text for event in log.events if isinstance(event, OutputPiece)]
    assert "".join(texts) == "one, two."


async def test_skipped_steps_are_null() -> None:
    """A condition that does not hold leaves nothing, and the app goes on."""
    app = load(
        """
name: A
input: {wanted: boolean}
steps:
  a: {prompt: x, when: "{{ input.wanted }}"}
  b: {prompt: "{% if a %}got {{ a }}{% else %}nothing{% endif %}"}
""",
        "a",
    )
    assert (await run(app, wanted=False))[0] == "nothing"
    assert (await run(app, wanted=True))[0] == "got x"


async def test_for_each_runs_for_every_item_and_keeps_their_order() -> None:
    """At most `at_once` at the same time; the result is the list of results."""
    running = most = 0

    async def counts(call: Call) -> AsyncGenerator[Any, None]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        async for item in says_its_prompt(call):
            yield item
        running -= 1

    app = load(
        """
name: A
input: {words: json}
steps:
  a: {prompt: "{{ index }}: {{ item }}", for_each: "{{ input.words }}", at_once: 2}
output: "{{ a }}"
""",
        "a",
    )
    output, log = await run(app, counts, words=["x", "y", "z"])
    assert output == ["0: x", "1: y", "2: z"]
    assert most == 2
    assert fold_run(log.events).steps["a"].output["items"][1]["choices"][0]["content"] == "1: y"


async def test_for_each_of_what_is_no_list_fails() -> None:
    """A text is not taken for a list of its letters."""
    app = load(
        "{name: A, input: {w: string}, steps: {a: {prompt: x, for_each: '{{ input.w }}'}}}", "a"
    )
    with pytest.raises(StepFailed, match="`for_each` needs a list, and got a str"):
        await run(app, w="abc")


def fails(times: int, error: Exception, *, after: str = "") -> Does:
    """Fails so often, after having written something, and then says its prompt."""
    left = times

    async def work(call: Call) -> AsyncGenerator[Any, None]:
        nonlocal left
        if left:
            left -= 1
            if after:
                yield Piece(("choices", 0, "content"), after)
            raise error
        async for item in says_its_prompt(call):
            yield item

    return work


async def test_a_failed_step_is_tried_again_where_that_can_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the failed try had written is void, in the output, too."""
    monkeypatch.setattr("ingle.runs.executor._FIRST_WAIT_S", 0.0)
    app = load("{name: A, steps: {a: {prompt: hello, retries: 2}}, output: '> {{ a }}'}", "a")
    output, log = await run(app, fails(2, Busy("full"), after="bro"))
    assert output == "> hello"
    assert sum(isinstance(event, StepRetried) for event in log.events) == 2
    assert fold_run(log.events).steps["a"].tries == 3
    before_the_end = fold_run(list(log.events)[:-1])
    assert before_the_end.output == "> hello"


async def test_what_cannot_get_better_is_not_tried_again() -> None:
    """A wrong request fails at once, with the step's name and the cause's code."""
    app = load("{name: A, steps: {a: {prompt: hello, retries: 5}}}", "a")
    log = RunLog()
    with pytest.raises(StepFailed) as caught:
        await execute(
            app, {}, run="r", log=log, work=fails(1, InvalidRequest("no")), record=NoRecord()
        )
    assert caught.value.message == "The step `a` failed: no"
    assert (caught.value.step, caught.value.error_code) == ("a", "invalid_request")
    assert kinds(log) == ["run_started", "step_started", "step_failed", "run_failed"]


async def test_fallback_asks_the_next_model() -> None:
    """A model that fails is replaced by the next one; the configuration is the same otherwise."""
    asked = []

    async def only_spare(call: Call) -> AsyncGenerator[Any, None]:
        asked.append(call.config.get("model"))
        if call.config.get("model") != "spare":
            raise Busy("full")
        async for item in says_its_prompt(call):
            yield item

    app = load("{name: A, steps: {a: {prompt: x, model: best, fallback: [next, spare]}}}", "a")
    assert (await run(app, only_spare))[0] == "x"
    assert asked == ["best", "next", "spare"]


async def test_on_error_skip_goes_on_without() -> None:
    """An optional step's failure is told, and its value is null."""
    app = load(
        """
name: A
steps:
  a: {prompt: x, on_error: skip}
  b: {prompt: "{{ a | default: 'nothing' }}"}
""",
        "a",
    )
    output, log = await run(app, by_step(a=fails(1, InvalidRequest("no"))))
    assert output == "nothing"
    fault = fold_run(log.events).steps["a"].fault
    assert fault is not None
    assert fault.message == "no"


async def test_a_failure_stops_what_runs_beside_it() -> None:
    """Every step that began has exactly one last event, and so has the run."""
    stopped = asyncio.Event()

    async def never(call: Call) -> AsyncGenerator[Any, None]:
        try:
            yield Piece(("choices", 0, "content"), "…")
            await asyncio.Event().wait()
        finally:
            stopped.set()

    app = load("{name: A, steps: {a: {prompt: x}, b: {prompt: y}}}", "a")
    log = RunLog()
    work = by_step(a=never, b=fails(1, InvalidRequest("no"), after="y"))
    with pytest.raises(StepFailed):
        await execute(app, {}, run="r", log=log, work=work, record=NoRecord())
    assert stopped.is_set()
    assert kinds(log)[-3:] == ["step_failed", "step_cancelled", "run_failed"]
    assert sum(is_last(event) for event in log.events) == 1


async def test_cancelling_a_run_stops_its_steps() -> None:
    """The step's work is closed before the run is told to be cancelled."""
    began = asyncio.Event()

    async def never(call: Call) -> AsyncGenerator[Any, None]:
        yield Piece(("choices", 0, "content"), "…")
        began.set()
        await asyncio.Event().wait()

    log = RunLog()
    app = load("{name: A, steps: {a: {prompt: x}}}", "a")
    task = asyncio.create_task(execute(app, {}, run="r", log=log, work=never, record=NoRecord()))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kinds(log)[-2:] == ["step_cancelled", "run_cancelled"]
    assert fold_run(log.events).steps["a"].output == {"choices": [{"content": "…"}]}


async def test_a_step_has_its_time() -> None:
    """`timeout` ends a step that takes too long, and says so."""

    async def never(call: Call) -> AsyncGenerator[Any, None]:
        await asyncio.Event().wait()
        yield {}

    app = load("{name: A, steps: {a: {prompt: x, timeout: 0.01}}}", "a")
    with pytest.raises(StepFailed) as caught:
        await run(app, never)
    assert caught.value.error_code == "step_timeout"
    assert "longer than its `timeout` of 0.01 s" in caught.value.message


async def test_recorded_steps_do_not_run_again() -> None:
    """A run that is taken up goes on from its last finished step."""
    app = load(TWO, "a")
    log = RunLog(first=100)
    done = {"answer": Recorded("answer", {"choices": [{"content": "kept"}]})}

    async def only_summary(call: Call) -> AsyncGenerator[Any, None]:
        assert call.step.name == "summary"
        async for item in says_its_prompt(call):
            yield item

    output = await execute(
        app,
        {"question": "why"},
        run="r",
        log=log,
        work=only_summary,
        record=NoRecord(),
        recorded=done,
        attempt=2,
    )
    assert output == "-> Short: kept!"
    assert log.events[0].sequence == 100


async def test_a_step_is_recorded_before_what_needs_it_starts() -> None:
    """The record comes first: a step that cannot be recorded ends the run."""

    class Full(NoRecord):
        async def step_ended(self, run: str, recorded: Recorded) -> None:
            raise StorageError("The disk is full.")

    log = RunLog()
    with pytest.raises(StorageError):
        await execute(
            load(TWO, "a"),
            {"question": "x"},
            run="r",
            log=log,
            work=says_its_prompt,
            record=Full(),
        )
    assert kinds(log)[-1] == "run_failed"
    assert not any(isinstance(e, StepBroken) and e.step == "summary" for e in log.events)


async def test_what_nobody_foresaw_is_told_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bug's message may hold anything, so it goes to the log only."""
    app = load("{name: A, steps: {a: {prompt: x}}}", "a")
    with pytest.raises(StepFailed) as caught:
        await run(app, fails(1, ZeroDivisionError("secret")))
    assert caught.value.error_code == "internal_error"
    assert "secret" not in caught.value.message
    assert "ZeroDivisionError" in caplog.text


async def test_events_are_json_with_their_kind() -> None:
    """Each event can be written and read again."""
    from ingle.runs.events import Event

    _, log = await run(load(TWO, "a"), question="why")
    written = msgspec.json.encode(log.events)
    assert msgspec.json.decode(written, type=list[Event]) == [
        msgspec.structs.replace(e, path=tuple(e.path)) if hasattr(e, "path") else e
        for e in log.events
    ]
    assert msgspec.json.decode(written)[0]["type"] == "run_started"


async def test_a_late_listener_and_a_slow_one_miss_nothing() -> None:
    """Every listener gets every event once, from where it asks."""
    _, log = await run(load(TWO, "a"), question="why")
    all_events = [event async for events in log.listen() for event in events]
    rest = [event async for events in log.listen(after=5) for event in events]
    assert all_events == list(log.events)
    assert rest == list(log.events)[6:]
