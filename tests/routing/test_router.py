"""Which server answers for a name."""

from __future__ import annotations

import pytest
from tests.routing.conftest import House

from ingle.errors import (
    EngineCrashed,
    EngineMissing,
    InvalidRequest,
    ModelNotFound,
    StorageError,
    UnsupportedInput,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamUnreachable,
)
from ingle.testing import ScriptedUpstream, error, models, page
from ingle.upstream.client import Client


@pytest.mark.parametrize("provider", ["localai", None])
@pytest.mark.parametrize("model", [None, "", "demo", "local/demo", "local/"])
async def test_this_machine_answers_with_the_demo_model(
    model: str | None, provider: str | None, house: House, client: Client
) -> None:
    """With nothing set up, everything works on this machine, named or not."""
    async with house.router(client).route(model=model, provider=provider) as route:
        assert (route.model, route.is_local) == ("demo", True)
        assert route.target.name == "engine demo"
        assert house.leased == ["demo"]
    assert house.leased == []


async def test_engine_is_let_go_when_the_work_fails(house: House, client: Client) -> None:
    """The lease sees what failed, so that it can say why, and ends."""
    with pytest.raises(EngineCrashed, match="engine demo went down"):
        async with house.router(client).route():
            raise UpstreamCut("half an answer", url="")
    assert house.leased == []


async def test_default_model_answers_where_none_is_named(house: House, client: Client) -> None:
    """A setting says which model answers for no name."""
    house.install("other")
    async with house.router(client, default_model="other").route() as route:
        assert route.model == "other"


async def test_default_model_may_be_a_connections(house: House, client: Client) -> None:
    """The default may be elsewhere, by the same rules as any name."""
    async with ScriptedUpstream(models("big", "small")) as upstream:
        house.connections.save("box", upstream.url, None)
        async with house.router(client, default_model="box/big").route() as route:
            assert (route.model, route.is_local) == ("big", False)


async def test_connection_answers_for_its_models(house: House, client: Client) -> None:
    """`connection/model` goes to that connection, with its key, under the model's own name."""
    async with ScriptedUpstream(models("m")) as upstream:
        house.connections.save("box", upstream.url, "sk-box")
        async with house.router(client).route(model="box/org/m") as route:
            assert (route.model, route.is_local) == ("org/m", False)
            assert route.target == upstream.target("sk-box", "box")
    assert house.leased == []


async def test_name_with_a_slash_is_no_connections_by_itself(house: House, client: Client) -> None:
    """A provider's connection gets names with slashes whole, unless they begin with another's."""
    async with ScriptedUpstream(models("m")) as upstream:
        house.connections.save("localai", upstream.url, None)
        async with house.router(client).route(model="org/m", provider="localai") as route:
            assert (route.model, route.target.name) == ("org/m", "localai")


async def test_provider_uses_its_connection(house: House, client: Client) -> None:
    """With a LocalAI set up, LocalAI's processors use it; `/v1`, without a provider, does not."""
    async with ScriptedUpstream(models("m")) as upstream:
        house.connections.save("localai", upstream.url, "sk-1")
        router = house.router(client)
        async with router.route(model="demo", provider="localai") as route:
            assert (route.model, route.target) == ("demo", upstream.target("sk-1", "localai"))
        async with router.route(model="local/demo", provider="localai") as route:
            assert (route.model, route.is_local) == ("demo", True)
        async with router.route(model="demo") as route:
            assert route.is_local


@pytest.mark.parametrize(("served", "chosen"), [(("one",), "one"), (("one", "two"), None)])
async def test_only_model_of_a_server_needs_no_name(
    served: tuple[str, ...], chosen: str | None, house: House, client: Client
) -> None:
    """Without a name it is the only model that is there; of several the server chooses."""
    async with (
        ScriptedUpstream(models(*served)) as upstream,
        house.router(client).route(base_url=upstream.url) as route,
    ):
        assert route.model == chosen


