"""`/v1/responses` as OpenAI's own client sees it: kept, gone on from, in background."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import openai
import pytest
from openai.types.responses import FunctionToolParam, Response
from tests.server.conftest import Caller, running, settings_for

from ingle.testing import ScriptedUpstream, json_answer, models

WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
    "strict": False,
}


def ended(client: openai.OpenAI, response: Response, within_s: float = 30) -> Response:
    """The response once it is over."""
    until = time.monotonic() + within_s
    while response.status in ("queued", "in_progress"):
        assert time.monotonic() < until, response.status
        response = client.responses.retrieve(response.id)
    return response


def test_a_response_is_kept_and_retrieved(client: openai.OpenAI) -> None:
    """The same as was answered, with what the request said."""
    made = client.responses.create(
        model="demo", input="Hello!", max_output_tokens=8, metadata={"a": "b"}, temperature=0
    )
    assert made.id.startswith("resp_")
    assert client.responses.retrieve(made.id).model_dump() == made.model_dump()
    assert (made.metadata, made.max_output_tokens, made.temperature) == ({"a": "b"}, 8, 0)
    assert (made.tools, made.tool_choice, made.parallel_tool_calls) == ([], "auto", True)
    assert made.usage is not None
    assert made.usage.output_tokens_details.reasoning_tokens == 0


def test_a_response_goes_on_from_another(client: openai.OpenAI) -> None:
    """The model reads all that was said before; the instructions of before are not among it."""
    first = client.responses.create(
        model="demo", input="My name is Ada.", instructions="Be brief.", max_output_tokens=8
    )
    second = client.responses.create(
        model="demo", input="And now?", previous_response_id=first.id, max_output_tokens=4
    )
    third = client.responses.create(
        model="demo", input="Still?", previous_response_id=second.id, max_output_tokens=4
    )
    assert second.previous_response_id == first.id
    assert first.usage is not None
    assert second.usage is not None
    assert third.usage is not None
    assert third.usage.input_tokens > second.usage.input_tokens > first.usage.input_tokens
    items = client.responses.input_items.list(third.id, order="asc").data
    texts = [item.content[0].text for item in items]  # type: ignore[union-attr,index]  # all are messages
    assert texts == [
        "My name is Ada.",
        first.output_text,
        "And now?",
        second.output_text,
        "Still?",
    ]


def test_a_tool_is_called_and_its_result_sent_after(client: openai.OpenAI) -> None:
    """Only the result is sent; the call is remembered."""
    call = client.responses.create(
        model="demo", input="What is the weather in Paris?", tools=[WEATHER], temperature=0
    )
    made = call.output[0]
    assert made.type == "function_call"
    answer = client.responses.create(
        model="demo",
        previous_response_id=call.id,
        tools=[WEATHER],
        input=[
            {"type": "function_call_output", "call_id": made.call_id, "output": "sunny, 20 degrees"}
        ],
        temperature=0,
    )
    assert "sunny" in answer.output_text


def test_a_stream_is_kept_and_its_events_are_whole(client: openai.OpenAI) -> None:
    """OpenAI's client puts it together by their numbers; what it puts together is what is kept."""
    with client.responses.stream(model="demo", input="Hello!", temperature=0) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert {(event.output_index, event.content_index) for event in deltas} == {(0, 0)}
    assert "".join(event.delta for event in deltas) == final.output_text
    assert client.responses.retrieve(final.id).output_text == final.output_text
    assert events[0].type == "response.created"
    assert events[0].response.id == final.id
    again = client.responses.create(
        model="demo", input="And?", previous_response_id=final.id, max_output_tokens=2
    )
    assert again.previous_response_id == final.id


def test_a_streamed_call_of_a_tool_is_put_together(client: openai.OpenAI) -> None:
    """Its arguments come in pieces."""
    with client.responses.stream(
        model="demo", input="What is the weather in Paris?", tools=[WEATHER], temperature=0
    ) as stream:
        list(stream)
        (call,) = stream.get_final_response().output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Paris"}


