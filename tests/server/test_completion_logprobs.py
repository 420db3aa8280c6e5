"""Log probabilities in the form of `/v1/completions`."""

from __future__ import annotations

from typing import Any

from ingle.server.completion_logprobs import LogprobsForm


def _token(text: bytes, logprob: float, *others: tuple[bytes, float]) -> dict[str, Any]:
    top = [{"token": "", "bytes": list(other), "logprob": likely} for other, likely in others]
    return {"token": "", "bytes": list(text), "logprob": logprob, "top_logprobs": top}


def test_offsets_go_on_from_chunk_to_chunk() -> None:
    """They count the characters of the text, not its bytes."""
    form = LogprobsForm(1)
    first = form.convert({"content": [_token("é".encode(), -0.5, ("é".encode(), -0.5))]})
    second = form.convert({"content": [_token(b" a", -1.0, (b" b", -0.25))]})
    assert first == {
        "tokens": ["é"],
        "token_logprobs": [-0.5],
        "top_logprobs": [{"é": -0.5}],
        "text_offset": [0],
    }
    assert second == {
        "tokens": [" a"],
        "token_logprobs": [-1.0],
        "top_logprobs": [{" b": -0.25, " a": -1.0}],
        "text_offset": [1],
    }


def test_parts_of_a_character_are_written_as_bytes() -> None:
    """As OpenAI does; the character counts once it is whole."""
    converted = LogprobsForm(0).convert(
        {"content": [_token(b"\xc3", -1.0), _token(b"\xa9", -2.0), _token(b"x", -3.0)]}
    )
    assert converted == {
        "tokens": ["bytes:\\xc3", "bytes:\\xa9", "x"],
        "token_logprobs": [-1.0, -2.0, -3.0],
        "top_logprobs": None,
        "text_offset": [0, 0, 1],
    }


def test_a_chunk_without_them_has_none() -> None:
    """Such as the last one."""
    assert LogprobsForm(2).convert(None) is None
