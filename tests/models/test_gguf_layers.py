"""Which layers keep how much of the past, as headers of several architectures say it."""

from __future__ import annotations

import pytest

from ingle.models.gguf_layers import kv_heads, state_numbers, windowed
from ingle.models.gguf_reader import Value


def under(architecture: str, values: dict[str, Value]) -> dict[str, Value]:
    return {f"{architecture}.{key}": value for key, value in values.items()}


@pytest.mark.parametrize(
    ("architecture", "values", "expected"),
    [
        ("llama", {}, "......"),
        ("llama", {"attention.sliding_window": 4096}, "......"),
        ("gemma3", {"attention.sliding_window": 512}, "wwwww."),
        ("gemma3", {}, "......"),
        ("gpt-oss", {"attention.sliding_window": 128}, "w.w.w."),
        (
            "new",
            {"attention.sliding_window": 128, "attention.sliding_window_pattern": 3},
            "ww.ww.",
        ),
        (
            "new",
            {
                "attention.sliding_window": 128,
                "attention.sliding_window_pattern": (False, True, True),
            },
            ".ww...",
        ),
    ],
)
def test_layers_with_a_window_are_known(
    architecture: str, values: dict[str, Value], expected: str
) -> None:
    """By a period or a list in the file, else by the architecture's name; never without a window."""
    found = windowed(under(architecture, values), architecture, 6)

    assert "".join("w" if one else "." for one in found) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (8, 8, 8, 8)),
        ({"attention.head_count_kv": 2}, (2, 2, 2, 2)),
        ({"attention.head_count_kv": (2, 0, 2, 0)}, (2, 0, 2, 0)),
        ({"attention.head_count_kv": 2, "attention.shared_kv_layers": 1}, (2, 2, 2, 0)),
        ({"attention.head_count_kv": 2, "full_attention_interval": 4}, (0, 0, 0, 2)),
        ({"ssm.inner_size": 64, "ssm.state_size": 16, "ssm.conv_kernel": 4}, (0, 0, 0, 0)),
    ],
)
def test_layers_that_keep_nothing_of_their_own_are_known(
    values: dict[str, Value], expected: tuple[int, ...]
) -> None:
    """All heads where the file gives no other number; none without attention or with shared keys."""
    assert kv_heads(under("x", values), "x", heads=8, layers=4) == expected


def test_the_state_of_a_layer_without_attention_is_counted() -> None:
    """Mamba's: three inputs of the convolution, and 16 numbers for each of the inner width."""
    values = under("mamba", {"ssm.inner_size": 64, "ssm.state_size": 16, "ssm.conv_kernel": 4})
    grouped = values | {"mamba.ssm.group_count": 2}

    assert state_numbers(values, "mamba") == 3 * 64 + 16 * 64
    assert state_numbers(grouped, "mamba") == 3 * (64 + 2 * 2 * 16) + 16 * 64
    assert state_numbers({}, "llama") == 0
