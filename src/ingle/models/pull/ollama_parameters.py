"""Ollama's default parameters of a model, as those of a manifest.

`num_ctx` is left out: here the context is what the model was made for, as far as it fits. Source of
the names: https://github.com/ollama/ollama/blob/main/docs/modelfile.mdx.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from pydantic import ValidationError

from ingle.models.parameters import Parameters

__all__ = ["default_parameters", "parameters_in"]

_RENAMED = {"num_predict": "max_tokens"}


def default_parameters(told: Mapping[str, object], system_prompt: str | None) -> dict[str, object]:
    """What a manifest's `parameters` say; what has no place there, or no sense, is left out."""
    kept: dict[str, object] = {}
    for name, value in told.items():
        ours = _RENAMED.get(name, name)
        if ours in Parameters.model_fields and _is_valid(ours, value):
            kept[ours] = value
    if system_prompt is not None:
        kept["system_prompt"] = system_prompt
    return kept


def parameters_in(layer: bytes) -> dict[str, object]:
    """The parameters in Ollama's layer of them; none if it is no JSON object."""
    try:
        return msgspec.json.decode(layer, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _is_valid(name: str, value: object) -> bool:
    try:
        Parameters.model_validate({name: value})
    except ValidationError:
        return False
    return True
