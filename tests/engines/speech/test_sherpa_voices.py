"""Voices for sherpa-onnx: their files looked over, and spoken with by the real library."""

from __future__ import annotations

import importlib.util
from array import array
from pathlib import Path

import pytest
from tests.engines.speech.tiny_voice import (
    FRAME,
    PIPER_METADATA,
    RATE_HZ,
    onnx_hum,
    write_piper_voice,
    write_sherpa_voice,
)

from ingle.engines.speech.onnx_file import encoded_metadata, read_metadata
from ingle.engines.speech.sherpa_files import read_piper_voice, read_voice_folder
from ingle.engines.speech.voice import Utterance
from ingle.errors import InvalidRequest, ModelFileInvalid

needs_extra = pytest.mark.skipif(
    importlib.util.find_spec("sherpa_onnx") is None, reason="needs the extra `speech`"
)


def test_what_is_appended_to_an_onnx_file_is_a_part_of_it(tmp_path: Path) -> None:
    """Its own keys stay."""
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_hum({"voice": "de"}) + encoded_metadata({"comment": "x" * 300}))
    assert read_metadata(path) == {"voice": "de", "comment": "x" * 300}


@pytest.mark.parametrize("data", [b"", b"nonsense", onnx_hum({})[:-1], b"\xff" * 40])
def test_what_is_no_onnx_file_is_told(tmp_path: Path, data: bytes) -> None:
    """By its path, with what to do."""
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelFileInvalid, match=r"a\.onnx .*Download the model again"):
        read_metadata(path)


def test_a_voice_of_piper_gets_what_sherpa_onnx_reads(tmp_path: Path) -> None:
    """The file itself stays as it was."""
    path = tmp_path / "hum.onnx"
    write_piper_voice(path, speakers=["anna", "bob"])
    before = path.read_bytes()
    (tmp_path / "into").mkdir()
    files = read_piper_voice(path, tmp_path / "into")
    told = read_metadata(files.model)
    assert (told["sample_rate"], told["n_speakers"], told["comment"]) == ("22050", "2", "piper")
    assert files.tokens.read_text(encoding="utf-8").startswith("_ 0\n^ 1\n$ 2\n  3\n")
    assert (files.language, files.speakers) == ("en-us", {"anna": 0, "bob": 1})
    assert path.read_bytes() == before


def test_a_voice_with_a_wrong_description_is_told(tmp_path: Path) -> None:
    """With the field that is missing."""
    path = tmp_path / "hum.onnx"
    write_piper_voice(path)
    path.with_name("hum.onnx.json").write_text("{}")
    with pytest.raises(ModelFileInvalid, match="missing required field `audio`"):
        read_piper_voice(path, tmp_path)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "does not tell its sample_rate, n_speakers, model_type"),
        (PIPER_METADATA | {"model_type": "kokoro"}, "of the kind 'kokoro'"),
    ],
)
def test_a_folder_that_is_no_voice_is_told(
    tmp_path: Path, metadata: dict[str, str], words: str
) -> None:
    """sherpa-onnx would end the process."""
    write_sherpa_voice(tmp_path / "hum", metadata)
    with pytest.raises(ModelFileInvalid, match=words):
        read_voice_folder(tmp_path / "hum")


def test_a_model_of_several_networks_is_told(tmp_path: Path) -> None:
    """Those that listen have an encoder and a decoder."""
    write_sherpa_voice(tmp_path / "hum")
    (tmp_path / "hum/decoder.onnx").write_bytes(b"x")
    with pytest.raises(ModelFileInvalid, match="has 2 ONNX files"):
        read_voice_folder(tmp_path / "hum")


@needs_extra
def test_a_folder_of_sherpa_onnx_speaks_sentence_by_sentence(tmp_path: Path) -> None:
    """A frame for each phoneme, and the blanks that Piper's voices have between them."""
    from ingle.engines.speech.with_sherpa import load

    write_sherpa_voice(tmp_path / "hum")
    voice = load(tmp_path / "hum")
    assert voice.rate_hz == RATE_HZ
    heard: list[int] = []

    def hear(sound: bytes) -> bool:
        heard.append(len(array("h", sound)))
        return len(heard) == 2

    voice.speak(Utterance("Hello there, you. And you! And them?", "alloy"), hear)
    assert len(heard) == 2, "the third was not wanted any more"
    assert heard[0] % FRAME == 0
    assert heard[0] > heard[1] > 5 * FRAME
    with pytest.raises(InvalidRequest, match="0 to 0"):
        voice.check(Utterance("x", "1"))


@needs_extra
def test_a_voice_whose_weights_are_none_is_told(tmp_path: Path) -> None:
    """Though its file is whole."""
    from ingle.engines.speech.with_sherpa import load

    write_sherpa_voice(tmp_path / "hum")
    path = tmp_path / "hum/model.onnx"
    path.write_bytes(encoded_metadata(PIPER_METADATA))
    with pytest.raises(ModelFileInvalid, match="sherpa-onnx cannot load"):
        load(tmp_path / "hum")
