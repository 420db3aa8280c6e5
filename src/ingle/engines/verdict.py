"""Whether a model's files still are what they should be, as far as that can be told."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ingle.engines.images.model_folder import read_model_folder
from ingle.errors import ModelFileInvalid
from ingle.models.gguf import read_header, shard_paths
from ingle.models.image_folder import ImageEngine
from ingle.models.manifest import Model
from ingle.models.pull.record import read_record
from ingle.models.pull.verify import compare, verify

__all__ = ["Verdict", "verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared of a model, and the sentences that say what is wrong.

    `sha256` is every byte of what was pulled or imported, or has one in its manifest, `header` that a GGUF file is as long as
    it says, `files` that an image model has all its parts, `program` that what runs another server's model is
    installed.
    """

    name: str
    compared: Literal["sha256", "header", "files", "program"]
    faults: list[str]


async def verdict(model: Model) -> Verdict:
    """What is wrong with a model's files, if something is. It may be cancelled at any time.

    Raises:
        StorageError: the record of what was pulled cannot be read.
    """
    folder = model.path if model.header is None else model.path.parent
    record = await asyncio.to_thread(read_record, folder)
    names = {file.name for file in record.files} if record else set()
    if model.sha256:
        return Verdict(model.name, "sha256", await compare(folder, model.sha256))
    if model.command is not None:
        return Verdict(model.name, "program", _missing(model.command.command[0], model.path.parent))
    if record is not None and (model.header is None or model.path.name in names):
        return Verdict(model.name, "sha256", await verify(folder))
    compared: Literal["header", "files"] = "header" if model.header else "files"
    try:
        await asyncio.to_thread(_look_over, model)
    except ModelFileInvalid as error:
        return Verdict(model.name, compared, [error.message])
    return Verdict(model.name, compared, [])


def _missing(program: str, folder: Path) -> list[str]:
    """A fault if a server's program is not there, seen from the folder that it is started in."""
    found = shutil.which(str(folder / program) if os.sep in program else program)
    return [] if found else [f"The program {program!r} is not installed, or not on the PATH."]


def _look_over(model: Model) -> None:
    """Return if the files look whole.

    Raises:
        ModelFileInvalid: one does not.
    """
    if model.engine in get_args(ImageEngine):
        read_model_folder(model.path)
    if model.header is not None:
        for path in (*shard_paths(model.path), *(part.path for part in model.text.parts)):
            read_header(path)
