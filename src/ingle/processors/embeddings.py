"""`localai/embeddings`: texts as vectors, near each other where they mean alike."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ingle.errors import UpstreamInvalid
from ingle.processors.asking import Question, answered
from ingle.processors.base import Input, Output, Processor
from ingle.processors.pieces import Piece
from ingle.processors.server_configuration import ServerConfiguration
from ingle.upstream.wire import Embeddings

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["EMBEDDINGS", "EmbeddingsConfiguration", "EmbeddingsInput", "EmbeddingsOutput"]


class EmbeddingsInput(Input):
    """The texts."""

    input: str | Annotated[list[str], Field(min_length=1, max_length=2048)] = Field(
        description="The text to make a vector of, or a list of at most 2048 texts."
    )


class EmbeddingsConfiguration(ServerConfiguration):
    """Who makes the vectors, and how long they are."""

    dimensions: int | None = Field(
        None, ge=1, description="How many numbers a vector has, where the model lets one choose."
    )


class EmbeddingsOutput(Output):
    """The vectors, in the order of the texts."""

    embeddings: list[list[float]] = Field(description="A vector for each text, in their order.")
    dimensions: int = Field(description="How many numbers each vector has.")


async def _run(
    input: EmbeddingsInput,  # noqa: A002
    configuration: EmbeddingsConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | EmbeddingsOutput, None]:
    texts = [input.input] if isinstance(input.input, str) else input.input
    request: dict[str, Any] = {"input": texts, "encoding_format": "float"}  # Any: JSON
    if configuration.dimensions is not None:
        request["dimensions"] = configuration.dimensions
    question = Question(
        endpoint="embeddings",
        body=lambda _: request,
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability="embeddings",
        conveniences=frozenset({"encoding_format"}),
    )
    async with answered(router, question, Embeddings) as reply:
        answer = await anext(reply.items)
    vectors = _vectors(answer, len(texts), reply.url)
    yield Piece(("embeddings",), value=vectors)
    yield Piece(("dimensions",), value=len(vectors[0]))
    yield EmbeddingsOutput(embeddings=vectors, dimensions=len(vectors[0]))


def _vectors(answer: Embeddings, count: int, url: str) -> list[list[float]]:
    """The vectors in the order of the texts; a server may give them in another.

    Raises:
        UpstreamInvalid: there is not just one for each text, or they are not equally long.
    """
    ordered = sorted(answer.data, key=lambda item: item.index)
    vectors = [item.embedding for item in ordered]
    if [item.index for item in ordered] != list(range(count)):
        why = f"{count} vectors were asked for, and those numbered {_few(ordered)} came"
    elif len(lengths := {len(vector) for vector in vectors}) != 1 or 0 in lengths:
        why = f"its vectors have {', '.join(map(str, sorted(lengths)[:4]))} numbers"
    else:
        return vectors
    raise UpstreamInvalid(
        f"{url} made no embeddings that can be used: {why}. Check that its model is made for them.",
        url=url,
    )


def _few(items: list[Any]) -> str:  # Any: entries of `Embeddings`
    numbers = [str(item.index) for item in items[:8]]
    return ", ".join(numbers) + (", …" if len(items) > len(numbers) else "")


EMBEDDINGS = Processor(
    slug="localai/embeddings",
    name="LocalAI embeddings",
    description="Makes vectors of texts, to compare what they mean.",
    input=EmbeddingsInput,
    configuration=EmbeddingsConfiguration,
    output=EmbeddingsOutput,
    result=("embeddings",),
    run=_run,
)
