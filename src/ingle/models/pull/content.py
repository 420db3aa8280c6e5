"""Whether a file's first bytes are those of what its name says, before the rest is fetched."""

from __future__ import annotations

from pathlib import PurePosixPath

from ingle.errors import ModelFileInvalid
from ingle.upstream.explain import describe

__all__ = ["check_first_bytes"]

_GGUF = b"GGUF"
_WHISPER = b"lmgg"
_ZIP = b"PK\x03\x04"  # what torch.save writes since PyTorch 1.6 is a zip with a pickle in it
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_WEIGHT_SUFFIXES = frozenset({".bin", ".onnx", ".safetensors"})


def check_first_bytes(name: str, head: bytes, origin: str) -> None:
    """Return if a file of this name can begin so; `head` are its first 16 bytes, if it has them.

    Raises:
        ModelFileInvalid: it is something else, such as a web page, or a pickle by another name.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if head.startswith((_ZIP, *_PICKLES)) and suffix in {*_WEIGHT_SUFFIXES, ".gguf"}:
        raise ModelFileInvalid(
            f"{name} from {origin} is a Python pickle, whatever its name says, and reading one "
            "runs whatever code is in it. It was not kept. Look for .gguf or .safetensors."
        )
    if name.startswith("ggml-") and suffix == ".bin" and not head.startswith(_WHISPER):
        raise ModelFileInvalid(
            f"{name} from {origin} is no model of whisper.cpp: {describe(head)} came. It was not "
            "kept. Check the address: it must be that of the file itself, not of a page about it."
        )
    if suffix == ".gguf" and len(head) >= len(_GGUF) and not head.startswith(_GGUF):
        raise ModelFileInvalid(
            f"{name} from {origin} is no GGUF file: {describe(head)} came. It was not kept. "
            "Check the address: it must be that of the file itself, not of a page about it."
        )
