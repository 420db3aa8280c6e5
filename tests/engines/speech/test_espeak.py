"""espeak-ng by its C interface."""

from __future__ import annotations

import importlib.util

import pytest

from ingle.engines.speech.espeak import Espeak
from ingle.errors import EngineError

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra `speech`"
)


def test_clauses_become_phonemes_with_their_marks() -> None:
    """As Piper's voices want them; a number with a comma and a time are not cut."""
    clauses = list(Espeak().clauses("Guten Tag, wie geht es? Um 10:30 sind es 2,5 Grad", "de"))
    assert [mark for _, mark in clauses] == [",", "?", ""]
    assert clauses[0][0] == "ɡˈuːtən tˈɑːk"


def test_a_text_that_was_not_read_to_its_end_leaves_nothing_behind() -> None:
    """The next text is read as if it were the first, after half-read and stopped ones."""
    espeak = Espeak()
    next(espeak.clauses("Apfel und alle anderen, aber auch", "de"))
    assert list(espeak.clauses("Guten Tag", "de")) == [("ɡˈuːtən tˈɑːk", "")]
    espeak.speak("Good morning to you all. And again.", "en-us", lambda sound: True)
    assert list(espeak.clauses("Guten Tag", "de")) == [("ɡˈuːtən tˈɑːk", "")]


def test_what_the_listener_raises_is_not_lost() -> None:
    """Else the speech would seem whole where it was cut."""
    heard: list[bytes] = []

    def fail(sound: bytes) -> bool:
        heard.append(sound)
        raise EngineError("full")

    with pytest.raises(EngineError, match="full"):
        Espeak().speak("Good morning to you all.", "en-us", fail)
    assert len(heard) == 1
