"""The processors beside chat on engines of this machine, started for real."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from ingle.errors import EngineMissing
from ingle.processors.base import Output
from ingle.processors.catalogue import run_processor
from ingle.processors.data_uri import read_data_uri
from ingle.processors.files import file_kind
from ingle.routing import Router
from ingle.runtime import open_runtime
from ingle.settings import load_settings
from ingle.testing.tiny_model import write_model


@pytest.fixture
async def router(tmp_path: Path) -> AsyncGenerator[Router, None]:
    """That of a whole Ingle with a model for reranking."""
    (tmp_path / "models").mkdir()
    write_model(tmp_path / "models" / "rank.gguf", extra={"llama.pooling_type": 4})
    async with open_runtime(load_settings(environ={"INGLE_HOME": str(tmp_path)})) as runtime:
        yield runtime.router


async def out(
    slug: str,
    input_: dict[str, Any],
    router: Router,
    **config: Any,  # Any: JSON values, twice
) -> dict[str, Any]:
    """The output of one run, as JSON."""
    *_, output = [item async for item in run_processor(slug, input_, config, router)]
    assert isinstance(output, Output)
    return output.model_dump()


async def test_embeddings_and_rerank(router: Router) -> None:
    """Equal texts have equal vectors; every document is ranked, by the one model that can."""
    made = await out("localai/embeddings", {"input": ["a cat", "a dog", "a cat"]}, router)
    first, second, third = made["embeddings"]
    assert first == pytest.approx(third, abs=1e-5)
    assert first != pytest.approx(second, abs=1e-3)
    ranked = await out("localai/rerank", {"query": "x", "documents": ["a", "b", "c"]}, router)
    assert sorted(one["document"] for one in ranked["results"]) == ["a", "b", "c"]


async def test_picture_wants_a_model_that_sees(router: Router) -> None:
    """A picture is not sent to a model that cannot see; text alone is answered by any."""
    text = {"type": "text", "text": "Hi"}
    answer = await out("localai/chatgpt_vision", {"messages": [text]}, router, max_tokens=8)
    assert answer["result"]
    image = {"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    with pytest.raises(EngineMissing, match="No model of this machine is made for vision"):
        await out("localai/chatgpt_vision", {"messages": [text, image]}, router)


async def test_text_is_read_aloud(router: Router) -> None:
    """The voice that comes with Ingle speaks, in the form that is asked for."""
    pytest.importorskip("espeakng_loader", reason="needs `pip install ingle[speech]`")
    said = await out(
        "localai/text_to_speech", {"input_text": "Hello"}, router, response_format="flac"
    )
    sound = read_data_uri(said["result"], param="result")
    assert (sound.mime, file_kind(sound.content)) == ("audio/flac", "audio/flac")
    assert len(sound.content) > 5000
