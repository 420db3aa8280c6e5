"""`/v1` with routes: another model answers where one fails, before the first byte and never after."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.server.conftest import Caller, Reply

from ingle.testing import (
    Fault,
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    error,
    models,
    silence,
)
from ingle.testing.answers import Answer

MESSAGES = [{"role": "user", "content": "hi"}]
Setup = Callable[..., Awaitable[None]]


@pytest.fixture
async def setup(call: Caller) -> AsyncIterator[Setup]:
    """Makes a route of connections, by the API; all of it goes after the test."""
    paths = []

    async def put(path: str, body: object) -> None:
        answer = await asyncio.to_thread(call, "PUT", path, body)
        assert answer.status == 200, answer.body
        paths.append(path)

    async def make(
        route: str, targets: list[str], pick: str = "first", **at: ScriptedUpstream | str
    ) -> None:
        for name, server in at.items():
            url = server if isinstance(server, str) else f"{server.url}/v1"
            await put(f"/api/connections/{name}", {"base_url": url})
        await put(f"/api/routes/{route}", {"models": targets, "pick": pick})

    yield make
    for path in reversed(paths):
        await asyncio.to_thread(call, "DELETE", path)


def chat(answer: Answer) -> Answer:
    return replace(answer, endpoint="chat/completions")


async def ask(call: Caller, model: str, **fields: object) -> Reply:
    body = {"model": model, "messages": MESSAGES, **fields}
    return await asyncio.to_thread(call.post, "/v1/chat/completions", body)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "broken",
    [
        chat(error(503, "overloaded")),
        chat(error(429, "quota")),
        chat(error(404, "no such model")),
        chat(error(401, "no such key")),
        chat_stream("x").cut_after(0, Fault.RESET),  # its head has come, but no byte of its body
        chat_stream("x").cut_after(0, Fault.HANG_UP),
    ],
)
async def test_another_one_answers_before_the_first_byte(
    broken: Answer, stream: bool, call: Caller, setup: Setup
) -> None:
    """The caller gets its bytes as they are, and its own name of the model."""
    answer = chat_stream("Hel", "lo") if stream else chat_answer("Hello")
    async with (
        ScriptedUpstream(models("m"), broken) as ill,
        ScriptedUpstream(models("n"), answer) as well,
    ):
        await setup("either", ["r-ill/m", "r-well/n"], **{"r-ill": ill, "r-well": well})
        told = await ask(call, "either", stream=stream)
    assert (told.status, told.body) == (200, answer.body)
    assert ill.requests[-1].json["model"] == "m"
    assert well.requests[-1].json == {"model": "n", "messages": MESSAGES, "stream": stream}


async def test_after_the_first_byte_nobody_else_is_asked(call: Caller, setup: Setup) -> None:
    """The stream ends with an error, and what had come is the caller's."""
    async with (
        ScriptedUpstream(models("m"), chat_stream("Hel", "lo").cut_after(2)) as ill,
        ScriptedUpstream(models("n"), chat_stream("x")) as well,
    ):
        await setup("either", ["r2-ill/m", "r2-well/n"], **{"r2-ill": ill, "r2-well": well})
        told = await ask(call, "either", stream=True)
    assert "Hel" in told.events[1]
    assert json.loads(told.events[-1])["error"]["code"] == "upstream_cut"
    assert well.requests == []


async def test_a_refused_request_is_the_callers(call: Caller, setup: Setup) -> None:
    """It passes on as the server said it."""
    async with ScriptedUpstream(models("m"), chat(error(400, "temperature!"))) as strict:
        await setup("either", ["r3/m", "local/demo"], r3=strict)
        told = await ask(call, "either")
    assert (told.status, told.error["message"]) == (400, "temperature!")


async def test_this_machine_stands_in(call: Caller, setup: Setup) -> None:
    """The engine answers under its own name, as what really answered."""
    await setup("either", ["r4/m", "local/demo"], r4="http://127.0.0.1:9/v1")
    told = await ask(call, "either", max_tokens=2)
    assert (told.status, told.json["model"]) == (200, "demo")
    listed = await asyncio.to_thread(call, "GET", "/v1/models/either")
    assert listed.json["owned_by"] == "route"


async def test_where_none_answers_the_error_tells_of_all(call: Caller, setup: Setup) -> None:
    """Which were tried, in their order, and how each failed."""
    async with ScriptedUpstream(models("m"), chat(error(503, "overloaded"))) as ill:
        await setup(
            "either", ["r5-down/m", "r5/m"], **{"r5-down": "http://127.0.0.1:9/v1", "r5": ill}
        )
        told = await ask(call, "either", stream=True)
    assert (told.status, told.error["code"]) == (502, "route_failed")
    message = told.error["message"]
    assert message.startswith("None of the 2 models of the route 'either' answered. r5-down/m: ")
    assert "no connection" in message
    assert "r5/m: r5 answered" in message
    assert "overloaded" in message


async def test_an_alias_passes_its_models_errors_on(call: Caller, setup: Setup) -> None:
    """With one model there is nothing to sum up."""
    async with ScriptedUpstream(models("m"), chat(error(503, "overloaded"))) as ill:
        await setup("alias", ["r6/m"], r6=ill)
        told = await ask(call, "alias")
    assert (told.status, told.error["message"]) == (503, "overloaded")


