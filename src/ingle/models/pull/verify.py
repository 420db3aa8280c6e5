"""Whether a pulled model's files still are what came."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ingle.errors import ModelNotFound
from ingle.models.pull.at_hand import sha256_of
from ingle.models.pull.record import read_record
from ingle.models.pull.threads import in_thread

__all__ = ["compare", "verify"]


async def verify(folder: Path) -> list[str]:
    """What is wrong with the files of the model in this folder, a sentence each; empty if nothing.

    Every byte is read, which takes some seconds a gigabyte. It may be cancelled at any time.

    Raises:
        ModelNotFound: nothing was pulled into this folder, so there are no digests to compare with.
        StorageError: the record cannot be read.
    """
    record = await in_thread(read_record, folder)
    if record is None:
        raise ModelNotFound(
            f"What lies in {folder} was not pulled by Ingle, so there is no sha256 to compare it "
            "with. `ingle models` tells whether its header is right."
        )
    return await compare(folder, {file.name: file.sha256 for file in record.files})


async def compare(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """What is wrong with files that should have these sha256 by their names, a sentence each."""
    faults = []
    for name, sha256 in wanted.items():
        found = await sha256_of(folder / name)
        if found is None:
            faults.append(f"{name} is missing, empty or cannot be read.")
        elif found != sha256:
            faults.append(f"{name} should have sha256 {sha256} but has {found}.")
    return faults
