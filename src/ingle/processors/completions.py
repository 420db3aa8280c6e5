"""`localai/completions`: a prompt's continuations, by LocalAI, this machine or any such server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ingle.processors.asking import Question, answered, streamed
from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.completion_answer import CompletionAnswer
from ingle.processors.pieces import Piece
from ingle.upstream.wire import Completion, CompletionChunk

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = [
    "COMPLETIONS",
    "CompletionsConfiguration",
    "CompletionsInput",
    "CompletionsOutput",
]


class CompletionsInput(Input):
    """The text to go on from."""

    prompt: str = Field(description="The text prompt to complete.")


class CompletionsConfiguration(Configuration):
    """How to go on. What is left at `None` is not sent, so the server's own default holds."""

    base_url: str | None = Field(
        None,
        description="The base URL of the LocalAI API. Left out, Settings say which server answers.",
    )
    model: str | None = Field(None, description="The name of the model to use.")
    max_tokens: int = Field(
        1024,
        ge=1,
        description="The maximum number of tokens allowed for the generated completion.",
    )
    temperature: float = Field(0.7, ge=0, le=2, description="The sampling temperature to use.")
    top_p: float = Field(
        1,
        ge=0,
        le=1,
        description="An alternative to sampling with temperature, called nucleus sampling, where "
        "the model considers the results of the tokens with top_p probability mass. So 0.1 means "
        "only the tokens comprising the top 10% probability mass are considered.",
    )
    timeout: float = Field(
        60,
        gt=0,
        description="Timeout in seconds: how long the server may be silent. "
        "The time that a model takes to load does not count.",
    )
    stream: bool = Field(False, description="Whether to stream the output.")
    n: int | None = Field(None, ge=1, le=128, description="How many completions to generate.")
    stop: str | list[str] | None = Field(None, description="Text at which the completion ends.")
    seed: int | None = Field(None, description="Makes sampling repeatable, where supported.")


class CompletionsOutput(Output):
    """The continuations."""

    choices: list[str] = Field(description="The model's generated completions.")


async def _run(
    input: CompletionsInput,  # noqa: A002
    configuration: CompletionsConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | CompletionsOutput, None]:
    question = Question(
        endpoint="completions",
        body=lambda _: _request(input, configuration),
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability="completions",
    )
    if configuration.stream:
        async with streamed(router, question, CompletionChunk) as reply:
            answer = CompletionAnswer(url=reply.url)
            async for chunks in reply.items:
                for piece in answer.take(chunks):
                    yield piece
    else:
        async with answered(router, question, Completion) as reply_in_one:
            answer = CompletionAnswer(url=reply_in_one.url)
            completion = await anext(reply_in_one.items)
        for piece in answer.take_whole(completion):
            yield piece
    for piece in answer.end():
        yield piece
    yield CompletionsOutput(choices=answer.texts())


def _request(
    input: CompletionsInput,  # noqa: A002
    configuration: CompletionsConfiguration,
) -> dict[str, Any]:  # Any: JSON
    sent = configuration.model_dump(exclude={"base_url", "model", "timeout"}, exclude_none=True)
    return {"prompt": input.prompt, **sent}


COMPLETIONS = Processor(
    slug="localai/completions",
    name="LocalAI completions",
    description="Goes on writing from a prompt.",
    input=CompletionsInput,
    configuration=CompletionsConfiguration,
    output=CompletionsOutput,
    result=("choices", 0),
    run=_run,
)
