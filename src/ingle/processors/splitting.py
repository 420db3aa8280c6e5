"""A text in chunks of bounded size that overlap, cut where a reader would pause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["BYTES_A_TOKEN", "chunks_of"]

BYTES_A_TOKEN = 4
"""About how many bytes of UTF-8 a token has. English has four letters to a token, and Chinese, at
three bytes a character, somewhat more than one character."""

# A word and what follows it; in Chinese and Japanese, what stands between two marks.
_WORDS = re.compile(r"[^\s。！？，；、]*[。！？，；、]+\s*|[^\s。！？，；、]+\s*|\s+")
_PARAGRAPH_ENDS = re.compile(r"\n[ \t\r]*\n")
_SENTENCE_ENDS = re.compile(r"([.!?…][\"'”’»)\]]*\s|[。！？]\s*$)")


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is never cut: where it begins, its size, and how good a place its end is to pause."""

    start: int
    size: int
    pause: int


def chunks_of(
    text: str, *, size: int, overlap: int, measure: Callable[[str], int]
) -> Iterator[str]:
    """The chunks, none above `size` by `measure`, without the white space around them.

    Each but the first begins with up to `overlap` of the end of the one before. A chunk ends with
    a paragraph, else a line, a sentence, a word, if there is such an end in its second half.
    `overlap` is below `size`, and `measure` adds up: two texts together measure what each does.
    """
    atoms = list(_atoms(text, size - overlap, measure))
    first, end = 0, 0
    while end < len(atoms):
        end = _end(atoms, first, end, size)
        stop = atoms[end].start if end < len(atoms) else len(text)
        if chunk := text[atoms[first].start : stop].strip():
            yield chunk
        first = _back(atoms, end, overlap)


def _atoms(text: str, longest: int, measure: Callable[[str], int]) -> Iterator[_Atom]:
    for word in _WORDS.finditer(text):
        part, start = word[0], word.start()
        size = measure(part)
        while size > longest and len(part) > 1:  # no language: base64, a URL, a line of dashes
            length = max(1, len(part) * longest // size)
            while length > 1 and measure(part[:length]) > longest:
                length //= 2
            yield _Atom(start, measure(part[:length]), 0)
            part, start = part[length:], start + length
            size = measure(part)
        yield _Atom(start, size, _pause(part))


def _pause(word: str) -> int:
    if _PARAGRAPH_ENDS.search(word):
        return 4
    if "\n" in word:
        return 3
    return 2 if _SENTENCE_ENDS.search(word) else 1


def _end(atoms: list[_Atom], first: int, at_least: int, size: int) -> int:
    """The atom before which a chunk from `first` on ends; it has one at least beyond `at_least`."""
    left, end = size, first
    best, best_pause = first, -1
    while end < len(atoms) and (atoms[end].size <= left or end <= at_least):
        left -= atoms[end].size
        pause = atoms[end].pause
        end += 1
        if end > at_least and pause >= best_pause and left <= size // 2:
            best, best_pause = end, pause
    return end if end == len(atoms) or best_pause < 0 else best


def _back(atoms: list[_Atom], end: int, overlap: int) -> int:
    """Where the next chunk begins: as far back as `overlap` allows, best after a sentence."""
    first, left = end, overlap
    while first > 0 and atoms[first - 1].size <= left:
        first -= 1
        left -= atoms[first].size
    for start in range(first, end):
        if start > 0 and atoms[start - 1].pause >= 2:
            return start
    return first
