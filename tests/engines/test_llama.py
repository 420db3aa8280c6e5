"""The text engine itself: llama.cpp in a child process, on models with random weights."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from tests.engines.conftest import call

from ingle.engines.supervisor import Supervisor
from ingle.errors import ModelFileInvalid, UpstreamRefused
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.models.text_options import TextOptions
from ingle.settings import load_settings
from ingle.upstream.client import Client
from ingle.upstream.target import Target

InstallModel = Callable[..., Model]
Post = Callable[..., Any]
CHAT = {"messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 4}


@pytest.fixture
async def target(supervisor: Supervisor) -> AsyncGenerator[Target, None]:
    """The demo model's engine."""
    async with supervisor.lease(Models(load_settings()).get("demo")) as target:
        yield target


async def test_it_answers_in_every_way(target: Target) -> None:
    """Chat, completions, embeddings, responses and Anthropic's messages come from one process."""
    for endpoint, body, key in (
        ("chat/completions", CHAT, "choices"),
        ("completions", {"prompt": "Hello", "max_tokens": 4}, "choices"),
        ("embeddings", {"input": ["Hello", "there"]}, "data"),
        ("responses", {"input": "Hello!", "max_output_tokens": 4}, "output"),
        ("messages", CHAT, "content"),
        ("messages/count_tokens", CHAT, "input_tokens"),
    ):
        status, answer = await call(target, endpoint, body)
        assert status == 200, answer
        assert answer[key]
        assert answer.get("model", "demo") == "demo"


async def test_the_other_endpoints_lie_at_the_root(target: Target) -> None:
    """Tokens, templates and what can be watched are there for who has the key."""
    root = replace(target, base_url=target.base_url.removesuffix("/v1"))

    status, tokens = await call(root, "tokenize", {"content": "Hello"})
    assert status == 200
    assert await call(root, "detokenize", tokens) == (200, {"content": "Hello"})
    status, rendered = await call(root, "apply-template", CHAT)
    assert status == 200
    assert "Hello!" in rendered["prompt"]
    for endpoint, words in (("metrics", "llamacpp:"), ("slots", "n_ctx"), ("props", "model_path")):
        status, answer = await call(root, endpoint)
        assert status == 200
        assert words in str(answer)


async def test_strangers_are_refused(target: Target) -> None:
    """Without the key only its health can be asked."""
    root = replace(target, base_url=target.base_url.removesuffix("/v1"))

    for key in (None, "", "wrong"):
        for endpoint, body in (("v1/completions", CHAT), ("v1/models", None), ("slots", None)):
            status, _ = await call(root, endpoint, body, key=key)
            assert status == 401
        assert await call(root, "health", key=key) == (200, {"status": "ok"})


