"""The models of this machine: the demos that come with Ingle, and what lies in the home folder.

Every `*.gguf` in `$INGLE_HOME/models`, at any depth, is a model by its file's name, and so is a
file that listens or speaks, and every folder of an image model or a voice by its own; a `*.yaml`
beside it is its manifest. There is no list of models to keep in step with the files: the files are
the list. It knows nothing about engines.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingle.errors import ConfigurationError, ModelFileInvalid, ModelNotFound, NotAllowed
from ingle.files import storage_error
from ingle.models.gguf import shard_paths
from ingle.models.headers import Headers
from ingle.models.image_folder import is_image_folder
from ingle.models.manifest import Manifest, Model, read_manifest
from ingle.models.opening import Candidate, open_model
from ingle.models.pull.record import remove_recorded
from ingle.models.speech_files import is_speech_file, is_speech_folder
from ingle.settings import Settings

__all__ = ["DamagedModel", "Models"]

_DEMO = Path(__file__).parent / "demo" / "chat.gguf"
_DEMO_IMAGE = Path(__file__).parent / "demo" / "image"
_DEMO_VOICE = Path(__file__).parent / "demo" / "voice.yaml"
_LONGEST_SHOWN_NAME = 80


@dataclass(frozen=True, slots=True)
class DamagedModel:
    """A file in the models folder that cannot be used, and why."""

    name: str
    path: Path
    error: ModelFileInvalid | ConfigurationError
    manifest_path: Path | None = None


class Models:
    """What is installed. Reading is cheap after the first time; safe to call from any thread."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.home / "models"
        self._headers = Headers()

    def list(self) -> Sequence[Model]:
        """All models that can be used, by name; reads the header of each new file."""
        return [entry for entry in self._entries() if isinstance(entry, Model)]

    def damaged(self) -> Sequence[DamagedModel]:
        """The files in the models folder that should be models and are not."""
        return [entry for entry in self._entries() if isinstance(entry, DamagedModel)]

    def get(self, name: str) -> Model:
        """The model of this name or alias. The name is only compared, never made a path.

        Raises:
            ModelNotFound: there is none; lists those that there are.
            ModelFileInvalid: its file is damaged.
            ConfigurationError: its manifest is wrong.
        """
        entry = self._entry(name)
        if isinstance(entry, DamagedModel):
            raise entry.error
        return entry

    def names(self) -> frozenset[str]:
        """Every name that a model here answers to, aliases too, and those of damaged ones."""
        entries = self._entries()
        aliases = (
            alias for entry in entries if isinstance(entry, Model) for alias in entry.aliases
        )
        return frozenset((*(entry.name for entry in entries), *aliases))

    def remove(self, name: str) -> None:
        """Delete the files of a model, whole or damaged. Its engine should be stopped before.

        Where another manifest makes a model of the same files, only its own manifest goes.

        Raises:
            ModelNotFound: there is no such model.
            NotAllowed: it is a part of Ingle.
            StorageError: the file system refuses.
        """
        entry = self._entry(name)
        if entry.path in {_DEMO, _DEMO_IMAGE, _DEMO_VOICE}:
            raise NotAllowed(
                f"The model {entry.name!r} is a part of Ingle and cannot be removed. "
                "Set `default_model` to have another one answer where none is named."
            )
        manifests = {
            found.name: found.manifest_path
            for found in self._found()
            if found.manifest_path and found.path == entry.path
        }
        own = manifests.pop(entry.name, None)
        parts = self._own_parts(entry)
        try:
            if own is not None:
                own.unlink(missing_ok=True)
            if manifests:
                return
            if entry.path.is_dir() and not entry.path.is_symlink():
                shutil.rmtree(entry.path)
            for path in (*shard_paths(entry.path), *parts):
                path.unlink(missing_ok=True)
            remove_recorded(entry.path)
        except OSError as error:
            raise storage_error(f"The model {entry.name!r} cannot be removed", error) from error

    def _own_parts(self, entry: Model | DamagedModel) -> Sequence[Path]:
        """The files that go with a model and with no other."""
        if isinstance(entry, DamagedModel):
            return []
        others = {
            path
            for other in self.list()
            if other.name != entry.name
            for path in (other.path, *(part.path for part in other.text.parts))
        }
        return [part.path for part in entry.text.parts if part.path not in others]

    def _entry(self, name: str) -> Model | DamagedModel:
        entries = self._entries()
        for entry in entries:
            if entry.name == name or (isinstance(entry, Model) and name in entry.aliases):
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
        return _with_own_aliases(sorted(entries.values(), key=lambda entry: entry.name))

    def _found(self) -> Iterator[Candidate | DamagedModel]:
        """The files and folders that should be models, the built-in ones first."""
        if _DEMO.is_file():
            yield Candidate("demo", _DEMO, is_builtin=True)
        if is_image_folder(_DEMO_IMAGE):
            yield Candidate("demo-image", _DEMO_IMAGE, is_builtin=True)
        voice = Manifest(engine="espeak")
        yield Candidate("demo-voice", _DEMO_VOICE, voice, _DEMO_VOICE, is_builtin=True)
        files = sorted(self._files())
        described = set()
        for path in files:
            if path.suffix.lower() in {".yaml", ".yml"}:
                found = _from_manifest(path)
                described.add(found.path)
                if isinstance(found, Candidate) and found.manifest.draft_model:
                    described.add(path.with_name(found.manifest.draft_model))
                yield found
        for path in files:
            if path in described:
                continue
            if path.suffix.lower() == ".gguf":
                if shards := shard_paths(path):
                    yield Candidate(_name_of(shards[0], len(shards)), path)
            elif _is_model_folder(path):
                yield Candidate(path.name, path)
            elif is_speech_file(path):
                yield Candidate(path.stem, path)

    def _files(self) -> Iterator[Path]:
        """Every file, and every folder that is a model, in the models folder but hidden ones, which
        are downloads under way. What lies in a model's folder is a part of it."""
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            whole = [name for name in folders if _is_model_folder(Path(folder, name))]
            folders[:] = [name for name in folders if name not in whole]
            names = [*whole, *(name for name in names if not name.startswith("."))]
            yield from (Path(folder, name) for name in names)

    def _open(self, found: Candidate | DamagedModel) -> Model | DamagedModel | None:
        """The model in the file; None if the file holds only a part of another model."""
        if isinstance(found, DamagedModel):
            return found
        if not found.name.isprintable():
            return _name_unfit(found)
        try:
            return open_model(found, self._headers)
        except (ModelFileInvalid, ConfigurationError) as error:
            return DamagedModel(found.name, found.path, error)


