"""Is this folder an image model, and whose? Told before any library opens it.

A pipeline is a folder with `model_index.json`, which names its parts, and a folder a part, as
diffusers and OpenVINO write them. Sources: https://huggingface.co/docs/diffusers/using-diffusers/loading
and https://huggingface.co/docs/safetensors/index#format.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingle.engines.images.pipeline import Defaults
from ingle.errors import ModelFileInvalid

__all__ = ["Library", "ModelFolder", "read_model_folder"]

Library = Literal["openvino", "diffusers"]
_PICKLES = frozenset({".ckpt", ".pt", ".pth", ".pkl", ".pickle", ".bin"})
# Parts that are code and tables, not weights, or that a pipeline can do without.
_WITHOUT_WEIGHTS = frozenset(
    {"scheduler", "tokenizer", "tokenizer_2", "tokenizer_3", "feature_extractor", "image_processor"}
)
_OPTIONAL = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
_LARGEST_HEADER_BYTES = 100_000_000  # the bound of the safetensors format
_LARGEST_INDEX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that looks whole: which library reads it, and what it says it draws best."""

    path: Path
    library: Library
    defaults: Defaults
    has_image_encoder: bool


def read_model_folder(path: Path) -> ModelFolder:
    """What kind of image model `path` holds, once its files have been looked over.

    Raises:
        ModelFileInvalid: missing, damaged, incomplete, or weights in a format that can run code.
    """
    if path.suffix.lower() in _PICKLES:
        raise _pickle(path)
    if not path.is_dir():
        what = "is a single file" if path.is_file() else "does not exist"
        raise ModelFileInvalid(
            f"The image model {path} {what}. An image model is a folder with `model_index.json` "
            "and a folder for each part, in OpenVINO or diffusers format."
        )
    index = _read_json(path / "model_index.json")
    parts = [
        name
        for name, value in index.items()
        if isinstance(value, list) and len(value) == 2 and None not in value
    ]
    if "_class_name" not in index or not parts:
        raise ModelFileInvalid(
            f"{path / 'model_index.json'} names no pipeline class or no parts, so it is not of an "
            "image model. Download the model again."
        )
    is_openvino = any(path.glob("*/openvino_model.xml"))
    for part in parts:
        if is_openvino:
            _check_openvino_part(path, part)
        else:
            _check_diffusers_part(path, part)
    return ModelFolder(
        path=path,
        library="openvino" if is_openvino else "diffusers",
        defaults=_defaults(path, str(index["_class_name"])),
        has_image_encoder=not is_openvino or (path / "vae_encoder/openvino_model.xml").is_file(),
    )


def _defaults(path: Path, class_name: str) -> Defaults:
    """`generation_config.json` where there is one; else what the pipeline's family is made for.

    Source of the family's figures: the defaults of each pipeline's `__call__` in diffusers.
    """
    side = 1024 if any(word in class_name for word in ("XL", "Diffusion3", "Flux")) else 512
    steps, guidance = (28, 3.5) if "Flux" in class_name else (25, 7.0)
    if "LatentConsistency" in class_name:
        steps, guidance = 4, 8.5
    file = path / "generation_config.json"
    said = _read_json(file) if file.is_file() else {}
    try:
        return Defaults(
            width=int(str(said.get("width", side))),
            height=int(str(said.get("height", side))),
            steps=int(str(said.get("num_inference_steps", steps))),
            guidance_scale=float(str(said.get("guidance_scale", guidance))),
        )
    except ValueError as error:
        raise ModelFileInvalid(
            f"{file} holds a value that is not a number: {error}. Correct it, or remove the file "
            "to draw with the usual values."
        ) from error


def _check_openvino_part(path: Path, part: str) -> None:
    folders = ("vae_decoder",) if part == "vae" else (part,)
    for folder in folders:
        if part in _WITHOUT_WEIGHTS or part in _OPTIONAL:
            continue
        for suffix in (".xml", ".bin"):
            file = path / folder / f"openvino_model{suffix}"
            if not file.is_file() or file.stat().st_size == 0:
                raise _incomplete(path, part, file)
    if part.startswith("tokenizer") and not (path / part / "openvino_tokenizer.xml").is_file():
        raise ModelFileInvalid(
            f"The image model {path} has no {part}/openvino_tokenizer.xml, without which OpenVINO "
            "cannot read a prompt. Export the model again with a newer optimum-intel."
        )


def _check_diffusers_part(path: Path, part: str) -> None:
    if part in _OPTIONAL and not (path / part).exists():
        return
    if not (path / part).is_dir():
        raise _incomplete(path, part, path / part)
    if part in _WITHOUT_WEIGHTS:
        return
    weights = sorted((path / part).glob("*.safetensors"))
    if not weights:
        pickles = [f for f in sorted((path / part).iterdir()) if f.suffix.lower() in _PICKLES]
        raise (
            _pickle(pickles[0])
            if pickles
            else _incomplete(path, part, path / part / "*.safetensors")
        )
    for file in weights:
        _check_safetensors(file)


def _check_safetensors(file: Path) -> None:
    """The header parses and the file is as long as it says."""
    size_bytes = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        if start[:2] == b"PK" or (
            start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
        ):
            raise _pickle(file)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(size_bytes - 8, _LARGEST_HEADER_BYTES):
            raise _damaged(file, f"its header would be {length:,} of {size_bytes:,} bytes")
        try:
            header = json.loads(stream.read(length))
            ends = [t["data_offsets"][1] for name, t in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise _damaged(file, f"its header cannot be read ({error})") from error
    expected = 8 + length + max(ends, default=0)
    if size_bytes != expected:
        raise _damaged(file, f"it has {size_bytes:,} bytes and its header says {expected:,}")


def _read_json(file: Path) -> dict[str, object]:
    try:
        if file.stat().st_size > _LARGEST_INDEX_BYTES:
            raise _damaged(file, f"it is larger than {_LARGEST_INDEX_BYTES:,} bytes")
        found = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise ModelFileInvalid(
            f"The image model {file.parent} has no {file.name}. An image model is a folder with "
            "`model_index.json` and a folder for each part."
        ) from error
    except ValueError as error:
        raise _damaged(file, f"it is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise _damaged(file, "it is not a JSON object")
    return found


def _damaged(file: Path, why: str) -> ModelFileInvalid:
    return ModelFileInvalid(f"{file} is damaged: {why}. Download the model again.")


def _incomplete(path: Path, part: str, file: Path) -> ModelFileInvalid:
    return ModelFileInvalid(
        f"The image model {path} is incomplete: its part {part!r} needs {file.relative_to(path)}, "
        "which is missing or empty. Download the model again."
    )


def _pickle(file: Path) -> ModelFileInvalid:
    return ModelFileInvalid(
        f"{file} is a Python pickle. Loading one can run any code that its maker put in, so "
        "Ingle refuses it. Use the model's `.safetensors` files, or convert it to safetensors."
    )
