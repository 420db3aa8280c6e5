"""`localai/image_generations`: images of what a prompt describes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ingle.processors.asking import Question, answered
from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.images import as_base64
from ingle.processors.pieces import Piece
from ingle.upstream.wire import Images

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = [
    "IMAGE_GENERATIONS",
    "ImageGenerationsConfiguration",
    "ImageGenerationsInput",
    "ImageGenerationsOutput",
]


class ImageGenerationsInput(Input):
    """What the image shows."""

    prompt: str = Field(
        min_length=1,
        max_length=1000,
        description="A text description of the desired image(s). "
        "The maximum length is 1000 characters.",
    )


class ImageGenerationsConfiguration(Configuration):
    """Who makes the image, and its size."""

    base_url: str | None = Field(
        None,
        description="The base URL of the LocalAI API. Left out, Settings say which server answers.",
    )
    model: str | None = Field(
        None, description="The name of the model to use. Left out, the server chooses."
    )
    size: Literal["256x256", "512x512", "1024x1024"] = Field(
        "256x256", description="The size of the generated images, in pixels."
    )
    timeout: float = Field(
        60,
        gt=0,
        description="The timeout in seconds for the API request: how long the server may be "
        "silent.",
    )


class ImageGenerationsOutput(Output):
    """The images."""

    data: list[str] = Field(
        description="A list of base64-encoded strings, each representing a generated image."
    )


async def _run(
    input: ImageGenerationsInput,  # noqa: A002
    configuration: ImageGenerationsConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | ImageGenerationsOutput, None]:
    request = {
        "prompt": input.prompt,
        "n": 1,
        "size": configuration.size,
        "response_format": "b64_json",
    }
    question = Question(
        endpoint="images/generations",
        body=lambda _: request,
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability="images",
        conveniences=frozenset({"response_format"}),  # OpenAI's newer models know only base64
    )
    data = []
    async with answered(router, question, Images) as reply:
        answer = await anext(reply.items)
        for number, image in enumerate(answer.data):
            text = await as_base64(
                image,
                client=router.client,
                target=reply.route.target,
                url=reply.url,
                limits=question.limits,
            )
            data.append(text)
            yield Piece(("data", number), value=text)
    yield ImageGenerationsOutput(data=data)


IMAGE_GENERATIONS = Processor(
    slug="localai/image_generations",
    name="LocalAI image generation",
    description="Makes images of what a prompt describes.",
    input=ImageGenerationsInput,
    configuration=ImageGenerationsConfiguration,
    output=ImageGenerationsOutput,
    result=("data", 0),
    run=_run,
)
