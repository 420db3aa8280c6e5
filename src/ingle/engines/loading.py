"""How a model is to be loaded here: by which engine, and within how much memory."""

from __future__ import annotations

from dataclasses import dataclass

from ingle.engines.cores import usable_cores
from ingle.engines.fit import Fit, fit
from ingle.engines.image_fit import ImageFit, image_fit
from ingle.engines.launch import image_launch, llama_launch
from ingle.engines.process import Launch
from ingle.models.gguf import read_header, shard_paths
from ingle.models.manifest import Model
from ingle.settings import Settings

__all__ = ["Loading", "how_to_load"]


@dataclass(frozen=True, slots=True)
class Loading:
    """What the engine should take, and how its process is started."""

    size: Fit | ImageFit
    launch: Launch


def how_to_load(model: Model, settings: Settings, *, limit_bytes: int) -> Loading:
    """How to load a model within a limit, after another look at its files. Blocks.

    Raises:
        ModelFileInvalid: the files have changed and are not whole.
        ModelTooLarge: it does not fit within the limit.
    """
    threads = settings.threads or usable_cores()
    if model.header is None:
        picture = image_fit(model, limit_bytes=limit_bytes)
        return Loading(picture, image_launch(model, threads=threads))
    for path in shard_paths(model.path):
        read_header(path)
    size = fit(
        model,
        slots=model.slots or settings.slots,
        context_tokens=model.context_tokens or settings.context_tokens,
        limit_bytes=limit_bytes,
    )
    return Loading(size, llama_launch(model, size, threads=threads))
