"""Names that stand for models: the order, the fallback, what is counted against whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.routing.conftest import House

from ingle.errors import (
    CircuitOpen,
    Conflict,
    IngleError,
    ModelNotFound,
    NotAllowed,
    RouteFailed,
    UpstreamRefused,
    UpstreamUnreachable,
)
from ingle.routing import Router
from ingle.settings import load_settings
from ingle.storage.routes import NamedRoutes, Pick
from ingle.testing import ScriptedUpstream, completion_answer, error, hang_up, models
from ingle.testing.answers import Answer
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits

ONCE = Limits(tries=1)


def failing(answer: Answer) -> Answer:
    """The answer for completions alone, so that the API is still found."""
    return replace(answer, endpoint="completions")


def save(house: House, name: str, targets: Sequence[str], pick: Pick = "first") -> None:
    house.routes.save(name, targets, pick, installed=house.models.names())


async def answering(router: Router, model: str) -> str:
    """The name of who answers a call that is made as the relay and the processors make theirs."""
    tries = await router.tries(model=model)
    for way in tries:
        try:
            async with way as route:
                if not route.is_local:
                    await router.client.post(
                        route.target, "completions", {}, into=bytes, limits=ONCE
                    )
                    route.answered()
                return route.target.name
        except IngleError as error:
            if not tries.goes_on(error):
                raise
    raise AssertionError("the last way answers or fails")


async def test_an_alias_is_a_route_with_one_model(house: House, client: Client) -> None:
    """Its model answers under its own name, and its own error is told where it fails."""
    save(house, "gpt-4", ["demo"])
    router = house.router(client)
    assert await answering(router, "gpt-4") == "engine demo"
    assert house.leased == []
    save(house, "gpt-4", ["local/gone"])
    with pytest.raises(ModelNotFound, match="'gone' is not installed"):
        await answering(router, "gpt-4")


@pytest.mark.parametrize(
    "broken",
    [hang_up(), error(500, "no"), error(503, "no"), error(429, "no"), error(404, "no such model")],
)
async def test_the_next_one_answers_where_one_fails(
    broken: Answer, house: House, client: Client
) -> None:
    """The connection breaks, its server fails or has too much to do, or lacks the model."""
    async with (
        ScriptedUpstream(models("m"), failing(broken)) as ill,
        ScriptedUpstream(models("m"), completion_answer("x")) as well,
    ):
        house.connections.save("ill", ill.url, None)
        house.connections.save("well", well.url, None)
        save(house, "fast", ["ill/m", "well/m", "local/demo"])
        assert await answering(house.router(client), "fast") == "well"
    assert ill.requests[-1].path == "/v1/completions"


async def test_what_is_not_there_at_all_is_passed_over(house: House, client: Client) -> None:
    """A server that is down, a connection that was removed, a model that is not installed."""
    house.connections.save("down", "http://127.0.0.1:9/v1", None)
    house.connections.save("gone", "http://127.0.0.1:9/v1", None)
    save(house, "fast", ["down/m", "gone/m", "local/missing", "local/demo"])
    house.connections.remove("gone")
    assert await answering(house.router(client), "fast") == "engine demo"


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_request_that_is_at_fault_is_not_tried_elsewhere(
    status: int, house: House, client: Client
) -> None:
    """It would fail there, too, and be paid for twice."""
    async with ScriptedUpstream(models("m"), failing(error(status, "wrong"))) as box:
        house.connections.save("box", box.url, None)
        save(house, "fast", ["box/m", "local/demo"])
        with pytest.raises(UpstreamRefused, match="wrong"):
            await answering(house.router(client), "fast")


async def test_the_error_says_how_each_one_failed(house: House, client: Client) -> None:
    """In the order in which they were tried."""
    house.connections.save("down", "http://127.0.0.1:9/v1", None)
    async with ScriptedUpstream(models("m"), failing(error(503, "overloaded"))) as ill:
        house.connections.save("ill", ill.url, None)
        save(house, "fast", ["down/m", "ill/m"])
        with pytest.raises(RouteFailed) as caught:
            await answering(house.router(client), "fast")
    assert [(model, type(error)) for model, error in caught.value.failures] == [
        ("down/m", UpstreamUnreachable),
        ("ill/m", UpstreamRefused),
    ]
    message = str(caught.value)
    assert message.startswith("None of the 2 models of the route 'fast' answered. down/m: ")
    assert "ill/m: POST " in message
    assert "overloaded" in message
    assert message.endswith("`ingle routes test fast` tries each.")


async def test_each_takes_its_turn(house: House, client: Client) -> None:
    """And one that fails is followed by the next, so that no call is lost."""
    async with (
        ScriptedUpstream(models("m"), completion_answer("x")) as a,
        ScriptedUpstream(models("m"), completion_answer("x")) as b,
    ):
        house.connections.save("a", a.url, None)
        house.connections.save("b", b.url, None)
        house.connections.save("down", "http://127.0.0.1:9/v1", None)
        save(house, "big", ["a/m", "b/m", "down/m"], "round_robin")
        router = house.router(client)
        answered = [await answering(router, "big") for _ in range(6)]
    assert answered == ["a", "b", "a", "a", "b", "a"]


async def test_a_connection_that_keeps_failing_is_left_alone(house: House, client: Client) -> None:
    """After five faults nothing is sent there, by any name, until a call has tried it with success."""
    now_s = 0.0
    async with (
        ScriptedUpstream(models("m"), failing(error(500, "no"))) as ill,
        ScriptedUpstream(models("m"), completion_answer("x")) as well,
    ):
        house.connections.save("ill", ill.url, None)
        house.connections.save("well", well.url, None)
        save(house, "fast", ["ill/m", "well/m"])
        router = house.router(client, clock=lambda: now_s)
        for _ in range(7):
            assert await answering(router, "fast") == "well"
        assert len(ill.requests) == 1 + 5  # one to find its API
        with pytest.raises(CircuitOpen, match=r"ill \(http.* was not called"):
            await answering(router, "ill/m")
        assert router.health(house.connections.get("ill")).status().state == "open"
        ill.script(completion_answer("x"))
        now_s += 1
        both = await asyncio.gather(answering(router, "fast"), answering(router, "fast"))
        assert sorted(both) == ["ill", "well"]  # one of them tried it
        assert await answering(router, "fast") == "ill"
        assert router.health(house.connections.get("ill")).status().state == "closed"


async def test_a_connection_that_was_changed_begins_anew(house: House, client: Client) -> None:
    """Whoever corrects its address does not wait for the old one's circuit."""
    house.connections.save("box", "http://127.0.0.1:9/v1", None)
    router = house.router(client)
    for _ in range(5):
        with pytest.raises(UpstreamUnreachable):
            await answering(router, "box/m")
    async with ScriptedUpstream(models("m"), completion_answer("x")) as box:
        house.connections.save("box", box.url, None)
        assert await answering(router, "box/m") == "box"


