"""`localai/chatgpt_vision`: a model's answer to text and pictures."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ingle.processors.asking import Question, answered, streamed
from ingle.processors.base import Input, Output, Processor
from ingle.processors.chat_answer import ChatAnswer
from ingle.processors.data_uri import File, data_uri
from ingle.processors.files import open_file
from ingle.processors.messages import ImagePart, TextPart
from ingle.processors.pieces import Piece
from ingle.processors.sampling import LogitBias, Penalty
from ingle.processors.server_configuration import ServerConfiguration
from ingle.upstream.wire import ChatChunk, ChatCompletion

if TYPE_CHECKING:
    from ingle.routing import Capability, Route, Router

__all__ = ["CHAT_VISION", "ChatVisionConfiguration", "ChatVisionInput", "ChatVisionOutput"]

_MAX_IMAGE_BYTES = 32 * 1024 * 1024
_MOST_PARTS = 64
_CONTENT = ("choices", 0, "content")


class ChatVisionInput(Input):
    """What to look at, and what is asked about it."""

    system_message: str = Field(
        "", description="A message from the system, which will be prepended."
    )
    messages: list[Annotated[TextPart | ImagePart, Field(discriminator="type")]] = Field(
        min_length=1,
        max_length=_MOST_PARTS,
        description="Texts and pictures, which are one message together. A picture is a data URI "
        "or an http(s) URL.",
    )


class ChatVisionConfiguration(ServerConfiguration):
    """How to answer. What is left at `None` is not sent, so the server's own default holds."""

    max_tokens: int = Field(
        1024, ge=1, description="The maximum number of tokens allowed for the generated answer."
    )
    temperature: float = Field(0.7, ge=0, le=2, description="The sampling temperature to use.")
    stream: bool = Field(False, description="Whether to stream the output.")
    top_p: float | None = Field(
        None, ge=0, le=1, description="Consider only the tokens of this much probability."
    )
    stop: str | list[str] | None = Field(None, description="Text at which the answer ends.")
    presence_penalty: Penalty = Field(
        None, description="Above 0, tokens that the text has already are less likely."
    )
    frequency_penalty: Penalty = Field(
        None, description="Above 0, tokens are less likely the more often the text has them."
    )
    logit_bias: LogitBias = Field(
        None, description="How much likelier to make tokens, by their numbers: -100 to 100."
    )
    seed: int | None = Field(None, description="Makes sampling repeatable, where supported.")


class ChatVisionOutput(Output):
    """The answer."""

    result: str = Field(description="The model-generated message.")


async def _run(
    input: ChatVisionInput,  # noqa: A002
    configuration: ChatVisionConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | ChatVisionOutput, None]:
    request = await _request(input, configuration, router)
    has_pictures = any(isinstance(part, ImagePart) for part in input.messages)
    capability: Capability = "vision" if has_pictures else "chat"
    question = Question(
        endpoint="chat/completions",
        body=lambda route: _for(route, request),
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability=capability,
        conveniences=frozenset({"stream_options"}),
    )
    if configuration.stream:
        async with streamed(router, question, ChatChunk) as reply:
            answer = ChatAnswer(url=reply.url)
            async for chunks in reply.items:
                for piece in _said(answer.take(chunks)):
                    yield piece
    else:
        async with answered(router, question, ChatCompletion) as reply_in_one:
            answer = ChatAnswer(url=reply_in_one.url)
            completion = await anext(reply_in_one.items)
        for piece in _said(answer.take_whole(completion)):
            yield piece
    answer.end()
    message = answer.messages()[0]
    result = message.content if isinstance(message.content, str) else ""
    if not result:
        result = message.refusal or ""
        yield Piece(("result",), value=result)
    yield ChatVisionOutput(result=result)


def _said(pieces: list[Piece]) -> list[Piece]:
    """Of a chat's pieces, those of what is said, as pieces of this output."""
    return [Piece(("result",), piece.text) for piece in pieces if piece.path == _CONTENT]


async def _request(
    input: ChatVisionInput,  # noqa: A002
    configuration: ChatVisionConfiguration,
    router: Router,
) -> dict[str, Any]:  # Any: JSON
    """The request, its pictures in it: a server need not fetch them, nor an engine call others."""
    parts: list[dict[str, Any]] = []
    for number, part in enumerate(input.messages):
        if isinstance(part, TextPart):
            parts.append({"type": "text", "text": part.text})
            continue
        param = f"input.messages.{number}.image_url"
        file = await open_file(part.image_url.url, router, param=param, max_bytes=_MAX_IMAGE_BYTES)
        shown = {"url": data_uri(File(file.mime, file.content))}
        if part.image_url.detail:
            shown["detail"] = part.image_url.detail
        parts.append({"type": "image_url", "image_url": shown})
    messages: list[dict[str, Any]] = [{"role": "user", "content": parts}]
    if input.system_message:
        messages.insert(0, {"role": "system", "content": input.system_message})
    request = {"messages": messages} | configuration.model_dump(
        mode="json", exclude={"base_url", "model", "timeout"}, exclude_none=True
    )
    if configuration.stream:
        request["stream_options"] = {"include_usage": True}
    return request


def _for(route: Route, request: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The request with the model's own system message, where it has one and none is given."""
    if not route.system_prompt or request["messages"][0]["role"] == "system":
        return request
    first = {"role": "system", "content": route.system_prompt}
    return {**request, "messages": [first, *request["messages"]]}


CHAT_VISION = Processor(
    slug="localai/chatgpt_vision",
    name="LocalAI chat with vision",
    description="Answers what is asked about pictures.",
    input=ChatVisionInput,
    configuration=ChatVisionConfiguration,
    output=ChatVisionOutput,
    result=("result",),
    run=_run,
)
