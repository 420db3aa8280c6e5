"""How a model is to be loaded here: by which engine, and within how much memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from ingle.engines.command_fit import CommandFit, command_fit
from ingle.engines.cores import usable_cores
from ingle.engines.fit import Fit, fit
from ingle.engines.launch import command_launch, image_launch, llama_launch, speech_launch
from ingle.engines.media_fit import MediaFit, media_fit
from ingle.engines.memory import Memory
from ingle.engines.native import find_build
from ingle.engines.process import Launch
from ingle.models.gguf import read_header, shard_paths
from ingle.models.manifest import Model
from ingle.settings import Settings

__all__ = ["Loading", "Size", "estimate", "how_to_load"]

_log = logging.getLogger(__name__)

Size = Fit | MediaFit | CommandFit
"""What an engine should take: its `memory`, and the `parts` that this is made of."""


@dataclass(frozen=True, slots=True)
class Loading:
    """What the engine should take, and how its process is started."""

    size: Size
    launch: Launch


def how_to_load(model: Model, settings: Settings, *, limit: Memory) -> Loading:
    """How to load a model within a limit, after another look at its files. Blocks.

    Raises:
        ModelFileInvalid: the files have changed and are not whole.
        ModelTooLarge: it does not fit within the limit.
    """
    engine = model.engine
    match engine:
        case "llama":
            for path in (*shard_paths(model.path), *(part.path for part in model.text.parts)):
                read_header(path)
            size = _text_fit(model, settings, limit)
            threads = model.text.threads or _threads(settings)
            library = _native_library(settings.home)
            return Loading(size, llama_launch(model, size, threads=threads, library=library))
        case "openvino" | "diffusers":
            return Loading(
                media_fit(model, limit=limit),
                image_launch(model, threads=_threads(settings), home=settings.home),
            )
        case "espeak" | "sherpa" | "whisper":
            return Loading(
                media_fit(model, limit=limit), speech_launch(model, threads=_threads(settings))
            )
        case "command":
            return Loading(command_fit(model, limit=limit), command_launch(model))
        case _:
            assert_never(engine)


def estimate(model: Model, settings: Settings, *, limit: Memory) -> Size:
    """What a model's engine would take within a limit, by what is known of its files.

    Raises:
        ModelTooLarge: it does not fit; says what it would take, and which context would fit.
    """
    engine = model.engine
    match engine:
        case "llama":
            return _text_fit(model, settings, limit)
        case "openvino" | "diffusers" | "espeak" | "sherpa" | "whisper":
            return media_fit(model, limit=limit)
        case "command":
            return command_fit(model, limit=limit)
        case _:
            assert_never(engine)


def _text_fit(model: Model, settings: Settings, limit: Memory) -> Fit:
    return fit(
        model,
        slots=model.slots or settings.slots,
        context_tokens=model.context_tokens or settings.context_tokens,
        limit=limit,
    )


def _native_library(home: Path) -> Path | None:
    """The build of llama.cpp for this processor, if there is one and it can be used."""
    found = find_build(home)
    if found is None or found.fault is None:
        return found.folder if found else None
    _log.warning(
        "The build of llama.cpp for this processor is not used: %s. `ingle doctor --build` builds "
        "it anew.",
        found.fault,
    )
    return None


def _threads(settings: Settings) -> int | None:
    return settings.threads or usable_cores()
