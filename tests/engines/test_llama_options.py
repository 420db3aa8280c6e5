"""What a manifest says reaches llama.cpp and changes what it does: each option on a real engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.engines.conftest import call

from ingle.engines.supervisor import Supervisor
from ingle.errors import EngineStartFailed, ModelFileInvalid
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.testing.tiny_parts import (
    PICTURE_TOKENS,
    picture_url,
    write_adapter,
    write_projector,
)
from ingle.upstream.target import Target

Describe = Callable[[str], Model]

PROMPT = {"prompt": "x", "max_tokens": 8, "temperature": 0}
HELLO = {"role": "user", "content": "Hello!"}


@pytest.fixture
def describe() -> Describe:
    """Installs a model with random weights and this manifest, with parts for it beside it."""
    models = Models(load_settings())
    models.folder.mkdir(parents=True)
    shape = ModelShape(width=128)  # with heads wide enough for quantised caches
    write_model(models.folder / "m.gguf", shape)
    write_projector(models.folder / "eyes.gguf", shape)
    write_adapter(models.folder / "lora.gguf", shape)
    write_model(models.folder / "draft.gguf", replace(shape, layers=1))

    def describe(manifest: str) -> Model:
        (models.folder / "m.yaml").write_text(manifest)
        return models.get("m")

    return describe


def at_root(target: Target) -> Target:
    return replace(target, base_url=target.base_url.removesuffix("/v1"))


async def answer(supervisor: Supervisor, model: Model, body: dict[str, Any] | None = None) -> Any:
    """What the engine answers to a prompt."""
    async with supervisor.lease(model) as target:
        status, told = await call(target, "completions", body or PROMPT)
        assert status == 200, told
        return told


async def test_defaults_hold_where_a_request_says_nothing(
    supervisor: Supervisor, describe: Describe
) -> None:
    """Each parameter of the manifest is the engine's default, and a request's own goes before."""
    told = {
        "temperature": 0.25,
        "top_p": 0.5,
        "top_k": 3,
        "min_p": 0.125,
        "typical_p": 0.75,
        "repeat_penalty": 1.5,
        "repeat_last_n": 7,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.25,
        "seed": 5,
        "max_tokens": 6,
    }
    model = describe(f"slots: 1\nparameters: {told}\n".replace("}", ", system_prompt: null}"))

    async with supervisor.lease(model) as target:
        status, first = await call(target, "completions", {"prompt": "x"})
        assert (status, first["usage"]["completion_tokens"]) == (200, 6)
        _, [slot] = await call(at_root(target), "slots")
        assert {name: slot["params"][name] for name in told} == told

        await call(target, "completions", {"prompt": "x", "top_k": 9, "max_tokens": 2})
        _, [slot] = await call(at_root(target), "slots")
        assert (slot["params"]["top_k"], slot["params"]["max_tokens"]) == (9, 2)

        # The end mark is a letter that comes: the same request stops before it.
        text = first["choices"][0]["text"]
        mark = next(letter for letter in text[1:] if letter.isascii() and letter.isprintable())
    stopping = describe(f"slots: 1\nparameters: {told | {'stop': [mark]}}\n")
    stopped = await answer(supervisor, stopping, {"prompt": "x"})
    assert stopped["choices"][0]["text"] == text.partition(mark)[0]
    assert stopped["choices"][0]["finish_reason"] == "stop"
    other = await answer(supervisor, stopping, {"prompt": "x", "stop": ["never"]})
    assert other["choices"][0]["text"] == text


async def test_a_picture_becomes_tokens(supervisor: Supervisor, describe: Describe) -> None:
    """With a projector a picture in a message is read: it counts, and another one is another
    prompt."""
    model = describe("projector: eyes.gguf\n")
    red, blue = picture_url(255, 0, 0), picture_url(0, 0, 255, width=50, height=20)

    def chat(*urls: str) -> dict[str, Any]:
        pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        content = [{"type": "text", "text": "Hello!"}, *pictures]
        return {"messages": [{"role": "user", "content": content}], "max_tokens": 16} | {
            "temperature": 0
        }

    async with supervisor.lease(model) as target:
        answers = {}
        for name, body in (
            ("none", chat()),
            ("red", chat(red)),
            ("blue", chat(blue)),
            ("two", chat(red, blue)),
        ):
            status, answers[name] = await call(target, "chat/completions", body)
            assert status == 200, answers[name]
        tokens = {name: told["usage"]["prompt_tokens"] for name, told in answers.items()}
        texts = {name: told["choices"][0]["message"]["content"] for name, told in answers.items()}
        embedded = (await call(target, "embeddings", {"input": "a"}))[0]

    # What comes with a picture is its own tokens and the marks around it, each letter a token.
    marks = len("<start_of_image>") + len("<end_of_image>")
    assert tokens["red"] - tokens["none"] == PICTURE_TOKENS + marks
    assert tokens["two"] - tokens["none"] == 2 * (PICTURE_TOKENS + marks)
    assert texts["red"] != texts["blue"]
    assert embedded == 200


async def test_a_model_without_eyes_refuses_a_picture(
    supervisor: Supervisor, describe: Describe
) -> None:
    """llama.cpp says so itself, which `/v1` then tells in words of its own."""
    content = [{"type": "image_url", "image_url": {"url": picture_url(0, 0, 0)}}]

    async with supervisor.lease(describe("")) as target:
        body = {"messages": [{"role": "user", "content": content}]}
        status, told = await call(target, "chat/completions", body)

    assert (status, told["error"]["message"].split(" - ")[0]) == (
        500,
        "image input is not supported",
    )


async def test_an_adapter_changes_the_answer(supervisor: Supervisor, describe: Describe) -> None:
    """A LoRA adapter is applied, as strongly as its scale says, or as a request asks; with 0
    nothing changes."""
    plain = (await answer(supervisor, describe("")))["choices"]
    changed = (await answer(supervisor, describe("lora: [{file: lora.gguf}]\n")))["choices"]
    off = (await answer(supervisor, describe("lora: [{file: lora.gguf, scale: 0}]\n")))["choices"]
    asked = {**PROMPT, "lora": [{"id": 0, "scale": 1}]}
    on_request = await answer(supervisor, describe("lora: [{file: lora.gguf, scale: 0}]\n"), asked)

    assert changed != plain
    assert off == plain
    assert on_request["choices"] == changed


async def test_a_draft_model_guesses_and_changes_nothing(
    supervisor: Supervisor, describe: Describe
) -> None:
    """With a draft model the same tokens come, and some of them were guessed."""
    plain = await answer(supervisor, describe(""))
    drafted = await answer(supervisor, describe("draft_model: draft.gguf\ndraft_tokens: 4\n"))

    assert drafted["choices"] == plain["choices"]
    assert drafted["timings"]["draft_n"] > 0


async def test_the_types_of_the_cache(supervisor: Supervisor, describe: Describe) -> None:
    """The types of the key/value cache are llama.cpp's."""
    model = describe("cache_type_k: q8_0\ncache_type_v: q8_0\nflash_attention: true\nslots: 1\n")
    assert (await answer(supervisor, model))["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize(
    ("manifest", "error", "told"),
    [
        (
            "projector: other-eyes.gguf\n",
            ModelFileInvalid,
            "that `projector` names in the manifest of 'm' was made for another model",
        ),
        (
            "lora: [{file: other-lora.gguf}]\n",
            ModelFileInvalid,
            "that `lora` names in the manifest of 'm' was made for another model",
        ),
        (
            "chat_template: '{% bad'\n",
            EngineStartFailed,
            "as its manifest says: chat template parsing error",
        ),
        (
            "cache_type_v: q8_0\nflash_attention: false\n",
            EngineStartFailed,
            "Correct `cache_type_v` or `flash_attention` there.",
        ),
    ],
)
async def test_what_llama_cpp_refuses_is_told_by_its_field(
    supervisor: Supervisor, describe: Describe, manifest: str, error: type[Exception], told: str
) -> None:
    """Where only llama.cpp knows that a manifest cannot be right, the error names the field."""
    models = Models(load_settings())
    write_projector(models.folder / "other-eyes.gguf", ModelShape(width=64))
    write_adapter(models.folder / "other-lora.gguf", ModelShape(width=64))

    with pytest.raises(error, match=re.escape(told)):
        await answer(supervisor, describe(manifest))


