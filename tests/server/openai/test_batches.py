"""`/v1/batches`, as OpenAI's own client sees them: asked of the demo model and of scripted servers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Batch
from tests.server.conftest import Caller, running, settings_for

from ingle.testing import ScriptedUpstream, chat_answer, error, models, page, silence

ENDED = ("completed", "failed", "cancelled", "expired")
CHAT = "/v1/chat/completions"
SERVE = """
from ingle.server.serve import serve
from ingle.settings import load_settings
serve(load_settings(), ready=lambda serving: print(serving.url, flush=True))
"""

Json = dict[str, Any]  # Any: a JSON value has no narrower type


def chat(custom_id: str, text: str = "Hello!", **rest: object) -> Json:
    """A line that asks for a chat."""
    messages = [{"role": "user", "content": text}]
    body = {"model": "demo", "messages": messages, "max_tokens": 2, **rest}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body}


def started(client: openai.OpenAI, *lines: Json | str, endpoint: str = CHAT) -> Batch:
    """A batch of these lines."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    data = "".join(f"{text}\n" for text in texts).encode()
    file = client.files.create(file=("lines.jsonl", data), purpose="batch")
    return client.batches.create(
        input_file_id=file.id,
        endpoint=endpoint,  # type: ignore[arg-type]  # a text is one of them
        completion_window="24h",
        metadata={"made": "here"},
    )


def once(client: openai.OpenAI, batch: Batch, is_so: Callable[[Batch], bool]) -> Batch:
    """The batch as soon as it is so."""
    until = time.monotonic() + 40
    while not is_so(batch):
        assert time.monotonic() < until, batch
        batch = client.batches.retrieve(batch.id)
    return batch


def ended(client: openai.OpenAI, batch: Batch) -> Batch:
    """The batch once it is over."""
    return once(client, batch, lambda now: now.status in ENDED)


def lines_of(client: openai.OpenAI, file_id: str | None) -> dict[str, Json]:
    """The lines of a file of answers, by their `custom_id`s, of which each is there once."""
    assert file_id is not None
    lines = [json.loads(line) for line in client.files.content(file_id).text.splitlines()]
    assert max(Counter(line["custom_id"] for line in lines).values()) == 1
    return {line["custom_id"]: line for line in lines}


def test_a_batch_is_answered(client: openai.OpenAI) -> None:
    """What is answered is in one file, what is refused in another; neither fails the batch."""
    made = started(
        client,
        chat("one"),
        chat("two", store=True),
        "",
        chat("hot", temperature=9),
        chat("unknown", model="nope"),
        chat("stream", stream=True),
    )
    assert (made.object, made.status, made.metadata) == ("batch", "validating", {"made": "here"})
    batch = ended(client, made)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.model_dump() == {"total": 5, "completed": 2, "failed": 3}
    answers = lines_of(client, batch.output_file_id)
    assert set(answers) == {"one", "two"}
    response = answers["two"]["response"]
    assert (response["status_code"], answers["two"]["error"]) == (200, None)
    assert response["body"]["object"] == "chat.completion"
    assert client.chat.completions.retrieve(response["body"]["id"]).model == "demo"
    refused = lines_of(client, batch.error_file_id)
    statuses = {name: line["response"]["status_code"] for name, line in refused.items()}
    assert statuses == {"hot": 400, "unknown": 404, "stream": 400}
    assert refused["hot"]["response"]["body"]["error"]["param"] == "temperature"
    assert batch.usage is not None
    assert batch.usage.output_tokens == sum(
        line["response"]["body"]["usage"]["completion_tokens"] for line in answers.values()
    )
    assert None not in (batch.in_progress_at, batch.finalizing_at, batch.completed_at)
    output = client.files.retrieve(str(batch.output_file_id))
    assert output.purpose == "batch_output"


@pytest.mark.parametrize(
    ("endpoint", "body", "kind"),
    [
        ("/v1/completions", {"prompt": "Once", "max_tokens": 2}, "text_completion"),
        ("/v1/embeddings", {"input": "a cow"}, "list"),
        ("/v1/responses", {"input": "Hello!", "max_output_tokens": 2}, "response"),
    ],
)
def test_what_a_batch_may_ask(client: openai.OpenAI, endpoint: str, body: Json, kind: str) -> None:
    """Not only chats."""
    line = {"custom_id": "a", "method": "POST", "url": endpoint, "body": {"model": "demo", **body}}
    batch = ended(client, started(client, line, endpoint=endpoint))
    answer = lines_of(client, batch.output_file_id)["a"]["response"]
    assert (answer["status_code"], answer["body"]["object"]) == (200, kind)


