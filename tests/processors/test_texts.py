"""`ingle/text_split` and `ingle/template`: texts apart, and together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.errors import InvalidRequest
from ingle.processors.base import Output
from ingle.processors.catalogue import run_processor
from ingle.processors.splitting import chunks_of
from ingle.routing import Router

STORY = (
    "Once there was a fox. It lived in a wood.\n\nIn the wood was a well! And in the well, water.\n"
    "The fox was old."
)


async def out(
    slug: str,
    text: object,
    router: Router,
    **config: Any,  # Any: JSON values, twice
) -> dict[str, Any]:
    """The output of one run, as JSON."""
    *_, output = [item async for item in run_processor(slug, {"text": text}, config, router)]
    assert isinstance(output, Output)
    return output.model_dump()


@pytest.mark.parametrize(
    ("config", "chunks"),
    [
        (
            {"size": 60, "overlap": 0},
            [
                "Once there was a fox. It lived in a wood.",
                "In the wood was a well! And in the well, water.",
                "The fox was old.",
            ],
        ),
        (
            {"size": 60, "overlap": 25},
            [
                "Once there was a fox. It lived in a wood.",
                "It lived in a wood.\n\nIn the wood was a well!",
                "In the wood was a well! And in the well, water.",
                "And in the well, water.\nThe fox was old.",
            ],
        ),
        (
            {"size": 12, "overlap": 0, "unit": "words"},
            [
                "Once there was a fox. It lived in a wood.",
                "In the wood was a well! And in the well, water.",
                "The fox was old.",
            ],
        ),
        ({"size": 1000}, [STORY]),
        (
            {"separator": "\n"},
            [
                "Once there was a fox. It lived in a wood.",
                "In the wood was a well! And in the well, water.",
                "The fox was old.",
            ],
        ),
    ],
)
async def test_split_at_pauses(config: dict[str, Any], chunks: list[str], router: Router) -> None:
    """Chunks end where a reader would pause, and begin with the end of the one before."""
    output = await out("ingle/text_split", STORY, router, **config)
    assert output == {"chunks": chunks, "count": len(chunks), "is_estimate": False}


async def test_tokens_are_an_estimate(router: Router) -> None:
    """Four bytes count as a token, and the output says that this is no more than a guess."""
    output = await out("ingle/text_split", "word " * 100, router, size=25, overlap=0, unit="tokens")
    assert output["is_estimate"] is True
    assert output["count"] == 5
    assert all(len(chunk.encode()) <= 100 for chunk in output["chunks"])


async def test_text_without_spaces_is_split_too(router: Router) -> None:
    """Chinese at its own marks, and what is no language anywhere."""
    chinese = await out(
        "ingle/text_split", "这是第一句。这是第二句！" * 4, router, size=14, overlap=0
    )
    assert chinese["chunks"] == ["这是第一句。这是第二句！"] * 4
    base64 = await out("ingle/text_split", "x" * 25, router, size=10, overlap=0)
    assert base64["chunks"] == ["x" * 10, "x" * 10, "x" * 5]


async def test_empty_text_has_no_chunks(router: Router) -> None:
    """Nothing is no chunk."""
    assert (await out("ingle/text_split", " \n ", router))["chunks"] == []


@given(
    st.text(alphabet="ab .\n。é😀", max_size=300),
    st.integers(1, 40),
    st.integers(0, 39),
)
def test_nothing_is_lost_and_no_chunk_is_too_long(text: str, size: int, overlap: int) -> None:
    """Whatever the text: each chunk fits, stands in the text, and all letters are in some chunk."""
    overlap = min(overlap, size - 1)
    chunks = list(chunks_of(text, size=size, overlap=overlap, measure=len))
    assert all(0 < len(chunk) <= size for chunk in chunks)
    for chunk in chunks:
        assert chunk in text
    letters = [char for char in text if not char.isspace()]
    if overlap == 0:
        assert [char for chunk in chunks for char in chunk if not char.isspace()] == letters
    else:
        assert set(letters) == {char for chunk in chunks for char in chunk if not char.isspace()}


@pytest.mark.parametrize(
    ("config", "param"),
    [({"size": 0}, "config.size"), ({"size": 10, "overlap": 10}, "config")],
)
def test_split_that_goes_nowhere_is_refused(
    config: dict[str, Any], param: str, router: Router
) -> None:
    """An overlap as long as the chunks would never end."""
    with pytest.raises(InvalidRequest) as caught:
        run_processor("ingle/text_split", {"text": "x"}, config, router)
    assert caught.value.param == param


async def test_too_many_chunks_are_an_error(router: Router) -> None:
    """A list of a million is more than anything can use."""
    with pytest.raises(InvalidRequest, match="more than 100,000 chunks"):
        await out("ingle/text_split", "a," * 100_001, router, separator=",")


@pytest.mark.parametrize(
    ("text", "config", "made"),
    [
        ("Hello", {}, "Hello"),
        (None, {}, ""),
        (True, {}, "true"),
        ({"a": "ä"}, {}, '{"a":"ä"}'),
        (["a", 1, None, {"b": 2}], {"separator": "|"}, 'a|1||{"b":2}'),
        (["a", "b"], {"separator": "\n", "numbered": True}, "1. a\n2. b"),
        ([], {}, ""),
    ],
)
async def test_template(text: object, config: dict[str, Any], made: str, router: Router) -> None:
    """A text stays as it is, a list is joined, and the rest is JSON."""
    assert await out("ingle/template", text, router, **config) == {"text": made}
