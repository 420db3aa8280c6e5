"""What this machine's processor is, and which instructions it has."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

__all__ = ["cpu_features", "cpu_flags", "cpu_name"]

_TOOL_S = 10.0

_FEATURES = {  # the kernel's names, and llama.cpp's
    "avx": "AVX",
    "avx2": "AVX2",
    "fma": "FMA",
    "f16c": "F16C",
    "bmi2": "BMI2",
    "avx_vnni": "AVX_VNNI",
    "avx512f": "AVX512",
    "avx512vbmi": "AVX512_VBMI",
    "avx512_vnni": "AVX512_VNNI",
    "avx512_bf16": "AVX512_BF16",
    "amx_int8": "AMX_INT8",
    "asimd": "NEON",
    "asimddp": "DOTPROD",
    "i8mm": "MATMUL_INT8",
    "sve": "SVE",
}


def cpu_name() -> str:
    """What the processor calls itself."""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_S, check=False)
        return told.stdout.strip()
    match = re.search(r"^model name\s*: (.+)$", _cpuinfo(), re.MULTILINE)
    return match[1].strip() if match else platform.processor() or platform.machine()


def cpu_flags() -> frozenset[str]:
    """What the kernel says that the processor has, in its words; only known on Linux."""
    match = re.search(r"^(?:flags|Features)\s*: (.+)$", _cpuinfo(), re.MULTILINE)
    return frozenset(match[1].split() if match else ())


def cpu_features() -> set[str]:
    """What llama.cpp could use of this processor, in its words; only known on Linux."""
    return {_FEATURES[flag] for flag in cpu_flags() if flag in _FEATURES}


@lru_cache(maxsize=1)
def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
