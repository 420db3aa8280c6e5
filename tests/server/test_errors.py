"""What a caller gets for what cannot be: one error in OpenAI's shape, and the server goes on."""

from __future__ import annotations

import openai
import pytest
from tests.server.conftest import Caller

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def _chat(**fields: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "hi"}], **fields}


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b"", 400, "invalid_request", None),
        (b"{", 400, "invalid_request", None),
        (b"[]", 400, "invalid_request", None),
        (b'{"model": 5}', 400, "invalid_request", "model"),
        (_chat(model="nope"), 404, "model_not_found", "model"),
        (_chat(model="nowhere/nope"), 404, "model_not_found", "model"),
        (_chat(temperature=-1), 400, "invalid_request", "temperature"),
        (_chat(max_tokens=0), 400, "invalid_request", "max_tokens"),
        (_chat(messages=[]), 400, "invalid_request", "messages"),
        (
            _chat(messages=[{"role": "user", "content": [PICTURE]}]),
            400,
            "unsupported_input",
            "messages",
        ),
        (
            _chat(messages=[{"role": "user", "content": "one two " * 600}]),
            400,
            "context_length_exceeded",
            "messages",
        ),
        (_chat(grammar="root ::= ("), 400, "invalid_request", None),
        (_chat(functions=[{"name": "f"}], tools=[]), 200, None, None),
        (
            _chat(functions=[{"name": "f"}], function_call="g"),
            400,
            "invalid_request",
            "function_call",
        ),
    ],
)
def test_each_fault_has_its_status_code_and_field(
    call: Caller, body: object, status: int, code: str | None, param: str | None
) -> None:
    """And after it the server answers as before."""
    if isinstance(body, dict):
        body.setdefault("max_tokens", 1)
    answer = call.post("/v1/chat/completions", body)
    assert answer.status == status, answer.body
    if code:
        assert set(answer.error) == {"message", "type", "param", "code"}
        assert answer.error["type"] == "invalid_request_error"
        assert (answer.error["code"], answer.error["param"]) == (code, param)
    assert call("GET", "/health").status == 200


def test_openais_client_tells_the_errors_apart(client: openai.OpenAI) -> None:
    """By class, code and field."""
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="nope", messages=[{"role": "user", "content": "x"}])
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    assert missing.value.request_id
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "x"}], temperature=3
        )
    assert wrong.value.param == "temperature"


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("POST", "/v1/chat/completion", 404, "Did you mean /v1/chat/completions?"),
        ("GET", "/v1/engines", 404, "nothing at /v1/engines"),
        ("GET", "/v1/embeddings", 405, "Use POST."),
        ("DELETE", "/v1/models", 405, "Use GET."),
        ("POST", "/v1/models/demo", 405, "Use DELETE or GET."),
    ],
)
def test_a_wrong_path_or_method_is_answered_with_the_right_one(
    call: Caller, method: str, path: str, status: int, told: str
) -> None:
    """In the same shape as every other error."""
    answer = call(method, path)
    assert answer.status == status
    assert told in answer.error["message"]


def test_every_answer_has_an_id_of_its_own(call: Caller) -> None:
    """To find it in the log."""
    ids = {call("GET", "/health").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_the_page_at_the_root_tells_the_address(call: Caller) -> None:
    """The one under which it was opened, and nothing from the request as HTML."""
    page = call("GET", "/", headers={"Host": 'localhost:1"<x>'})
    assert page.status == 403 or b"<x>" not in page.body
    assert b"/v1" in call("GET", "/").body


@pytest.mark.parametrize("path", ["/health", "/healthz", "/livez", "/readyz"])
def test_health_is_told(call: Caller, path: str) -> None:
    """Also to HEAD, without a body."""
    assert call("GET", path).json["status"] == "ok"
    assert call("HEAD", path).body == b""


def test_metrics_tell_what_was_done(call: Caller) -> None:
    """By route and status, with tokens and engines."""
    call.post("/v1/chat/completions", _chat(max_tokens=2, stream=True))
    text = call("GET", "/metrics").body.decode()
    assert 'ingle_requests_total{route="chat/completions",status="200"}' in text
    assert 'ingle_first_byte_seconds_count{route="chat/completions"}' in text
    assert 'ingle_tokens_total{kind="completion"}' in text
    assert 'ingle_engines{state="ready"} 1.0' in text