async def test_foreign_pages_and_tools_are_shut_out(target: Target) -> None:
    """No web page may read it, and llama.cpp's own page, tools and proxy are off."""
    root = replace(target, base_url=target.base_url.removesuffix("/v1"))
    headers = {"Authorization": f"Bearer {target.api_key}", "Origin": "http://evil.example"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(target.url("models")) as answer,
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == ""

    assert (await call(root, ""))[0] == 404
    assert (await call(root, "tools"))[0] == 403
    assert (await call(root, "cors-proxy?url=http://127.0.0.1:1"))[0] == 403


async def test_a_schema_binds_the_answer(target: Target) -> None:
    """JSON Schema and grammar hold, whatever the model would rather say."""
    schema = {"type": "object", "properties": {"n": {"enum": [7]}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    _, answer = await call(
        target, "chat/completions", {**CHAT, "max_tokens": 50, "response_format": form}
    )
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"n": 7}

    _, answer = await call(target, "completions", {"prompt": "a", "grammar": 'root ::= "yes"'})
    assert answer["choices"][0]["text"] == "yes"


async def test_embeddings_do_not_disturb_answers(target: Target) -> None:
    """Vectors are asked for in the midst of answers, and those stay what they are alone."""
    body = {"prompt": "Once upon", "max_tokens": 40, "temperature": 0}
    _, alone = await call(target, "completions", body)
    answers = await asyncio.gather(
        *(call(target, "completions", body) for _ in range(3)),
        *(call(target, "embeddings", {"input": f"text {number}"}) for number in range(6)),
    )

    for status, answer in answers[:3]:
        assert status == 200
        assert answer["choices"][0]["text"] == alone["choices"][0]["text"]
    for status, answer in answers[3:]:
        assert status == 200
        assert len(answer["data"][0]["embedding"]) == 256
        assert sum(x * x for x in answer["data"][0]["embedding"]) == pytest.approx(1, abs=1e-3)


async def test_a_prompt_beyond_the_context_is_refused(target: Target) -> None:
    """Too long a prompt is the caller's fault, and the engine goes on."""
    status, answer = await call(target, "completions", {"prompt": "many words " * 3000})

    assert status == 400
    assert answer["error"]["type"] == "exceed_context_size_error"
    assert (await call(target, "completions", {"prompt": "a", "max_tokens": 1}))[0] == 200


@pytest.mark.parametrize(("pooling", "endpoint"), [(1, "embeddings"), (4, "rerank")])
async def test_a_model_for_vectors_or_scores_starts_as_one(
    supervisor: Supervisor, install: InstallModel, client: Client, pooling: int, endpoint: str
) -> None:
    """What the file says that it is for is what its engine does, with texts of a whole context."""
    model = install("m", **{"llama.pooling_type": pooling})
    text = "x" * 2000
    bodies: dict[str, dict[str, Any]] = {
        "embeddings": {"input": text},
        "rerank": {"query": "a", "documents": [text, "b"]},
    }

    async with supervisor.lease(model) as target:
        answer = json.loads(await client.post(target, endpoint, bodies[endpoint], into=bytes))
        assert answer["data" if endpoint == "embeddings" else "results"]
        if endpoint == "embeddings":
            with pytest.raises(UpstreamRefused):
                await client.post(target, "rerank", bodies["rerank"], into=bytes)


async def test_a_template_of_the_manifest_is_used(
    supervisor: Supervisor, install: InstallModel, client: Client
) -> None:
    """A manifest's chat template replaces the one in the file."""
    options = TextOptions(chat_template="Say: {{ messages[0].content }}")
    model = replace(install("m"), text=options)

    async with supervisor.lease(model) as target:
        root = replace(target, base_url=target.base_url.removesuffix("/v1"))
        answer = json.loads(await client.post(root, "apply-template", CHAT, into=bytes))

    assert answer["prompt"] == "Say: Hello!"


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"general.architecture": "nonesuch"}, "unknown model architecture: 'nonesuch'"),
        ({"llama.feed_forward_length": 96}, "'blk.0.ffn_gate.weight' has wrong shape"),
    ],
)
async def test_a_model_that_llama_cpp_refuses_is_told_with_its_reason(
    supervisor: Supervisor, install: InstallModel, extra: dict[str, int | str], reason: str
) -> None:
    """A whole file with a wrong model in it gives llama.cpp's own words for what is wrong."""
    model = install("m", **extra)

    with pytest.raises(ModelFileInvalid) as caught:
        async with supervisor.lease(model):
            pass

    assert reason in caught.value.message
    assert str(model.path) in caught.value.message


def test_it_describes_its_build() -> None:
    """`--describe` says which llama.cpp this is and what it can run on."""
    done = subprocess.run(
        [sys.executable, "-m", "ingle.engines.llama", "--describe"],
        capture_output=True,
        check=True,
        timeout=30,
    )

    description = json.loads(done.stdout)
    assert description["version"].startswith("xllamacpp ")
    assert "CPU" in description["system_info"]
    assert description["devices"][0]["type"] == "cpu"


def test_it_imports_nothing_heavy() -> None:
    """The child starts while somebody waits, so it leaves the server's libraries alone."""
    code = "import sys, ingle.engines.llama; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=30, text=True
    )

    assert {"pydantic", "aiohttp", "asyncio", "xllamacpp", "yaml"} & set(
        done.stdout.split()
    ) == set()


def test_it_ends_at_once_when_nobody_orders() -> None:
    """Without a first line there is nothing to do."""
    done = subprocess.run(
        [sys.executable, "-m", "ingle.engines.llama"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        env={**os.environ, "GOMP_SPINCOUNT": "1000"},
    )

    assert (done.returncode, done.stdout) == (0, b"")
