"""Drawing with OpenVINO GenAI: any pipeline that it loads, on the processor or an Intel GPU.

One of the only two modules that import a native image library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ingle.engines.images.model_folder import ModelFolder
from ingle.engines.images.picture import Picture
from ingle.engines.images.pipeline import (
    Ability,
    Drawing,
    DrawingStopped,
    Pipeline,
    Step,
    preview_steps,
    starts_from,
)
from ingle.errors import EngineError, EngineMissing, ModelFileInvalid
from ingle.models.image_options import Scheduler

__all__ = ["load"]

_SCHEDULERS: Mapping[Scheduler, str] = {
    "ddim": "DDIM",
    "euler": "EULER_DISCRETE",
    "euler_ancestral": "EULER_ANCESTRAL_DISCRETE",
    "lcm": "LCM",
    "pndm": "PNDM",
}

Foreign = Any  # objects of libraries that are not imported here, and come without types


def load(
    folder: ModelFolder,
    *,
    device: str | None = None,
    threads: int | None = None,
    scheduler: Scheduler | None = None,
    compiled: Path | None = None,
) -> Pipeline:
    """The model, ready to draw on `device`, such as "gpu"; on the processor if that is None.

    `compiled` is a folder where OpenVINO keeps what it has compiled, for the next time.

    Raises:
        EngineMissing: OpenVINO GenAI is not installed.
        ModelFileInvalid: OpenVINO cannot read the files.
    """
    try:
        import openvino_genai
    except ImportError as error:
        raise EngineMissing(
            f"The image model {folder.path} needs OpenVINO GenAI, which is not installed "
            f"({error}). Run: pip install 'ingle[images]'"
        ) from error
    device = (device or "cpu").upper()
    properties: dict[str, int | str] = {}
    if threads and device == "CPU":  # no other device knows it
        properties["INFERENCE_NUM_THREADS"] = threads
    if compiled is not None:
        properties["CACHE_DIR"] = str(compiled)
    try:
        return _OpenVinoPipeline(openvino_genai, folder, device, properties, scheduler)
    except RuntimeError as error:
        raise ModelFileInvalid(
            f"OpenVINO cannot load the image model {folder.path} on {device}: "
            f"{_first_lines(error)}. Download or export the model again."
        ) from error


class _OpenVinoPipeline:
    def __init__(
        self,
        genai: Foreign,
        folder: ModelFolder,
        device: str,
        properties: dict[str, int | str],
        scheduler: Scheduler | None,
    ) -> None:
        self.defaults = folder.defaults
        path = str(folder.path)
        if folder.has_image_encoder:
            # One set of weights for all three: two are made from the first, not loaded again.
            # The other way round, from images to inpainting, crashes (GenAI 2026.4).
            from_mask = genai.InpaintingPipeline(path, device, **properties)
            self._pipelines: dict[Ability, Foreign] = {
                "mask": from_mask,
                "image": genai.Image2ImagePipeline(from_mask),
                "prompt": genai.Text2ImagePipeline(from_mask),
            }
        else:
            self._pipelines = {"prompt": genai.Text2ImagePipeline(path, device, **properties)}
        self.abilities: frozenset[Ability] = frozenset(self._pipelines)
        if scheduler is not None:
            configuration = folder.path / "scheduler" / "scheduler_config.json"
            kind = getattr(genai.Scheduler.Type, _SCHEDULERS[scheduler])
            for pipeline in self._pipelines.values():
                pipeline.set_scheduler(genai.Scheduler.from_config(str(configuration), kind))

    def draw(self, drawing: Drawing, on_step: Callable[[Step], bool]) -> Picture:
        pipeline = self._pipelines[starts_from(drawing)]
        previews = preview_steps(drawing.steps, drawing.previews)
        told, total, was_stopped = 0, drawing.steps, False

        def after_step(index: int, steps: int, latents: Foreign) -> bool:
            nonlocal told, total, was_stopped
            told, total = index + 1, steps
            preview = _picture(pipeline.decode(latents)) if told in previews else None
            was_stopped = on_step(Step(told, total, preview))
            return was_stopped

        options = {
            "width": drawing.width,
            "height": drawing.height,
            "num_inference_steps": drawing.steps,
            "guidance_scale": drawing.guidance_scale,
            "rng_seed": drawing.seed,
            "callback": after_step,
        }
        if drawing.negative_prompt:
            options["negative_prompt"] = drawing.negative_prompt
        images = [_tensor(given) for given in (drawing.image, drawing.mask) if given is not None]
        if images:
            options["strength"] = drawing.strength
        try:
            drawn = pipeline.generate(drawing.prompt, *images, **options)
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO failed to draw a picture of {drawing.width}x{drawing.height}: "
                f"{_first_lines(error)}. Try another size, or fewer extras in the request."
            ) from error
        if was_stopped:
            raise DrawingStopped
        # OpenVINO calls back from a thread of its own, and not for steps that it is late with.
        for number in range(told + 1, total + 1):
            on_step(Step(number, total))
        return _picture(drawn)


def _tensor(picture: Picture) -> Foreign:
    import numpy as np
    import openvino

    pixels = np.frombuffer(picture.rgb, np.uint8).reshape(1, picture.height, picture.width, 3)
    return openvino.Tensor(pixels.copy())


def _picture(tensor: Foreign) -> Picture:
    _, height, width, _ = tensor.shape
    return Picture(width=int(width), height=int(height), rgb=tensor.data[0].tobytes())


def _first_lines(error: RuntimeError) -> str:
    """What OpenVINO said, without its long trace of C++ files."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return " ".join((told or lines)[:2])[:400].rstrip(".")