def test_an_answer_that_ran_into_its_limit_says_so(client: openai.OpenAI) -> None:
    """Whole and streamed; one that had room to end is completed."""
    cut = client.responses.create(model="demo", input="Hello!", max_output_tokens=3)
    assert (cut.status, cut.output[0].status) == ("incomplete", "incomplete")  # type: ignore[union-attr]  # a message
    assert cut.incomplete_details is not None
    assert cut.incomplete_details.reason == "max_output_tokens"
    *_, last = client.responses.create(
        model="demo", input="Hello!", max_output_tokens=3, stream=True
    )
    assert last.type == "response.incomplete"
    whole = client.responses.create(model="demo", input="Hello!", temperature=0)
    assert (whole.status, whole.incomplete_details) == ("completed", None)


def test_what_says_not_to_be_kept_is_not(client: openai.OpenAI) -> None:
    """It cannot be retrieved nor gone on from."""
    made = client.responses.create(model="demo", input="Hello!", store=False, max_output_tokens=2)
    with pytest.raises(openai.NotFoundError, match="No response found with id"):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model="demo", input="x", previous_response_id=made.id)
    assert raised.value.code == "previous_response_not_found"
    assert raised.value.param == "previous_response_id"


def test_a_deleted_response_is_gone(client: openai.OpenAI) -> None:
    """Also for what goes on from one that went on from it: no half a conversation is answered."""
    first = client.responses.create(model="demo", input="Hello!", max_output_tokens=2)
    second = client.responses.create(
        model="demo", input="x", previous_response_id=first.id, max_output_tokens=2
    )
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError, match=first.id):
        client.responses.create(model="demo", input="y", previous_response_id=second.id)
    assert [item.type for item in client.responses.input_items.list(second.id)] == ["message"]


def test_input_items_come_in_pages(client: openai.OpenAI) -> None:
    """The newest first; the client turns the pages by itself."""
    made = client.responses.create(
        model="demo",
        input=[{"role": "user", "content": word} for word in ("one", "two", "three")],
        max_output_tokens=2,
    )
    page = client.responses.input_items.list(made.id, limit=2)
    assert (len(page.data), page.has_more) == (2, True)
    texts = [item.content[0].text for item in page]  # type: ignore[union-attr,index]  # all are messages
    assert texts == ["three", "two", "one"]
    with pytest.raises(openai.BadRequestError, match="not in this list"):
        client.responses.input_items.list(made.id, after="msg_nope")


def test_input_tokens_are_counted_without_an_answer(client: openai.OpenAI) -> None:
    """As many as the usage says after; what was said before counts."""
    made = client.responses.create(model="demo", input="Hello!", max_output_tokens=2)
    assert made.usage is not None
    count = client.responses.input_tokens.count(model="demo", input="Hello!")
    assert count.object == "response.input_tokens"
    assert count.input_tokens == made.usage.input_tokens
    after = client.responses.input_tokens.count(
        model="demo", input="More", previous_response_id=made.id
    )
    assert after.input_tokens > count.input_tokens


def test_a_response_in_background_is_made_without_its_caller(client: openai.OpenAI) -> None:
    """It is answered at once as queued, and found whole later."""
    made = client.responses.create(model="demo", input="Hello!", background=True, temperature=0)
    assert (made.status, made.background, made.output) == ("queued", True, [])
    whole = ended(client, made)
    assert whole.status == "completed"
    assert whole.output_text
    assert (whole.id, whole.background) == (made.id, True)


def test_a_stream_in_background_is_taken_up_again(client: openai.OpenAI) -> None:
    """Who left finds the events after the last one that it saw; together they are all of them."""
    seen = []
    with client.responses.create(
        model="demo", input="Hello!", background=True, stream=True, temperature=0
    ) as stream:
        for event in stream:
            seen.append(event)
            if event.sequence_number == 3:
                break
    assert seen[0].type == "response.created"
    response_id = seen[0].response.id
    rest = list(client.responses.retrieve(response_id, stream=True, starting_after=3))
    numbers = [event.sequence_number for event in [*seen, *rest]]
    assert numbers == list(range(len(numbers)))
    assert rest[-1].type == "response.completed"
    again = list(client.responses.retrieve(response_id, stream=True))
    assert [event.sequence_number for event in again] == numbers
    assert again[-1].type == "response.completed"
    assert again[-1].response.output_text == rest[-1].response.output_text


