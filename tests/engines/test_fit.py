"""How much memory a model takes, and which context fits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingle.engines.fit import fit, kv_bytes_a_token
from ingle.errors import ModelTooLarge
from ingle.models.manifest import Model

InstallModel = Callable[..., Model]

MIB = 2**20
BUFFERS = 48 * MIB + 512 * (259 + 3 * 128 + 3 * 64) * 4


def test_the_estimate_adds_up(install: InstallModel) -> None:
    """Weights, a cache a slot, one more for prompts, the buffers of a batch and the process."""
    model = install("m")

    size = fit(model, slots=4, context_tokens=None, limit_bytes=1000 * MIB)

    assert model.header is not None
    assert kv_bytes_a_token(model.header) == 2 * 2 * (16 + 16) * 2
    assert (size.context_tokens, size.slots) == (8192, 4)
    assert size.weights_bytes == model.path.stat().st_size
    assert size.kv_bytes == 4 * 8192 * 256
    assert size.cache_bytes == 8192 * 256
    assert size.overhead_bytes == BUFFERS
    assert size.total_bytes == model.size_bytes + 10 * MIB + BUFFERS


def test_a_context_beyond_the_training_is_cut(install: InstallModel) -> None:
    """No model is given more context than it was trained for."""
    model = install("m", **{"llama.context_length": 1024})

    assert fit(model, slots=1, context_tokens=9999, limit_bytes=999 * MIB).context_tokens == 1024
    assert fit(model, slots=1, context_tokens=None, limit_bytes=999 * MIB).context_tokens == 1024


def test_where_none_was_asked_for_the_context_is_what_fits(install: InstallModel) -> None:
    """In little memory a model gets a smaller context rather than none."""
    model = install("m")
    limit_bytes = model.size_bytes + BUFFERS + 5 * 1024 * 256

    size = fit(model, slots=4, context_tokens=None, limit_bytes=limit_bytes)

    assert size.context_tokens == 1024
    assert size.total_bytes == limit_bytes


def test_a_refusal_names_the_context_that_would_fit(install: InstallModel) -> None:
    """A context that was asked for is not cut in silence; taking the advice works."""
    model = install("m")
    limit_bytes = model.size_bytes + BUFFERS + 5 * 1024 * 256

    with pytest.raises(ModelTooLarge, match=r"A context of 1,024 tokens would fit") as caught:
        fit(model, slots=4, context_tokens=1025, limit_bytes=limit_bytes)

    assert "4 slots of 1,025 tokens" in caught.value.message
    assert "engines may take 51 MiB" in caught.value.message
    assert fit(model, slots=4, context_tokens=1024, limit_bytes=limit_bytes).slots == 4


def test_a_model_that_can_never_fit_is_refused(install: InstallModel) -> None:
    """Where not even the smallest context fits, the advice is another model."""
    model = install("m")

    with pytest.raises(ModelTooLarge, match="No context would fit: take a smaller model"):
        fit(model, slots=4, context_tokens=None, limit_bytes=1 * MIB)
