"""Names that servers give to files, checked before any of them touches the disk.

A name from outside is data: it may try to leave the folder (`../`), to be a device (`NUL`), to
steer a terminal, or to be code (a pickle). It knows nothing about where files come from.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from ingle.errors import InvalidRequest, ModelFileInvalid

__all__ = [
    "check_file_name",
    "check_model_name",
    "is_code",
    "is_model_file",
    "model_name",
    "refuse_code",
]

_LONGEST_PART = 200  # of the 255 bytes that file systems take; the rest is for our suffixes
_DEEPEST = 8
_FORBIDDEN = frozenset('<>:"|?*\\')  # Windows; a file must be the same on every machine
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_CODE_SUFFIXES = frozenset({".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"})
_ARCHIVE_SUFFIXES = frozenset({".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip", ".zst"})


def check_file_name(name: str) -> str:
    """The name itself: a relative path with `/`, that means the same on every system.

    Raises:
        ModelFileInvalid: it leads out of its folder, or cannot be a file's name everywhere.
    """
    parts = name.split("/")
    if len(parts) > _DEEPEST:
        raise _bad_name(name, f"it lies more than {_DEEPEST} folders deep")
    for part in parts:
        if why := _fault(part):
            raise _bad_name(name, why)
    return name


def _fault(part: str) -> str | None:
    """Why this can be no part of a path; None if it can."""
    if not part:
        return "it is an absolute path or has an empty part"
    if part in (".", ".."):
        return "it leads out of the model's folder"
    if len(part.encode(errors="replace")) > _LONGEST_PART:
        return f"a part of it is longer than {_LONGEST_PART} bytes"
    if any(unicodedata.category(char).startswith("C") for char in part):
        return "it holds a control character"
    if found := sorted(_FORBIDDEN.intersection(part)):
        return f"it holds {found[0]!r}"
    if part.startswith((".", " ")) or part.endswith((".", " ")):
        return "a part of it begins or ends with a dot or a space"
    if _DEVICES.fullmatch(part):
        return "it is the name of a device on Windows"
    return None


def is_model_file(name: str) -> bool:
    """Whether a file of this name is a model by itself: GGUF, whisper.cpp's, or a voice of Piper.

    Image models have weights in such files too, but by other names or in folders.
    """
    lower = name.lower()
    return lower.endswith((".gguf", ".onnx")) or (
        lower.startswith("ggml-") and lower.endswith(".bin")
    )


def is_code(name: str) -> bool:
    """Whether its ending is one of files that run code when they are read."""
    return PurePosixPath(name).suffix.lower() in _CODE_SUFFIXES


def refuse_code(name: str) -> None:
    """Return if the file can be data.

    Raises:
        ModelFileInvalid: it is a pickle, which runs code when it is read, or an archive.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _CODE_SUFFIXES:
        raise ModelFileInvalid(
            f"{name!r} is not taken: {suffix} files are Python pickles, and reading one runs "
            "whatever code is in it. Look for the same model as .gguf or .safetensors."
        )
    if suffix in _ARCHIVE_SUFFIXES:
        raise ModelFileInvalid(
            f"{name!r} is not taken: archives are not unpacked. Unpack it yourself, look at what "
            "is in it, and pull the folder."
        )


def check_model_name(name: str) -> str:
    """The name itself.

    Raises:
        InvalidRequest: it is not a model's name.
    """
    if not _MODEL_NAME.fullmatch(name) or _DEVICES.fullmatch(name) or name.endswith("."):
        raise InvalidRequest(
            f"{name!r} is not a model's name: up to 128 of A-Z, a-z, 0-9, '.', '_' and '-', "
            "beginning with a letter or digit.",
            param="name",
        )
    return name


def model_name(text: str) -> str:
    """A model's name made of a file's, a repository's or a tag's: lower case, plain characters."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._")[:128].rstrip("-._")
    return "model" if not name or _DEVICES.fullmatch(name) else name


def _bad_name(name: str, why: str) -> ModelFileInvalid:
    return ModelFileInvalid(
        f"The server names a file {name[:300]!r}, which is not taken: {why}. Nothing was written; "
        "tell whoever publishes the model, or pull another one."
    )
