"""Which models there are to ask for."""

from __future__ import annotations

from tests.routing.conftest import House

from ingle.errors import StorageError, UpstreamRefused, UpstreamUnreachable
from ingle.routing import ModelEntry
from ingle.testing import ScriptedUpstream, error, models
from ingle.upstream.client import Client


async def test_models_of_all_places_are_listed(house: House, client: Client) -> None:
    """This machine's models come first, then each connection's under its name."""
    house.install("other")
    async with ScriptedUpstream(models("m", "n")) as one, ScriptedUpstream(models("m")) as two:
        house.connections.save("two", two.url, None)
        house.connections.save("one", one.url, None)
        found = await house.router(client).models()
    assert found.faults == ()
    told = [(entry.id, entry.owned_by) for entry in found.models if entry.id[:5] != "demo-"]
    assert told == [
        ("demo", "local"),
        ("other", "local"),
        ("one/m", "one"),
        ("one/n", "one"),
        ("two/m", "two"),
    ]
    assert found.models[-3] == ModelEntry("one/m", "one", 1_700_000_000)


async def test_connection_that_fails_is_reported(house: House, client: Client) -> None:
    """A connection that is down, refuses the key, or whose key is lost is no reason for silence."""
    async with ScriptedUpstream(error(401, "no")) as refusing, ScriptedUpstream(models("m")) as up:
        house.connections.save("closed", refusing.url, None)
        house.connections.save("down", "http://127.0.0.1:9", None)
        house.connections.save("lost", "http://127.0.0.1:9", "sk-lost")
        house.connections.save("up", up.url, None)
        house.lose_key()
        found = await house.router(client).models()
    assert (found.models[0].id, found.models[-1].id) == ("demo", "up/m")
    assert [(fault.connection, type(fault.error)) for fault in found.faults] == [
        ("closed", UpstreamRefused),
        ("down", UpstreamUnreachable),
        ("lost", StorageError),
    ]


async def test_servers_are_not_asked_each_time(house: House, client: Client) -> None:
    """Two lists within seconds cost one question to each server."""
    async with ScriptedUpstream(models("m")) as upstream:
        house.connections.save("box", upstream.url, None)
        router = house.router(client)
        assert await router.models() == await router.models()
    assert [request.path for request in upstream.requests] == ["/v1/models"] * 2
