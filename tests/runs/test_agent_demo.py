"""An agent on the model that comes with Ingle, by its real engine."""

from __future__ import annotations

import pytest

from ingle.apps.check import load
from ingle.processors.pieces import Piece, fold
from ingle.runs.events import StepPiece, fold_run
from ingle.runs.executor import NoRecord, execute
from ingle.runs.log import RunLog
from ingle.runs.work import work_of
from ingle.runtime import open_runtime
from ingle.settings import load_settings


@pytest.mark.slow
async def test_demo_model_calls_a_tool() -> None:
    """A local model's calls stream, are done, and lead to an answer after the last step."""
    weather = load(
        "{name: Weather, description: Tells the weather of a city, input: {city: string},"
        " steps: {say: {use: ingle/template, input: {text: 'Sunny in {{ input.city }}.'}}}}",
        "weather.yaml",
    )
    app = load(
        """
name: Agent
steps:
  agent:
    prompt: "What is the weather in Rome?"
    config: {model: demo, tool_choice: required, temperature: 0, max_tokens: 64}
    max_steps: 1
    tools: {get_weather: {use: app/weather}}
""",
        "agent.yaml",
        lambda slug: weather,
    )
    log = RunLog()
    async with open_runtime(load_settings()) as runtime:
        work = work_of(runtime.router, lambda slug: weather)
        await execute(app, {}, run="run_1", log=log, work=work, record=NoRecord())
    output = fold_run(log.events).steps["agent"].output
    assert output["calls"][0]["name"] == "get_weather"
    assert output["calls"][0]["result"].startswith("Sunny in ")
    assert output["is_exhausted"] is True
    assert output["content"].strip()
    assert output["_api_response"]["usage"]["prompt_tokens"] > 100
    pieces = [Piece(e.path, e.text, e.value) for e in log.events if isinstance(e, StepPiece)]
    assert fold(pieces) == {k: v for k, v in output.items() if not k.startswith("_")}
