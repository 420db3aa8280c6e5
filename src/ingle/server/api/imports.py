"""`/api/models/import` and `/api/caches`: models that this machine has already.

A path is taken only while Ingle listens on loopback, where whoever calls is on this machine; over
the network nobody says which files are read here. See docs/decisions/0045-pulls-live-on.md.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from ingle.engines.images.model_folder import read_model_folder
from ingle.errors import InvalidRequest, NotAllowed, NotFound
from ingle.models.image_folder import is_image_folder
from ingle.models.pull.caches import find_cached
from ingle.runtime import Runtime
from ingle.server.api.pull_description import (
    InstalledModel,
    PullDescription,
    described,
    installed_model,
)
from ingle.server.border import is_loopback

__all__ = ["routes"]


class ImportRequest(BaseModel):
    """What to copy into Ingle's models."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(
        max_length=4096,
        description="The absolute path, on this machine, of a .gguf file, or of a folder with one "
        "or with an image model.",
    )
    name: str | None = Field(None, description="What to call it; else after its file.")


class CachedModelDescription(BaseModel):
    """A model in the cache of Hugging Face's library or of Ollama, that can be used in place."""

    name: str
    source: str
    size_bytes: int
    paths: list[str]


class UseRequest(BaseModel):
    """Which model of a cache to use."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(description="As GET /api/caches tells it.")
    name: str | None = Field(None, description="What to call it; else as in the cache.")


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(tags=["models"])
    settings = runtime.settings

    @router.post("/models/import", status_code=202)
    async def import_model(wanted: ImportRequest) -> PullDescription:
        """Copy a model from a path of this machine, as a pull. Only while Ingle is on loopback."""
        from ingle.models.pull.install import Options

        if not is_loopback(settings.host):
            raise NotAllowed(
                f"Ingle listens on {settings.host}, where callers may not say which files of its "
                "machine are read. Run `ingle models import PATH` on that machine."
            )
        path = await run_in_threadpool(_checked, wanted.path)
        return described(await runtime.pulls.start(str(path), Options(name=wanted.name)))

    @router.get("/caches")
    def list_cached() -> list[CachedModelDescription]:
        """The models that Hugging Face's library and Ollama have fetched on this machine."""
        return [
            CachedModelDescription(
                name=one.name,
                source=one.source,
                size_bytes=one.size_bytes,
                paths=[str(path) for path in one.paths],
            )
            for one in find_cached(settings)
        ]

    @router.post("/caches/use", status_code=201)
    async def use_cached(wanted: UseRequest) -> InstalledModel:
        """Use a model of a cache from where it lies. It is gone when its owner removes it."""
        from ingle.models.pull.in_place import use_in_place

        for cached in await run_in_threadpool(find_cached, settings):
            if cached.source == wanted.source:
                return installed_model(await use_in_place(cached, settings, wanted.name))
        raise NotFound(
            f"No cache on this machine has {wanted.source!r}. GET /api/caches lists what they have."
        )

    return router


def _checked(text: str) -> Path:
    """The path, if it can be a model.

    Raises:
        InvalidRequest: it is not absolute, or nothing that can be imported this way.
        ModelFileInvalid: it is an image model that is not whole.
    """
    path = Path(text)
    if not path.is_absolute() or not text.isprintable():
        raise InvalidRequest(
            f"{text!r} is not an absolute path. Write it from the root on, without ~.",
            param="path",
        )
    if path.suffix.lower() in {".yaml", ".yml"}:
        raise InvalidRequest(
            "A model file of LocalAI is read by `ingle models import FILE`, which tells what of it "
            "has no effect. Run that on this machine.",
            param="path",
        )
    if is_image_folder(path):
        read_model_folder(path)
    return path
