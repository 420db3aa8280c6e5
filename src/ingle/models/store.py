"""The models of this machine: the demos that come with Ingle, and what lies in the home folder.

Every `*.gguf` in `$INGLE_HOME/models`, at any depth, is a model by its file's name, and every
folder of an image model by its own; a `*.yaml` beside it is its manifest. There is no list of models to keep in step with the files: the files are
the list. It knows nothing about engines.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingle.errors import ConfigurationError, ModelFileInvalid, ModelNotFound, NotAllowed
from ingle.files import storage_error
from ingle.models.gguf import GgufHeader, read_header, shard_paths, unreadable
from ingle.models.image_folder import image_engine, is_image_folder, weights_of
from ingle.models.manifest import Manifest, Model, read_manifest
from ingle.models.pull.record import remove_recorded
from ingle.settings import Settings

__all__ = ["DamagedModel", "Models"]

_DEMO = Path(__file__).parent / "demo" / "chat.gguf"
_DEMO_IMAGE = Path(__file__).parent / "demo" / "image"
_LONGEST_SHOWN_NAME = 80
_NOT_LANGUAGE = frozenset({"clip"})  # a part of another model, which sees or hears for it


@dataclass(frozen=True, slots=True)
class DamagedModel:
    """A file in the models folder that cannot be used, and why."""

    name: str
    path: Path
    error: ModelFileInvalid | ConfigurationError


@dataclass(frozen=True, slots=True)
class _Found:
    """A file or folder that should be a model, before it is opened."""

    name: str
    path: Path
    manifest: Manifest = field(default_factory=Manifest)
    manifest_path: Path | None = None
    is_builtin: bool = False


class Models:
    """What is installed. Reading is cheap after the first time; safe to call from any thread."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.home / "models"
        self._headers: dict[tuple[Path, int, int], GgufHeader] = {}

    def list(self) -> Sequence[Model]:
        """All models that can be used, by name; reads the header of each new file."""
        return [entry for entry in self._entries() if isinstance(entry, Model)]

    def damaged(self) -> Sequence[DamagedModel]:
        """The files in the models folder that should be models and are not."""
        return [entry for entry in self._entries() if isinstance(entry, DamagedModel)]

    def get(self, name: str) -> Model:
        """The model of this name. The name is only compared, never made a path.

        Raises:
            ModelNotFound: there is none; lists those that there are.
            ModelFileInvalid: its file is damaged.
            ConfigurationError: its manifest is wrong.
        """
        entry = self._entry(name)
        if isinstance(entry, DamagedModel):
            raise entry.error
        return entry

    def remove(self, name: str) -> None:
        """Delete the files of a model, whole or damaged. Its engine should be stopped before.

        Raises:
            ModelNotFound: there is no such model.
            NotAllowed: it is a part of Ingle.
            StorageError: the file system refuses.
        """
        entry = self._entry(name)
        if entry.path in {_DEMO, _DEMO_IMAGE}:
            raise NotAllowed(
                f"The model {entry.name!r} is a part of Ingle and cannot be removed. "
                "Set `default_model` to have another one answer where none is named."
            )
        manifests = [
            found.manifest_path
            for found in self._found()
            if isinstance(found, _Found) and found.manifest_path and found.path == entry.path
        ]
        try:
            if entry.path.is_dir() and not entry.path.is_symlink():
                shutil.rmtree(entry.path)
            for path in (*shard_paths(entry.path), *manifests):
                path.unlink(missing_ok=True)
            remove_recorded(entry.path)
        except OSError as error:
            raise storage_error(f"The model {entry.name!r} cannot be removed", error) from error

    def _entry(self, name: str) -> Model | DamagedModel:
        entries = self._entries()
        for entry in entries:
            if entry.name == name:
                return entry
        installed = ", ".join(entry.name for entry in entries if isinstance(entry, Model))
        raise ModelNotFound(
            f"Model {_shown(name)} is not installed. Installed: {installed or 'none'}. "
            f"Put its .gguf file into {self.folder}, or run `ingle models pull`.",
            param="model",
        )

    def _entries(self) -> Sequence[Model | DamagedModel]:
        """One for each name, sorted; of two files with one name the second is damaged."""
        entries: dict[str, Model | DamagedModel] = {}
        for found in self._found():
            entry = self._open(found)
            if entry is None:
                continue
            if entry.name in entries:
                entry = _name_taken(found, entries[entry.name].path)
            entries[entry.name] = entry
        return sorted(entries.values(), key=lambda entry: entry.name)

    def _found(self) -> Iterator[_Found | DamagedModel]:
        """The files and folders that should be models, the built-in ones first."""
        if _DEMO.is_file():
            yield _Found("demo", _DEMO, is_builtin=True)
        if is_image_folder(_DEMO_IMAGE):
            yield _Found("demo-image", _DEMO_IMAGE, is_builtin=True)
        files = sorted(self._files())
        described = set()
        for path in files:
            if path.suffix.lower() in {".yaml", ".yml"}:
                found = _from_manifest(path)
                described.add(found.path)
                yield found
        for path in files:
            if path in described:
                continue
            if path.suffix.lower() == ".gguf":
                if shards := shard_paths(path):
                    yield _Found(_name_of(shards[0], len(shards)), path)
            elif is_image_folder(path):
                yield _Found(path.name, path)

    def _files(self) -> Iterator[Path]:
        """Every file and image model in the models folder but hidden ones, which are downloads
        under way. What lies in an image model is a part of it."""
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            images = [name for name in folders if is_image_folder(Path(folder, name))]
            folders[:] = [name for name in folders if name not in images]
            names = [*images, *(name for name in names if not name.startswith("."))]
            yield from (Path(folder, name) for name in names)

    def _open(self, found: _Found | DamagedModel) -> Model | DamagedModel | None:
        """The model in the file; None if the file holds only a part of another model."""
        if isinstance(found, DamagedModel):
            return found
        if not found.name.isprintable():
            return _name_unfit(found)
        if is_image_folder(found.path):
            return _image_model(found)
        if found.manifest.engine not in (None, "llama"):
            return _not_for(found, "is no folder with `model_index.json`")
        try:
            paths = shard_paths(found.path) or (found.path,)
            headers, stats = zip(*map(self._read, paths), strict=True)
        except ModelFileInvalid as error:
            return DamagedModel(found.name, found.path, error)
        if headers[0].architecture in _NOT_LANGUAGE:
            return None
        return Model(
            name=found.name,
            path=found.path,
            size_bytes=sum(stat.st_size for stat in stats),
            header=replace(headers[0], parameters=sum(header.parameters for header in headers)),
            context_tokens=found.manifest.context_tokens,
            slots=found.manifest.slots,
            chat_template=found.manifest.chat_template,
            modified_ns=max(stat.st_mtime_ns for stat in stats),
            is_builtin=found.is_builtin,
        )

    def _read(self, path: Path) -> tuple[GgufHeader, os.stat_result]:
        """The header of a file, read again only when the file has changed; and how it lies there."""
        try:
            stat = path.stat()
        except OSError as error:
            raise unreadable(path, error) from error
        key = (path, stat.st_size, stat.st_mtime_ns)
        if (header := self._headers.get(key)) is None:
            header = read_header(path)
            for old in [old for old in self._headers if old[0] == path]:
                self._headers.pop(old, None)
            self._headers[key] = header
        return header, stat