@pytest.mark.parametrize("written", ["{url}", "{url}/v1", "{url}/v1/", "{url}/v1/chat/completions"])
async def test_base_url_wins_however_it_is_written(
    written: str, house: House, client: Client
) -> None:
    """A base URL of the call wins over every name, and leads to the same place in any form."""
    async with ScriptedUpstream(models("a", "b")) as upstream:
        base_url = written.format(url=upstream.url)
        router = house.router(client)
        async with router.route(model="local/demo", base_url=base_url) as route:
            assert (route.model, route.is_local) == ("local/demo", False)
            assert route.target.base_url == f"{upstream.url}/v1"
            assert route.target.api_key is None


async def test_server_is_probed_once(house: House, client: Client) -> None:
    """What an address leads to is found out at its first use and remembered."""
    async with ScriptedUpstream(models("a")) as upstream:
        router = house.router(client)
        for _ in range(3):
            async with router.route(model="a", base_url=upstream.url):
                pass
    assert [request.path for request in upstream.requests] == ["/v1/models"]


async def test_connections_address_is_remembered_for_later_processes(
    house: House, client: Client
) -> None:
    """What was found out for a connection is in the database, and not asked again."""
    async with ScriptedUpstream(models("a")) as upstream:
        house.connections.save("box", upstream.url, None)
        for _ in range(2):
            async with house.router(client).route(model="box/a"):
                pass
    assert len(upstream.requests) == 1
    assert house.connections.get("box").resolved_url == f"{upstream.url}/v1"


async def test_key_goes_to_its_own_server_only(house: House, client: Client) -> None:
    """A base URL gets a connection's key if it is that connection's, in whatever form."""
    async with ScriptedUpstream(models("a")) as mine, ScriptedUpstream(models("a")) as other:
        house.connections.save("box", f"{mine.url}/v1", "sk-box")
        router = house.router(client)
        async with router.route(model="a", base_url=mine.url) as route:
            assert route.target.api_key == "sk-box"
        async with router.route(model="a", base_url=other.url) as route:
            assert route.target.api_key is None
    assert "authorization" not in other.requests[0].headers


async def test_change_of_a_connection_is_seen_at_once(house: House, client: Client) -> None:
    """A connection that this process makes, changes or removes counts from the next call."""
    router = house.router(client)
    async with ScriptedUpstream(models("a")) as old, ScriptedUpstream(models("a")) as new:
        with pytest.raises(ModelNotFound):
            async with router.route(model="x", provider="localai"):
                pass
        for upstream in (old, new):
            house.connections.save("localai", upstream.url, None)
            async with router.route(model="x", provider="localai") as route:
                assert route.target.base_url == f"{upstream.url}/v1"
        house.connections.remove("localai")
        async with router.route(provider="localai") as route:
            assert route.is_local


async def test_unknown_model_gets_the_list(house: House, client: Client) -> None:
    """Who mistypes a name is told what there is, and how a connection's models are called."""
    house.install("other")
    house.connections.save("box", "http://127.0.0.1:9", None)
    with pytest.raises(ModelNotFound) as caught:
        async with house.router(client).route(model="othr"):
            pass
    message = str(caught.value)
    assert "'othr' is not installed. Installed: demo, " in message
    assert "other." in message
    assert message.endswith("A connection's model is called such as `box/NAME`.")
    assert caught.value.param == "model"


async def test_model_that_is_here_but_not_there_gets_a_hint(house: House, client: Client) -> None:
    """A name that a server does not know, and this machine does, is not quietly answered here."""
    async with ScriptedUpstream(models("a"), error(404, "no such model")) as upstream:
        house.connections.save("localai", upstream.url, None)
        with pytest.raises(ModelNotFound, match=r"no such model.* called `local/demo`\.$"):
            async with house.router(client).route(model="demo", provider="localai") as route:
                await client.post(route.target, "completions", {}, into=bytes)


async def test_refused_key_of_an_address_gets_a_hint(house: House, client: Client) -> None:
    """A server that wants a key, and is no connection, has none: the error says how to give one."""
    async with ScriptedUpstream(error(401, "no key")) as upstream:
        with pytest.raises(UpstreamRefused, match="`ingle connections add NAME URL` makes it one"):
            async with house.router(client).route(model="a", base_url=upstream.url) as route:
                await client.post(route.target, "completions", {}, into=bytes)


