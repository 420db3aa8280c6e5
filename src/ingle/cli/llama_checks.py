"""What `ingle doctor` looks at of the text engine: what it uses of this machine, and what it could."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingle.cli.check import Check
from ingle.cli.machine import gpus
from ingle.engines.native import find_build
from ingle.engines.native_trial import features_of
from ingle.engines.processor import cpu_features, cpu_name

__all__ = ["check_llama"]

_GPU_TYPES = frozenset({"gpu", "igpu"})  # ggml-backend.h: enum ggml_backend_dev_type
_DESCRIBE_S = 30.0
_WHEELS = "https://xorbitsai.github.io/xllamacpp/whl"  # see "Installation" of xllamacpp's README
_BUILD_MINUTES = 15  # of one core, measured

_GAINS = (
    # What the portable build leaves unused, and what using it was measured to bring: see "A build
    # for your processor" in docs/performance.md.
    ("AMX_INT8", "reads prompts 3 to 4 times as fast and writes 1.7 to 2.4 times as fast"),
    ("AVX512", "reads prompts 1.3 to 1.6 times as fast and writes 1.0 to 1.3 times as fast"),
    ("AVX_VNNI", "is faster, by how much was not measured"),
    ("MATMUL_INT8", "is faster, by how much was not measured"),
    ("SVE", "is faster, by how much was not measured"),
)


def check_llama(home: Path | None) -> Iterator[Check]:
    """Which build of llama.cpp is used, what it makes of this machine, and what would be faster."""
    found = find_build(home) if home else None
    fault = found.fault if found else None
    engine: dict[str, Any] | Check | None = None  # Any: JSON values
    if found and not fault:
        engine = _describe(found.folder)
        if isinstance(engine, Check):
            fault, engine = engine.finding, None
    if fault:
        yield Check(
            "llama.cpp build",
            "warn",
            f"the build for this processor is not used: {fault}",
            "`ingle doctor --build` builds it anew, `ingle doctor --remove-build` removes it.",
        )
    is_native = engine is not None
    engine = engine or _describe(None)
    if isinstance(engine, Check):
        yield engine
        return
    yield _check_processor(engine, is_native=is_native)
    yield from _check_gpus(engine)


def _describe(library: Path | None) -> dict[str, Any] | Check:  # Any: JSON values
    """What the text engine's own process says of its build, or why it cannot."""
    command = [sys.executable, "-P", "-m", "ingle.engines.llama", "--describe"]
    command += [str(library)] if library else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DESCRIBE_S)
    except subprocess.TimeoutExpired:
        reason = f"it did not answer in {_DESCRIBE_S:.0f} s"
    else:
        if done.returncode == 0:
            description: dict[str, Any] = json.loads(done.stdout)
            return description
        if done.returncode == -signal.SIGILL:
            return Check(
                "llama.cpp",
                "fail",
                f"needs instructions that this processor ({cpu_name()}) does not have",
                "`ingle doctor --build` builds one that runs on it.",
            )
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        reason = lines[-1]
    return Check(
        "llama.cpp",
        "fail",
        f"cannot be loaded: {reason}",
        "`pip install --force-reinstall xllamacpp` installs it anew.",
    )


def _check_processor(engine: dict[str, Any], *, is_native: bool) -> Check:
    used = set(features_of(engine["system_info"]))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    offered = sorted(cpu_features())
    finding = f"{engine['version']} on {cores} cores of {cpu_name()}"
    if is_native:
        finding += ", built for this processor"
    if shown := [feature for feature in offered if feature in used]:
        finding += f", with {', '.join(shown)}"
    unused = [feature for feature in offered if feature not in used]
    gain = next((gain for feature, gain in _GAINS if feature in unused), None)
    if gain is None or is_native:
        return Check("llama.cpp", "ok", finding)
    minutes = max(2, round(_BUILD_MINUTES / (cores or 1)))
    return Check(
        "llama.cpp",
        "ok",
        f"{finding}; {', '.join(unused)} not used",
        f"One that is built for this processor {gain}. `ingle doctor --build` makes it here, in "
        f"about {minutes} minutes, with a C++ compiler.",
    )


def _check_gpus(engine: dict[str, Any]) -> Iterator[Check]:
    usable = [device["description"] for device in engine["devices"] if device["type"] in _GPU_TYPES]
    if usable:
        yield Check("gpu", "ok", f"llama.cpp uses {', '.join(usable)}")
        return
    seen = gpus()
    if not seen:
        yield Check("gpu", "ok", "none found; models run on the processor")
        return
    names = ", ".join(gpu.name for gpu in seen)
    kind = "cu128" if seen[0].seen_by == "cuda" else "vulkan"
    yield Check(
        "gpu",
        "warn",
        f"{names}: this build of llama.cpp cannot use it",
        f"`pip install --force-reinstall xllamacpp --index-url {_WHEELS}/{kind}` installs one "
        "that can.",
    )
