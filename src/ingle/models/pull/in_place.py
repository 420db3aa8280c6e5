"""A model in another program's cache, used from where it lies: nothing is copied."""

from __future__ import annotations

import re
from pathlib import Path

from ingle.errors import ModelFileInvalid
from ingle.files import storage_error
from ingle.models.pull.at_hand import sha256_of
from ingle.models.pull.caches import CachedModel
from ingle.models.pull.lock import exclusive
from ingle.models.pull.names import check_model_name
from ingle.models.pull.plan import Plan, PlannedFile
from ingle.models.pull.progress import Installed
from ingle.models.pull.staging import Staging, require_name
from ingle.models.pull.threads import in_thread
from ingle.settings import Settings

__all__ = ["use_in_place"]

_SHA256 = re.compile(r"(?:sha256-)?([0-9a-f]{64})")


async def use_in_place(
    cached: CachedModel, settings: Settings, name: str | None = None
) -> Installed:
    """Install links to the files of a cache, under the cache's name for it or another.

    The model is gone when its owner removes it; removing it here leaves the owner's files alone.

    Raises:
        InvalidRequest: it cannot be called so.
        Conflict: another model has the name.
        ModelFileInvalid: a file is not whole.
        StorageError: the links cannot be made, as on Windows without the right to make them.
    """
    plan = _plan(cached, check_model_name(name or cached.name))
    staging = Staging(settings.home / "models", plan.name)
    async with exclusive(staging.lock, lambda: None):
        await in_thread(require_name, staging, plan, settings)
        await in_thread(staging.clear)
        await in_thread(_link, staging, plan)
        hashes = {file.name: await _sha256(file) for file in plan.files}
        await in_thread(staging.check, plan)
        size = await in_thread(staging.install, plan, hashes)
    return Installed(plan.name, staging.target, size, plan.source)


def _plan(cached: CachedModel, name: str) -> Plan:
    """Files keep their names, which tell the parts of a split model; Ollama's have none."""
    files = [
        PlannedFile(path.name if path.suffix == ".gguf" else f"{name}.gguf", path, role="weights")
        for path in cached.paths
    ]
    if eyes := cached.projector:
        eyes_name = eyes.name if eyes.suffix == ".gguf" else f"mmproj-{name}.gguf"
        files.append(PlannedFile(eyes_name, eyes, role="projector"))
    return Plan(
        name=name,
        source=cached.source,
        files=tuple(files),
        parameters=cached.parameters,
        system_prompt=cached.system_prompt,
    )


def _link(staging: Staging, plan: Plan) -> None:
    staging.prepare()
    for file in plan.files:
        path = staging.folder / file.name
        try:
            path.symlink_to(Path(file.origin).resolve(strict=True))
        except OSError as error:
            raise storage_error(f"{path} cannot be made a link to {file.origin}", error) from error


async def _sha256(file: PlannedFile) -> str:
    """The file's digest: both caches name their files by it, else it is read."""
    blob = Path(file.origin).resolve()  # noqa: ASYNC240 -- one name, looked up
    if found := _SHA256.fullmatch(blob.name):
        return found[1]
    sha256 = await sha256_of(blob)
    if sha256 is None:
        raise ModelFileInvalid(f"The model file {blob} cannot be read. Pull the model instead.")
    return sha256
