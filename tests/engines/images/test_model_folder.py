"""Folders that are, and are not, image models."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from ingle.engines.images.model_folder import read_model_folder
from ingle.engines.images.pipeline import Defaults
from ingle.errors import ModelFileInvalid

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "scheduler": ["diffusers", "DDIMScheduler"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "safety_checker": [None, None],
}


def safetensors(values: bytes = b"\0" * 16) -> bytes:
    """A file of one tensor, by the format's own description."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    return struct.pack("<Q", len(header)) + header + values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small diffusers model that is whole."""
    for part in ("scheduler", "unet"):
        (tmp_path / part).mkdir()
    (tmp_path / "model_index.json").write_text(json.dumps(INDEX))
    (tmp_path / "unet/diffusion_pytorch_model.safetensors").write_bytes(safetensors())
    return tmp_path


def test_a_whole_diffusers_folder_is_known(folder: Path) -> None:
    """Safetensors and an index are diffusers', drawn with the family's own figures."""
    found = read_model_folder(folder)
    assert found.library == "diffusers"
    assert found.defaults == Defaults(width=512, height=512, steps=25, guidance_scale=7.0)


def test_generation_config_says_what_a_model_draws_best(folder: Path) -> None:
    """`generation_config.json` wins over the family's figures."""
    said = {"num_inference_steps": 4, "guidance_scale": 1.5, "width": 256, "height": 128}
    (folder / "generation_config.json").write_text(json.dumps(said))
    assert read_model_folder(folder).defaults == Defaults(256, 128, 4, 1.5)


def test_openvino_files_are_openvinos(folder: Path) -> None:
    """Graphs in OpenVINO's format choose OpenVINO; their `.bin` files are weights, not pickles."""
    (folder / "unet/openvino_model.xml").write_text("<net/>")
    (folder / "unet/openvino_model.bin").write_bytes(b"\1")
    found = read_model_folder(folder)
    assert found.library == "openvino"
    assert not found.has_image_encoder


def test_an_empty_openvino_file_is_refused(folder: Path) -> None:
    """A download that stopped at nothing is told with the file's name."""
    (folder / "unet/openvino_model.xml").write_text("<net/>")
    (folder / "unet/openvino_model.bin").write_bytes(b"")
    with pytest.raises(ModelFileInvalid, match=r"'unet' needs unet/openvino_model\.bin"):
        read_model_folder(folder)


@pytest.mark.parametrize("name", ["model.bin", "model.ckpt", "model.pt", "model.pkl"])
def test_pickled_weights_are_refused_with_the_reason(folder: Path, name: str) -> None:
    """A part with only a pickle is not loaded, because that could run code."""
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ModelFileInvalid, match=r"pickle\. Loading one can run any code"):
        read_model_folder(folder)


@pytest.mark.parametrize("start", [b"\x80\x02}q\x00.", b"PK\x03\x04archive"])
def test_a_pickle_called_safetensors_is_refused(folder: Path, start: bytes) -> None:
    """The first bytes count, not the name."""
    (folder / "unet/diffusion_pytorch_model.safetensors").write_bytes(start + b"\0" * 40)
    with pytest.raises(ModelFileInvalid, match="is a Python pickle"):
        read_model_folder(folder)


def test_a_checkpoint_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    """`.ckpt` is a pickle by its name alone; it need not even exist."""
    with pytest.raises(ModelFileInvalid, match="convert it to safetensors"):
        read_model_folder(tmp_path / "v1-5.ckpt")


@pytest.mark.parametrize("cut", [4, 30, 80])
def test_cut_safetensors_are_refused(folder: Path, cut: int) -> None:
    """A file that ends in its length, its header or its values is damaged."""
    (folder / "unet/diffusion_pytorch_model.safetensors").write_bytes(safetensors()[:cut])
    with pytest.raises(ModelFileInvalid, match=r"is damaged: .*\. Download the model again"):
        read_model_folder(folder)


def test_a_header_longer_than_its_file_is_refused(folder: Path) -> None:
    """A huge length is not believed, and nothing of that size is read."""
    bomb = struct.pack("<Q", 2**60) + b"{}"
    (folder / "unet/diffusion_pytorch_model.safetensors").write_bytes(bomb)
    with pytest.raises(ModelFileInvalid, match=r"its header would be 1,152,921,504,606,846,976"):
        read_model_folder(folder)


def test_missing_things_are_named(folder: Path, tmp_path: Path) -> None:
    """No folder, no index, no part: each error says which."""
    with pytest.raises(ModelFileInvalid, match="does not exist"):
        read_model_folder(tmp_path / "nowhere")
    with pytest.raises(ModelFileInvalid, match=r"has no model_index\.json"):
        read_model_folder(folder / "unet")
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelFileInvalid, match=r"'unet' needs unet/\*\.safetensors"):
        read_model_folder(folder)


@pytest.mark.parametrize("text", ["{", "[]", "\xff", '{"unet": 3}'])
def test_a_broken_index_is_refused(folder: Path, text: str) -> None:
    """What is not an index is told so, whatever is wrong with it."""
    (folder / "model_index.json").write_text(text, "latin-1")
    with pytest.raises(ModelFileInvalid, match=r"model_index\.json"):
        read_model_folder(folder)
