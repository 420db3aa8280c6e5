"""The child process that draws images: `python -m ingle.engines.diffusion`.

Its parent hands it an `Order`, as `child` describes. The only process that imports a native image
library.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ingle.engines.child import run_child
from ingle.engines.images.compiled import compiled_folder
from ingle.engines.images.model_folder import Library, read_model_folder
from ingle.engines.images.pipeline import Defaults, Pipeline
from ingle.errors import ConfigurationError
from ingle.models.image_folder import weights_of
from ingle.models.image_options import Scheduler

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Order", "load", "main"]


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the parent says: the model's folder and name, the key that callers must bear, and how.

    `cache` is a folder in which compiled models may be kept; `images` is one for pictures that are
    handed out by address. From `device` on it is what the manifest says; None leaves it to the
    model's files.
    """

    model: str
    name: str
    key: str
    engine: Library | None = None
    threads: int | None = None
    cache: str | None = None
    images: str | None = None
    device: str | None = None
    scheduler: Scheduler | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    width: int | None = None
    height: int | None = None

    def defaults(self, of_files: Defaults) -> Defaults:
        """What is drawn with where a request does not say."""
        guidance = of_files.guidance_scale if self.guidance_scale is None else self.guidance_scale
        return replace(
            of_files,
            width=self.width or of_files.width,
            height=self.height or of_files.height,
            steps=self.steps or of_files.steps,
            guidance_scale=guidance,
        )


def load(order: Order) -> Pipeline:
    """The model in memory, by the library that reads its files, or the one that was chosen.

    Raises:
        ModelFileInvalid, EngineMissing: see `read_model_folder` and each library's `load`.
        ConfigurationError: the engine that was chosen does not read files of this format.
    """
    folder = read_model_folder(Path(order.model))
    if order.engine not in (None, folder.library):
        raise ConfigurationError(
            f"The image model {order.name!r} has files for {folder.library}, and its manifest "
            f"says `engine: {order.engine}`. Correct the manifest, or convert the model."
        )
    folder = replace(folder, defaults=order.defaults(folder.defaults))
    if folder.library == "openvino":
        from ingle.engines.images import with_openvino

        weights_bytes = sum(stat.st_size for stat in weights_of(folder.path))
        return with_openvino.load(
            folder,
            device=order.device,
            threads=order.threads,
            scheduler=order.scheduler,
            compiled=compiled_folder(Path(order.cache), folder.path, weights_bytes)
            if order.cache
            else None,
        )
    from ingle.engines.images import with_diffusers

    return with_diffusers.load(
        folder, device=order.device, threads=order.threads, scheduler=order.scheduler
    )


def main() -> int:
    """Runs the engine until its parent goes; the exit code."""
    return run_child(Order, _server)


def _server(order: Order) -> web.Application:
    """The server, with the model in memory."""
    with ThreadPoolExecutor(1) as beside:
        loading = beside.submit(load, order)
        # While native code reads and compiles the model, Python is free to import the server.
        from ingle.engines.images.server import make_app

        pipeline = loading.result()
    images = Path(order.images) if order.images else None
    return make_app(pipeline, name=order.name, key=order.key, images=images)


if __name__ == "__main__":
    sys.exit(main())