def test_a_response_in_background_is_cancelled(client: openai.OpenAI) -> None:
    """It stays so, and cancelling it again changes nothing; others cannot be cancelled."""
    made = client.responses.create(
        model="demo", input="Tell me a story.", background=True, max_output_tokens=400
    )
    cancelled = client.responses.cancel(made.id)
    if cancelled.status != "incomplete":  # unless the model was quicker
        assert cancelled.status == "cancelled"
    assert client.responses.cancel(made.id).status == cancelled.status
    plain = client.responses.create(model="demo", input="Hello!", max_output_tokens=2)
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(plain.id)


def test_a_response_in_background_that_fails_says_why(client: openai.OpenAI) -> None:
    """Its caller has gone, so the error is in the response."""
    made = client.responses.create(model="nope", input="Hello!", background=True)
    failed = ended(client, made)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "nope" in failed.error.message
    (event,) = client.responses.retrieve(made.id, stream=True)
    assert event.type == "response.failed"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "x", "background": True, "store": False}, "store"),
        ({"input": "x", "metadata": {"a": 1}}, "metadata"),
        ({"input": "x", "metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"input": [], "background": True}, "input"),
        ({"input": "x", "temperature": 9, "background": True}, "temperature"),
        ({"input": "x", "conversation": "conv_1"}, "conversation"),
    ],
)
def test_what_cannot_be_right_is_refused(call: Caller, body: dict[str, object], param: str) -> None:
    """By name, before anything is made or kept."""
    answer = call.post("/v1/responses", body)
    assert answer.status == 400
    assert answer.error["param"].startswith(param)


def test_an_ingle_that_keeps_none(home: Path) -> None:
    """With `keep_responses_days` 0: answers come, and what needs keeping is refused."""
    with (
        running(settings_for(home, keep_responses_days=0)) as serving,
        openai.OpenAI(base_url=f"{serving.url}/v1", api_key="none", max_retries=0) as client,
    ):
        made = client.responses.create(model="demo", input="Hello!", max_output_tokens=2)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(made.id)
        with pytest.raises(openai.BadRequestError, match="keeps no responses"):
            client.responses.create(model="demo", input="x", store=True)


def test_a_response_in_background_ends_with_its_server(home: Path) -> None:
    """Who asks the next server is told that it failed, and why."""
    settings = settings_for(home)
    with (
        running(settings) as serving,
        openai.OpenAI(base_url=f"{serving.url}/v1", api_key="none", max_retries=0) as client,
    ):
        made = client.responses.create(
            model="demo", input=" ".join(["Count."] * 100), background=True
        )
    with (
        running(settings) as serving,
        openai.OpenAI(base_url=f"{serving.url}/v1", api_key="none", max_retries=0) as client,
    ):
        found = client.responses.retrieve(made.id)
    assert found.status == "failed"
    assert found.error is not None
    assert "was stopped" in found.error.message


async def test_another_servers_responses_are_kept_here(home: Path) -> None:
    """It need not keep any itself: it is sent the whole conversation, and no id of ours."""
    output = [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Yes", "annotations": []}],
        }
    ]
    told = {"id": "theirs", "object": "response", "status": "completed", "output": output}
    answer = json_answer({**told, "model": "m", "created_at": 5}, endpoint="responses")
    async with ScriptedUpstream(models("m"), answer) as upstream:
        with running(settings_for(home)) as serving:
            saved = {"base_url": f"{upstream.url}/v1"}
            await asyncio.to_thread(Caller(serving.url), "PUT", "/api/connections/far", saved)
            async with openai.AsyncOpenAI(
                base_url=f"{serving.url}/v1", api_key="none", max_retries=0
            ) as client:
                first = await client.responses.create(model="far/m", input="Well?")
                second = await client.responses.create(
                    model="far/m", input="Sure?", previous_response_id=first.id
                )
                unknown = await client.responses.create(
                    model="far/m", input="x", previous_response_id="resp_theirs"
                )
    asked = [request.json for request in upstream.requests if request.method == "POST"]
    assert first.id != "theirs"
    assert (second.previous_response_id, unknown.output_text) == (first.id, "Yes")
    assert "previous_response_id" not in asked[1]
    assert [item["role"] for item in asked[1]["input"]] == ["user", "assistant", "user"]
    assert asked[2]["previous_response_id"] == "resp_theirs"
