"""Keys with limits: what each may ask, how much a minute, until when, and what it has used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
import sqlalchemy as sa
from tests.server.conftest import Caller, running, settings_for

from ingle.server.serve import Serving
from ingle.storage.api_keys import ApiKeys
from ingle.storage.database import Database
from ingle.testing import (
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    completion_answer,
    error,
    images,
    json_answer,
    models,
)

MESSAGES: Any = [{"role": "user", "content": "hi"}]  # Any: the client's own types are a thicket
OLD = "2020-01-01 00:00:00.000000"
PNG = "iVBORw0KGgo="


class House:
    """A server on every network, and its owner's key."""

    def __init__(self, serving: Serving, owner: str, expired: str) -> None:
        self.call = Caller(serving.url)
        self.url = serving.url
        self.expired = expired
        self._owner = {"Authorization": f"Bearer {owner}"}

    def owner(self, method: str, path: str, body: object = None) -> Any:
        """What the owner gets; it has to succeed."""
        answer = self.call(method, path, body, headers=self._owner)
        assert answer.status < 300, answer.body
        return answer.json if answer.body else None

    def key(self, **limits: object) -> dict[str, Any]:
        """A new key."""
        made: dict[str, Any] = self.owner("POST", "/api/keys", {"name": "guest", **limits})
        return made

    def usage(self, key: dict[str, Any]) -> dict[str, int]:
        """What was used with a key."""
        usage: dict[str, int] = self.owner("GET", f"/api/keys/{key['id']}")["usage"]
        return usage

    def client(self, key: str) -> openai.OpenAI:
        """OpenAI's own client, with this key."""
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House, None, None]:
    """A server with a key that has expired."""
    home = tmp_path_factory.mktemp("limited")
    settings = settings_for(home, host="0.0.0.0")
    expired = _expired_key(home)
    with running(settings) as serving:
        assert serving.new_api_key is not None
        yield House(serving, serving.new_api_key, expired)


def _expired_key(home: Path) -> str:
    with closing(Database.open(settings_for(home))) as database:
        _, text = ApiKeys(database).create("old")
        with database.writing() as transaction:
            transaction.execute(sa.text("UPDATE api_keys SET expires_at = :at"), {"at": OLD})
    return text


@pytest.fixture
async def far(house: House) -> AsyncIterator[ScriptedUpstream]:
    """Another server, connected as `far`."""
    async with ScriptedUpstream(models("big", "small")) as upstream:
        await asyncio.to_thread(
            house.owner, "PUT", "/api/connections/far", {"base_url": f"{upstream.url}/v1"}
        )
        yield upstream
        await asyncio.to_thread(house.owner, "DELETE", "/api/connections/far")


@pytest.fixture
def guest(house: House) -> Iterator[tuple[dict[str, Any], openai.OpenAI]]:
    """A key for the demo model alone, and a client with it."""
    made = house.key(allowed_models=["demo"], requests_per_minute=1000, tokens_per_minute=100_000)
    with house.client(made["key"]) as client:
        yield made, client


def test_an_expired_key_is_refused(house: House) -> None:
    """As one that is not known, but the error says since when."""
    with house.client(house.expired) as client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert "expired at 2020-01-01 00:00:00 UTC" in str(caught.value)
    assert caught.value.status_code == 401


def test_only_allowed_models_are_asked_and_listed(
    house: House, guest: tuple[dict[str, Any], openai.OpenAI]
) -> None:
    """Whatever a model is called by: its name, `local/…`, no name at all."""
    _, client = guest
    assert [model.id for model in client.models.list()] == ["demo"]
    for name in ("demo", "local/demo", ""):
        client.completions.create(model=name, prompt="a", max_tokens=1)
    for name in ("other", "far/m", "local/other"):
        with pytest.raises(openai.PermissionDeniedError, match="may not ask the model") as caught:
            client.completions.create(model=name, prompt="a", max_tokens=1)
        assert caught.value.status_code == 403
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_a_processor_keeps_to_the_limits(
    house: House, guest: tuple[dict[str, Any], openai.OpenAI]
) -> None:
    """It may not call any address either."""
    made, _ = guest
    headers = {"Authorization": f"Bearer {made['key']}"}
    path = "/api/processors/localai/chatgpt/run"
    wanted: dict[str, Any] = {"input": {"messages": MESSAGES}, "config": {"max_tokens": 3}}
    answer = house.call("POST", path, wanted, headers=headers)
    assert answer.status == 200, answer.body
    assert answer.headers["x-ratelimit-remaining-requests"] == "999"
    used = house.usage(made)
    assert (used["requests"], used["completion_tokens"]) == (1, 3)
    assert used["prompt_tokens"] > 5
    wanted["config"]["base_url"] = "http://127.0.0.1:9"
    assert house.call("POST", path, wanted, headers=headers).status == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/keys", {"name": "mine"}),
        ("GET", "/api/connections", None),
        ("GET", "/api/processors/../keys", None),
        ("DELETE", "/v1/models/demo", None),
        ("GET", "/metrics", None),
    ],
)
def test_a_key_with_limits_manages_nothing(
    house: House,
    guest: tuple[dict[str, Any], openai.OpenAI],
    method: str,
    path: str,
    body: object,
) -> None:
    """Else it could make itself a key without."""
    headers = {"Authorization": f"Bearer {guest[0]['key']}"}
    answer = house.call(method, path, body, headers=headers)
    assert answer.status in (403, 404)