async def test_processors_know_routes(call: Caller, setup: Setup) -> None:
    """By the name of their model."""
    async with (
        ScriptedUpstream(models("m"), chat(error(503, "overloaded"))) as ill,
        ScriptedUpstream(models("n"), chat_answer("Hello")) as well,
    ):
        await setup("either", ["r7-ill/m", "r7/n"], **{"r7-ill": ill, "r7": well})
        wanted = {"input": {"messages": MESSAGES}, "config": {"model": "either"}}
        told = await asyncio.to_thread(call.post, "/api/processors/localai/chatgpt/run", wanted)
    assert told.status == 200, told.body
    assert told.json["output"]["choices"][0]["content"] == "Hello"
    assert (
        len(ill.requests) == 2
    )  # one to find its API; where another may answer it is not repeated


@asynccontextmanager
async def killable(*answers: Answer) -> AsyncIterator[tuple[ScriptedUpstream, AsyncExitStack]]:
    """A server, and the stack that kills it when it is closed."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(ScriptedUpstream(*answers)), stack


async def test_no_call_is_lost_when_a_server_is_killed(call: Caller, setup: Setup) -> None:
    """Half of the calls wait for it when it goes down; all of them are answered."""
    async with (
        killable(models("m"), chat(silence())) as (doomed, life),
        ScriptedUpstream(models("m"), chat_stream("Hel", "lo")) as well,
    ):
        both = {"r8-doomed": doomed, "r8": well}
        await setup("both", ["r8-doomed/m", "r8/m"], "round_robin", **both)
        asked = [asyncio.create_task(ask(call, "both", stream=True)) for _ in range(12)]
        await doomed.received(1 + 6)  # one to find its API
        await life.aclose()
        more = [asyncio.create_task(ask(call, "both", stream=True)) for _ in range(12)]
        answers = await asyncio.gather(*asked, *more)
    assert {(answer.status, answer.body) for answer in answers} == {
        (200, chat_stream("Hel", "lo").body)
    }


async def test_health_is_told_and_a_test_closes_the_circuit(call: Caller, setup: Setup) -> None:
    """After five faults the server is not called, until its time comes or somebody tries it."""
    async with ScriptedUpstream(models("m"), chat(error(500, "no"))) as ill:
        await setup("alias", ["r9/m"], r9=ill)

        async def health() -> dict[str, Any]:
            listed = (await asyncio.to_thread(call, "GET", "/api/connections")).json
            found: dict[str, Any] = next(one["health"] for one in listed if one["name"] == "r9")
            return found

        assert (await health())["state"] == "closed"
        for _ in range(5):
            assert (await ask(call, "r9/m")).status == 500
        assert (await health())["last_error"] == "status 500"
        assert (await health())["state"] in ("open", "half-open")
        count = len(ill.requests)
        refused = await ask(call, "r9/m")
        if (await health())["state"] == "open":  # else its time had come already
            assert (refused.status, refused.error["code"]) == (503, "circuit_open")
            assert refused.headers["retry-after"] == "1"
            assert len(ill.requests) == count
        ill.script(chat_answer("x"))
        await asyncio.to_thread(call.post, "/api/connections/r9/test", None)
        assert (await health())["state"] == "closed"
        assert (await ask(call, "r9/m")).status == 200


@pytest.mark.parametrize(
    ("name", "body", "status", "param"),
    [
        ("x", {"models": []}, 400, "models"),
        ("x", {"models": ["local/x"]}, 400, "models"),
        ("x", {"models": ["nowhere/m"]}, 400, "models"),
        ("x", {"models": ["demo"], "pick": "random"}, 400, "pick"),
        ("x", {"models": ["demo"], "weights": [1]}, 400, "weights"),
        ("demo", {"models": ["local/demo"]}, 409, "model"),
        ("-x", {"models": ["local/demo"]}, 400, "name"),
    ],
)
def test_wrong_routes(call: Caller, name: str, body: object, status: int, param: str) -> None:
    """Are refused with the field that is wrong, and not kept."""
    told = call("PUT", f"/api/routes/{name}", body)
    assert (told.status, told.error["param"]) == (status, param)
    assert call("GET", f"/api/routes/{name}").status == 404


async def test_routes_are_kept_by_the_api(call: Caller, setup: Setup) -> None:
    """Made, shown, looked into and removed."""
    await setup("fast", ["demo", "local/gone"])
    described = {
        "name": "fast",
        "models": ["local/demo", "local/gone"],
        "pick": "first",
        "source": "database",
    }
    assert call("GET", "/api/routes/fast").json == described
    assert described in call("GET", "/api/routes").json
    there, gone = call("POST", "/api/routes/fast/test").json
    assert there == {"model": "local/demo", "is_there": True, "error": None}
    assert (gone["is_there"], "'gone' is not installed" in gone["error"]) == (False, True)
    assert call("DELETE", "/api/routes/fast").status == 204
    assert call("DELETE", "/api/routes/fast").status == 404
