"""Chats that are kept (`store: true`), as OpenAI's own client sees them."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from tests.server.app_texts import ECHO, published
from tests.server.conftest import Caller

HELLO: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Hello!"}]},
]


def kept(client: openai.OpenAI, **rest: Any) -> str:  # Any: whatever a chat may have
    """The id of a chat that was kept."""
    answer = client.chat.completions.create(
        model="demo", messages=HELLO, max_tokens=4, store=True, **rest
    )
    return str(answer.id)


def test_a_chat_is_kept_and_retrieved(client: openai.OpenAI) -> None:
    """As it was answered, with the metadata and what else was asked."""
    made = client.chat.completions.create(
        model="demo", messages=HELLO, store=True, metadata={"for": "me"}, temperature=0.5
    )
    found = client.chat.completions.retrieve(made.id)
    assert found.choices == made.choices
    assert found.usage == made.usage
    told = found.model_dump()
    assert (told["metadata"], told["temperature"]) == ({"for": "me"}, 0.5)


def test_a_streamed_chat_is_kept_whole(client: openai.OpenAI) -> None:
    """It can be retrieved as soon as its end has come."""
    chunks = list(
        client.chat.completions.create(
            model="demo", messages=HELLO, max_tokens=8, store=True, stream=True
        )
    )
    found = client.chat.completions.retrieve(chunks[0].id)
    joined = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert found.choices[0].message.content == joined
    assert found.choices[0].finish_reason in ("stop", "length")
    assert found.object == "chat.completion"


def test_several_choices_are_kept(client: openai.OpenAI) -> None:
    """Streamed as well: each has its own text."""
    made = client.chat.completions.create(
        model="demo", messages=HELLO, max_tokens=4, n=2, store=True
    )
    assert len(client.chat.completions.retrieve(made.id).choices) == 2
    stream = client.chat.completions.create(
        model="demo", messages=HELLO, max_tokens=4, n=2, store=True, stream=True
    )
    (chat_id,) = {chunk.id for chunk in stream}
    assert len(client.chat.completions.retrieve(chat_id).choices) == 2


def test_an_apps_chat_is_kept(call: Caller, client: openai.OpenAI) -> None:
    """Whole and streamed, as any model's."""
    hi: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
    with published(call, "kept-echo", ECHO):
        whole = client.chat.completions.create(model="app/kept-echo", messages=hi, store=True)
        chunks = list(
            client.chat.completions.create(
                model="app/kept-echo", messages=hi, store=True, stream=True
            )
        )
    for chat_id in (whole.id, chunks[0].id):
        found = client.chat.completions.retrieve(chat_id)
        assert (found.model, found.choices[0].message.content) == ("app/kept-echo", "You said: hi")


@pytest.mark.parametrize("store", [{}, {"store": False}, {"store": None}])
def test_a_chat_is_not_kept_unless_asked(
    call: Caller, client: openai.OpenAI, store: dict[str, object]
) -> None:
    """Neither without `store` nor where the word only stands in the text."""
    said = [{"role": "user", "content": '"store": true'}]
    body = {"model": "demo", "messages": said, "max_tokens": 2, **store}
    made = call.post("/v1/chat/completions", body).json
    with pytest.raises(openai.NotFoundError, match="No chat completion found with id"):
        client.chat.completions.retrieve(made["id"])


def test_a_chat_that_failed_is_not_kept(client: openai.OpenAI) -> None:
    """Its error is told as without `store`."""
    with pytest.raises(openai.NotFoundError, match="nope"):
        client.chat.completions.create(model="nope", messages=HELLO, store=True)


def test_chats_are_listed_in_pages(client: openai.OpenAI) -> None:
    """The oldest first, by metadata and model; the client turns the pages by itself."""
    ids = [kept(client, metadata={"list": "mine", "n": str(n)}) for n in range(3)]
    other = kept(client, metadata={"list": "other"})
    mine = {"list": "mine"}
    page = client.chat.completions.list(metadata=mine, limit=2)
    assert ([chat.id for chat in page.data], page.has_more) == (ids[:2], True)
    assert [chat.id for chat in page] == ids
    newest = client.chat.completions.list(metadata=mine, order="desc", limit=1)
    assert newest.data[0].id == ids[2]
    assert other in [chat.id for chat in client.chat.completions.list(model="demo")]
    assert client.chat.completions.list(model="gpt-4").data == []
    assert [
        chat.id for chat in client.chat.completions.list(metadata={"list": "mine", "n": "1"})
    ] == [ids[1]]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=101", "order=up", "after=nope"])
def test_a_page_that_there_is_not(call: Caller, query: str) -> None:
    """The error names what is wrong with the query."""
    answer = call("GET", f"/v1/chat/completions?{query}")
    assert answer.status in (400, 404)
    assert answer.error["param"] == query.partition("=")[0]


def test_a_chats_messages_are_listed(client: openai.OpenAI) -> None:
    """What was said, in order; a content of parts stays in parts."""
    chat_id = kept(client)
    first, second = client.chat.completions.messages.list(chat_id)
    assert (first.id, first.content, first.role) == (f"{chat_id}-0", "Be brief.", "system")
    assert second.content is None
    assert second.content_parts is not None
    assert second.content_parts[0].type == "text"
    (page,) = client.chat.completions.messages.list(chat_id, after=f"{chat_id}-0").data
    assert page.id == f"{chat_id}-1"


def test_a_chats_metadata_is_changed(client: openai.OpenAI) -> None:
    """All of it is put in place of what was there."""
    chat_id = kept(client, metadata={"a": "1", "b": "2"})
    client.chat.completions.update(chat_id, metadata={"b": "3"})
    assert client.chat.completions.retrieve(chat_id).model_dump()["metadata"] == {"b": "3"}


def test_a_chat_is_deleted(client: openai.OpenAI) -> None:
    """Then it is as if it had never been kept."""
    chat_id = kept(client)
    assert client.chat.completions.delete(chat_id).deleted is True
    for gone in (client.chat.completions.retrieve, client.chat.completions.delete):
        with pytest.raises(openai.NotFoundError):
            gone(chat_id)


def test_metadata_has_bounds(client: openai.OpenAI) -> None:
    """OpenAI's: 16 pairs, names of 64 and values of 512 characters."""
    for metadata in ({str(n): "" for n in range(17)}, {"x" * 65: ""}, {"x": "y" * 513}):
        with pytest.raises(openai.BadRequestError) as raised:
            kept(client, metadata=metadata)
        assert raised.value.param == "metadata"
