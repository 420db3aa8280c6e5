"""Speaking with espeak-ng: no weights, 130 languages, at once, and it sounds like a machine."""

from __future__ import annotations

from ingle.engines.speech.espeak import Espeak
from ingle.engines.speech.voice import OnSound, Utterance, Voice
from ingle.errors import InvalidRequest

__all__ = ["load"]

_LANGUAGE = "en-us"
_VARIANTS = {
    "alloy": "f1",
    "ash": "m1",
    "ballad": "m2",
    "cedar": "m5",
    "coral": "f2",
    "echo": "m3",
    "fable": "m4",
    "marin": "f5",
    "nova": "f3",
    "onyx": "m7",
    "sage": "linda",
    "shimmer": "f4",
    "verse": "m6",
}
"""OpenAI's names, so that a program that has them in it works: different voices, not like those."""


def load() -> Voice:
    """Espeak-ng, ready to speak.

    Raises:
        EngineMissing: it is not installed, or not for this machine.
    """
    return _EspeakVoice(Espeak())


class _EspeakVoice:
    def __init__(self, espeak: Espeak) -> None:
        self._espeak = espeak
        self.rate_hz = espeak.rate_hz

    def check(self, utterance: Utterance) -> None:
        self._voice(utterance)

    def rest_of_speed(self, speed: float) -> float:
        # espeak-ng's own rate goes from half to 2.5 times only, and 2 made 2.6 of it.
        return speed

    def speak(self, utterance: Utterance, on_sound: OnSound) -> None:
        self._espeak.speak(utterance.text, self._voice(utterance), on_sound)

    def _voice(self, utterance: Utterance) -> str:
        """espeak-ng's name for it: a language, and a variant of the voice.

        Raises:
            InvalidRequest: it has no such voice or language.
        """
        languages, variants = self._espeak.languages, self._espeak.variants
        language, plus, variant = utterance.voice.lower().partition("+")
        if not plus and language not in languages:
            language, variant = "", _VARIANTS.get(language, language)
        if language and utterance.language and language != utterance.language.lower():
            raise InvalidRequest(
                f"The voice {utterance.voice!r} speaks {language!r}, and `language` is "
                f"{utterance.language!r}. Leave one of them out.",
                param="language",
            )
        language = language or (utterance.language or _LANGUAGE).lower()
        if variant and variant not in variants:
            raise self._no_voice(utterance.voice)
        if language not in languages:
            raise InvalidRequest(
                f"espeak-ng does not speak {language!r}. It speaks: {', '.join(languages)}.",
                param="language" if utterance.language else "voice",
            )
        return f"{language}+{variants[variant]}" if variant else language

    def _no_voice(self, voice: str) -> InvalidRequest:
        return InvalidRequest(
            f"There is no voice {voice[:80]!r}. demo-voice has OpenAI's names, {', '.join(_VARIANTS)}; "
            f"any of {len(self._espeak.languages)} languages, such as de, en-gb or fr-fr; and variants of "
            "both, such as de+f3.",
            param="voice",
        )
