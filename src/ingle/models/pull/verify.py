"""Whether a pulled model's files still are what came."""

from __future__ import annotations

from pathlib import Path

from ingle.errors import ModelNotFound
from ingle.models.pull.at_hand import sha256_of
from ingle.models.pull.record import read_record
from ingle.models.pull.threads import in_thread

__all__ = ["verify"]


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
    faults = []
    for file in record.files:
        found = await sha256_of(folder / file.name)
        if found is None:
            faults.append(f"{file.name} is missing, empty or cannot be read.")
        elif found != file.sha256:
            faults.append(f"{file.name} should have sha256 {file.sha256} but has {found}.")
    return faults
