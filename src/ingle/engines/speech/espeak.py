"""espeak-ng by its C interface: its languages, its speech, and its phonemes for other voices.

The only module that loads espeak-ng. It is under GPL-3.0: it comes with the extra `speech`, and
runs in a process of its own.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

from ingle.engines.speech.voice import OnSound
from ingle.errors import EngineError, EngineMissing

__all__ = ["Espeak"]

# espeak-ng/speak_lib.h
_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_CHARACTERS_UTF8 = 1
_BY_CHARACTERS = 1
_PHONEMES_IPA = 2

# A clause ends with its mark, closing quotes and spaces, and a character that was read ahead.
_MARK = re.compile(r"([.?!,;:…])[\"')\]»”’]*\s*\S?$")
_END_BYTES = 24  # of a clause, enough for that

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class _ListedVoice(ctypes.Structure):
    """`espeak_VOICE`, as far as it is read here."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_char)),
        ("identifier", ctypes.c_char_p),
    )


class Espeak:
    """The library, of which there can be only one in a process, and only one thread may use it.

    `languages` are codes such as "de", `variants` are names of ways to speak by those in lower
    case. Only these may be asked for: espeak-ng takes names for paths.

    Raises:
        EngineMissing: it is not installed, or not for this machine.
    """

    def __init__(self) -> None:
        try:
            import espeakng_loader

            library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = Path(espeakng_loader.get_data_path())
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineMissing(
                f"This voice needs espeak-ng, which is not installed ({error}). "
                "Run: pip install 'ingle[speech]'"
            ) from error
        self._library = library
        _declare(library)
        self.rate_hz: int = library.espeak_Initialize(
            _SYNCHRONOUS, 0, str(data).encode(), _DO_NOT_EXIT
        )
        if self.rate_hz < 0:
            raise EngineMissing(
                f"espeak-ng did not find its data in {data}. "
                "Run: pip install --force-reinstall espeakng-loader"
            )
        self.languages = _languages(library)
        self.variants = {file.name.lower(): file.name for file in (data / "voices/!v").iterdir()}

    def speak(self, text: str, voice: str, on_sound: OnSound) -> None:
        """Speak by a voice such as "de" or "de+f3", handing the sound over as it is made.

        Raises:
            EngineError: it failed.
            Exception: what `on_sound` raises, which stops it.
        """
        failures: list[Exception] = []

        def take(samples: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
            try:
                return int(count > 0 and on_sound(ctypes.string_at(samples, 2 * count)))
            except Exception as error:  # noqa: BLE001  # C would lose it; it is raised below
                failures.append(error)
                return 1

        callback = _Callback(take)
        self._library.espeak_SetSynthCallback(callback)
        self._library.espeak_SetVoiceByName(voice.encode())
        told = text.encode()
        failure = self._library.espeak_Synth(
            told, len(told) + 1, 0, _BY_CHARACTERS, 0, _CHARACTERS_UTF8, None, None
        )
        if failures:
            raise failures[0]
        if failure:
            raise EngineError(f"espeak-ng could not speak (error {failure}). Try a shorter text.")

    def clauses(self, text: str, language: str) -> Iterator[tuple[str, str]]:
        """Each clause as phonemes in the International Phonetic Alphabet, and the mark at its end."""
        self._library.espeak_SetVoiceByName(language.encode())
        # Of a text that was not read to its end, a character is left over, and would be read now.
        for _ in self._clauses(""):
            pass
        yield from self._clauses(text)

    def _clauses(self, text: str) -> Iterator[tuple[str, str]]:
        told = ctypes.create_string_buffer(text.encode())
        begin = ctypes.addressof(told)
        at = ctypes.c_void_p(begin)
        while at.value is not None:
            start = at.value - begin
            phonemes = self._library.espeak_TextToPhonemes(
                ctypes.byref(at), _CHARACTERS_UTF8, _PHONEMES_IPA
            )
            end = len(told.value) if at.value is None else at.value - begin
            found = _MARK.search(
                told.value[max(start, end - _END_BYTES) : end].decode(errors="ignore")
            )
            yield phonemes.decode(), found[1] if found else ""


def _declare(library: ctypes.CDLL) -> None:
    """Types, as far as they are not int."""
    library.espeak_Initialize.argtypes = (
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
    )
    library.espeak_Synth.argtypes = (
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    )
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_ListedVoice))
    library.espeak_TextToPhonemes.argtypes = (
        ctypes.POINTER(ctypes.c_void_p),
        ctypes.c_int,
        ctypes.c_int,
    )
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p


def _languages(library: ctypes.CDLL) -> tuple[str, ...]:
    """The codes of all languages, in lower case.

    Each voice has a list of them: a byte of priority and a code ended by a zero, until a priority
    of zero.
    """
    found: set[str] = set()
    voices = library.espeak_ListVoices(None)
    index = 0
    while voices[index]:
        at = ctypes.addressof(voices[index].contents.languages.contents)
        while ctypes.string_at(at, 1) != b"\0":
            code = ctypes.string_at(at + 1)
            found.add(code.decode().lower())
            at += len(code) + 2
        index += 1
    return tuple(sorted(found))
