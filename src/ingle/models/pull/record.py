"""What was pulled: kept beside a model's files, to verify them and to tell whether there is news.

The manifest beside it says how the model is run and is for people to edit; this is for Ingle alone.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ingle.files import storage_error
from ingle.models.pull.plan import Plan, Role

__all__ = ["NAME", "Record", "RecordedFile", "make_record", "read_record", "remove_recorded"]

NAME = ".pulled.json"
"""The record's file in a model's folder; hidden, so that the store does not look into it."""


class RecordedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file as it was when it came; `role` says what it is for."""

    name: str
    size_bytes: int
    sha256: str
    role: Role = "other"


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """`source` is what to pull to get the same again; the rest came with the model."""

    source: str
    files: tuple[RecordedFile, ...]
    revision: str | None = None
    licence: str | None = None
    system_prompt: str | None = None
    parameters: dict[str, object] = {}

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    def is_what(self, plan: Plan) -> bool:
        """Whether the plan would bring the same files, as far as it tells."""
        known = {file.name: file for file in self.files}
        if plan.source != self.source or known.keys() != {file.name for file in plan.files}:
            return False
        for file in plan.files:
            found = known[file.name]
            if file.size_bytes not in (None, found.size_bytes):
                return False
            is_sha256 = file.digest is not None and file.digest.algorithm == "sha256"
            if is_sha256 and file.digest and file.digest.value != found.sha256:
                return False
        return True


def make_record(plan: Plan, files: tuple[RecordedFile, ...]) -> bytes:
    """The record of a plan that was carried out, as it is written."""
    record = Record(
        source=plan.source,
        files=files,
        revision=plan.revision,
        licence=plan.licence,
        system_prompt=plan.system_prompt,
        parameters=dict(plan.parameters),
    )
    return msgspec.json.format(msgspec.json.encode(record), indent=2)


def read_record(folder: Path) -> Record | None:
    """The record of the model in this folder; None if it was not pulled, or the record is damaged.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Record)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None
    except OSError as error:
        raise storage_error(f"{folder / NAME} cannot be read", error) from error


def remove_recorded(weights: Path) -> None:
    """Delete all files that came with a pulled model; its folder goes if nothing else is in it.

    Nothing happens to a model that was not pulled.

    Raises:
        OSError: the file system refuses.
    """
    folder = weights.parent
    record = read_record(folder)
    if record is None or weights.name not in {file.name for file in record.files}:
        return
    for file in record.files:
        (folder / file.name).unlink(missing_ok=True)
    (folder / NAME).unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
