"""How a child process is started for a model."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ingle.engines.command import CommandOrder
from ingle.engines.fit import Fit
from ingle.engines.images.handed_out import pictures_folder
from ingle.engines.llama_faults import llama_diagnosis
from ingle.engines.llama_order import Order
from ingle.engines.process import Launch
from ingle.models.manifest import Model

__all__ = ["command_launch", "image_launch", "llama_launch", "speech_launch"]

_START_MORE_S = 10.0  # the child keeps the time itself, and says more when it is over
_OWN_VARIABLES = ("INGLE_", "LOCALAI_")  # they may hold keys, and the child needs none of them


def llama_launch(
    model: Model, fit: Fit, *, threads: int | None, library: Path | None = None
) -> Launch:
    """The command and the order for a model that is to be loaded in this way.

    `library` is the folder of a build of xllamacpp to take in place of the installed one.
    """
    assert model.header is not None, "llama.cpp runs GGUF files, and they have a header"
    text = model.text
    order = Order(
        model=str(model.path),
        name=model.name,
        mode=model.purpose,
        pooling=text.pooling or model.header.pooling,
        context_tokens=fit.context_tokens,
        slots=fit.slots,
        cache_bytes=fit.cache_bytes,
        maps_file=fit.maps_file,
        threads=threads,
        library=str(library) if library else None,
        chat_template=text.chat_template,
        chat_template_arguments=text.chat_template_arguments,
        reasoning_format=text.reasoning_format,
        reasoning_tokens=text.reasoning_tokens,
        parameters=text.parameters.model_dump(mode="json", exclude_unset=True, exclude_none=True),
        gpu_layers=fit.gpu_layers,
        cache_type_k=text.cache_type_k,
        cache_type_v=text.cache_type_v,
        flash_attention=text.flash_attention,
        batch_tokens=text.batch_tokens,
        rope_scaling=text.rope_scaling,
        rope_frequency_base=text.rope_frequency_base,
        rope_frequency_scale=text.rope_frequency_scale,
        projector=str(text.projector.path) if text.projector else None,
        draft=str(text.draft.path) if text.draft else None,
        draft_tokens=text.draft_tokens,
        lora=tuple((str(lora.part.path), lora.scale) for lora in text.lora),
    )
    return Launch(
        name=model.name,
        # -P: a json.py in the current folder is not taken for Python's own.
        command=(sys.executable, "-P", "-m", "ingle.engines.llama", model.name),
        environment=_environment(),
        order=order.as_json(),
        diagnose=llama_diagnosis(model),
    )


def image_launch(model: Model, *, threads: int | None, home: Path) -> Launch:
    """The command and the order for an image model, whose cache and pictures are in `home`."""
    image = model.image
    return Launch(
        name=model.name,
        command=(sys.executable, "-P", "-m", "ingle.engines.diffusion", model.name),
        environment=_environment(),
        order={
            "model": str(model.path),
            "name": model.name,
            "engine": model.engine,
            "device": image.device,
            "threads": threads,
            "cache": str(home / "cache" / "openvino"),
            "images": str(pictures_folder(home)),
            "scheduler": image.scheduler,
            "steps": image.steps,
            "guidance_scale": image.guidance_scale,
            "width": image.width,
            "height": image.height,
        },
    )


def speech_launch(model: Model, *, threads: int | None) -> Launch:
    """The command and the order for a model that speaks or listens."""
    return Launch(
        name=model.name,
        command=(sys.executable, "-P", "-m", "ingle.engines.audio", model.name),
        environment=_environment(),
        order={
            "model": str(model.path),
            "name": model.name,
            "engine": model.engine,
            "threads": threads,
        },
    )


def command_launch(model: Model) -> Launch:
    """The command and the order for a model that another server runs."""
    assert model.command is not None, "its engine is a command"
    options = model.command
    order = CommandOrder(
        name=model.name,
        command=options.command,
        environment=dict(options.environment),
        health=options.health,
        file=str(model.path),
        folder=str(model.path.parent),
        start_s=options.start_s,
    )
    return Launch(
        name=model.name,
        command=(sys.executable, "-P", "-m", "ingle.engines.command", model.name),
        environment=_environment(),
        order=order.as_json(),
        start_s=options.start_s + _START_MORE_S,
    )


def _environment() -> dict[str, str]:
    """This process's environment, with threads that wait for work by sleeping soon.

    By default OpenMP's threads spin while they wait, and two engines at work at once lose a factor
    of five to that; with this nothing is lost (shared/measured.md).
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OWN_VARIABLES)}
    return {"GOMP_SPINCOUNT": "1000"} | kept
