"""How a child process is started for a model, and what its log says when that fails."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence

from ingle.engines.fit import Fit
from ingle.engines.llama import Order
from ingle.engines.process import Launch
from ingle.errors import EngineError, ModelFileInvalid, ModelTooLarge
from ingle.models.manifest import Model

__all__ = ["image_launch", "llama_launch"]

_LOAD_ERROR = re.compile(r"error loading model: (?P<reason>.+)")
_NO_MEMORY = re.compile(r"failed to allocate|unable to allocate|out of memory", re.IGNORECASE)
_OWN_VARIABLES = ("INGLE_", "LOCALAI_")  # they may hold keys, and the child needs none of them


def llama_launch(model: Model, fit: Fit, *, threads: int | None) -> Launch:
    """The command and the order for a model that is to be loaded in this way."""
    assert model.header is not None, "llama.cpp runs GGUF files, and they have a header"
    order = Order(
        model=str(model.path),
        name=model.name,
        mode=model.header.purpose,
        pooling=model.header.pooling,
        context_tokens=fit.context_tokens,
        slots=fit.slots,
        cache_bytes=fit.cache_bytes,
        threads=threads,
        chat_template=model.chat_template,
    )
    return Launch(
        name=model.name,
        # -P: a json.py in the current folder is not taken for Python's own.
        command=(sys.executable, "-P", "-m", "ingle.engines.llama", model.name),
        environment=_environment(),
        order=order.as_json(),
        diagnose=_diagnosis(model),
    )


def image_launch(model: Model, *, threads: int | None) -> Launch:
    """The command and the order for an image model."""
    return Launch(
        name=model.name,
        command=(sys.executable, "-P", "-m", "ingle.engines.diffusion", model.name),
        environment=_environment(),
        order={
            "model": str(model.path),
            "name": model.name,
            "engine": model.engine,
            "threads": threads,
        },
    )


def _environment() -> dict[str, str]:
    """This process's environment, with threads that wait for work by sleeping soon.

    By default OpenMP's threads spin while they wait, and two engines at work at once lose a factor
    of five to that; with this nothing is lost (shared/measured.md).
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OWN_VARIABLES)}
    return {"GOMP_SPINCOUNT": "1000"} | kept


def _diagnosis(model: Model) -> Callable[[Sequence[str]], EngineError | None]:
    def diagnose(lines: Sequence[str]) -> EngineError | None:
        log = "\n".join(lines)
        if _NO_MEMORY.search(log):
            return ModelTooLarge(
                f"Model {model.name!r} did not get the memory that it needs. Close other programs, "
                "lower `context_tokens` or `slots`, or take a smaller model. llama.cpp's log: "
                f"{' | '.join(lines[-3:])}"
            )
        if found := _LOAD_ERROR.search(log):
            return ModelFileInvalid(
                f"llama.cpp cannot load {model.path}, the file of model {model.name!r}: "
                f"{found['reason']}. Download it again, or upgrade xllamacpp if the model is new."
            )
        return None

    return diagnose
