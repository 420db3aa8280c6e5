"""What a manifest may say of an image model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingle.errors import ConfigurationError
from ingle.models.image_options import ImageOptions
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import load_settings


def painter(home: Path, manifest: str, engine: str = "openvino") -> Model:
    """An image model with this manifest beside its folder."""
    folder = home / "models" / "painter"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "X", "unet": ["a", "b"]}))
    if engine == "openvino":
        (folder / "unet" / "openvino_model.xml").touch()
    (home / "models" / "painter.yaml").write_text(manifest)
    return Models(load_settings()).get("painter")


def test_each_field_is_taken(home: Path) -> None:
    """And what is left out is left to the model's files."""
    manifest = "device: gpu\nscheduler: euler\nsteps: 8\nguidance_scale: 0\nsize: 768x512"
    assert painter(home, manifest).image == ImageOptions("gpu", "euler", 8, 0, 768, 512)


def test_without_a_manifest_nothing_is_said(home: Path) -> None:
    """An empty one says nothing either."""
    assert painter(home, "").image == ImageOptions()


@pytest.mark.parametrize(
    ("manifest", "engine", "told"),
    [
        ("device: cuda", "openvino", "openvino knows auto, cpu, gpu, npu"),
        ("device: npu", "diffusers", "diffusers knows auto, cpu, cuda, gpu, mps"),
        ("device: tpu", "openvino", "device"),
        ("size: 500x512", "openvino", "multiples of 8"),
        ("size: large", "openvino", "size"),
        ("steps: 0", "openvino", "steps"),
        ("scheduler: magic", "openvino", "scheduler"),
        ("gpu_layers: 3", "openvino", "which is for text models"),
        ("engine: diffusers", "openvino", "has files for openvino"),
    ],
)
def test_what_does_not_fit_is_refused(home: Path, manifest: str, engine: str, told: str) -> None:
    """The field and what would do are named."""
    with pytest.raises(ConfigurationError, match=told):
        painter(home, manifest, engine)
