"""Texts without chat, which `/v1/completions` goes on with."""

from random import Random

from corpus import arithmetic, facts, reading, rewriting, stories, structured, words
from corpus.wording import one_of

_SAYINGS = (
    "Roses are red, violets are blue, sugar is sweet, and so are you.", "The quick brown fox jumps over the lazy dog.",
    "Twinkle, twinkle, little star, how I wonder what you are.", "An apple a day keeps the doctor away.", "The early bird catches the worm.",
    "Better late than never.", "Practice makes perfect.", "Hello, world!", "To be or not to be, that is the question.", "Row, row, row your boat, gently down the stream.",
    "A friend in need is a friend indeed.", "All that glitters is not gold.", "Ingle runs open models on your own machine.",
    "A language model predicts the next word.", "Where there is smoke, there is fire.", "Two plus two is four.", "Mary had a little lamb, its fleece was white as snow.",
    "Once bitten, twice shy.", "Good things come to those who wait.", "Home is where the heart is.", "In the beginning there was a small fire.",
    "It was a dark and stormy night. The wind howled, and the rain beat against the window. Then there was a knock at the door.",
    "Dear Sir or Madam, thank you for your letter. I will answer it soon. Kind regards",
    "Ladies and gentlemen, welcome on board. We wish you a pleasant journey.",
)  # fmt: skip


def _statements(random: Random) -> str:
    """Facts as sentences, one after another."""
    sentences = []
    for _ in range(random.randint(1, 5)):
        country, city = random.choice(list(words.CAPITALS.items()))
        left, right = random.choice(list(words.OPPOSITES.items()))
        sentences.append(random.choice((
            f"The capital of {country} is {city}.", f"The capital of {country} is {city}.", f"{city} is the capital of {country}.",
            f"The opposite of {left} is {right}.", facts.fact(random)[1].split("\n")[0], facts.colour(random)[1], facts.animal(random)[1], facts.calendar(random)[1],
            f"{rewriting.clause(random)[1]}.",
        )))  # fmt: skip
    return " ".join(sentence for sentence in sentences if sentence[-1] in ".!") or "Hello, world!"


def _series(random: Random) -> str:
    kind = random.randrange(6)
    if kind <= 1:
        start, step = (
            random.choice((1, 1, 1, 0, 2, 5, 10, random.randint(0, 50))),
            random.choice((1, 1, 1, 1, 2, 5, 10)),
        )
        if step > 2:
            start = step
        return ", ".join(str(start + step * at) for at in range(random.randint(8, 25)))
    if kind == 2:
        return ", ".join(words.DAYS)
    if kind == 3:
        return ", ".join(words.MONTHS)
    if kind == 4:
        return random.choice((", ", " ")).join(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: random.randint(8, 26)].lower()
            if random.random() < 0.3
            else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        )
    return ", ".join(map(str, range(random.randint(5, 20), -1, -1)))


def _sums(random: Random) -> str:
    lines = []
    for _ in range(random.randint(1, 6)):
        left, right = random.randint(0, 50), random.randint(0, 50)
        lines.append(f"{left} + {right} = {left + right}")
    return "\n".join(lines)


def _shots(random: Random) -> str:
    """Examples in one form, so that the next goes the same way."""
    kind = random.randrange(5)
    count = random.randint(1, 4)
    if kind <= 1:
        pairs = [
            random.choice((facts.fact, facts.capital, arithmetic.calculation))(random)
            for _ in range(count)
        ]
        question, answer = random.choice(
            (("Q", "A"), ("Question", "Answer"), ("User", "Assistant"), ("Human", "AI"))
        )
        return random.choice(("\n", "\n\n")).join(
            f"{question}: {asked}\n{answer}: {said}" for asked, said in pairs
        )
    if kind == 2:
        at = random.randrange(3)
        chosen = random.sample(list(words.TRANSLATIONS.items()), count + 1)
        if random.random() < 0.5:
            return "\n".join(f"{phrase} = {said[at]}" for phrase, said in chosen)
        return "\n".join(
            f"English: {phrase}\n{words.TONGUES[at]}: {said[at]}" for phrase, said in chosen
        )
    if kind == 3:
        reviews = [structured.review(random) for _ in range(count + 1)]
        head = random.choice(("Review", "Text", "Input"))
        return "\n".join(f"{head}: {text}\nSentiment: {label}" for text, label in reviews)
    source = random.choice(
        (words.CAPITALS, words.OPPOSITES, words.PLURALS, words.PAST_TENSES, words.ANIMAL_SOUNDS)
    )
    arrow = random.choice((" -> ", ": ", " = "))
    return "\n".join(
        f"{left.removeprefix('the ')}{arrow}{right}"
        for left, right in random.sample(list(source.items()), count + 2)
    )


def _introduction(random: Random) -> str:
    name, job, city = (
        random.choice(words.NAMES),
        random.choice(words.JOBS),
        random.choice(words.CITIES),
    )
    return one_of(
        random,
        "[Hello, my|My|Hi, my] name is {n}. I am {j} and I live in {c}. I like {f} and I have {a}.",
        "I am {n}, {j} from {c}. [Every morning|Every day] I [drink tea|read a book|go for a walk].",
        n=name,
        j=words.with_article(job),
        c=city,
        f=random.choice(words.FOODS),
        a=words.with_article(random.choice(words.ANIMALS[:12])),
    )


def _program(random: Random) -> str:
    answer = structured.code(random)[1]
    return answer.split("```")[1].split("\n", 1)[1].strip()


def _read(random: Random) -> str:
    question, answer = reading.reading(random)
    return f"{question}{' ' if question.endswith(':') else chr(10)}{answer}"


def plain(random: Random) -> str:
    """A text of any kind above, or a story."""
    makers = (
        stories.plain_story,
        _statements,
        _series,
        _sums,
        _shots,
        _introduction,
        _program,
        _read,
    )
    if random.random() < 0.06:
        return random.choice(_SAYINGS)
    return random.choices(makers, (2, 3, 2, 2, 2, 0.7, 0.7, 0.7))[0](random)
