"""Drawing with diffusers, on a Stable Diffusion of random weights that is made here."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingle.engines.images.model_folder import read_model_folder
from ingle.engines.images.picture import Picture
from ingle.engines.images.pipeline import Drawing, DrawingStopped, Pipeline, Step
from ingle.errors import ModelFileInvalid
from ingle.models.image_options import Scheduler

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("diffusers") is None, reason="needs the extra `diffusers`"
    ),
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # PyTorch and diffusers warn about each other
]
DRAWING = Drawing("a cat", "", 128, 128, seed=3, steps=4, guidance_scale=2.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest pipeline that diffusers takes, saved as safetensors."""
    import diffusers
    import transformers

    path = tmp_path_factory.mktemp("tiny")
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for letter in "abcdefghijklmnopqrstuvwxyz":
        words |= {letter: len(words), f"{letter}</w>": len(words) + 1}
    (path / "vocab.json").write_text(json.dumps(words))
    (path / "merges.txt").write_text("#version: 0.2\nc a\n")
    words |= {"ca": len(words)}
    (path / "vocab.json").write_text(json.dumps(words))
    tokenizer = transformers.CLIPTokenizer(
        str(path / "vocab.json"), str(path / "merges.txt"), model_max_length=16
    )
    text = transformers.CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=16, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    pipeline = diffusers.StableDiffusionPipeline(
        vae=diffusers.AutoencoderKL(
            block_out_channels=(8, 8, 8, 8), norm_num_groups=4, latent_channels=4,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        ),
        text_encoder=transformers.CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=diffusers.UNet2DConditionModel(
            sample_size=16, block_out_channels=(8, 16), norm_num_groups=4, cross_attention_dim=16,
            layers_per_block=1, attention_head_dim=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        scheduler=diffusers.DDIMScheduler(clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Pipeline:
    from ingle.engines.images.with_diffusers import load

    return load(read_model_folder(folder))


def go_on(step: Step) -> bool:
    return False


def noting(seen: list[Step]) -> Callable[[Step], bool]:
    def on_step(step: Step) -> bool:
        seen.append(step)
        return False

    return on_step


def plain(value: int) -> Picture:
    return Picture(128, 128, bytes([value]) * (128 * 128 * 3))


@pytest.mark.parametrize("scheduler", ["euler", "euler_ancestral", "pndm", "lcm"])
def test_a_scheduler_is_chosen_by_name(folder: Path, scheduler: Scheduler) -> None:
    """Each takes the model's own settings and draws, with its own result."""
    from ingle.engines.images.with_diffusers import load

    steps: list[Step] = []
    pipeline = load(read_model_folder(folder), device="cpu", scheduler=scheduler)
    drawn = pipeline.draw(DRAWING, noting(steps))
    assert drawn != load(read_model_folder(folder), device="cpu").draw(DRAWING, go_on)
    assert [step.number for step in steps] == list(range(1, steps[-1].total + 1))


def test_a_seed_gives_the_same_picture(pipeline: Pipeline) -> None:
    """The same drawing twice is the same bytes; another seed is not."""
    first = pipeline.draw(DRAWING, go_on)
    assert (first.width, first.height, len(first.rgb)) == (128, 128, 128 * 128 * 3)
    assert pipeline.draw(DRAWING, go_on) == first
    assert pipeline.draw(replace(DRAWING, seed=4), go_on) != first


def test_steps_and_previews_are_told(pipeline: Pipeline) -> None:
    """Each step once, in order, with a whole picture where one was asked for."""
    seen: list[Step] = []
    pipeline.draw(replace(DRAWING, previews=1), noting(seen))
    assert [(step.number, step.total, step.preview is None) for step in seen] == [
        (1, 4, True), (2, 4, False), (3, 4, True), (4, 4, True),
    ]  # fmt: skip


def test_a_drawing_stops_when_told(pipeline: Pipeline) -> None:
    """It ends at the step that says so."""
    seen: list[int] = []

    def stop_at_two(step: Step) -> bool:
        seen.append(step.number)
        return step.number == 2

    with pytest.raises(DrawingStopped):
        pipeline.draw(DRAWING, stop_at_two)
    assert seen == [1, 2]


def test_images_and_masks_are_taken(pipeline: Pipeline) -> None:
    """An image is varied over part of the steps; within a mask it is drawn anew."""
    assert pipeline.abilities == {"prompt", "image", "mask"}
    seen: list[Step] = []
    varied = replace(DRAWING, image=plain(200), strength=0.5)
    drawn = pipeline.draw(varied, noting(seen))
    assert drawn.width == 128
    assert [step.number for step in seen] == [1, 2]
    assert pipeline.draw(replace(varied, mask=plain(255)), go_on).width == 128


def test_a_damaged_part_is_told(folder: Path, tmp_path: Path) -> None:
    """What diffusers cannot make sense of becomes our error, with its reason."""
    import shutil

    from ingle.engines.images.with_diffusers import load

    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "unet/config.json").write_text('{"block_out_channels": "many"}')
    with pytest.raises(ModelFileInvalid, match="diffusers cannot load"):
        load(read_model_folder(broken))
