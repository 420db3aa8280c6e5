"""Models of whisper.cpp: what is not right about a file or a task is told before it is tried."""

from __future__ import annotations

import importlib.util
from array import array
from pathlib import Path

import pytest
from tests.engines.speech.tiny_whisper import ENGLISH, write_whisper

from ingle.engines.speech.listener import Task
from ingle.engines.speech.transcript import Segment
from ingle.errors import InvalidRequest, ModelFileInvalid, UnsupportedInput

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("_pywhispercpp") is None, reason="needs the extra `speech`"
)


@pytest.mark.parametrize("missing", [1, 20, 1_000_000, 2_000_000, 2_304_000])
def test_a_model_that_was_cut_is_told(tmp_path: Path, missing: int) -> None:
    """whisper.cpp would run it without weights, or take a minute over what is not there."""
    from ingle.engines.speech.with_whisper import load

    path = tmp_path / "ggml-tiny.bin"
    write_whisper(path)
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(ModelFileInvalid, match=r"ggml-tiny\.bin is no whole model"):
        load(path)


def test_a_model_without_some_weights_is_told(tmp_path: Path) -> None:
    """Its file is whole, and whisper.cpp says only in its log that it cannot be used."""
    from ingle.engines.speech.with_whisper import load

    path = tmp_path / "ggml-tiny.bin"
    write_whisper(path, layers_told=2)
    with pytest.raises(ModelFileInvalid, match="not all tensors loaded"):
        load(path)


def test_a_model_for_english_does_not_translate(tmp_path: Path) -> None:
    """Nor does it hear German."""
    from ingle.engines.speech.with_whisper import load

    path = tmp_path / "ggml-tiny.en.bin"
    write_whisper(path, vocabulary=ENGLISH)
    listener = load(path)
    listener.check(Task(language="english"))
    with pytest.raises(UnsupportedInput):
        listener.check(Task(translates=True))
    with pytest.raises(InvalidRequest, match="hears English only"):
        listener.check(Task(language="de"))


def test_less_than_a_second_is_heard_too(tmp_path: Path) -> None:
    """whisper.cpp alone hears nothing in it; times stay within the sound."""
    from ingle.engines.speech.with_whisper import load

    path = tmp_path / "ggml-tiny.bin"
    write_whisper(path)
    heard: list[Segment] = []

    def hear(segment: Segment) -> bool:
        heard.append(segment)
        return False

    sound = array("f", [0.1, -0.1] * 4000)
    task = Task(language="de", prompt="Guten Tag.", temperature=1)
    transcript = load(path, threads=1).listen(sound, task, hear, lambda: False)
    assert transcript.segments == heard != []
    assert transcript.duration_s == 0.5
    assert heard[-1].end_s <= 0.5