async def test_where_and_how_the_network_runs(supervisor: Supervisor, describe: Describe) -> None:
    """Layers on the GPU, batches and rope are taken; another rope is another answer."""
    plain = await answer(supervisor, describe(""))
    for manifest in ("gpu_layers: 0\n", "gpu_layers: all\n", "batch_tokens: 64\nthreads: 2\n"):
        assert (await answer(supervisor, describe(manifest)))["choices"] == plain["choices"]

    rope = "rope_scaling: linear\nrope_frequency_scale: 0.25\nrope_frequency_base: 500\n"
    long = {**PROMPT, "prompt": "The frequency of a rope matters with many tokens."}
    assert (await answer(supervisor, describe(rope), long))["choices"] != (
        await answer(supervisor, describe(""), long)
    )["choices"]


async def test_the_template_and_its_arguments(supervisor: Supervisor, describe: Describe) -> None:
    """The template of the manifest is used with its arguments, and a request's own go before."""
    model = describe(
        "chat_template: 'thinks={{ enable_thinking }} {{ messages[0].content }}'\n"
        "chat_template_arguments: {enable_thinking: false}\n"
    )

    async with supervisor.lease(model) as target:
        root = at_root(target)
        _, told = await call(root, "apply-template", {"messages": [HELLO]})
        assert told["prompt"] == "thinks=False Hello!"
        asked = {"messages": [HELLO], "chat_template_kwargs": {"enable_thinking": True}}
        _, told = await call(root, "apply-template", asked)
        assert told["prompt"] == "thinks=True Hello!"


