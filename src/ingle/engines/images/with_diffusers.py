"""Drawing with diffusers and PyTorch: for NVIDIA and Apple GPUs, and for models in safetensors.

One of the only two modules that import a native image library.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
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
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "lcm": "LCMScheduler",
    "pndm": "PNDMScheduler",
}

Foreign = Any  # objects of libraries that are not imported here, and come without types


def load(
    folder: ModelFolder,
    *,
    device: str | None = None,
    threads: int | None = None,
    scheduler: Scheduler | None = None,
) -> Pipeline:
    """The model, ready to draw, on `device`, or on the best that PyTorch sees if that is None.

    Raises:
        EngineMissing: diffusers or PyTorch is not installed.
        ModelFileInvalid: diffusers cannot read the files.
    """
    try:
        import diffusers
        import torch
    except ImportError as error:
        raise EngineMissing(
            f"The image model {folder.path} needs diffusers and PyTorch, which are not installed "
            f"({error}). Run: pip install 'ingle[diffusers]'"
        ) from error
    if threads:
        torch.set_num_threads(threads)
    place = _device(torch, device)
    try:
        pipeline = diffusers.AutoPipelineForText2Image.from_pretrained(
            folder.path,
            use_safetensors=True,
            local_files_only=True,
            dtype=torch.float32 if place == "cpu" else torch.float16,
        ).to(place)
        if scheduler is not None:
            kind = getattr(diffusers, _SCHEDULERS[scheduler])
            # The steps that PNDM else takes to warm up are for models that no longer exist.
            options = {"skip_prk_steps": True} if scheduler == "pndm" else {}
            pipeline.scheduler = kind.from_config(pipeline.scheduler.config, **options)
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        ImportError,
        AttributeError,
        TypeError,
    ) as error:
        raise ModelFileInvalid(
            f"diffusers cannot load the image model {folder.path} on {place}: "
            f"{str(error)[:400].rstrip('.')}. Download the model again."
        ) from error
    return _DiffusersPipeline(diffusers, torch, pipeline, folder)


class _DiffusersPipeline:
    def __init__(
        self, diffusers: Foreign, torch: Foreign, from_prompt: Foreign, folder: ModelFolder
    ) -> None:
        self.defaults = folder.defaults
        self._torch = torch
        self._pipelines: dict[Ability, Foreign] = {"prompt": from_prompt}
        others: dict[Ability, Foreign] = {
            "image": diffusers.AutoPipelineForImage2Image,
            "mask": diffusers.AutoPipelineForInpainting,
        }
        for ability, family in others.items():
            # diffusers says by ValueError that a family of models has no such pipeline.
            with contextlib.suppress(ValueError):
                self._pipelines[ability] = family.from_pipe(from_prompt)
        for pipeline in self._pipelines.values():
            pipeline.set_progress_bar_config(disable=True)
        self.abilities = frozenset(self._pipelines)

    def draw(self, drawing: Drawing, on_step: Callable[[Step], bool]) -> Picture:
        pipeline = self._pipelines[starts_from(drawing)]
        options: dict[str, Foreign] = {}
        total = drawing.steps
        if drawing.image is None or drawing.mask is not None:
            options |= {"width": drawing.width, "height": drawing.height}
        if drawing.mask is not None:
            options["mask_image"] = _image(drawing.mask)
        if drawing.image is not None:
            # The way from an image leaves out the first steps.
            total = min(int(drawing.steps * drawing.strength), drawing.steps)
            options |= {"image": _image(drawing.image), "strength": drawing.strength}
        previews = preview_steps(total, drawing.previews)

        def after_step(
            running: Foreign, index: int, _: Foreign, values: dict[str, Foreign]
        ) -> dict[str, Foreign]:
            number = index + 1
            steps = running.num_timesteps  # some schedulers take one more than was asked for
            preview = self._preview(values["latents"]) if number in previews else None
            if on_step(Step(number, steps, preview)):
                raise DrawingStopped
            return values

        if drawing.negative_prompt:
            options["negative_prompt"] = drawing.negative_prompt
        try:
            with self._torch.inference_mode():
                drawn = pipeline(
                    prompt=drawing.prompt,
                    num_inference_steps=drawing.steps,
                    guidance_scale=drawing.guidance_scale,
                    # Always on the processor, so that a seed gives one picture on every device.
                    generator=self._torch.Generator("cpu").manual_seed(drawing.seed),
                    callback_on_step_end=after_step,
                    output_type="pil",
                    **options,
                )
        except (RuntimeError, ValueError, TypeError) as error:
            raise EngineError(
                f"diffusers failed to draw a picture of {drawing.width}x{drawing.height}: "
                f"{str(error)[:400].rstrip('.')}. Try another size, or fewer extras in the request."
            ) from error
        image = drawn.images[0].convert("RGB")
        return Picture(image.width, image.height, image.tobytes())

    def _preview(self, latents: Foreign) -> Picture | None:
        """An unfinished picture; None for families whose latents are packed in their own way."""
        if latents.ndim != 4:
            return None
        pipeline = self._pipelines["prompt"]
        vae = pipeline.vae
        decoded = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        image = pipeline.image_processor.postprocess(decoded, output_type="pil")[0]
        return Picture(image.width, image.height, image.convert("RGB").tobytes())


def _device(torch: Foreign, device: str | None) -> str:
    """PyTorch's name of it; of `auto` and `gpu`, as of None, the best that there is."""
    if device is not None and device not in ("auto", "gpu"):
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _image(picture: Picture) -> Foreign:
    from PIL import Image

    return Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
