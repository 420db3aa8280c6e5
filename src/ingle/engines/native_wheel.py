"""A wheel of xllamacpp compiled for this processor, made of the sources on PyPI, with a log of it all.

It knows nothing about what becomes of the wheel.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from ingle.engines.native import PACKAGE
from ingle.errors import EngineError

__all__ = ["Report", "Stage", "Step", "make_wheel", "run_step", "steps"]

Stage = Literal["waiting", "tools", "compiling", "trying"]
Report = Callable[[Stage, float], None]
"""Is told of each stage, and which share of it is done."""

# setuptools, Cython and versioneer are what the sources ask for; CMake and Ninja come as wheels.
_TOOLS = (
    "cmake>=3.28",
    "ninja>=1.11",
    "setuptools>=77",
    "cython>=3.1",
    "versioneer[toml]",
    "wheel",
)
_CMAKE = (
    # What the engine here does not need, and what would be fetched from elsewhere than PyPI.
    "-DLLAMA_BUILD_BORINGSSL=OFF",
    "-DLLAMA_LLGUIDANCE=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
)
_NICENESS = 10
_SHOWN_LINES = 6
_STEP = re.compile(rb"^\s*\[(\d+)/(\d+)\] ")  # how Ninja counts
_LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a build."""

    stage: Stage
    command: Sequence[str]
    environment: Mapping[str, str]


def steps(shop: Path, version: str, *, python: str = sys.executable) -> list[Step]:
    """What makes a wheel of this version in `shop/wheel`, in order; all that it needs lies in `shop`."""
    tools = shop / "tools"
    pip = (str(tools / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input")
    environment = dict(os.environ)
    environment.pop("XLLAMACPP_RELEASE", None)  # it would make the portable build again
    environment |= {
        "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "TMPDIR": str(shop),
        "CMAKE_GENERATOR": "Ninja",
        "CMAKE_ARGS": " ".join((os.environ.get("CMAKE_ARGS", ""), *_CMAKE)).strip(),
    }
    source = (f"{PACKAGE}=={version}", "--no-binary", PACKAGE, "--no-deps", "--no-build-isolation")
    return [
        Step("tools", (python, "-m", "venv", str(tools)), environment),
        Step("tools", (*pip, "install", *_TOOLS), environment),
        Step(
            "compiling",
            (*pip, "wheel", "--verbose", "--no-cache-dir", *source, "-w", str(shop / "wheel")),
            environment,
        ),
    ]


async def make_wheel(shop: Path, version: str, log: Path, report: Report) -> Path:
    """The wheel of this version, built in the empty folder `shop`; `log` holds all that was said.

    When cancelled, whatever runs is killed.

    Raises:
        EngineError: a step failed; has its last lines and names the log.
    """
    with await asyncio.to_thread(log.open, "wb", 0) as file:  # unbuffered, for who follows it
        stage: Stage | None = None
        for step in steps(shop, version):
            if step.stage != stage:
                stage = step.stage
                report(stage, 0.0)
            await run_step(step, file, report)
    wheels = list((shop / "wheel").glob("*.whl"))
    if len(wheels) != 1:
        raise EngineError(
            f"The build of {PACKAGE} {version} made {len(wheels)} wheels and not one. See {log}."
        )
    return wheels[0]


async def run_step(step: Step, log: BinaryIO, report: Report) -> None:
    """Run a command at low priority, in a process group of its own; it is killed when cancelled.

    Raises:
        EngineError: it failed or cannot be run.
    """
    log.write(f"$ {' '.join(step.command)}\n".encode())
    last: deque[str] = deque(maxlen=_SHOWN_LINES)
    try:
        process = await asyncio.create_subprocess_exec(
            *step.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(step.environment),
            start_new_session=True,
            preexec_fn=_yield_to_others,
            limit=_LONGEST_LINE,
        )
    except OSError as error:
        raise EngineError(
            f"The build of llama.cpp cannot run {step.command[0]}: {error.strerror or error}. "
            "Check that it can be run."
        ) from error
    assert process.stdout is not None
    try:
        while line := await process.stdout.readline():
            log.write(line)
            if counted := _STEP.match(line):
                report(step.stage, int(counted[1]) / max(1, int(counted[2])))
            elif text := line.decode("utf-8", "replace").strip():
                last.append(text)
        code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if code != 0:
        raise EngineError(
            f"The build of llama.cpp failed (`{' '.join(step.command[-4:])}` ended with exit code "
            f"{code}). Its last lines: {' | '.join(last)}. All of them are in {log.name}. The "
            "installed llama.cpp goes on being used."
        )


def _yield_to_others() -> None:
    os.nice(_NICENESS)
