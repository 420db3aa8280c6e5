"""What llama.cpp's refusals become."""

from __future__ import annotations

import pytest

from ingle.server.engine_errors import engine_error


@pytest.mark.parametrize(
    ("status", "error", "code", "http_status", "param", "told"),
    [
        (
            400,
            (
                '{"code":400,"message":"request (920 tokens) exceeds the available context size (512 '
                'tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":920,'
                '"n_ctx":512}'
            ),
            "context_length_exceeded",
            400,
            "messages",
            "920 tokens, and the model 'demo' has a context window of 512",
        ),
        (
            500,
            (
                '{"code":500,"message":"input (701 tokens) is too large to process. increase the '
                'physical batch size (current batch size: 512)","type":"server_error"}'
            ),
            "context_length_exceeded",
            400,
            "input",
            "701 tokens",
        ),
        (
            500,
            (
                '{"code":500,"message":"image input is not supported - hint: if this is unexpected, you '
                'may need to provide the mmproj","type":"server_error"}'
            ),
            "unsupported_input",
            400,
            "messages",
            "takes no image",
        ),
        (
            501,
            (
                '{"code":501,"message":"This server does not support embeddings. Start it with '
                '`--embeddings`","type":"not_supported_error"}'
            ),
            "unsupported_input",
            400,
            "model",
            "cannot do this",
        ),
        (
            400,
            (
                '{"code":400,"message":"Field \'seed\': [json.exception.type_error.302] type must be '
                'number, but is string","type":"invalid_request_error"}'
            ),
            "invalid_request",
            400,
            "seed",
            "type must be number, but is string.",
        ),
        (
            400,
            (
                '{"code":400,"message":"logprobs is not supported with tools + stream",'
                '"type":"invalid_request_error"}'
            ),
            "invalid_request",
            400,
            None,
            "logprobs is not supported with tools + stream.",
        ),
        (
            500,
            (
                '{"code":500,"message":"vector::_M_range_check: __n (which is 9) >= this->size() '
                '(which is 5)","type":"server_error"}'
            ),
            "invalid_request",
            400,
            None,
            "_M_range_check",
        ),
        (
            503,
            '{"code":503,"message":"Loading model","type":"unavailable_error"}',
            "server_busy",
            503,
            None,
            "Loading model.",
        ),
        (
            500,
            (
                '{"code":500,"message":"The model produced output that does not match the expected '
                'peg-native format","type":"server_error"}'
            ),
            "engine_error",
            502,
            None,
            "does not match the expected",
        ),
    ],
)
def test_each_refusal_gets_its_code_status_field_and_words(
    status: int, error: str, code: str, http_status: int, param: str | None, told: str
) -> None:
    """As seen from llama.cpp in October 2026."""
    made = engine_error(status, b'{"error":%b}' % error.encode(), "demo")
    assert (made.code, made.http_status, made.param) == (code, http_status, param)
    assert told in made.message


def test_an_answer_that_is_no_json_is_quoted() -> None:
    """Its words are all there is to say."""
    assert "Bad Gateway" in engine_error(500, b"<h1>Bad Gateway</h1>", "demo").message
