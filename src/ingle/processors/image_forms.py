"""What image edits and variations share: pictures go in, in a form, and pictures come out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ingle.processors.asking import Question, answered
from ingle.processors.base import Output
from ingle.processors.files import open_file
from ingle.processors.images import as_base64
from ingle.processors.pieces import Piece
from ingle.processors.server_configuration import SlowServerConfiguration
from ingle.upstream.form import FormFile
from ingle.upstream.wire import Images

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["ImageFormConfiguration", "ImagesOutput", "drawn_from", "given"]

MAX_IMAGE_BYTES = 32 * 1024 * 1024

# The first letters of base64 tell the kind: it begins as the content does.
_KINDS = {"iVBOR": "image/png", "/9j/": "image/jpeg", "UklGR": "image/webp", "R0lGO": "image/gif"}


class ImageFormConfiguration(SlowServerConfiguration):
    """Who draws, how many pictures, and their size."""

    size: Literal["256x256", "512x512", "1024x1024"] | None = Field(
        "1024x1024",
        description="The size of the generated images. Must be one of `256x256`, `512x512`, or "
        "`1024x1024`; with none, the model chooses.",
    )
    n: int = Field(
        1,
        ge=1,
        le=10,
        description="The number of images to generate. Must be between 1 and 10.",
    )


class ImagesOutput(Output):
    """The images."""

    answer: list[str] = Field(description="The generated images, each as a data URI.")


def given(image: str, image_data: str) -> None:
    """Go on if there is an image.

    Raises:
        ValueError: there is none.
    """
    if not (image or image_data):
        raise ValueError(
            "`image` is missing. Give a picture as `data:image/png;base64,…` or its http(s) URL."
        )


async def drawn_from(
    endpoint: str,
    pictures: dict[str, str],
    fields: dict[str, Any],  # Any: JSON values
    configuration: ImageFormConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | ImagesOutput, None]:
    """The pieces and the output of one request. `pictures` are files by the form's fields.

    Raises:
        IngleError: a picture cannot be had, or the request failed.
    """
    files = []
    for field, text in pictures.items():
        file = await open_file(text, router, param=f"input.{field}", max_bytes=MAX_IMAGE_BYTES)
        files.append(FormFile(field, file.name or field, file.mime, file.content))
    request = fields | {"n": configuration.n, "response_format": "b64_json"}
    if configuration.size is not None:
        request["size"] = configuration.size
    question = Question(
        endpoint=endpoint,
        body=lambda _: request,
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability="images",
        conveniences=frozenset({"response_format"}),  # OpenAI's newer models know only base64
        files=tuple(files),
    )
    answer = []
    async with answered(router, question, Images) as reply:
        drawn = await anext(reply.items)
        for number, image in enumerate(drawn.data):
            text = await as_base64(
                image,
                client=router.client,
                target=reply.route.target,
                url=reply.url,
                limits=question.limits,
            )
            mime = next(kind for start, kind in _KINDS.items() if text.startswith(start))
            answer.append(f"data:{mime};base64,{text}")
            yield Piece(("answer", number), value=answer[-1])
    yield ImagesOutput(answer=answer)