def test_requests_a_minute(house: House) -> None:
    """The third of two is refused, and told when to come again."""
    made = house.key(requests_per_minute=2)
    with house.client(made["key"]) as client:
        for left in ("1", "0"):
            raw = client.completions.with_raw_response.create(
                model="demo", prompt="a", max_tokens=1
            )
            assert raw.headers["x-ratelimit-limit-requests"] == "2"
            assert raw.headers["x-ratelimit-remaining-requests"] == left
            assert "x-ratelimit-limit-tokens" not in raw.headers
        with pytest.raises(openai.RateLimitError) as caught:
            client.completions.create(model="demo", prompt="a", max_tokens=1)
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 30
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert caught.value.code == "rate_limit_exceeded"
    assert house.usage(made)["requests"] == 2


def test_tokens_a_minute(house: House) -> None:
    """What an answer took is paid before the next one; a changed limit holds at once."""
    made = house.key(tokens_per_minute=5)
    with house.client(made["key"]) as client:
        first = client.chat.completions.create(model="demo", messages=MESSAGES, max_tokens=4)
        assert first.usage is not None
        while not house.usage(made)["completion_tokens"]:  # counted once the answer is out
            pass
        with pytest.raises(openai.RateLimitError, match="5 tokens a minute"):
            client.chat.completions.create(model="demo", messages=MESSAGES, max_tokens=4)
        house.owner("PATCH", f"/api/keys/{made['id']}", {"tokens_per_minute": 100_000})
        client.completions.create(model="demo", prompt="a", max_tokens=1)


@pytest.mark.parametrize("stream", [False, True])
def test_an_engines_tokens_are_counted_exactly(house: House, stream: bool) -> None:
    """Also of a stream that does not tell the caller; its bytes are those without a key."""
    made = house.key()
    with house.client(made["key"]) as client:
        told = client.chat.completions.create(model="demo", messages=MESSAGES, max_tokens=7, seed=1)
        if stream:
            chunks = list(
                client.chat.completions.create(
                    model="demo", messages=MESSAGES, max_tokens=7, seed=1, stream=True
                )
            )
            assert all(chunk.usage is None for chunk in chunks)
    assert told.usage is not None
    times = 2 if stream else 1
    assert house.usage(made) == {
        "requests": times,
        "prompt_tokens": told.usage.prompt_tokens * times,
        "completion_tokens": 7 * times,
        "images": 0,
    }


async def test_a_stream_from_elsewhere_is_asked_for_its_usage(
    house: House, far: ScriptedUpstream
) -> None:
    """And the caller, who did not ask, does not see it."""
    far.script(chat_stream("Hel", "lo", has_usage=True))
    made = await asyncio.to_thread(house.key)
    answer = await asyncio.to_thread(_stream, house, made["key"])
    assert answer.body == chat_stream("Hel", "lo").body
    assert far.requests[-1].json["stream_options"] == {"include_usage": True}
    used = await asyncio.to_thread(house.usage, made)
    assert (used["prompt_tokens"], used["completion_tokens"]) == (5, 2)


async def test_a_server_that_does_not_know_how_is_asked_again(
    house: House, far: ScriptedUpstream
) -> None:
    """As the caller asked it; then each event counts as a token."""
    refusal = replace(error(422, "stream_options: unknown"), endpoint="chat/completions")
    far.script(refusal, chat_stream("Hel", "lo"))
    made = await asyncio.to_thread(house.key)
    answer = await asyncio.to_thread(_stream, house, made["key"])
    assert (answer.status, answer.body) == (200, chat_stream("Hel", "lo").body)
    assert "stream_options" not in far.requests[-1].json
    used = await asyncio.to_thread(house.usage, made)
    assert (used["prompt_tokens"], used["completion_tokens"]) == (0, 5)  # role, two, end, [DONE]


async def test_a_stream_that_breaks_off_is_counted_by_its_events(
    house: House, far: ScriptedUpstream
) -> None:
    """So that nobody reads for nothing by leaving before the end."""
    far.script(chat_stream("Hel", "lo").cut_after(3))
    made = await asyncio.to_thread(house.key)
    await asyncio.to_thread(_stream, house, made["key"])
    assert (await asyncio.to_thread(house.usage, made))["completion_tokens"] == 3


async def test_images_are_counted(house: House, far: ScriptedUpstream) -> None:
    """Those that were asked for, where the answer came; and those of a processor."""
    far.script(images(PNG, PNG), images(PNG))
    made = await asyncio.to_thread(house.key)
    headers = {"Authorization": f"Bearer {made['key']}"}
    wanted = {"model": "far/big", "prompt": "a", "n": 2}
    path = "/v1/images/generations"
    answer = await asyncio.to_thread(house.call, "POST", path, wanted, headers=headers)
    assert answer.status == 200
    run = {"input": {"prompt": "a"}, "config": {"model": "far/big"}}
    path = "/api/processors/localai/image_generations/run"
    answer = await asyncio.to_thread(house.call, "POST", path, run, headers=headers)
    assert answer.status == 200, answer.body
    used = await asyncio.to_thread(house.usage, made)
    assert (used["requests"], used["images"]) == (2, 3)


