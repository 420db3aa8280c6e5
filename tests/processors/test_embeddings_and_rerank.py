"""`localai/embeddings` and `localai/rerank`: numbers in the order that was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.errors import InvalidRequest, UpstreamInvalid
from ingle.processors.base import Output
from ingle.processors.catalogue import run_processor
from ingle.routing import Router
from ingle.testing import ScriptedUpstream, error, json_answer, models


async def out(
    slug: str,
    input_: dict[str, Any],
    router: Router,
    upstream: ScriptedUpstream,
    **config: Any,  # Any: JSON values
) -> dict[str, Any]:
    """The output of one run, as JSON."""
    run = run_processor(slug, input_, {"base_url": upstream.url, **config}, router)
    *_, output = [item async for item in run]
    assert isinstance(output, Output)
    return output.model_dump()


async def test_one_text_has_one_vector(router: Router) -> None:
    """A text alone is asked for as a list of one, and floats are asked for by name."""
    answer = json_answer({"data": [{"index": 0, "embedding": [1, 0.5]}]}, endpoint="embeddings")
    async with ScriptedUpstream(models("m"), answer) as upstream:
        output = await out("localai/embeddings", {"input": "a"}, router, upstream, dimensions=2)
    assert output == {"embeddings": [[1.0, 0.5]], "dimensions": 2}
    assert upstream.requests[-1].json == {
        "model": "m",
        "input": ["a"],
        "encoding_format": "float",
        "dimensions": 2,
    }


async def test_form_is_left_out_where_it_is_not_known(router: Router) -> None:
    """A server that knows floats only need not know their name."""
    refusal = error(422, "encoding_format: extra fields not permitted")
    answer = json_answer({"data": [{"index": 0, "embedding": [1]}]}, endpoint="embeddings")
    async with ScriptedUpstream(models("m"), refusal, answer) as upstream:
        await out("localai/embeddings", {"input": "a"}, router, upstream, model="m")
    assert upstream.requests[-1].json == {"model": "m", "input": ["a"]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([{"index": 0, "embedding": [1]}], "2 vectors were asked for, and those numbered 0 came"),
        ([{"index": 0, "embedding": [1]}] * 2, "those numbered 0, 0 came"),
        (
            [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}],
            "its vectors have 1, 2 numbers",
        ),
        ([{"index": 0, "embedding": []}, {"index": 1, "embedding": []}], "have 0 numbers"),
        ([], "length >= 1"),
    ],
)
async def test_vectors_that_do_not_fit_are_an_error(
    data: list[Any], message: str, router: Router
) -> None:
    """No text is given another's vector, and none goes without."""
    answer = json_answer({"data": data}, endpoint="embeddings")
    async with ScriptedUpstream(models("m"), answer) as upstream:
        with pytest.raises(UpstreamInvalid, match=message):
            await out("localai/embeddings", {"input": ["a", "b"]}, router, upstream)


async def test_best_documents_come_first(router: Router) -> None:
    """No more than wanted, even from a server that gives all."""
    results = [{"index": i, "relevance_score": score} for i, score in enumerate([0.1, 0.9, 0.5])]
    answer = json_answer({"results": results}, endpoint="rerank")
    async with ScriptedUpstream(models("m"), answer) as upstream:
        input_ = {"query": "?", "documents": ["a", "b", "c"]}
        output = await out("localai/rerank", input_, router, upstream, top_n=2)
    assert [result["document"] for result in output["results"]] == ["b", "c"]
    assert upstream.requests[-1].json == {
        "model": "m",
        "query": "?",
        "documents": ["a", "b", "c"],
        "top_n": 2,
    }


@pytest.mark.parametrize("indexes", [[0, 0], [2], [-1]])
async def test_rank_of_no_document_is_an_error(indexes: list[int], router: Router) -> None:
    """A document that was not given, or one twice, is not made up."""
    results = [{"index": index, "relevance_score": 1} for index in indexes]
    answer = json_answer({"results": results}, endpoint="rerank")
    async with ScriptedUpstream(models("m"), answer) as upstream:
        with pytest.raises(UpstreamInvalid, match="not given, or one twice"):
            await out("localai/rerank", {"query": "?", "documents": ["a", "b"]}, router, upstream)


@pytest.mark.parametrize(
    ("slug", "input_", "param"),
    [
        ("localai/embeddings", {"input": []}, "input.input"),
        ("localai/rerank", {"query": "?", "documents": []}, "input.documents"),
    ],
)
def test_nothing_is_an_error(slug: str, input_: dict[str, Any], param: str, router: Router) -> None:
    """No text is no question."""
    with pytest.raises(InvalidRequest) as caught:
        run_processor(slug, input_, {}, router)
    assert caught.value.param == param
