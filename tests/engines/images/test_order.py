"""What may be asked for, and how wrong requests are answered."""

from __future__ import annotations

import json

import pytest

from ingle.engines.images.order import SEEDS, generation_order
from ingle.engines.images.pipeline import Defaults, Drawing, preview_steps
from ingle.errors import InvalidRequest

DEFAULTS = Defaults(width=256, height=256, steps=12, guidance_scale=2.5)


def order(**fields: object) -> tuple[Drawing, ...]:
    return generation_order(json.dumps({"prompt": "a cat", **fields}).encode(), DEFAULTS).drawings


def test_what_is_not_said_is_the_models_own() -> None:
    """Only a prompt gives one picture with the model's size, steps and guidance."""
    (drawing,) = order()
    assert drawing == Drawing("a cat", "", 256, 256, drawing.seed, 12, 2.5)


def test_nulls_count_as_left_out() -> None:
    """Clients of OpenAI send null for what they leave out."""
    (drawing,) = order(n=None, size=None, steps=None, response_format=None, quality=None)
    assert (drawing.width, drawing.steps) == (256, 12)


def test_each_picture_has_its_own_seed() -> None:
    """`n` pictures count up from the seed, so that each can be drawn again alone."""
    assert [d.seed for d in order(n=3, seed=7)] == [7, 8, 9]
    assert [d.seed for d in order(n=2, seed=SEEDS - 1)] == [SEEDS - 1, 0]


def test_a_seed_is_chosen_at_random() -> None:
    """Two requests without a seed do not draw the same picture."""
    assert order()[0].seed != order()[0].seed


def test_any_size_in_bounds_is_taken() -> None:
    """Sizes are free in steps of eight pixels."""
    assert [(d.width, d.height) for d in order(size="1792x1024")] == [(1792, 1024)]
    assert [(d.width, d.height) for d in order(size="auto")] == [(256, 256)]


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ("big", "is not understood"),
        ("256", "is not understood"),
        ("-8x256", "is not understood"),
        ("250x256", "The nearest is '248x256'"),
        ("64x64", "128 to 2048 pixels"),
        ("4096x256", "128 to 2048 pixels"),
        ("2048x2048", "4,194,304 pixels, and at most 2,359,296"),
    ],
)
def test_other_sizes_are_refused(size: str, told: str) -> None:
    """The error says what would be possible."""
    with pytest.raises(InvalidRequest, match=told) as refused:
        order(size=size)
    assert refused.value.param == "size"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "x" * 1001),
        ("prompt", 5),
        ("n", 0),
        ("n", 11),
        ("seed", -1),
        ("seed", SEEDS),
        ("steps", 0),
        ("steps", 10**6),
        ("guidance_scale", "high"),
        ("guidance_scale", -0.5),
        ("response_format", "hex"),
        ("output_format", "gif"),
        ("partial_images", 4),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    """Out of range or of the wrong type, the error's `param` is the field."""
    with pytest.raises(InvalidRequest, match=r"The request is not right") as refused:
        order(**{field: value})
    assert refused.value.param == field


def test_a_missing_prompt_is_named() -> None:
    """Without a prompt there is nothing to draw."""
    with pytest.raises(InvalidRequest) as refused:
        generation_order(b'{"n": 1}', DEFAULTS)
    assert refused.value.param == "prompt"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
def test_other_bodies_are_refused(body: bytes) -> None:
    """What is not a JSON object is an invalid request, nothing worse."""
    with pytest.raises(InvalidRequest):
        generation_order(body, DEFAULTS)


def test_previews_are_spread_over_the_way() -> None:
    """Never after the last step, which gives the picture itself."""
    assert preview_steps(12, 2) == {4, 8}
    assert preview_steps(12, 3) == {3, 6, 9}
    assert preview_steps(2, 3) == {1}
    assert preview_steps(1, 3) == frozenset()
