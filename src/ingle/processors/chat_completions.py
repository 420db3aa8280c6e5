"""`localai/chatgpt`: a model's answers to a chat, by LocalAI, this machine or any such server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from ingle.processors.asking import Question, answered, streamed
from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.chat_answer import ChatAnswer
from ingle.processors.chat_history import ChatHistory, CutHistory
from ingle.processors.legacy_functions import is_legacy, with_tools
from ingle.processors.llama_habits import with_choice_for_llama
from ingle.processors.messages import ChatMessage, FunctionCall, Tool
from ingle.processors.pictures import check_pictures
from ingle.processors.pieces import Piece
from ingle.processors.sampling import LogitBias, Penalty
from ingle.upstream.wire import ChatChunk, ChatCompletion

if TYPE_CHECKING:
    from ingle.routing import Route, Router

__all__ = [
    "CHAT_COMPLETIONS",
    "ChatCompletionInput",
    "ChatCompletionsConfiguration",
    "ChatCompletionsOutput",
]


class ChatCompletionInput(Input):
    """The chat so far, and what the model may call."""

    system_message: str = Field(
        "",
        description="An optional message from the system, which will be prepended to the chat "
        "history.",
    )
    chat_history: list[ChatMessage] = Field(
        [],
        description="What was said before `messages`. Of a long history the oldest turns are left "
        "out, so that the rest fits in the model's context window.",
    )
    messages: list[ChatMessage] = Field(
        [], description="A list of chat messages, each with a role and message text."
    )
    functions: list[FunctionCall] | None = Field(
        None,
        description="An optional list of functions, which the model may generate JSON inputs for.",
    )
    tools: list[Tool] | None = Field(
        None, description="The same in the newer form, in which a message can hold several calls."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.messages or self.chat_history or self.system_message):
            raise ValueError(
                "`messages` is empty, so there is nothing to answer. Give at least one, such as "
                '{"role": "user", "content": "Hello!"}.'
            )
        return self


class ChatCompletionsConfiguration(Configuration):
    """How to answer. What is left at `None` is not sent, so the server's own default holds."""

    base_url: str | None = Field(
        None,
        description="The base URL of the LocalAI API. Left out, Settings say which server answers.",
    )
    model: str | None = Field(None, description="The name of the model to use.")
    max_tokens: int = Field(
        1024, ge=1, description="The maximum number of tokens allowed for the generated answer."
    )
    temperature: float = Field(0.7, ge=0, le=2, description="The sampling temperature to use.")
    stream: bool = Field(False, description="Whether to stream the output.")
    function_call: str | dict[Literal["name"], str] | None = Field(
        None,
        description="Controls how the model responds to function calls: `none`, `auto`, or the "
        'name of the function that it must call, also written {"name": …}.',
    )
    tool_choice: str | dict[str, Any] | None = Field(
        None, description="The same for `tools`: `none`, `auto`, `required`, or which one to call."
    )
    timeout: float = Field(
        60,
        gt=0,
        description="Timeout in seconds: how long the server may be silent. "
        "The time that a model takes to load does not count.",
    )
    top_p: float | None = Field(
        None, ge=0, le=1, description="Consider only the tokens of this much probability."
    )
    n: int | None = Field(None, ge=1, le=128, description="How many answers to generate.")
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
    response_format: dict[str, Any] | None = Field(
        None, description="The form of the answer, such as a JSON Schema, as in OpenAI's API."
    )


class ChatCompletionsOutput(Output):
    """The answers, and all that the server said."""

    choices: list[ChatMessage] = Field(
        description="A list of chat messages, which are the model's generated responses."
    )
    cut_history: CutHistory | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="What of the chat history was not sent, if anything.",
    )
    api_response: dict[str, Any] = Field(alias="_api_response", description="The raw API response.")

    @property
    def _api_response(self) -> dict[str, Any]:
        """The raw API response, under its own name; a Pydantic field may not begin with `_`."""
        return self.api_response


async def _run(
    input: ChatCompletionInput,  # noqa: A002
    configuration: ChatCompletionsConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | ChatCompletionsOutput, None]:
    request = _request(input, configuration)
    in_old_form = bool(input.functions)
    history = ChatHistory(router.client, length=len(input.chat_history), others=len(input.messages))
    question = Question(
        endpoint="chat/completions",
        body=lambda route: _for(route, request),
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability="chat",
        conveniences=frozenset({"stream_options", "parallel_tool_calls"}),
        history=history if input.chat_history else None,
    )
    if configuration.stream:
        async with streamed(router, question, ChatChunk) as reply:
            for piece in _told(history):
                yield piece
            answer = ChatAnswer(url=reply.url, in_old_form=in_old_form)
            async for chunks in reply.items:
                for piece in answer.take(chunks):
                    yield piece
    else:
        async with answered(router, question, ChatCompletion) as reply_in_one:
            answer = ChatAnswer(url=reply_in_one.url, in_old_form=in_old_form)
            completion = await anext(reply_in_one.items)
        for piece in (*_told(history), *answer.take_whole(completion)):
            yield piece
    for piece in answer.end():
        yield piece
    yield ChatCompletionsOutput(
        choices=answer.messages(), cut_history=history.cut, api_response=answer.response()
    )


def _told(history: ChatHistory) -> list[Piece]:
    """What of the history was left out, if anything, before the answer that knows nothing of it."""
    if history.cut is None:
        return []
    return [Piece(("cut_history",), value=history.cut.model_dump(mode="json"))]


def _request(
    input: ChatCompletionInput,  # noqa: A002
    configuration: ChatCompletionsConfiguration,
) -> dict[str, Any]:  # Any: JSON
    """The request in the form of today, whichever form the functions were given in."""
    said = input.model_dump(mode="json", exclude={"system_message"}, exclude_none=True)
    said["messages"] = said.pop("chat_history") + said["messages"]
    if input.system_message:
        said["messages"].insert(0, {"role": "system", "content": input.system_message})
    request = said | configuration.model_dump(
        mode="json", exclude={"base_url", "model", "timeout"}, exclude_none=True
    )
    if not input.tools:
        request.pop("tool_choice", None)
    if configuration.stream:
        request["stream_options"] = {"include_usage": True}
    return with_tools(request) if is_legacy(request) else request


def _for(route: Route, request: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    if not route.is_local:
        return request
    said = request["messages"]
    for number, message in enumerate(said):
        check_pictures(message.get("content"), f"messages[{number}].content")
    if route.system_prompt and (said or [{}])[0].get("role") not in ("system", "developer"):
        said = [{"role": "system", "content": route.system_prompt}, *said]
    return with_choice_for_llama({**request, "messages": said})


CHAT_COMPLETIONS = Processor(
    slug="localai/chatgpt",
    name="LocalAI chat completions",
    description="Answers a chat, and calls functions where it is given some.",
    input=ChatCompletionInput,
    configuration=ChatCompletionsConfiguration,
    output=ChatCompletionsOutput,
    result=("choices", 0, "content"),
    run=_run,
)