async def test_a_server_that_tells_nonsense_is_not_believed(
    house: House, far: ScriptedUpstream
) -> None:
    """However large a number it tells, the count stays one that can be kept."""
    told = b'{"usage":{"prompt_tokens":1%b,"completion_tokens":1%b}}' % (b"0" * 3000, b"0" * 20)
    far.script(replace(json_answer({}, endpoint="completions"), parts=(told,)))
    made = await asyncio.to_thread(house.key)
    headers = {"Authorization": f"Bearer {made['key']}"}
    wanted = {"model": "far/big", "prompt": "a", "n": 10}
    answer = await asyncio.to_thread(house.call, "POST", "/v1/completions", wanted, headers=headers)
    assert answer.status == 200
    used = await asyncio.to_thread(house.usage, made)
    assert list(used.values()) == [1, 10**8, 10**8, 0]


async def test_a_refused_call_costs_a_request_and_no_tokens(
    house: House, far: ScriptedUpstream
) -> None:
    """Whatever the server says of tokens in it."""
    said = {"error": {"message": "no"}, "usage": {"prompt_tokens": 9, "completion_tokens": 9}}
    far.script(json_answer(said, status=400, endpoint="completions"))
    made = await asyncio.to_thread(house.key)
    headers = {"Authorization": f"Bearer {made['key']}"}
    wanted = {"model": "far/big", "prompt": "a"}
    answer = await asyncio.to_thread(house.call, "POST", "/v1/completions", wanted, headers=headers)
    assert answer.status == 400
    used = await asyncio.to_thread(house.usage, made)
    assert list(used.values()) == [1, 0, 0, 0]


async def test_a_route_is_a_model_to_a_key(house: House, far: ScriptedUpstream) -> None:
    """It may be allowed without the models that it leads to."""
    far.script(chat_answer("Hello"), completion_answer("x"))
    body = {"models": ["far/big", "local/demo"]}
    await asyncio.to_thread(house.owner, "PUT", "/api/routes/any", body)
    made = await asyncio.to_thread(house.key, allowed_models=["any"])
    headers = {"Authorization": f"Bearer {made['key']}"}
    for model, status in (("any", 200), ("far/big", 403)):
        wanted = {"model": model, "messages": MESSAGES}
        answer = await asyncio.to_thread(
            house.call, "POST", "/v1/chat/completions", wanted, headers=headers
        )
        assert answer.status == status
    await asyncio.to_thread(house.owner, "DELETE", "/api/routes/any")


def test_keys_are_changed_and_told_by_the_api(house: House) -> None:
    """The text once; the limits, and the use day by day, always."""
    made = house.key(allowed_models=["demo", "box/*"], expires_at="2100-01-01T01:00:00+01:00")
    assert made["key"].startswith("ik-")
    assert made["expires_at"] == "2100-01-01T00:00:00Z"
    path = f"/api/keys/{made['id']}"
    changed = house.owner("PATCH", path, {"allowed_models": None, "requests_per_minute": 5})
    assert "key" not in changed
    limits = ("allowed_models", "requests_per_minute", "tokens_per_minute", "expires_at")
    assert [changed[name] for name in limits] == [None, 5, None, "2100-01-01T00:00:00Z"]
    with house.client(made["key"]) as client:
        client.completions.create(model="demo", prompt="a", max_tokens=2)
    shown = house.owner("GET", path)
    (day,) = shown.pop("days")
    assert day.pop("day") == shown["created_at"][:10]
    assert shown["usage"] == day
    assert (day["requests"], day["completion_tokens"]) == (1, 2)
    assert shown["usage"] in [key["usage"] for key in house.owner("GET", "/api/keys")]


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"tokens_per_minute": -5}, "tokens_per_minute"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2100-01-01T00:00:00"}, "expires_at"),
        ({"allowed_models": []}, "allowed_models"),
        ({"requests_per_minute": "many"}, "requests_per_minute"),
        ({"requests_per_hour": 5}, "requests_per_hour"),
    ],
)
def test_wrong_limits(house: House, limits: dict[str, object], param: str) -> None:
    """Are refused with the field that is wrong, for a new key and an old one."""
    made = house.key()
    owner = house._owner
    answer = house.call("POST", "/api/keys", {"name": "x", **limits}, headers=owner)
    assert (answer.status, answer.error["param"]) == (400, param)
    answer = house.call("PATCH", f"/api/keys/{made['id']}", limits, headers=owner)
    assert (answer.status, answer.error["param"]) == (400, param)


def _stream(house: House, key: str) -> Any:
    wanted = {"model": "far/big", "messages": MESSAGES, "stream": True}
    headers = {"Authorization": f"Bearer {key}"}
    return house.call("POST", "/v1/chat/completions", wanted, headers=headers)
