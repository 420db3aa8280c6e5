"""A build of llama.cpp for this processor: made whole or not at all, and used only where it fits."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import zipfile
from importlib import metadata, util
from pathlib import Path

import msgspec
import pytest

from ingle.engines.fit import fit
from ingle.engines.launch import llama_launch
from ingle.engines.memory import Memory
from ingle.engines.native import (
    Record,
    find_build,
    installed_bytes,
    library_in,
    native_folder,
    record_path,
)
from ingle.engines.native_build import build_native, remove_native
from ingle.engines.native_wheel import Report, Step, run_step, steps
from ingle.engines.process import EngineProcess
from ingle.engines.processor import cpu_flags
from ingle.engines.supervisor import Supervisor
from ingle.errors import EngineError, EngineMissing
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import Settings, load_settings

VERSION = metadata.version("xllamacpp")


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings(overrides={"threads": 1, "context_tokens": 512, "slots": 1})


@pytest.fixture(autouse=True)
def compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that passes for compilers, on machines without them too; the stubs need none."""
    monkeypatch.setenv("CC", sys.executable)
    monkeypatch.setenv("CXX", sys.executable)


@pytest.fixture
def demo(settings: Settings) -> Model:
    return Models(settings).get("demo")


def package() -> Path:
    """The folder of the installed xllamacpp."""
    found = util.find_spec("xllamacpp")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


async def installed_again(shop: Path, version: str, log: Path, report: Report) -> Path:
    """A stub of the builder: a wheel of the xllamacpp that is installed."""
    report("compiling", 0.5)
    wheel = shop / f"xllamacpp-{version}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in package().iterdir():
            if path.is_file():
                archive.write(path, f"xllamacpp/{path.name}")
    return wheel


async def rubbish(shop: Path, version: str, log: Path, report: Report) -> Path:
    """A stub of the builder whose library is none."""
    wheel = shop / f"xllamacpp-{version}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("xllamacpp/__init__.py", "from .xllamacpp import *")
        archive.writestr("xllamacpp/xllamacpp.abi3.so", "no library")
    return wheel


def ignore(stage: str, done: float) -> None:
    """Nobody watches."""


def put(settings: Settings, **changed: object) -> Path:
    """A build that is there, its library of ten bytes; the folder of it."""
    folder = native_folder(settings.home) / "it"
    (folder / "xllamacpp").mkdir(parents=True)
    (folder / "xllamacpp" / "__init__.py").write_text("from .xllamacpp import *")
    (folder / "xllamacpp" / "xllamacpp.abi3.so").write_bytes(b"no library")
    record = Record(
        version=VERSION,
        folder="it",
        library_bytes=10,
        installed_bytes=installed_bytes(),
        flags=sorted(cpu_flags()),
        features=["AVX2"],
        built_at="2026-11-23T12:00:00+00:00",
    )
    told = {**msgspec.to_builtins(record), **changed}
    record_path(settings.home).write_bytes(msgspec.json.encode(told))
    return folder


def without_build(settings: Settings) -> bool:
    """Whether nothing is there but perhaps the log."""
    left = {path.name for path in native_folder(settings.home).iterdir()} - {"build.log"}
    return not left and find_build(settings.home) is None


@pytest.mark.slow
async def test_a_build_is_tried_and_then_used(settings: Settings, demo: Model) -> None:
    """What was built loads and writes, and the next engine runs it; removed, the installed one is
    used again."""
    stages: list[tuple[str, float]] = []
    built = await build_native(
        settings, lambda stage, done: stages.append((stage, done)), installed_again
    )

    assert stages == [("compiling", 0.5), ("trying", 0.0)]
    assert built.version == VERSION
    assert "SSE3" in built.features
    found = find_build(settings.home)
    assert found is not None
    assert found.fault is None
    assert str(found.folder) in await maps_of_engine(settings, demo)

    assert await remove_native(settings)
    assert find_build(settings.home) is None
    assert str(package()) in await maps_of_engine(settings, demo)
    assert not await remove_native(settings)


async def maps_of_engine(settings: Settings, model: Model) -> str:
    """The files that the engine's process has in memory."""
    async with Supervisor(settings) as supervisor, supervisor.lease(model):
        [status] = supervisor.status()
        return await asyncio.to_thread(Path(f"/proc/{status.pid}/maps").read_text)


async def test_a_build_that_does_not_run_changes_nothing(settings: Settings) -> None:
    """The one that was there stays, and nothing of the new one is left."""
    folder = put(settings)

    with pytest.raises(EngineError, match=r"does not run: .* goes on being used"):
        await build_native(settings, ignore, rubbish)

    found = find_build(settings.home)
    assert found is not None
    assert (found.folder, found.fault) == (folder, None)
    names = {path.name for path in native_folder(settings.home).iterdir()}
    assert names == {"it", "native.json"}


async def test_what_a_killed_build_left_is_cleared_away(settings: Settings) -> None:
    """The next build begins with an empty folder."""
    (native_folder(settings.home) / "build-x" / "tools").mkdir(parents=True)
    (native_folder(settings.home) / f"{VERSION}-x").mkdir()

    with pytest.raises(EngineError):
        await build_native(settings, ignore, rubbish)
    assert without_build(settings)


