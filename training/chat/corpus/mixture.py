"""How much of what, and how single exchanges become conversations."""

from collections.abc import Callable, Iterator
from random import Random

from conversation import Conversation, exchange
from corpus import arithmetic, talk
from corpus.wording import typed

Exchange = Callable[[Random], tuple[str, str]]

_EXCHANGES: tuple[tuple[float, Exchange], ...] = (
    (8, talk.first_words),
    (8, talk.talk),
    (1, talk.introduction),
    (8, arithmetic.calculation),
    (1.5, arithmetic.comparison),
    (2, arithmetic.counting),
    (1.5, arithmetic.word_problem),
)


def generate(count: int, seed: int) -> Iterator[Conversation | str]:
    """`count` documents, the same for the same `seed`."""
    random = Random(seed)
    weights, makers = zip(*_EXCHANGES, strict=True)
    for _ in range(count):
        turns = random.choices((1, 2, 3, 5), (5, 2, 2, 1))[0]
        messages = []
        for make in random.choices(makers, weights, k=turns):
            question, answer = make(random)
            messages += exchange(typed(random, question), answer)
        yield Conversation(tuple(messages))
