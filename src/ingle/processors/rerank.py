"""`localai/rerank`: documents in the order in which they answer a question."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from ingle.errors import UpstreamInvalid
from ingle.processors.asking import Question, answered
from ingle.processors.base import Input, Output, Processor
from ingle.processors.pieces import Piece
from ingle.processors.server_configuration import ServerConfiguration
from ingle.upstream.wire import Ranking

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["RERANK", "RankedDocument", "RerankConfiguration", "RerankInput", "RerankOutput"]


class RerankInput(Input):
    """The question, and what may answer it."""

    query: str = Field(min_length=1, description="What is looked for.")
    documents: list[str] = Field(
        min_length=1, max_length=1000, description="The texts to put in order, at most 1000."
    )


class RerankConfiguration(ServerConfiguration):
    """Who puts them in order, and how many are wanted."""

    top_n: int | None = Field(
        None, ge=1, description="How many of the best to give. Left out, all of them."
    )


class RankedDocument(BaseModel):
    """A document and how well it fits."""

    model_config = ConfigDict(frozen=True)

    index: int = Field(description="Which of the given documents it is, counted from 0.")
    document: str = Field(description="The document itself.")
    relevance_score: float = Field(
        description="How well it fits; the scale is the model's own, and more is better."
    )


class RerankOutput(Output):
    """The documents, the best first."""

    results: list[RankedDocument] = Field(description="The documents, the best first.")


async def _run(
    input: RerankInput,  # noqa: A002
    configuration: RerankConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | RerankOutput, None]:
    count = min(configuration.top_n or len(input.documents), len(input.documents))
    request = {"query": input.query, "documents": input.documents, "top_n": count}
    question = Question(
        endpoint="rerank",
        body=lambda _: request,
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability="rerank",
    )
    async with answered(router, question, Ranking) as reply:
        answer = await anext(reply.items)
    results = _ranked(answer, input.documents, reply.url)[:count]
    yield Piece(("results",), value=[one.model_dump() for one in results])
    yield RerankOutput(results=results)


def _ranked(answer: Ranking, documents: list[str], url: str) -> list[RankedDocument]:
    """The documents of the answer, the best first, whatever order they came in.

    Raises:
        UpstreamInvalid: it names one that was not given, or one twice.
    """
    indexes = [item.index for item in answer.results]
    if len(set(indexes)) < len(indexes) or not set(indexes) <= set(range(len(documents))):
        raise UpstreamInvalid(
            f"{url} ranked documents that were not given, or one twice: {indexes[:8]}. Check that "
            "its model is made for reranking.",
            url=url,
        )
    best_first = sorted(answer.results, key=lambda item: -item.relevance_score)
    return [
        RankedDocument(
            index=item.index,
            document=documents[item.index],
            relevance_score=item.relevance_score,
        )
        for item in best_first
    ]


RERANK = Processor(
    slug="localai/rerank",
    name="LocalAI reranking",
    description="Puts documents in the order in which they answer a question.",
    input=RerankInput,
    configuration=RerankConfiguration,
    output=RerankOutput,
    result=("results",),
    run=_run,
)
