"""How people type: the same request in many forms.

A pattern such as `[what is|what's] the capital of {x}[?|]` stands for every choice of
one option a bracket; brackets do not nest.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import TypeVar

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SPACES = re.compile(" {2,}")

Choice = TypeVar("Choice")


def weighted(random: Random, choices: Sequence[tuple[float, Choice]]) -> Choice:
    """One of the second items, as often as the first ones say."""
    return random.choices(choices, [weight for weight, _ in choices])[0][1]


def worded(random: Random, pattern: str, **values: object) -> str:
    """`pattern` with one option of each bracket, then `values` filled in."""
    chosen = _CHOICE.sub(lambda match: random.choice(match[1].split("|")), pattern)
    chosen = _SPACES.sub(" ", chosen).strip(" ")
    return chosen.format(**values) if values else chosen


def one_of(random: Random, *patterns: str, **values: object) -> str:
    """One of `patterns`, worded."""
    return worded(random, random.choice(patterns), **values)


def typed(random: Random, text: str) -> str:
    """`text` as someone might type it: now and then in lower case, bare, or mistyped."""
    kind = random.random()
    if kind < 0.16:
        return text[:1].lower() + text[1:]
    if kind < 0.28:
        return text.lower().rstrip(".!?")
    if kind < 0.34:
        return text.rstrip(".!?")
    if kind < 0.38:
        return mistyped(random, text)
    if kind < 0.40:
        return one_of(random, "please ", "hey, ", "Hi, ", "ok, ") + text[:1].lower() + text[1:]
    return text


def mistyped(random: Random, text: str) -> str:
    """`text` with one slip in a longer word: two letters swapped, or one left out."""
    words = text.split(" ")
    long_words = [at for at, word in enumerate(words) if word.isalpha() and len(word) > 4]
    if not long_words:
        return text
    at = random.choice(long_words)
    word, slip = words[at], random.randrange(1, len(words[at]) - 2)
    if random.random() < 0.5:
        words[at] = word[:slip] + word[slip + 1] + word[slip] + word[slip + 2 :]
    else:
        words[at] = word[:slip] + word[slip + 1 :]
    return " ".join(words)
