"""The files of a voice for sherpa-onnx, looked over before the library opens them.

Where something does not fit, the library ends its process. So what it needs is looked for here.
Sources: https://k2-fsa.github.io/sherpa/onnx/tts/ and Piper's `VOICES.md`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ingle.engines.speech.onnx_file import encoded_metadata, read_metadata
from ingle.errors import ModelFileInvalid

__all__ = ["VoiceFiles", "read_piper_voice", "read_voice_folder"]

_NEEDED = ("sample_rate", "n_speakers", "model_type")


@dataclass(frozen=True, slots=True)
class VoiceFiles:
    """What the library is given. Without a `lexicon` it is given phonemes of `language`, which is
    a name of espeak-ng's, such as "en-us". `speakers` are numbers by name."""

    model: Path
    tokens: Path
    lexicon: str
    language: str
    speakers: Mapping[str, int]


class _Espeak(msgspec.Struct):
    voice: str


class _Audio(msgspec.Struct):
    sample_rate: int


class _PiperVoice(msgspec.Struct):
    """`NAME.onnx.json`, as far as it is read here."""

    audio: _Audio
    espeak: _Espeak
    phoneme_id_map: dict[str, list[int]]
    num_speakers: int = 1
    speaker_id_map: dict[str, int] = {}


def read_voice_folder(folder: Path) -> VoiceFiles:
    """A folder as sherpa-onnx's releases have it.

    Raises:
        ModelFileInvalid: it is of a kind that is not run here, or is not whole.
    """
    models = sorted(folder.glob("*.onnx"))
    if len(models) != 1:
        raise ModelFileInvalid(
            f"{folder} has {len(models)} ONNX files, and voices that are run here have one: VITS "
            "and Piper. Take such a voice, or for listening a model of whisper.cpp (ggml-*.bin)."
        )
    told = read_metadata(models[0])
    if missing := [name for name in _NEEDED if name not in told]:
        raise ModelFileInvalid(
            f"{models[0]} does not tell its {', '.join(missing)}, so it is not a voice for "
            "sherpa-onnx. Take one from its releases, or a voice of Piper with its .onnx.json."
        )
    if told["model_type"] != "vits":
        raise ModelFileInvalid(
            f"{models[0]} is of the kind {told['model_type']!r}, and voices that are run here are "
            "VITS and Piper. Take such a voice."
        )
    description = models[0].with_name(f"{models[0].name}.json")
    speakers = _described(description).speaker_id_map if description.is_file() else {}
    return VoiceFiles(
        model=models[0],
        tokens=folder / "tokens.txt",
        lexicon=",".join(str(file) for file in sorted(folder.glob("lexicon*.txt"))),
        language=told.get("voice", "en-us"),
        speakers=speakers,
    )


def read_piper_voice(path: Path, into: Path) -> VoiceFiles:
    """A voice of Piper, made into what sherpa-onnx takes, in the folder `into`.

    Raises:
        ModelFileInvalid: a file is damaged.
        OSError: `into` cannot be written.
    """
    voice = _described(path.with_name(f"{path.name}.json"))
    read_metadata(path)  # it is whole
    metadata = {
        "model_type": "vits",
        "comment": "piper",
        "language": voice.espeak.voice,
        "voice": voice.espeak.voice,
        "has_espeak": "1",
        "n_speakers": str(voice.num_speakers),
        "sample_rate": str(voice.audio.sample_rate),
    }
    model, tokens = into / "model.onnx", into / "tokens.txt"
    shutil.copyfile(path, model)
    with model.open("ab") as file:
        file.write(encoded_metadata(metadata))
    lines = (f"{phoneme} {ids[0]}\n" for phoneme, ids in voice.phoneme_id_map.items() if ids)
    tokens.write_text("".join(lines), encoding="utf-8")
    return VoiceFiles(model, tokens, "", voice.espeak.voice, voice.speaker_id_map)


def _described(path: Path) -> _PiperVoice:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_PiperVoice)
    except OSError as error:
        raise ModelFileInvalid(
            f"{path} cannot be read: {error.strerror or error}. Download it beside the .onnx file."
        ) from error
    except msgspec.DecodeError as error:
        raise ModelFileInvalid(
            f"{path} does not describe a voice of Piper: {error}. Download it again."
        ) from error
