"""A build of llama.cpp that was made on this machine for its own processor, if there is one.

The xllamacpp that comes from PyPI runs on any processor of the last ten years, and so uses nothing
newer. `ingle doctor --build` makes another one of the same version (`ingle.engines.native_build`)
and puts it into `$INGLE_HOME/llama`; the text engine's process imports that one. It is used only
where it fits: the same version, and a processor that has all that it was built for. See
docs/decisions/0069.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

import msgspec

from ingle.engines.processor import cpu_flags

__all__ = [
    "PACKAGE",
    "FoundBuild",
    "Record",
    "find_build",
    "installed_bytes",
    "library_in",
    "native_folder",
    "record_path",
]

PACKAGE = "xllamacpp"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a build. It exists when its record does, which is written last.

    `folder` is its name beside the record, `flags` what the processor had that it was made for,
    `installed_bytes` the size of the library that it stands in for: one for GPUs has another.
    """

    version: str
    folder: str
    library_bytes: int
    installed_bytes: int
    flags: list[str]
    features: list[str]
    built_at: str


@dataclass(frozen=True, slots=True)
class FoundBuild:
    """A build: where to import it from, and why it is not to be used, if there is a reason."""

    folder: Path
    record: Record | None
    fault: str | None


def native_folder(home: Path) -> Path:
    """Where builds are kept, and nothing else."""
    return home / "llama"


def record_path(home: Path) -> Path:
    """The file that says which build there is."""
    return native_folder(home) / "native.json"


def find_build(home: Path) -> FoundBuild | None:
    """The build that there is, looked at but not loaded; None if there is none. Blocks shortly."""
    path = record_path(home)
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        return FoundBuild(path.parent, None, f"its record {path} cannot be read: {error}")
    folder = path.parent / record.folder
    return FoundBuild(folder, record, _fault(record, folder))


def library_in(folder: Path) -> Path | None:
    """The compiled library of a build; None if there is none."""
    return next((folder / PACKAGE).glob(f"{PACKAGE}.*.so"), None)


def installed_bytes() -> int:
    """The size of the library of the installed xllamacpp, which is not loaded; 0 if it is not there."""
    spec = util.find_spec(PACKAGE)
    library = library_in(Path(spec.origin).parents[1]) if spec and spec.origin else None
    return library.stat().st_size if library else 0


def _fault(record: Record, folder: Path) -> str | None:
    installed = metadata.version(PACKAGE)
    if record.version != installed:
        return f"it is version {record.version}, and xllamacpp {installed} is installed"
    if record.installed_bytes != installed_bytes():
        return "another xllamacpp of this version was installed since, which may know a GPU"
    if missing := set(record.flags) - cpu_flags():
        shown = ", ".join(sorted(missing)[:5])
        return f"it was made for a processor with {shown}, and this one has not all of that"
    library = library_in(folder)
    if library is None or library.stat().st_size != record.library_bytes:
        return f"its library in {folder} is missing or not whole"
    return None