async def test_a_cancelled_build_leaves_nothing(settings: Settings) -> None:
    """Giving up removes what was made."""
    has_begun = asyncio.Event()

    async def endless(shop: Path, version: str, log: Path, report: Report) -> Path:
        (shop / "tools").mkdir()
        has_begun.set()
        await asyncio.Event().wait()
        return shop

    building = asyncio.create_task(build_native(settings, ignore, endless))
    await has_begun.wait()
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert without_build(settings)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"version": "2025.1.1"}, f"it is version 2025.1.1, and xllamacpp {VERSION} is installed"),
        ({"flags": ["amx_of_tomorrow"]}, "made for a processor with amx_of_tomorrow"),
        ({"installed_bytes": 12}, "another xllamacpp of this version was installed since"),
        ({"library_bytes": 11}, "is missing or not whole"),
        ({"version": 1}, "its record .* cannot be read"),
    ],
)
async def test_a_build_that_does_not_fit_is_not_used(
    settings: Settings,
    demo: Model,
    caplog: pytest.LogCaptureFixture,
    changed: dict[str, object],
    fault: str,
) -> None:
    """The installed one runs in its place, and the log says why."""
    put(settings, **changed)

    assert str(package()) in await maps_of_engine(settings, demo)
    [line] = [record.getMessage() for record in caplog.records if "not used" in record.getMessage()]
    assert "`ingle doctor --build` builds it anew" in line
    found = find_build(settings.home)
    assert found is not None
    assert found.fault is not None

    assert re.search(fault, found.fault)


async def test_a_library_that_does_not_load_falls_back(settings: Settings, demo: Model) -> None:
    """The engine starts with the installed one, and its log says so."""
    folder = put(settings)
    size = fit(demo, slots=1, context_tokens=512, limit=Memory(2**30))
    launch = llama_launch(demo, size, threads=1, library=folder)

    engine = await EngineProcess.start(launch, within_s=30)
    maps = await asyncio.to_thread(Path(f"/proc/{engine.pid}/maps").read_text)
    await engine.stop()

    assert str(package()) in maps
    assert any(
        line.startswith(f"The build of llama.cpp for this processor, {folder}, cannot be loaded")
        for line in engine.log.lines()
    )


async def test_without_a_compiler_there_is_a_clear_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to install, before anything is fetched or made."""
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(
        EngineMissing, match=r"no C compiler .* \(looked for cc, gcc, clang\)\. Inst"
    ):
        await build_native(settings, ignore, rubbish)
    assert not native_folder(settings.home).exists()


def test_what_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that is installed, from its sources, in the build's own folder, for this CPU."""
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_OPENMP=OFF")
    monkeypatch.setenv("XLLAMACPP_RELEASE", "1")
    made = steps(tmp_path, "1.2.3", python="/usr/bin/python3")

    assert [step.stage for step in made] == ["tools", "tools", "compiling"]
    assert made[0].command == ("/usr/bin/python3", "-m", "venv", f"{tmp_path}/tools")
    assert made[2].command[:3] == (f"{tmp_path}/tools/bin/python", "-m", "pip")
    assert "xllamacpp==1.2.3" in made[2].command
    assert "--no-binary" in made[2].command
    environment = made[2].environment
    assert environment["CMAKE_ARGS"].startswith("-DGGML_OPENMP=OFF -DLLAMA_BUILD_BORINGSSL=OFF ")
    assert environment["TMPDIR"] == str(tmp_path)
    assert environment["PATH"].startswith(f"{tmp_path}/tools/bin:")
    assert "XLLAMACPP_RELEASE" not in environment


def python(code: str) -> Step:
    """A step that runs this code."""
    return Step("compiling", (sys.executable, "-u", "-c", code), os.environ)


class NamedLog(io.BytesIO):
    """A log in memory."""

    name = "/the/build.log"


async def test_a_step_reports_how_far_it_is() -> None:
    """Ninja's count is the progress, and everything is in the log."""
    seen: list[float] = []
    log = NamedLog()

    await run_step(
        python("print('hello'); print('  [1/4] Building'); print('  [4/4] Linking')"),
        log,
        lambda stage, done: seen.append(done),
    )
    assert seen == [0.25, 1.0]
    assert log.getvalue().splitlines()[1:] == [b"hello", b"  [1/4] Building", b"  [4/4] Linking"]


async def test_a_step_that_fails_tells_its_last_lines() -> None:
    """A compiler's error is shown, with where all of it is."""
    with pytest.raises(EngineError) as caught:
        await run_step(
            python("import sys; print('x.cpp:1: error: no'); sys.exit(2)"), NamedLog(), ignore
        )

    assert "ended with exit code 2" in caught.value.message
    assert "Its last lines: x.cpp:1: error: no. All of them are in /the/build.log." in (
        caught.value.message
    )


async def test_a_cancelled_step_is_killed() -> None:
    """With all that it started."""
    log = NamedLog()
    code = "import os, time; print('  [1/2]', os.getpid()); time.sleep(600)"
    has_begun = asyncio.Event()
    running = asyncio.create_task(run_step(python(code), log, lambda *_: has_begun.set()))
    await has_begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    pid = int(log.getvalue().split()[-1])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_python_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A step that cannot be run names its program."""
    step = Step("tools", ("/no/such/python", "-m", "venv"), {})
    with pytest.raises(EngineError, match=r"cannot run /no/such/python: No such file"):
        await run_step(step, NamedLog(), ignore)


def test_the_library_of_a_build_is_found(settings: Settings) -> None:
    """By its name, whatever Python it was compiled for."""
    folder = put(settings)
    assert library_in(folder) == folder / "xllamacpp" / "xllamacpp.abi3.so"
    assert library_in(folder / "nothing") is None