def _from_manifest(path: Path) -> _Found | DamagedModel:
    try:
        manifest = read_manifest(path)
    except ConfigurationError as error:
        return DamagedModel(path.stem, path.with_suffix(".gguf"), error)
    file = path.with_name(manifest.file or f"{path.stem}.gguf")
    if manifest.file is None and is_image_folder(path.with_suffix("")):
        file = path.with_suffix("")
    return _Found(manifest.name or path.stem, file, manifest, path)


def _image_model(found: _Found) -> Model | DamagedModel:
    engine = image_engine(found.path)
    if found.manifest.engine not in (None, engine):
        return _not_for(found, f"has files for {engine}")
    try:
        weights = weights_of(found.path)
    except OSError as error:
        return DamagedModel(found.name, found.path, unreadable(found.path, error))
    return Model(
        name=found.name,
        path=found.path,
        size_bytes=sum(stat.st_size for stat in weights),
        header=None,
        engine=engine,
        modified_ns=max((stat.st_mtime_ns for stat in weights), default=0),
        is_builtin=found.is_builtin,
    )


def _not_for(found: _Found, what: str) -> DamagedModel:
    error = ConfigurationError(
        f"The manifest of the model {found.name!r} says `engine: {found.manifest.engine}`, and "
        f"{found.path} {what}. Correct the manifest, or convert the model."
    )
    return DamagedModel(found.name, found.path, error)


def _name_of(path: Path, shards: int) -> str:
    return path.stem.removesuffix(f"-00001-of-{shards:05}") if shards > 1 else path.stem


def _name_taken(found: _Found | DamagedModel, other: Path) -> DamagedModel:
    """A second file of one name is told of by its own path."""
    error = ConfigurationError(
        f"The model file {found.path} has the same name as {other}, {found.name!r}. Rename it, or "
        f"give it another name in a manifest, {found.path.with_suffix('.yaml').name}."
    )
    return DamagedModel(str(found.path), found.path, error)


def _name_unfit(found: _Found) -> DamagedModel:
    error = ConfigurationError(
        f"The name of the model file {str(found.path)!r} has characters that cannot be shown. "
        "Rename the file."
    )
    return DamagedModel(found.name, found.path, error)


def _shown(name: str) -> str:
    """A name that came from outside, short and with nothing that a terminal would obey."""
    return repr(name if len(name) <= _LONGEST_SHOWN_NAME else f"{name[:_LONGEST_SHOWN_NAME]}…")
