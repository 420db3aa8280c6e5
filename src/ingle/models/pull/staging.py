"""Where a model lies while it is fetched, and how it gets to where models are: by one rename.

`models/.pulling/<name>/` is hidden from the store. It holds `files/`, which becomes the model's
folder, `journal/`, which tells what the parts in it are parts of, and `pull.json`, which tells what
is being pulled (see `unfinished`). Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ingle.errors import Conflict, ModelFileInvalid
from ingle.files import make_private_folder, storage_error, write_private
from ingle.models.gguf import read_header
from ingle.models.pull.names import is_model_file
from ingle.models.pull.ollama_parameters import default_parameters
from ingle.models.pull.plan import Plan
from ingle.models.pull.record import NAME, RecordedFile, make_record, read_record
from ingle.models.store import Models
from ingle.settings import Settings

__all__ = ["Staging", "require_name", "staged"]

_HIDDEN = ".pulling"


@dataclass(frozen=True, slots=True)
class Staging:
    """The places of one model below the folder of all models."""

    models: Path
    name: str

    @property
    def target(self) -> Path:
        """The model's folder, once it is there."""
        return self.models / self.name

    @property
    def lock(self) -> Path:
        return self.models / _HIDDEN / f"{self.name}.lock"

    @property
    def folder(self) -> Path:
        """The folder of the files while they are fetched."""
        return self.models / _HIDDEN / self.name / "files"

    @property
    def note(self) -> Path:
        """The file that tells what is being pulled."""
        return self.models / _HIDDEN / self.name / "pull.json"

    def journal(self, file_name: str) -> Path:
        """The journal of one file."""
        plain = hashlib.sha256(file_name.encode()).hexdigest()[:24]
        return self.models / _HIDDEN / self.name / "journal" / f"{plain}.json"

    @property
    def _old(self) -> Path:
        """Where the version that is replaced lies between the two renames."""
        return self.models / _HIDDEN / self.name / "old"

    def mend(self) -> None:
        """Put the old version back, if a process was killed between the two renames.

        Raises:
            StorageError: the disk does not let us.
        """
        if self._old.exists() and not self.target.exists():
            try:
                self._old.rename(self.target)
            except OSError as error:
                raise storage_error(f"{self.target} cannot be put back", error) from error

    def prepare(self) -> None:
        """Make the folders, for the files of this user only while they are parts.

        Raises:
            StorageError: they cannot be made.
        """
        make_private_folder(self.models)
        make_private_folder(self.folder)

    def clear(self) -> None:
        """Throw away what has come so far.

        Raises:
            StorageError: it cannot be removed.
        """
        _remove_tree(self.models / _HIDDEN / self.name)

    def check(self, plan: Plan) -> None:
        """Read the header of each GGUF file, all tensors included.

        Raises:
            ModelFileInvalid: one is not whole or no model; it was removed.
        """
        for file in plan.files:
            path = self.folder / file.name
            if path.suffix.lower() != ".gguf":
                continue
            try:
                read_header(path)
            except ModelFileInvalid as error:
                path.unlink(missing_ok=True)
                raise ModelFileInvalid(
                    f"{file.name} of {plan.source} came whole, but cannot be used: "
                    f"{error.message} It was removed."
                ) from error

    def install(self, plan: Plan, hashes: dict[str, str]) -> int:
        """Make the fetched files the model; the bytes they take.

        Until the last rename there is no model of this name, or the old one; after it, the whole.

        Raises:
            StorageError: the disk does not let us.
        """
        try:
            self._drop_others(plan)
            files = tuple(
                RecordedFile(
                    file.name,
                    (self.folder / file.name).stat().st_size,
                    hashes[file.name],
                    file.role,
                )
                for file in plan.files
            )
            manifest_name = f"{self.name}.yaml"
            if manifest := _manifest(plan, self.target / manifest_name, self.folder):
                write_private(self.folder / manifest_name, manifest.encode())
            write_private(self.folder / NAME, make_record(plan, files))
            _sync(self.folder)
            if self.target.exists():
                _remove_tree(self._old)
                self.target.rename(self._old)
            self.folder.rename(self.target)
            _sync(self.models)
        except OSError as error:
            raise storage_error(f"{self.target} cannot be put in place", error) from error
        self.clear()
        return sum(file.size_bytes for file in files)

    def _drop_others(self, plan: Plan) -> None:
        """Remove what an earlier plan for this name has left."""
        wanted = {self.folder / file.name for file in plan.files}
        for path in list(self.folder.rglob("*")):
            if path.is_file() and path not in wanted:
                path.unlink()


def staged(models: Path) -> Iterator[Staging]:
    """What has been begun below the folder of all models."""
    for note in sorted((models / _HIDDEN).glob("*/pull.json")):
        yield Staging(models, note.parent.name)


def require_name(staging: Staging, plan: Plan, settings: Settings) -> None:
    """Return if the model may be called so: nobody is, or what an earlier pull of it brought.

    Raises:
        Conflict: another model has the name.
    """
    record = read_record(staging.target)
    if record is not None and record.source == plan.source:
        return
    for model in Models(settings).list():
        if model.name == plan.name:
            raise _taken(plan.name, model.path)
    if staging.target.exists():
        raise _taken(plan.name, staging.target)


def _taken(name: str, path: Path) -> Conflict:
    return Conflict(
        f"There is a model called {name!r} already, in {path}. Give this one another name with "
        f"`--name`, or run `ingle models rm {name}` first.",
        param="name",
    )


def _manifest(plan: Plan, old: Path, folder: Path) -> str | None:
    """The manifest: which of the files is the model, which its eyes, and the defaults that came.

    None for a folder that is a model by itself. What people have set in the old version's manifest
    goes on to hold.
    """
    weights = next((file.name for file in plan.files if is_model_file(file.name)), None)
    if weights is None:
        return None
    text, told = _read_manifest(old)
    if told.get("file") == weights:
        return text
    about = f"# Pulled from {plan.source}. What you set here stays as long as the model does.\n"
    fields: dict[str, object] = {"name": plan.name, "file": weights}
    if eyes := _projector(plan, folder):
        fields["projector"] = eyes
    if parameters := default_parameters(plan.parameters, plan.system_prompt):
        fields["parameters"] = parameters
    set_by_people = {key: told[key] for key in told.keys() - {"name", "file", "projector"}}
    return about + yaml.safe_dump(
        {**fields, **set_by_people}, sort_keys=False, allow_unicode=True, width=100
    )


def _projector(plan: Plan, folder: Path) -> str | None:
    """The file that sees or hears for the model, if one came that is what its name says."""
    named = (file.name for file in plan.files if file.role == "projector")
    return next((name for name in named if read_header(folder / name).kind == "projector"), None)


def _read_manifest(path: Path) -> tuple[str, dict[str, object]]:
    """A manifest as text and as fields; none of either if there is none that can be read."""
    try:
        text = path.read_text("utf-8")
        told = yaml.safe_load(text)
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError):
        return "", {}
    return (text, told) if isinstance(told, dict) else ("", {})


def _remove_tree(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(f"{folder} cannot be removed", error) from error


def _sync(folder: Path) -> None:
    """Make the names in a folder last over a loss of power; Windows has no way to ask for it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
