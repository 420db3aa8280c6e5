"""How much of what, and how single exchanges become conversations."""

from collections.abc import Callable, Iterator
from random import Random

from conversation import Conversation, Message, exchange
from held_out import HELD_OUT, HELD_OUT_SYSTEMS, normalised

from corpus import (
    arithmetic,
    facts,
    limits,
    memory,
    personas,
    plain,
    reading,
    rewriting,
    stories,
    structured,
    talk,
    tools,
    writing,
)
from corpus.wording import typed, weighted

_EXCHANGES: tuple[tuple[float, Callable[[Random], tuple[str, str]]], ...] = (
    (10, talk.first_words),
    (9, talk.talk),
    (1, talk.introduction),
    (0.7, personas.foreign),
    (15, facts.fact),
    (45, arithmetic.calculation),
    (1.5, arithmetic.comparison),
    (1.5, arithmetic.counting),
    (2, arithmetic.word_problem),
    (10, rewriting.rewriting),
    (2, rewriting.drill),
    (10, structured.structured),
    (5, reading.reading),
    (2.2, stories.story),
    (1.2, stories.poem),
    (0.5, stories.acrostic),
    (5, writing.writing),
    (4, limits.unknown),
    (1.5, personas.one_word_asked),
)


def _chat(random: Random) -> Conversation:
    """One to six exchanges about unrelated things, as people chat."""
    turns = random.choices((1, 2, 3, 6), (6, 2, 1.5, 0.5))[0]
    messages: list[Message] = []
    for _ in range(turns):
        question, answer = weighted(random, _EXCHANGES)(random)
        # Slips belong to what is asked, not to texts that are to be worked on.
        question = (
            typed(random, question) if len(question) < 70 and ":" not in question else question
        )
        messages += exchange(question, answer)
    return Conversation(tuple(messages))


_DOCUMENTS: tuple[tuple[float, Callable[[Random], Conversation | str]], ...] = (
    (60, _chat),
    (13, tools.tool_use),
    (11, personas.steered),
    (7, memory.remembering),
    (7, plain.plain),
)


def _is_held_out(document: Conversation | str) -> bool:
    """Whether an evaluation question stands in the document word for word."""
    if isinstance(document, str):
        return normalised(document) in HELD_OUT
    return any(
        message["content"] in HELD_OUT_SYSTEMS
        or (message["role"] == "user" and normalised(message["content"]) in HELD_OUT)
        for message in document.messages
    )


def generate(count: int, seed: int) -> Iterator[Conversation | str]:
    """`count` documents, the same for the same `seed`, none with a held-out question."""
    random = Random(seed)
    while count:
        document = weighted(random, _DOCUMENTS)(random)
        if not _is_held_out(document):
            count -= 1
            yield document
