"""One request of a processor: to where the server's API is, within its limits."""

from __future__ import annotations

import pytest

from ingle.errors import UpstreamRefused
from ingle.processors.asking import Question
from ingle.processors.catalogue import run_processor
from ingle.processors.completions import CompletionsOutput
from ingle.routing import Router
from ingle.testing import ScriptedUpstream, completion_answer, completion_stream, error, models


@pytest.mark.parametrize("is_stream", [True, False])
async def test_server_whose_api_has_moved_is_asked_where_it_is(
    is_stream: bool, router: Router
) -> None:
    """The call that finds nothing at the remembered address is made again at the new one."""
    answer = completion_stream("!") if is_stream else completion_answer("!")
    gone = error(404, "Not Found")
    async with ScriptedUpstream(models("m"), answer, gone, gone, models("m"), answer) as upstream:
        config = {"base_url": upstream.url, "model": "m", "stream": is_stream}
        for _ in range(2):
            run = run_processor("localai/completions", {"prompt": "Hi"}, config, router)
            *_, output = [item async for item in run]
            assert output == CompletionsOutput(choices=["!"])
    assert [request.path for request in upstream.requests] == [
        "/v1/models",
        "/v1/completions",
        "/v1/completions",
        "/v1/models",
        "/models",
        "/completions",
    ]


async def test_model_that_is_not_there_is_refused(router: Router) -> None:
    """A "not found" of a server that has not moved is the server's word on the model."""
    refusal = error(404, "The model `x` does not exist", code="model_not_found")
    async with ScriptedUpstream(models("m"), refusal, models("m")) as upstream:
        config = {"base_url": upstream.url, "model": "x"}
        with pytest.raises(UpstreamRefused, match="The model `x` does not exist") as caught:
            await anext(run_processor("localai/completions", {"prompt": "Hi"}, config, router))
    assert (caught.value.status, caught.value.http_status) == (404, 404)


@pytest.mark.parametrize(("timeout_s", "total_s"), [(60, 3600), (7200, 7200)])
def test_timeout_is_between_bytes(timeout_s: float, total_s: float) -> None:
    """A timeout bounds silence, not the answer; one above the total limit raises that, too."""
    question = Question(
        endpoint="completions",
        body=lambda _: {},
        model=None,
        base_url=None,
        timeout_s=timeout_s,
        capability="completions",
    )
    assert (question.limits.idle_s, question.limits.total_s) == (timeout_s, total_s)