def _from_manifest(path: Path) -> Candidate | DamagedModel:
    try:
        manifest = read_manifest(path)
    except ConfigurationError as error:
        return DamagedModel(path.stem, path.with_suffix(".gguf"), error, path)
    file = path.with_name(manifest.file) if manifest.file else _file_beside(path)
    if manifest.file is None and manifest.engine in {"command", "espeak"}:
        file = path
    return Candidate(manifest.name or path.stem, file, manifest, path)


def _file_beside(manifest: Path) -> Path:
    """The model of the manifest's own name: what is there, or the file that should be."""
    if _is_model_folder(folder := manifest.with_suffix("")):
        return folder
    for suffix in (".bin", ".onnx"):
        if is_speech_file(file := manifest.with_suffix(suffix)):
            return file
    return manifest.with_suffix(".gguf")


def _is_model_folder(path: Path) -> bool:
    return is_image_folder(path) or is_speech_folder(path)


def _with_own_aliases(
    entries: Sequence[Model | DamagedModel],
) -> Sequence[Model | DamagedModel]:
    """The entries; of two that answer to one name, the one that has it as an alias is damaged."""
    taken = {entry.name: entry.name for entry in entries}
    kept: list[Model | DamagedModel] = []
    for entry in entries:
        aliases = entry.aliases if isinstance(entry, Model) else ()
        clash = next((one for one in aliases if taken.get(one, entry.name) != entry.name), None)
        taken |= dict.fromkeys(aliases, entry.name) if clash is None else {}
        kept.append(entry if clash is None else _alias_taken(entry, clash, taken[clash]))
    return kept


def _name_of(path: Path, shards: int) -> str:
    return path.stem.removesuffix(f"-00001-of-{shards:05}") if shards > 1 else path.stem


def _name_taken(found: Candidate | DamagedModel, other: Path) -> DamagedModel:
    """A second file of one name is told of by its own path."""
    error = ConfigurationError(
        f"The model file {found.path} has the same name as {other}, {found.name!r}. Rename it, or "
        f"give it another name in a manifest, {found.path.with_suffix('.yaml').name}."
    )
    return DamagedModel(str(found.path), found.path, error)


def _alias_taken(entry: Model | DamagedModel, alias: str, other: str) -> DamagedModel:
    error = ConfigurationError(
        f"The model {entry.name!r} has the alias {alias!r}, and the model {other!r} answers to that "
        "name. Take it out of `aliases` of one of them."
    )
    return DamagedModel(entry.name, entry.path, error)


def _name_unfit(found: Candidate) -> DamagedModel:
    error = ConfigurationError(
        f"The name of the model file {str(found.path)!r} has characters that cannot be shown. "
        "Rename the file."
    )
    return DamagedModel(found.name, found.path, error)


def _shown(name: str) -> str:
    """A name that came from outside, short and with nothing that a terminal would obey."""
    return repr(name if len(name) <= _LONGEST_SHOWN_NAME else f"{name[:_LONGEST_SHOWN_NAME]}…")
