"""Tries a build of llama.cpp before it is used: it has to load and to write with the demo model."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from ingle.engines.fit import fit
from ingle.engines.launch import llama_launch
from ingle.engines.memory import Memory
from ingle.engines.process import EngineProcess
from ingle.errors import EngineError, IngleError
from ingle.models.store import Models
from ingle.settings import Settings
from ingle.upstream.client import Client
from ingle.upstream.wire import Completion

__all__ = ["features_of", "try_build"]

_DESCRIBE_S = 60.0
_START_S = 60.0
_ROOM = Memory(2**30)  # the demo model takes a twentieth of it
_ASKED = {"prompt": "Once upon a time", "max_tokens": 8, "temperature": 0, "seed": 1}


async def try_build(folder: Path, settings: Settings) -> list[str]:
    """What of the processor a build uses, in llama.cpp's words, after the demo model has written.

    Raises:
        EngineError: it does not load, or the model does not write with it.
    """
    features = await _features(folder)
    if not await _write(folder, settings):
        raise EngineError(
            f"The build of llama.cpp in {folder} loads, and the demo model writes nothing with it. "
            "The installed llama.cpp goes on being used."
        )
    return features


def features_of(system_info: str) -> list[str]:
    """The features that llama.cpp's line about its build says are in use."""
    return re.findall(r"(\w+) = 1", system_info)


async def _features(folder: Path) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ingle.engines.llama", "--describe", str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_DESCRIBE_S):
            told, log = await process.communicate()
    except TimeoutError:
        told, log = b"", f"no answer in {_DESCRIBE_S:g} s".encode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = log.decode("utf-8", "replace").strip().splitlines() or [
            f"exit code {process.returncode}"
        ]
        raise _unfit(folder, lines[-1])
    description = json.loads(told)
    if not Path(description["path"]).is_relative_to(folder):
        raise _unfit(folder, f"{description['path']} is loaded in its place")
    return features_of(description["system_info"])


async def _write(library: Path, settings: Settings) -> str:
    """What the demo model writes with a build."""
    model = await asyncio.to_thread(Models(settings).get, "demo")
    size = fit(model, slots=1, context_tokens=512, limit=_ROOM)
    try:
        engine = await EngineProcess.start(
            llama_launch(model, size, threads=1, library=library), within_s=_START_S
        )
        try:
            async with Client() as client:
                answer = await client.post(engine.target, "completions", _ASKED, into=Completion)
        finally:
            await engine.stop()
    except IngleError as error:
        raise _unfit(library, error.message) from error
    return answer.choices[0].text


def _unfit(folder: Path, reason: str) -> EngineError:
    return EngineError(
        f"The build of llama.cpp in {folder} does not run: {reason} The installed llama.cpp goes on "
        "being used."
    )
