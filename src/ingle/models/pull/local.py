"""A file or folder of this machine, copied like one from afar. Blocks: call it in a thread."""

from __future__ import annotations

import shutil
from pathlib import Path

from ingle.errors import InvalidRequest
from ingle.files import storage_error
from ingle.models.image_folder import image_engine, is_image_folder
from ingle.models.pull.names import check_file_name, is_code, model_name, refuse_code
from ingle.models.pull.plan import Plan, PlannedFile, Role
from ingle.models.pull.quantisation import Listed, projector, variants
from ingle.models.pull.source import LocalSource

__all__ = ["copy_into", "resolve"]

_MOST_FILES = 10_000


def resolve(source: LocalSource) -> Plan:
    """The file, with its other parts if it is split, or the one model in the folder or that it is.

    Raises:
        InvalidRequest: there is no GGUF file, or a folder holds several models.
        ModelFileInvalid: it is a pickle or an archive, or called what no file may be.
        StorageError: it cannot be read.
    """
    path = source.path
    try:
        if is_image_folder(path):
            return _image_folder(path)
        if path.is_dir():
            return _folder(path)
        listed = [Listed(file.name, file.stat().st_size) for file in path.parent.glob("*.gguf")]
    except OSError as error:
        raise storage_error(f"{path} cannot be read", error) from error
    if path.suffix.lower() != ".gguf":
        refuse_code(path.name)
        raise InvalidRequest(f"{path} is no .gguf file. Name one, or a folder.", param="source")
    wanted = [v for v in variants(listed) if any(file.name == path.name for file in v.files)]
    if not wanted:
        raise InvalidRequest(
            f"{path} alone is no model: a part of it is missing beside it, or it is only a "
            "projector. Name the model's first file.",
            param="source",
        )
    return _plan(path, path.parent, wanted[0].files, None)


def copy_into(path: Path, folder: Path) -> None:
    """Copy a file into a folder under its own name; it is there whole, or not at all.

    Raises:
        StorageError: it cannot be read or written.
    """
    partial = folder / f".{path.name}.part"
    try:
        shutil.copyfile(path, partial)
        partial.replace(folder / path.name)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise storage_error(f"{path} cannot be copied into {folder}", error) from error


def _folder(folder: Path) -> Plan:
    files = [file for file in folder.iterdir() if file.is_file()][:_MOST_FILES]
    listed = [Listed(file.name, file.stat().st_size) for file in files]
    found = variants(listed)
    if not found:
        for file in files:
            refuse_code(file.name)
        raise InvalidRequest(f"{folder} holds no whole .gguf file.", param="source")
    if len(found) > 1:
        names = ", ".join(sorted(variant.files[0].name for variant in found))
        raise InvalidRequest(f"{folder} holds several models: {names}. Name one.", param="source")
    return _plan(folder, folder, found[0].files, projector(listed))


def _image_folder(folder: Path) -> Plan:
    """All files of an image model but hidden ones and those that could run code."""
    has_pickles = image_engine(folder) != "openvino"  # whose weights are called .bin, too
    files = []
    for path in sorted(folder.rglob("*"))[:_MOST_FILES]:
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name.startswith(".") or "/." in name:
            continue
        if has_pickles and is_code(name):
            continue
        role: Role = "weights" if path.suffix.lower() in {".bin", ".safetensors"} else "other"
        files.append(PlannedFile(check_file_name(name), path, path.stat().st_size, role=role))
    return Plan(name=model_name(folder.name), source=str(folder), files=tuple(files))


def _plan(source: Path, folder: Path, parts: tuple[Listed, ...], eyes: Listed | None) -> Plan:
    files = [
        PlannedFile(check_file_name(part.name), folder / part.name, part.size_bytes, role="weights")
        for part in parts
    ]
    if eyes is not None:
        files.append(
            PlannedFile(
                check_file_name(eyes.name), folder / eyes.name, eyes.size_bytes, role="projector"
            )
        )
    stem = Path(parts[0].name).stem.partition("-00001-of-")[0]
    return Plan(name=model_name(stem), source=str(source), files=tuple(files))
