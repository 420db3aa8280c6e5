"""With API keys, each key sees what was made with it, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import openai
import pytest
from tests.server.conftest import Caller, running, settings_for


@pytest.fixture(scope="module")
def clients(
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[tuple[openai.OpenAI, openai.OpenAI], None, None]:
    """Two clients, each with a key of its own; the second's has limits."""
    home: Path = tmp_path_factory.mktemp("owners")
    with running(settings_for(home, host="0.0.0.0")) as serving, ExitStack() as stack:
        first = str(serving.new_api_key)
        made = Caller(serving.url)(
            "POST",
            "/api/keys",
            {"name": "second", "requests_per_minute": 1000},
            headers={"Authorization": f"Bearer {first}"},
        )
        keys = (first, made.json["key"])
        base_url = f"{serving.url}/v1"
        one, two = (
            stack.enter_context(openai.OpenAI(base_url=base_url, api_key=key, max_retries=0))
            for key in keys
        )
        yield one, two


Clients = tuple[openai.OpenAI, openai.OpenAI]


def test_chats(clients: Clients) -> None:
    """Not retrieved, not listed, not deleted by another; deleted by its own, be it limited."""
    one, two = clients
    made = two.chat.completions.create(
        model="demo", messages=[{"role": "user", "content": "Hi"}], max_tokens=2, store=True
    )
    for attempt in (
        one.chat.completions.retrieve,
        one.chat.completions.delete,
        one.chat.completions.messages.list,
    ):
        with pytest.raises(openai.NotFoundError):
            attempt(made.id)
    assert one.chat.completions.list().data == []
    assert [chat.id for chat in two.chat.completions.list()] == [made.id]
    assert two.chat.completions.delete(made.id).deleted is True


def test_responses(clients: Clients) -> None:
    """Not gone on from, either."""
    one, two = clients
    made = two.responses.create(model="demo", input="Hi", max_output_tokens=2)
    for attempt in (one.responses.retrieve, one.responses.delete, one.responses.cancel):
        with pytest.raises(openai.NotFoundError):
            attempt(made.id)
    with pytest.raises(openai.BadRequestError) as raised:
        one.responses.create(model="demo", input="Hi", previous_response_id=made.id)
    assert raised.value.code == "previous_response_not_found"
    two.responses.delete(made.id)


def test_files_and_batches(clients: Clients) -> None:
    """A batch asks in the name of its key, and its files are that key's."""
    one, two = clients
    body = {"model": "demo", "prompt": "Hi", "max_tokens": 2}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": body}
    file = two.files.create(file=("a.jsonl", json.dumps(line).encode()), purpose="batch")
    for read in (one.files.retrieve, one.files.content, one.files.delete):
        with pytest.raises(openai.NotFoundError):
            read(file.id)
    with pytest.raises(openai.NotFoundError):
        one.batches.create(
            input_file_id=file.id, endpoint="/v1/completions", completion_window="24h"
        )
    batch = two.batches.create(
        input_file_id=file.id, endpoint="/v1/completions", completion_window="24h"
    )
    for attempt in (one.batches.retrieve, one.batches.cancel):
        with pytest.raises(openai.NotFoundError):
            attempt(batch.id)
    while batch.status != "completed":
        assert batch.status in ("validating", "in_progress", "finalizing"), batch
        batch = two.batches.retrieve(batch.id)
    assert one.files.list().data == []
    assert len(two.files.list().data) == 2
    assert one.batches.list().data == []