@pytest.mark.parametrize(
    ("reasoning", "content", "thought"),
    [("deepseek", "yes", "hm"), ("none", "<think>hm</think>yes", None)],
)
async def test_where_thoughts_go(
    supervisor: Supervisor,
    describe: Describe,
    reasoning: str,
    content: str,
    thought: str | None,
) -> None:
    """What a model thinks is told apart from what it answers, or left where it was written."""
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\\n"
        "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
        "{{ m.content }}<|im_end|>\\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}"
    )
    model = describe(f'reasoning_format: {reasoning}\nchat_template: "{template}"\n')
    grammar = 'root ::= "<think>hm</think>yes"'

    async with supervisor.lease(model) as target:
        body = {"messages": [HELLO], "grammar": grammar, "max_tokens": 40}
        _, told = await call(target, "chat/completions", body)

    message = told["choices"][0]["message"]
    assert (message["content"], message.get("reasoning_content")) == (content, thought)


@pytest.mark.parametrize(
    ("manifest", "endpoint"),
    [
        ("capabilities: [embeddings]\npooling: last\n", "embeddings"),
        ("capabilities: [rerank]\n", "rerank"),
    ],
)
async def test_a_manifest_says_what_a_model_is_for(
    supervisor: Supervisor, describe: Describe, manifest: str, endpoint: str
) -> None:
    """A model whose file does not tell gives vectors or scores, of texts as long as its context."""
    model = describe(manifest)
    text = "x" * 2000

    async with supervisor.lease(model) as target:
        body = {"input": text, "query": "a", "documents": [text, "b"]}
        status, told = await call(target, endpoint, body)
    assert status == 200, told
    assert len(told["data" if endpoint == "embeddings" else "results"]) in (1, 2)


async def test_embeddings_are_pooled_as_the_manifest_says(
    supervisor: Supervisor, describe: Describe
) -> None:
    """The mean of all tokens' vectors is another vector than the last one's."""

    async def vector(pooling: str) -> Any:
        async with supervisor.lease(describe(f"pooling: {pooling}\n")) as target:
            _, told = await call(target, "embeddings", {"input": "Hello"})
            return told["data"][0]["embedding"]

    assert await vector("mean") != await vector("last")


@pytest.mark.parametrize(("tokens", "thought"), [(0, 0), (5, 5)])
async def test_thinking_is_bounded(
    supervisor: Supervisor, describe: Describe, tokens: int, thought: int
) -> None:
    """After so many tokens of thought the answer begins, whatever the model would go on with."""
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\\n"
        "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
        "{{ m.content }}<|im_end|>\\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\\n<think>{% endif %}"
    )
    model = describe(f'reasoning_tokens: {tokens}\nchat_template: "{template}"\n')

    async with supervisor.lease(model) as target:
        body = {"messages": [HELLO], "max_tokens": 30, "temperature": 0}
        _, told = await call(target, "chat/completions", body)

    message = told["choices"][0]["message"]
    assert len(message.get("reasoning_content") or "") <= thought
    assert bool(message.get("reasoning_content")) == bool(tokens)
    assert message["content"]
