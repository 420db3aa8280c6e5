"""Which files of a repository make an image pipeline: what a person wants of many gigabytes.

Such repositories hold the same weights several times over: for other libraries, as pickles, in
single and half precision, for training. `model_index.json` names the parts; of each one set of
weights is taken. Source: https://huggingface.co/docs/diffusers/using-diffusers/loading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ingle.errors import InvalidRequest
from ingle.models.pull.names import is_code, refuse_code
from ingle.models.pull.plan import Role

__all__ = ["INDEX", "PipelineFile", "pipeline_files"]

INDEX = "model_index.json"

_AT_THE_TOP = frozenset({INDEX, "generation_config.json", "openvino_config.json"})
_DESCRIBING = frozenset({".jinja", ".json", ".model", ".txt"})
_WEIGHTS = re.compile(
    r"(?P<stem>[^.]+?)(?:\.(?P<variant>[^.-]+))?(?P<shard>-\d{5}-of-\d{5})?\.safetensors"
)
_HALVES = ("fp16", "bf16")  # half the size; on a processor they are unpacked when they are loaded
_MAY_BE_MISSING = frozenset({"vae_encoder"})  # without it, pictures are drawn from prompts only
_NOT_OPENVINOS = frozenset({"feature_extractor", "image_encoder", "safety_checker", "vae"})
_TABLE = ".safetensors.index."  # of weights in several files, which of them holds what


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """A file of the repository, and what it is called in the model's folder."""

    listed: str
    name: str
    role: Role


def pipeline_files(names: Sequence[str], index: Mapping[str, object]) -> list[PipelineFile]:
    """The files to fetch, of all that the repository has; `index` is its `model_index.json`.

    Of OpenVINO's format all that is in its parts is taken. Else it is safetensors: in half
    precision if there are any, saved under the usual name.

    Raises:
        InvalidRequest: a part has weights that cannot be taken, or none of its files is there.
        ModelFileInvalid: a part has weights as pickles only.
    """
    chosen = [PipelineFile(name, name, "other") for name in names if name in _AT_THE_TOP]
    is_openvino = any(PurePosixPath(name).match("*/openvino_model.xml") for name in names)
    parts = _parts(index, is_openvino=is_openvino)
    if not parts:
        raise InvalidRequest(
            f"Its {INDEX} names no parts, so it is not of an image model. Pull another repository.",
            param="source",
        )
    for part in parts:
        inside = [name for name in names if name.startswith(f"{part}/") and name.count("/") == 1]
        if not inside and part not in _MAY_BE_MISSING:
            raise InvalidRequest(
                f"Its {INDEX} names the part {part!r}, which has no files. Pull another repository.",
                param="source",
            )
        chosen += _of_openvino(inside) if is_openvino else _of_diffusers(part, inside)
    return chosen


def _parts(index: Mapping[str, object], *, is_openvino: bool) -> list[str]:
    """The folders of the parts: entries such as `"unet": ["diffusers", "UNet2DConditionModel"]`."""
    parts = [
        name
        for name, told in index.items()
        if isinstance(told, list) and len(told) == 2 and None not in told
    ]
    if not is_openvino:
        return parts
    # OpenVINO's export halves the autoencoder, and leaves out what only checks or prepares.
    halves = ["vae_decoder", "vae_encoder"] if "vae" in parts else []
    return [*(part for part in parts if part not in _NOT_OPENVINOS), *halves]


def _of_openvino(inside: Sequence[str]) -> list[PipelineFile]:
    files = []
    for name in inside:
        path = PurePosixPath(name)
        if path.suffix == ".xml" or (
            path.suffix == ".bin" and f"{path.with_suffix('.xml')}" in inside
        ):
            files.append(PipelineFile(name, name, "weights"))
        elif path.suffix in _DESCRIBING:
            files.append(PipelineFile(name, name, "other"))
    return files


def _of_diffusers(part: str, inside: Sequence[str]) -> list[PipelineFile]:
    weights = _weights(part, inside)
    is_split = len(weights) > 1
    describing = [
        PipelineFile(name, name, "other")
        for name in inside
        if PurePosixPath(name).suffix in _DESCRIBING
        and ".bin.index." not in name
        # The table of the weights that are taken, and of no others.
        and (_TABLE not in name or (is_split and name.endswith(f"{_TABLE}json")))
    ]
    return [*describing, *weights]


def _weights(part: str, inside: Sequence[str]) -> list[PipelineFile]:
    """One set of weights; none of a part that has none, such as a tokenizer.

    Raises:
        InvalidRequest, ModelFileInvalid: there are some, and none of them can be taken.
    """
    found = {
        name: match for name in inside if (match := _WEIGHTS.fullmatch(PurePosixPath(name).name))
    }
    for half in _HALVES:
        for name, match in found.items():
            if match["variant"] == half and not match["shard"]:
                return [PipelineFile(name, f"{part}/{match['stem']}.safetensors", "weights")]
    usual = [name for name, match in found.items() if match["variant"] is None]
    if usual:
        return [PipelineFile(name, name, "weights") for name in usual]
    if found:
        raise InvalidRequest(
            f"Its part {part!r} has weights as {', '.join(sorted(found))} only, which are not read "
            "here. Pull another repository of the same model.",
            param="source",
        )
    if pickles := sorted(name for name in inside if is_code(name)):
        refuse_code(pickles[0])
    return []
