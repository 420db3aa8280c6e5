"""The list of processors, and running one by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ingle.errors import InvalidRequest, ProcessorNotFound
from ingle.processors.catalogue import PROCESSORS, get_processor, run_processor
from ingle.processors.completions import CompletionsConfiguration, CompletionsInput
from ingle.routing import Router
from ingle.testing import ScriptedUpstream, completion_answer, models


def test_slugs_are_llmstacks() -> None:
    """The processors have the names that LLMStack's apps call them by."""
    assert list(PROCESSORS) == [
        "localai/chatgpt",
        "localai/chatgpt_vision",
        "localai/completions",
        "localai/image_generations",
        "localai/images_edit",
        "localai/images_variations",
        "localai/audio_transcriptions",
        "localai/audio_translations",
        "localai/text_to_speech",
        "localai/embeddings",
        "localai/rerank",
        "ingle/text_from_file",
        "ingle/http_request",
        "ingle/json_extract",
        "ingle/text_split",
        "ingle/template",
    ]
    assert all(get_processor(slug).slug == slug for slug in PROCESSORS)


@pytest.mark.parametrize(
    ("slug", "meant"),
    [("localai/completion", " Did you mean `localai/completions`?"), ("x", "")],
)
def test_unknown_slug_gets_the_list(slug: str, meant: str) -> None:
    """Who mistypes a name is told the nearest, and all."""
    with pytest.raises(ProcessorNotFound) as caught:
        get_processor(slug)
    assert str(caught.value) == (
        f"There is no processor {slug!r}.{meant} There are: {', '.join(PROCESSORS)}."
    )


@pytest.mark.parametrize(
    ("input_", "config", "param"),
    [({}, {}, "input.prompt"), ({"prompt": ""}, {"top_p": 2}, "config.top_p")],
)
def test_values_are_checked_before_anything_runs(
    input_: dict[str, object], config: dict[str, object], param: str, router: Router
) -> None:
    """A wrong field is an error of the call itself, not of the first piece."""
    with pytest.raises(InvalidRequest) as caught:
        run_processor("localai/completions", input_, config, router)
    assert caught.value.param == param


async def test_typed_values_run_as_plain_ones_do(router: Router) -> None:
    """An input and a configuration may be given as values of the processor's own types."""
    async with ScriptedUpstream(models("m"), completion_answer("!")) as upstream:
        run = run_processor(
            "localai/completions",
            CompletionsInput(prompt="Hi"),
            CompletionsConfiguration(base_url=upstream.url),
            router,
        )
        *_, output = [item async for item in run]
    assert output.model_dump() == {"choices": ["!"]}  # type: ignore[union-attr]  # the last one


def test_listing_processors_is_light() -> None:
    """Who only lists processors waits for no HTTP client, no database, no reader of files."""
    code = (
        "import sys, ingle.processors.catalogue;"
        "print({'aiohttp', 'sqlalchemy', 'fastapi', 'cryptography', 'pypdf', 'jsonpath'}"
        " & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
