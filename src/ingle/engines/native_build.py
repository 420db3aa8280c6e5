"""Makes the build of llama.cpp for this machine's processor that `ingle.engines.native` finds.

All of it happens below `$INGLE_HOME/llama`, never in Python's own folders. What was compiled is
tried with the demo model, and only then does the record name it, by one rename: a build is there or
it is not. It knows nothing of terminals.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from ingle.engines.devices import gpus
from ingle.engines.native import (
    PACKAGE,
    Record,
    find_build,
    installed_bytes,
    library_in,
    native_folder,
    record_path,
)
from ingle.engines.native_trial import try_build
from ingle.engines.native_wheel import Report, make_wheel
from ingle.engines.processor import cpu_flags
from ingle.errors import EngineError, EngineMissing, StorageError
from ingle.files import make_private_folder, storage_error, write_private
from ingle.models.pull.lock import exclusive
from ingle.settings import Settings

__all__ = ["MakeWheel", "build_native", "remove_native"]

MakeWheel = Callable[[Path, str, Path, Report], Awaitable[Path]]

_NEEDED_BYTES = 1_000_000_000
"""Twice of what tools, sources and all that is compiled take at the most: 0.51 GB, measured."""

_COMPILERS = (("C", "CC", ("cc", "gcc", "clang")), ("C++", "CXX", ("c++", "g++", "clang++")))


async def build_native(settings: Settings, report: Report, make: MakeWheel = make_wheel) -> Record:
    """A build of the installed version for this processor, used from the next start of an engine on.

    An older one is in use until then. When cancelled, what was made is removed.

    Raises:
        EngineMissing: a build is of no use here, or there is no compiler.
        EngineError: the build failed, or what came of it does not run; names the log.
        StorageError: there is no room for it, or the folder cannot be written to.
    """
    _check_platform()
    _check_compilers()
    await asyncio.to_thread(_check_gpus)
    folder = native_folder(settings.home)
    make_private_folder(folder)
    async with exclusive(folder / "build.lock", lambda: report("waiting", 0.0)):
        await asyncio.to_thread(_clear_away, settings.home)
        _check_space(folder)
        shop = Path(tempfile.mkdtemp(prefix="build-", dir=folder))
        try:
            version = metadata.version(PACKAGE)
            wheel = await make(shop, version, folder / "build.log", report)
            report("trying", 0.0)
            return await _take(wheel, version, settings)
        finally:
            await asyncio.to_thread(shutil.rmtree, shop)


async def remove_native(settings: Settings) -> bool:
    """Remove the build, its log and what broken ones left; whether there was one.

    Engines that run keep it until they end.

    Raises:
        StorageError: the file system refuses.
    """
    there_was = find_build(settings.home) is not None
    folder = native_folder(settings.home)
    try:
        record_path(settings.home).unlink(missing_ok=True)
        if folder.exists():
            await asyncio.to_thread(shutil.rmtree, folder)
    except OSError as error:
        raise storage_error(f"{folder} cannot be removed", error) from error
    return there_was


async def _take(wheel: Path, version: str, settings: Settings) -> Record:
    """Unpack the wheel beside the record, try it, and let the record name it."""
    folder = native_folder(settings.home)
    old = find_build(settings.home)
    unpacked = Path(tempfile.mkdtemp(prefix=f"{version}-", dir=folder))
    try:
        library = await asyncio.to_thread(_unpack, wheel, unpacked)
        record = Record(
            version=version,
            folder=unpacked.name,
            library_bytes=library.stat().st_size,
            installed_bytes=installed_bytes(),
            flags=sorted(cpu_flags()),
            features=await try_build(unpacked, settings),
            built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_private(record_path(settings.home), msgspec.json.encode(record))
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, unpacked)
        raise
    if old is not None and old.record is not None:
        await asyncio.to_thread(shutil.rmtree, old.folder, ignore_errors=True)
    return record


def _unpack(wheel: Path, folder: Path) -> Path:
    """The library of the package in the wheel, unpacked into the folder."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(f"{PACKAGE}/")]
            archive.extractall(folder, names)
    except (OSError, zipfile.BadZipFile) as error:
        raise EngineError(
            f"The wheel that was built, {wheel.name}, cannot be unpacked: {error}. Try again."
        ) from error
    library = library_in(folder)
    if library is None:
        raise EngineError(f"The wheel that was built, {wheel.name}, has no library. Try again.")
    return library


def _clear_away(home: Path) -> None:
    """Remove what builds left that were killed; nobody else builds now."""
    in_use = find_build(home)
    for left in native_folder(home).iterdir():
        if left.is_dir() and not (in_use and in_use.folder == left):
            shutil.rmtree(left, ignore_errors=True)


def _check_platform() -> None:
    if sys.platform == "darwin":
        raise EngineMissing(
            "On macOS, the xllamacpp of PyPI is made for the processor already: there is nothing "
            "to gain from a build."
        )
    if sys.platform != "linux":
        raise EngineMissing(
            "A build of llama.cpp for this processor can be made on Linux only. Here, run llama.cpp's "
            "own llama-server and connect it: `ingle connections add NAME URL`."
        )


def _check_gpus() -> None:
    if devices := gpus():
        raise EngineMissing(
            f"The installed xllamacpp uses {devices[0].description}, and a build for the processor "
            "would not. There is nothing to gain from one."
        )


def _check_compilers() -> None:
    for language, variable, usual in _COMPILERS:
        chosen = os.environ.get(variable, "").split()[:1]
        names = chosen or usual
        if not any(map(shutil.which, names)):
            raise EngineMissing(
                f"There is no {language} compiler to build llama.cpp with (looked for "
                f"{', '.join(names)}). Install one, such as with `sudo apt install g++` or `sudo dnf "
                "install gcc-c++`; or take llama.cpp's own binaries as an engine, see "
                "docs/other-engines.md."
            )


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _NEEDED_BYTES:
        raise StorageError(
            f"A build of llama.cpp needs {_NEEDED_BYTES / 1e9:.0f} GB of room while it is made, and the disk "
            f"of {folder} has {free / 1e9:.1f} GB free. Free some, or set INGLE_HOME to a folder on "
            "another disk."
        )
