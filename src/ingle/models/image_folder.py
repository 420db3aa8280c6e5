"""Which folders are image models, told by the names of their files; their engine reads them.

A pipeline is a folder with `model_index.json` and a folder for each part, as diffusers and
OpenVINO write them. Source: https://huggingface.co/docs/diffusers/using-diffusers/loading.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

__all__ = ["ImageEngine", "image_engine", "is_image_folder", "weights_of"]

ImageEngine = Literal["openvino", "diffusers"]

_INDEX = "model_index.json"
_WEIGHTS = frozenset({".bin", ".safetensors"})


def is_image_folder(path: Path) -> bool:
    """Whether the folder says of itself that it is an image model."""
    return (path / _INDEX).is_file()


def image_engine(folder: Path) -> ImageEngine:
    """The engine that its files are made for."""
    return "openvino" if any(folder.glob("*/openvino_model.xml")) else "diffusers"


def weights_of(folder: Path) -> list[os.stat_result]:
    """How its files of weights lie there.

    Raises:
        OSError: they cannot be looked at.
    """
    return [path.stat() for path in folder.rglob("*") if path.suffix.lower() in _WEIGHTS]
