"""A voice in Piper's and in sherpa-onnx's form whose network hums: real files, noise for speech.

The ONNX file is written here by hand, as its package would be a dependency for this alone.
Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PIPER_METADATA", "onnx_hum", "write_piper_voice", "write_sherpa_voice"]

RATE_HZ = 22_050
FRAME = 256
"""Samples for each phoneme, at a speed of 1."""

_FLOAT, _INT64 = 1, 7
PIPER_METADATA = {
    "model_type": "vits",
    "comment": "piper",
    "language": "English",
    "voice": "en-us",
    "has_espeak": "1",
    "n_speakers": "1",
    "sample_rate": str(RATE_HZ),
}
_PHONEMES = "_^$ !',-.:;?abcdefhijklmnoprstuvwzæðŋɐɑɔəɚɛɜɡɪɫɬɹɾʃʊʌʒʔˈˌː̩θᵻ"


def write_sherpa_voice(folder: Path, metadata: dict[str, str] | None = None) -> None:
    """A folder as sherpa-onnx's releases have it, but for espeak-ng's data."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(onnx_hum(PIPER_METADATA if metadata is None else metadata))
    lines = (f"{phoneme} {number}\n" for number, phoneme in enumerate(_PHONEMES))
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")


def write_piper_voice(path: Path, *, speakers: Sequence[str] = ()) -> None:
    """`NAME.onnx` and `NAME.onnx.json`, as Piper's voices lie on Hugging Face."""
    path.write_bytes(onnx_hum({}, has_speakers=bool(speakers)))
    told = {
        "audio": {"sample_rate": RATE_HZ, "quality": "x_low"},
        "espeak": {"voice": "en-us"},
        "language": {"code": "en_US", "name_english": "English"},
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {name: number for number, name in enumerate(speakers)},
        "phoneme_type": "espeak",
        "phoneme_id_map": {phoneme: [number] for number, phoneme in enumerate(_PHONEMES)},
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(told), encoding="utf-8")


def onnx_hum(metadata: dict[str, str], *, has_speakers: bool = False) -> bytes:
    """A network that turns phonemes (1, n) into n frames of a value each, longer when slower."""
    nodes = [
        _node("Cast", ["input"], "phonemes", _attribute("to", _FLOAT)),
        _node("Mul", ["phonemes", "step"], "small"),
        _node("Sin", ["small"], "values"),
        _node("Unsqueeze", ["values", "last"], "column"),
        _node("Gather", ["scales", "one"], "slowness"),
        _node("Mul", ["slowness", "frame"], "long"),
        _node("Cast", ["long"], "length", _attribute("to", _INT64)),
        _node("Concat", ["ones", "length"], "shape", _attribute("axis", 0)),
        _node("Expand", ["column", "shape"], "wide"),
        _node("Reshape", ["wide", "flat"], "output"),
    ]
    constants = [
        _tensor("step", _FLOAT, (), struct.pack("<f", 0.37)),
        _tensor("last", _INT64, (1,), struct.pack("<q", 2)),
        _tensor("one", _INT64, (1,), struct.pack("<q", 1)),
        _tensor("frame", _FLOAT, (), struct.pack("<f", FRAME)),
        _tensor("ones", _INT64, (2,), struct.pack("<2q", 1, 1)),
        _tensor("flat", _INT64, (3,), struct.pack("<3q", 1, 1, -1)),
    ]
    inputs = [
        _value("input", _INT64, ("batch", "phonemes")),
        _value("input_lengths", _INT64, ("batch",)),
        _value("scales", _FLOAT, (3,)),
    ]
    if has_speakers:
        inputs.append(_value("sid", _INT64, ("batch",)))
    graph = b"".join(
        (
            *(_bytes(1, node) for node in nodes),
            _bytes(2, b"hum"),
            *(_bytes(5, constant) for constant in constants),
            *(_bytes(11, value) for value in inputs),
            _bytes(12, _value("output", _FLOAT, ("batch", 1, "samples"))),
        )
    )
    opset = _bytes(8, _bytes(1, b"") + _number(2, 17))
    told = (
        _bytes(14, _bytes(1, key.encode()) + _bytes(2, value.encode()))
        for key, value in metadata.items()
    )
    return _number(1, 8) + opset + _bytes(7, graph) + b"".join(told)


def _node(operator: str, inputs: Sequence[str], output: str, attribute: bytes = b"") -> bytes:
    given = b"".join(_bytes(1, name.encode()) for name in inputs)
    return given + _bytes(2, output.encode()) + _bytes(4, operator.encode()) + attribute


def _attribute(name: str, value: int) -> bytes:
    return _bytes(5, _bytes(1, name.encode()) + _number(3, value) + _number(20, 2))


def _tensor(name: str, kind: int, shape: Sequence[int], data: bytes) -> bytes:
    sizes = b"".join(_number(1, size) for size in shape)
    return sizes + _number(2, kind) + _bytes(8, name.encode()) + _bytes(9, data)


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sizes = (
        _number(1, size) if isinstance(size, int) else _bytes(2, size.encode()) for size in shape
    )
    form = b"".join(_bytes(1, size) for size in sizes)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, form)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