def test_a_file_with_wrong_lines_fails_as_a_whole(client: openai.OpenAI) -> None:
    """As OpenAI has it: with the number of each line and what is wrong; nothing is asked."""
    batch = ended(
        client,
        started(
            client,
            chat("one"),
            "{not json",
            chat("one"),
            {**chat("url"), "url": "/v1/embeddings"},
            {**chat("get"), "method": "GET"},
            {"custom_id": "bare"},
        ),
    )
    assert batch.status == "failed"
    assert batch.errors is not None
    assert [(fault.line, fault.code) for fault in batch.errors.data or []] == [
        (2, "invalid_json_line"),
        (3, "duplicate_custom_id"),
        (4, "url_mismatch"),
        (5, "invalid_method"),
        (6, "missing_required_parameter"),
    ]
    assert batch.failed_at is not None
    assert (batch.output_file_id, batch.error_file_id) == (None, None)


def test_an_empty_file_fails(client: openai.OpenAI) -> None:
    """There is nothing to ask."""
    batch = ended(client, started(client, ""))
    assert batch.errors is not None
    assert [fault.code for fault in batch.errors.data or []] == ["empty_file"]


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"endpoint": "/v1/models"}, "endpoint"),
        ({"completion_window": "soon"}, "completion_window"),
        ({"input_file_id": "file-nope"}, "id"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "output_expires_after"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(
    client: openai.OpenAI, call: Caller, changed: Json, param: str
) -> None:
    """Before anything is made of it."""
    file = client.files.create(file=("x.jsonl", b"{}\n"), purpose="batch")
    body = {"input_file_id": file.id, "endpoint": CHAT, "completion_window": "24h", **changed}
    answer = call.post("/v1/batches", body)
    assert answer.status in (400, 404)
    assert answer.error["param"].startswith(param)


def test_a_file_of_another_purpose_is_refused(client: openai.OpenAI) -> None:
    """Only one that was uploaded for it."""
    file = client.files.create(file=("x.jsonl", b"{}\n"), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="purpose"):
        client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )


def test_batches_are_listed_in_pages(client: openai.OpenAI) -> None:
    """The newest first; one that is not there is 404."""
    ids = [started(client, "").id for _ in range(3)]
    page = client.batches.list(limit=2)
    assert ([batch.id for batch in page.data], page.has_more) == ([ids[2], ids[1]], True)
    assert [batch.id for batch in client.batches.list(after=ids[1], limit=1).data] == [ids[0]]
    with pytest.raises(openai.NotFoundError, match="No batch found"):
        client.batches.retrieve("batch_nope")
    ended(client, client.batches.retrieve(ids[0]))
    with pytest.raises(openai.ConflictError, match="Cannot cancel"):
        client.batches.cancel(ids[0])


@asynccontextmanager
async def far(home: Path, upstream: ScriptedUpstream) -> AsyncGenerator[openai.OpenAI, None]:
    """OpenAI's client at a server with a connection to that one."""
    server = running(settings_for(home, database_url=None))
    serving = await asyncio.to_thread(server.__enter__)
    try:
        saved = {"base_url": f"{upstream.url}/v1"}
        await asyncio.to_thread(Caller(serving.url), "PUT", "/api/connections/far", saved)
        with openai.OpenAI(base_url=f"{serving.url}/v1", api_key="none", max_retries=0) as client:
            yield client
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


STALLED = replace(silence(), endpoint="chat/completions")


async def test_a_batch_is_cancelled(home: Path) -> None:
    """What was answered stays; what was not is told so, line by line."""
    async with (
        ScriptedUpstream(models("m"), chat_answer("Yes"), STALLED) as upstream,
        far(home, upstream) as client,
    ):
        lines = [chat(str(n), model="far/m") for n in range(5)]
        batch = await asyncio.to_thread(started, client, *lines)
        await upstream.received(4)  # the models, one answer, and as many as have a slot
        cancelling = await asyncio.to_thread(client.batches.cancel, batch.id)
        assert cancelling.status in ("cancelling", "cancelled")
        batch = await asyncio.to_thread(ended, client, batch)
        answers = await asyncio.to_thread(lines_of, client, batch.output_file_id)
        refused = await asyncio.to_thread(lines_of, client, batch.error_file_id)
    assert batch.status == "cancelled"
    assert (len(answers), len(refused)) == (1, 4)
    assert {line["error"]["code"] for line in refused.values()} == {"batch_cancelled"}
    assert {line["response"] for line in refused.values()} == {None}


async def test_a_batch_expires(home: Path) -> None:
    """At the end of its window what is not answered is told so."""
    async with (
        ScriptedUpstream(models("m"), chat_answer("Yes"), STALLED) as upstream,
        far(home, upstream) as client,
    ):
        lines = [chat(str(n), model="far/m") for n in range(3)]
        batch = await asyncio.to_thread(started, client, *lines)
        await upstream.received(4)
        with closing(sqlite3.connect(home / "ingle.db")) as database:
            database.execute("UPDATE openai_batches SET expires_at = 1")
            database.commit()
        batch = await asyncio.to_thread(ended, client, batch)
        refused = await asyncio.to_thread(lines_of, client, batch.error_file_id)
    assert (batch.status, len(refused)) == ("expired", 2)
    assert {line["error"]["code"] for line in refused.values()} == {"batch_expired"}


