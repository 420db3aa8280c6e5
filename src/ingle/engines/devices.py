"""The GPUs that llama.cpp can use here, told by a short-lived child, as only that loads llama.cpp."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

__all__ = ["Device", "gpus"]

_DESCRIBE_S = 20.0
_NODES = ("nvidia[0-9]*", "kfd", "dri/renderD*", "dxg")
"""The kernel's files, under /dev, of NVIDIA's, AMD's and other GPUs, and of Windows' below WSL."""


class Device(msgspec.Struct, frozen=True):
    """What llama.cpp says of something that computes: `gpu` has memory of its own, `igpu` none."""

    description: str
    type: str
    memory_bytes: int = 0


class _Description(msgspec.Struct, frozen=True):
    devices: list[Device] = []


def gpus() -> Sequence[Device]:
    """The devices beside the processor; none where the machine has no GPU, or llama.cpp no use of it.

    Blocks. On macOS the GPU uses the machine's own memory, so it has nothing to be told here.
    """
    if sys.platform == "darwin":
        return ()
    if sys.platform == "linux" and not any(any(Path("/dev").glob(node)) for node in _NODES):
        return ()
    try:
        told = subprocess.run(
            (sys.executable, "-P", "-m", "ingle.engines.llama", "--describe"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DESCRIBE_S,
            check=True,
        ).stdout
        devices = msgspec.json.decode(told, type=_Description).devices
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
        return ()  # the first start of an engine tells what is wrong
    return [device for device in devices if device.type != "cpu"]
