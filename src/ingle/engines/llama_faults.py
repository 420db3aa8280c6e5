"""What llama.cpp's log says when it could not start a model, as an error with the next step."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ingle.errors import EngineError, EngineStartFailed, ModelFileInvalid, ModelTooLarge
from ingle.models.manifest import Model

__all__ = ["llama_diagnosis"]

_LOAD_ERROR = re.compile(r"error loading model: (?P<reason>.+)")
_NO_MEMORY = re.compile(r"failed to allocate|unable to allocate|out of memory", re.IGNORECASE)
_PART_ERRORS = (
    (re.compile(r"mismatch between text model .+ and mmproj .+"), "projector"),
    (re.compile(r"failed to apply lora adapter: .+"), "lora"),
)
_SETTING_ERRORS = (
    (re.compile(r"chat template parsing error.*"), "chat_template"),
    (re.compile(r"quantized V cache requires flash_attn.*"), "cache_type_v` or `flash_attention"),
    (re.compile(r"[KV] cache type .+ does not divide .+"), "cache_type_k` and `cache_type_v"),
)


def llama_diagnosis(model: Model) -> Callable[[Sequence[str]], EngineError | None]:
    """From the lines of a log to the error that they tell; None if they tell none that is known."""

    def diagnose(lines: Sequence[str]) -> EngineError | None:
        log = "\n".join(lines)
        if _NO_MEMORY.search(log):
            return ModelTooLarge(
                f"Model {model.name!r} did not get the memory that it needs. Close other programs, "
                "lower `context_tokens` or `slots`, or take a smaller model. llama.cpp's log: "
                f"{' | '.join(lines[-3:])}"
            )
        for pattern, field in _PART_ERRORS:
            if found := pattern.search(log):
                return ModelFileInvalid(
                    f"A file that `{field}` names in the manifest of {model.name!r} was made for "
                    f"another model. llama.cpp: {found[0]}. Name the one for this model, or leave "
                    "the field out."
                )
        for pattern, field in _SETTING_ERRORS:
            if found := pattern.search(log):
                return EngineStartFailed(
                    f"llama.cpp cannot run model {model.name!r} as its manifest says: {found[0]}. "
                    f"Correct `{field}` there."
                )
        if found := _LOAD_ERROR.search(log):
            return ModelFileInvalid(
                f"llama.cpp cannot load {model.path}, the file of model {model.name!r}: "
                f"{found['reason']}. Download it again, or upgrade xllamacpp if the model is new."
            )
        return None

    return diagnose
