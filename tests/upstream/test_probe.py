"""Which base URL is right: the server is asked, once, and everything that was tried is told."""

from __future__ import annotations

import asyncio

import pytest

from ingle.errors import ConfigurationError, UpstreamInvalid, UpstreamUnreachable
from ingle.testing import (
    Answer,
    ScriptedUpstream,
    error,
    json_answer,
    models,
    page,
    redirect,
    reset,
)
from ingle.upstream.client import Client
from ingle.upstream.probe import BaseUrls, Tried, probe

NOT_FOUND = error(404, "Not Found")


async def test_the_first_list_of_models_decides(client: Client) -> None:
    """`/v1` is tried first, and a list of models is all the proof there is."""
    async with ScriptedUpstream(models("a", "b")) as upstream:
        found = await probe(client, upstream.url, "sk-key")
        assert upstream.requests[0].headers["authorization"] == "Bearer sk-key"
    assert (found.base_url, found.models) == (f"{upstream.url}/v1", ("a", "b"))
    assert found.tried == (Tried(f"{upstream.url}/v1/models", "a list of 2 models"),)
    assert (found.error, found.note) == (None, "")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (NOT_FOUND, "status 404: Not Found"),
        (page("<title>Welcome</title>"), "an answer that is not a list of models"),
        (json_answer({"data": 5}), "an answer that is not a list of models"),
        (json_answer({"hello": "world"}), "an answer that is not a list of models"),
        (Answer(), "an answer that is not a list of models"),
        (error(500, "oops"), "status 500: oops"),
        (
            redirect("http://other.example/login"),
            "status 307: redirect to http://other.example/login",
        ),
    ],
)
async def test_what_is_no_list_leads_on_to_the_next(
    client: Client, answer: Answer, outcome: str
) -> None:
    """A web page at `/v1/models` is passed over."""
    async with ScriptedUpstream(answer, models("a")) as upstream:
        found = await probe(client, f"{upstream.url}/prefix")
        assert [request.path for request in upstream.requests] == [
            "/prefix/v1/models",
            "/prefix/models",
        ]
    assert found.base_url == f"{upstream.url}/prefix"
    assert [tried.outcome for tried in found.tried] == [outcome, "a list of 1 model"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_shows_that_the_api_is_there(client: Client, status: int) -> None:
    """The address is right; it is the key that is not."""
    async with ScriptedUpstream(NOT_FOUND, error(status, "bad key")) as upstream:
        found = await probe(client, upstream.url, "sk-secret")
    assert found.base_url == upstream.url
    assert found.error is None
    assert found.note == "The API is there, but it refuses the key. Check the API key."
    assert found.tried[1].outcome == f"the key is refused (status {status})"


async def test_a_list_is_better_than_a_refused_key(client: Client) -> None:
    """Some servers ask for a key wherever there is nothing."""
    async with ScriptedUpstream(error(401, "bad key"), models("a")) as upstream:
        found = await probe(client, upstream.url)
    assert (found.base_url, found.models) == (upstream.url, ("a",))


@pytest.mark.parametrize("written", ["/v1", "/v1/chat/completions"])
async def test_without_models_the_written_address_holds(client: Client, written: str) -> None:
    """A server that has no `models` is taken at the person's word, if that named the API."""
    async with ScriptedUpstream(NOT_FOUND) as upstream:
        found = await probe(client, upstream.url + written)
        assert len(upstream.requests) == 2
    assert found.base_url == f"{upstream.url}/v1"
    assert found.error is None
    assert "taken as it was written" in found.note


async def test_without_models_a_bare_address_is_an_error(client: Client) -> None:
    """Nothing says where the API is, so the error tells all that was tried."""
    async with ScriptedUpstream(NOT_FOUND, page("<p>")) as upstream:
        found = await probe(client, upstream.url)
    assert isinstance(found.error, UpstreamInvalid)
    assert f"No OpenAI-compatible API was found at {upstream.url}" in found.error.message
    assert f"{upstream.url}/v1/models: status 404: Not Found" in found.error.message
    assert f"{upstream.url}/models: an answer that is not a list" in found.error.message


@pytest.mark.parametrize("written", ["", "/v1"])
async def test_a_server_that_is_down_is_asked_once(client: Client, written: str) -> None:
    """The other candidates are on the same server; nothing is assumed of it."""
    async with ScriptedUpstream() as upstream:
        pass
    found = await probe(client, upstream.url + written)
    assert isinstance(found.error, UpstreamUnreachable)
    assert len(found.tried) == 1
    assert "connection refused" in found.tried[0].outcome
    async with ScriptedUpstream(reset()) as upstream:
        assert len((await probe(client, upstream.url)).tried) == 1
        assert len(upstream.requests) == 1


async def test_what_is_no_address_is_not_tried(client: Client) -> None:
    """The reason comes at once."""
    with pytest.raises(ConfigurationError, match="two addresses"):
        await probe(client, "http://http://host")


async def test_an_address_is_probed_once(client: Client) -> None:
    """Whoever asks, at once or later, the server is asked one time."""
    base_urls = BaseUrls(client)
    async with ScriptedUpstream(models("a")) as upstream:
        urls = await asyncio.gather(*(base_urls.resolve(upstream.url) for _ in range(5)))
        assert set(urls) == {f"{upstream.url}/v1"}
        assert await base_urls.resolve(upstream.url) == f"{upstream.url}/v1"
        assert len(upstream.requests) == 1
        base_urls.forget(upstream.url)
        await base_urls.resolve(upstream.url)
        assert len(upstream.requests) == 2


async def test_a_server_that_was_down_is_asked_again(client: Client) -> None:
    """A failure is not remembered."""
    base_urls = BaseUrls(client)
    async with ScriptedUpstream() as upstream:
        pass
    with pytest.raises(UpstreamUnreachable):
        await base_urls.resolve(upstream.url)
    async with ScriptedUpstream(models("a"), port=int(upstream.url.rpartition(":")[2])) as upstream:
        assert await base_urls.resolve(upstream.url) == f"{upstream.url}/v1"


async def test_one_who_leaves_does_not_leave_the_others_without(client: Client) -> None:
    """A cancelled probe is taken up by the next who waits for it."""
    base_urls = BaseUrls(client)
    gate = asyncio.Event()
    async with ScriptedUpstream(models("a").paused_before(0, gate)) as upstream:
        first = asyncio.create_task(base_urls.resolve(upstream.url))
        await upstream.received(1)
        second = asyncio.create_task(base_urls.resolve(upstream.url))
        first.cancel()
        await upstream.received(2)
        gate.set()
        assert await second == f"{upstream.url}/v1"
    with pytest.raises(asyncio.CancelledError):
        await first