async def test_a_route_does_not_hide_an_installed_model(house: House, client: Client) -> None:
    """Not when it is made, and not when a model of its name is installed later."""
    with pytest.raises(Conflict, match="'demo' is the name of an installed model"):
        save(house, "demo", ["local/demo"])
    save(house, "later", ["local/demo"])
    house.install("later")
    with pytest.raises(Conflict, match=r"the model is also called `local/later`"):
        await house.router(client).tries(model="later")
    async with house.router(client).route(model="local/later") as route:
        assert route.model == "later"


async def test_routes_come_before_a_providers_connection(house: House, client: Client) -> None:
    """And a default model may be one; without a name the provider's connection still answers."""
    async with ScriptedUpstream(models("m")) as upstream:
        house.connections.save("localai", upstream.url, None)
        save(house, "fast", ["local/demo"])
        router = house.router(client, default_model="fast")
        for model, name in (("fast", "engine demo"), (None, "localai")):
            async with next(iter(await router.tries(model=model, provider="localai"))) as route:
                assert route.target.name == name
        async with next(iter(await router.tries())) as route:
            assert route.target.name == "engine demo"


async def test_routes_are_listed_after_this_machines_models(house: House, client: Client) -> None:
    """As what they are."""
    save(house, "fast", ["local/demo"])
    found = await house.router(client).models()
    assert [(one.id, one.owned_by) for one in found.models][-1] == ("fast", "route")


async def test_a_limited_caller_asks_and_sees_what_is_allowed_only(
    house: House, client: Client
) -> None:
    """By the name that is listed; a route that is allowed leads to its models, whatever they are."""
    async with ScriptedUpstream(models("m", "n"), completion_answer("x")) as box:
        house.connections.save("box", box.url, None)
        save(house, "fast", ["local/demo"])
        save(house, "slow", ["local/demo"])
        allowed = {"fast", "box/m"}
        router = house.router(client).for_caller(allowed.__contains__, lambda *_: None)
        assert await answering(router, "fast") == "engine demo"
        assert await answering(router, "box/m") == "box"
        for model in ("demo", "local/demo", "slow", "box/n", ""):
            with pytest.raises(NotAllowed, match="This API key may not ask the model"):
                await answering(router, model)
        with pytest.raises(NotAllowed, match=r"may not ask the model 'http://127\.0\.0\.1:9/m'"):
            async with router.route(model="m", base_url="http://127.0.0.1:9"):
                pass
        listed = [entry.id for entry in (await router.models()).models]
        assert listed == ["fast", "box/m"]


async def test_the_file_makes_routes_too(house: House, client: Client, home: Path) -> None:
    """They win over those of the database."""
    save(house, "fast", ["local/gone"])
    (home / "config.yaml").write_text("routes: {fast: {models: [nowhere/m, demo]}}")
    house.routes = NamedRoutes(house.database, load_settings())
    assert await answering(house.router(client), "fast") == "engine demo"


async def test_each_model_of_a_route_can_be_looked_for(house: House, client: Client) -> None:
    """Without running one: is it installed, does its server list it."""
    async with ScriptedUpstream(models("m")) as box:
        house.connections.save("box", box.url, None)
        save(house, "fast", ["local/demo", "local/gone", "box/m", "box/n"])
        found = await house.router(client).test(house.routes.get("fast"))
    assert house.leased == []
    assert [(model, error and type(error)) for model, error in found.items()] == [
        ("local/demo", None),
        ("local/gone", ModelNotFound),
        ("box/m", None),
        ("box/n", ModelNotFound),
    ]