async def test_server_whose_api_has_moved_is_found_again(house: House, client: Client) -> None:
    """After a 404 at a remembered address the server is asked once more where its API is."""
    async with ScriptedUpstream(models("a")) as upstream:
        house.connections.save("box", upstream.url, None)
        house.connections.remember(house.connections.get("box"), f"{upstream.url}/old")
        router = house.router(client)
        async with router.route(model="box/a") as route:
            assert route.target.base_url == f"{upstream.url}/old"
            refused = UpstreamRefused("gone", url="", status=404)
            again = await router.route_again(route, refused)
            assert again is not None
            assert (again.model, again.target.base_url) == ("a", f"{upstream.url}/v1")
            assert await router.route_again(again, refused) is None
    assert house.connections.get("box").resolved_url == f"{upstream.url}/v1"


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_server_that_has_not_moved_is_not_asked_for_ever(
    status: int, house: House, client: Client
) -> None:
    """A "not found" that is meant leads to one question a minute, another refusal to none."""
    async with ScriptedUpstream(models("a")) as upstream:
        router = house.router(client)
        async with router.route(model="a", base_url=upstream.url) as route:
            for _ in range(3):
                refused = UpstreamRefused("no", url="", status=status)
                assert await router.route_again(route, refused) is None
    assert len(upstream.requests) == (2 if status == 404 else 1)


async def test_address_without_an_api_is_an_error(house: House, client: Client) -> None:
    """A web page is no API, and the next call asks again."""
    async with ScriptedUpstream(page("<h1>Welcome</h1>")) as upstream:
        for _ in range(2):
            with pytest.raises(UpstreamInvalid, match="No OpenAI-compatible API was found"):
                async with house.router(client).route(base_url=upstream.url):
                    pass


async def test_server_that_is_down_is_an_error(house: House, client: Client) -> None:
    """A connection that nobody answers for is named, with the URL that was called."""
    house.connections.save("box", "http://127.0.0.1:9", None)
    with pytest.raises(UpstreamUnreachable, match=r"127\.0\.0\.1:9/v1/models \(box\)"):
        async with house.router(client).route(model="box/m"):
            pass


async def test_text_that_is_no_address_is_an_error(house: House, client: Client) -> None:
    """A base URL that cannot be one is the caller's fault, and names the field."""
    with pytest.raises(InvalidRequest) as caught:
        async with house.router(client).route(base_url="ftp://host"):
            pass
    assert caught.value.param == "config.base_url"


async def test_key_that_cannot_be_read_is_an_error(house: House, client: Client) -> None:
    """A call never goes out without the key that its connection should have."""
    house.connections.save("box", "http://127.0.0.1:9", "sk-box")
    house.lose_key()
    with pytest.raises(StorageError, match="The key of 'box' cannot be read"):
        async with house.router(client).route(model="box/m"):
            pass


async def test_machine_without_such_a_model_says_what_to_do(house: House, client: Client) -> None:
    """Nothing here ranks: the error names the two ways out, and no engine is started."""
    with pytest.raises(EngineMissing, match=r"`base_url`.*`ingle connections add localai URL`"):
        async with house.router(client).route(capability="rerank", provider="localai"):
            pass
    assert house.leased == []


async def test_images_have_a_default_model_of_their_own(house: House, client: Client) -> None:
    """It draws where no model is named, whatever the default model is; a named one draws itself."""
    house.install_image_model("painter")
    router = house.router(client, default_model="localai/gpt-4", default_image_model="painter")
    async with router.route(capability="images", provider="localai") as route:
        assert (route.model, route.is_local) == ("painter", True)
    async with house.router(client).route(model="painter", capability="images") as route:
        assert route.model == "painter"
    with pytest.raises(ModelNotFound, match="'gone' is not installed"):
        async with house.router(client, default_image_model="gone").route(capability="images"):
            pass
    with pytest.raises(UnsupportedInput, match=r"'demo' is not made for images\..*painter"):
        async with house.router(client).route(model="demo", capability="images"):
            pass


async def test_model_of_another_kind_is_refused(house: House, client: Client) -> None:
    """A model is asked for what it can do only; those that can do it are named."""
    async with house.router(client).route(capability="chat") as route:
        assert route.model == "demo"
    with pytest.raises((UnsupportedInput, EngineMissing)):
        async with house.router(client).route(model="demo", capability="rerank"):
            pass