async def test_a_line_that_is_asked_too_early_is_asked_again(home: Path) -> None:
    """A server that is full, or limits its callers, is given the time that it asks for."""
    full = error(429, "slow down", retry_after="0")
    async with (
        ScriptedUpstream(models("m"), full, full, chat_answer("Yes")) as upstream,
        far(home, upstream) as client,
    ):
        batch = await asyncio.to_thread(started, client, chat("a", model="far/m"))
        batch = await asyncio.to_thread(ended, client, batch)
        assert batch.request_counts is not None
        assert batch.request_counts.completed == 1


async def serve_process(home: Path) -> tuple[Process, str]:
    """A server as a process of its own, and where it is."""
    environ = {**os.environ, "INGLE_HOME": str(home), "INGLE_PORT": "0", "INGLE_SLOTS": "2"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, env=environ, stdout=PIPE
    )
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode().strip()


@pytest.mark.slow
async def test_a_batch_goes_on_after_a_kill(home: Path) -> None:
    """SIGKILL, and a line cut in the middle: no finished line is asked again, and none is lost."""
    lines = [chat(f"line {n}", f"question {n}", model="far/m") for n in range(12)]
    answers = [chat_answer(f"Yes {n}") for n in range(5)]
    async with ScriptedUpstream(models("m"), *answers, STALLED) as upstream:
        process, url = await serve_process(home)
        saved = {"base_url": f"{upstream.url}/v1"}
        await asyncio.to_thread(Caller(url), "PUT", "/api/connections/far", saved)
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            batch = await asyncio.to_thread(started, client, *lines)
            counted = await asyncio.to_thread(
                once,
                client,
                batch,
                lambda b: bool(b.request_counts and b.request_counts.completed == 5),
            )
            assert counted.status == "in_progress"
            process.send_signal(signal.SIGKILL)
            await process.wait()
        (journal,) = (home / "batches").glob("*/output.jsonl")
        finished = {json.loads(line)["custom_id"] for line in journal.read_text().splitlines()}
        assert len(finished) == 5
        with journal.open("ab") as file:
            file.write(b'{"id": "batch_req_torn", "custom_id": "line 11", "resp')
        before = len(upstream.requests)
        upstream.script(chat_answer("Yes again"))
        process, url = await serve_process(home)
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            batch = await asyncio.to_thread(ended, client, batch)
            output = await asyncio.to_thread(lines_of, client, batch.output_file_id)
        process.send_signal(signal.SIGTERM)
        await process.wait()
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.model_dump() == {"total": 12, "completed": 12, "failed": 0}
    assert set(output) == {line["custom_id"] for line in lines}
    again = [r.json["messages"][0]["content"] for r in upstream.requests[before:] if r.body]
    asked_again = {text.replace("question", "line") for text in again}
    assert len(again) == len(asked_again) == 7
    assert not asked_again & finished
    assert not list((home / "batches").glob("*/*"))


@pytest.mark.slow
async def test_another_process_takes_a_batch_over(home: Path) -> None:
    """Of two servers on one database one runs the batch; when that one is killed, the other does."""
    lines = [chat(f"line {n}", f"question {n}", model="far/m") for n in range(8)]
    answers = [chat_answer(f"Yes {n}") for n in range(3)]
    async with ScriptedUpstream(models("m"), *answers, STALLED) as upstream:
        first, url = await serve_process(home)
        saved = {"base_url": f"{upstream.url}/v1"}
        await asyncio.to_thread(Caller(url), "PUT", "/api/connections/far", saved)
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            batch = await asyncio.to_thread(started, client, *lines)
            await asyncio.to_thread(
                once,
                client,
                batch,
                lambda b: bool(b.request_counts and b.request_counts.completed == 3),
            )
        second, url = await serve_process(home)
        before = len(upstream.requests)
        upstream.script(chat_answer("Yes again"))
        first.send_signal(signal.SIGKILL)
        await first.wait()
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            batch = await asyncio.to_thread(ended, client, batch)
            output = await asyncio.to_thread(lines_of, client, batch.output_file_id)
        second.send_signal(signal.SIGTERM)
        await second.wait()
    assert (batch.status, len(output)) == ("completed", 8)
    again = [r.json["messages"][0]["content"] for r in upstream.requests[before:] if r.body]
    assert len(again) == len(set(again)) == 5


async def test_an_answer_that_is_no_json_is_an_error(home: Path) -> None:
    """It is told in the error file, whatever its status."""
    broken = replace(page("<h1>Welcome</h1>"), endpoint="chat/completions")
    async with (
        ScriptedUpstream(models("m"), broken) as upstream,
        far(home, upstream) as client,
    ):
        batch = await asyncio.to_thread(started, client, chat("a", model="far/m"))
        batch = await asyncio.to_thread(ended, client, batch)
        refused = await asyncio.to_thread(lines_of, client, batch.error_file_id)
    assert refused["a"]["error"]["code"] == "invalid_answer"
    assert "<h1>Welcome" in refused["a"]["error"]["message"]
