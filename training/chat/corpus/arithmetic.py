"""Small sums, products, comparisons and counting."""

# Word lists read better as text.
# ruff: noqa: SIM905

from random import Random

from corpus.wording import one_of
from corpus.words import FRUITS, NAMES, PLURALS

_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()

_ASK = (
    "[What is|what is|What's|what's|whats|Calculate|calculate|Compute|How much is|how much is|Solve|Tell me] {sum}[?||?]",
    "{sum}[?||| =| = ?|=]",
    "[What does|what does] {sum} [equal|make][?|]",
)


def _signed(random: Random, sign: str, words: tuple[str, ...], left: int, right: int) -> str:
    kind = random.random()
    if kind < 0.35:
        return f"{left}{sign}{right}"
    if kind < 0.75:
        return f"{left} {sign} {right}"
    word = random.choice(words)
    if max(left, right) <= 20 and kind > 0.92:
        return f"{_NUMBER_WORDS[left]} {word} {_NUMBER_WORDS[right]}"
    return f"{left} {word} {right}"


def _operation(random: Random) -> tuple[str, str, int]:
    """A question's sum, the same in signs, and its result."""
    kind = random.random()
    # Small numbers are asked for most, and have to be known by heart.
    top = random.choice((5, 10, 10, 10, 10, 20, 50, 100))
    if kind < 0.4:
        left, right = random.randint(0, top), random.randint(0, top)
        return (
            _signed(random, "+", ("plus", "and", "plus"), left, right),
            f"{left} + {right}",
            left + right,
        )
    if kind < 0.65:
        left, right = sorted((random.randint(0, top), random.randint(0, top)), reverse=True)
        return _signed(random, "-", ("minus",), left, right), f"{left} - {right}", left - right
    if kind < 0.92:
        left, right = random.randint(0, 12), random.randint(0, 12)
        sign = random.choice("***xx×")
        said = _signed(random, sign, ("times", "multiplied by", "times"), left, right)
        return said, f"{left} × {right}", left * right
    right, result = random.randint(1, 12), random.randint(1, 12)
    said = _signed(random, "/", ("divided by",), right * result, right)
    return said, f"{right * result} / {right}", result


def calculation(random: Random) -> tuple[str, str]:
    """A sum and its result, alone or in a sentence."""
    said, signs, result = _operation(random)
    question = one_of(random, *_ASK, sum=said)
    answer = one_of(
        random,
        "{signs} = {result}",
        "{signs} = {result}",
        "{signs} is {result}.",
        signs=signs,
        result=result,
    )
    return question, answer


def comparison(random: Random) -> tuple[str, str]:
    """Which of two or more numbers is largest or smallest; even or odd."""
    kind = random.random()
    if kind < 0.3:
        number = random.randint(0, 100)
        question = one_of(
            random,
            "Is {n} [even or odd|odd or even][?|]",
            "[Is|is] {n} an even number[?|]",
            n=number,
        )
        parity = "even" if number % 2 == 0 else "odd"
        if "even number" in question:
            return question, f"{'Yes' if parity == 'even' else 'No'}, {number} is {parity}."
        return question, f"{number} is {parity}."
    if kind < 0.6:
        left, right = random.sample(range(101), 2)
        question = one_of(
            random,
            "[Which|What] is [bigger|larger|greater|more], {a} or {b}[?|]",
            "[Which number is larger|which is bigger]: {a} or {b}[?|]",
            a=left,
            b=right,
        )
        return question, f"{max(left, right)} is larger than {min(left, right)}."
    numbers = random.sample(range(100), random.randint(3, 6))
    said = ", ".join(map(str, numbers))
    if kind < 0.7:
        question = one_of(
            random, "What is the [largest|biggest] number [in|of|among] {s}[?|]", s=said
        )
        return question, f"The largest number is {max(numbers)}."
    if kind < 0.8:
        question = one_of(
            random, "What is the [smallest|lowest] number [in|of|among] {s}[?|]", s=said
        )
        return question, f"The smallest number is {min(numbers)}."
    question = one_of(
        random,
        "[Sort|sort|Order] [these numbers|the numbers|the list|] {s}[.|]",
        "[Put|put] {s} in order[.|]",
        s=said,
    )
    return question, ", ".join(map(str, sorted(numbers)))


def counting(random: Random) -> tuple[str, str]:
    """Counting up or down, what comes next."""
    kind = random.random()
    if kind < 0.5:
        first = random.choice((1, 1, 1, random.randint(0, 40)))
        last = first + random.choice((4, 9, 9, random.randint(2, 19)))
        question = one_of(
            random,
            "[Count|count|Can you count|Please count] [from|] {a} to {b}[.||!]",
            a=first,
            b=last,
        )
        if first == 1:
            question = one_of(
                random,
                "[Count|count|Please count|Can you count] to {b}[.||!]",
                "[Count|count] [from|] 1 to {b}[.||!]",
                b=last,
            )
        return question, ", ".join(map(str, range(first, last + 1)))
    if kind < 0.65:
        last = random.choice((3, 5, 10, 10, random.randint(3, 20)))
        question = one_of(random, "[Count|count] [down|backwards] from {a}[.|| to 1]", a=last)
        return question, ", ".join(map(str, range(last, 0, -1)))
    if kind < 0.85:
        number = random.randint(0, 99)
        question = one_of(random, "[What|Which number|what] comes after {a}[?|]", a=number)
        return question, f"After {number} comes {number + 1}."
    start, step = random.randint(0, 20), random.randint(1, 10)
    series = [start + step * at for at in range(5)]
    question = one_of(
        random,
        "[What comes next|What is the next number|Continue|continue]: {s}[?||, ...]",
        s=", ".join(map(str, series[:4])),
    )
    return question, f"The next number is {series[4]}."


def word_problem(random: Random) -> tuple[str, str]:
    """A sum told as a little story."""
    name, other = random.sample(NAMES, 2)
    thing = random.choice(
        [PLURALS.get(fruit, fruit + "s") for fruit in FRUITS if fruit[-1] not in "yho"]
        + ["books", "coins", "balls", "cards", "cookies"]
    )
    first, second = random.randint(2, 20), random.randint(1, 12)
    if random.random() < 0.5:
        question = one_of(
            random,
            "{n} has {a} {t} and [gets|buys|finds] {b} more. How many {t} does {n} have[ now|]?",
            "If {n} has {a} {t} and {o} gives {n} {b} more, how many {t} does {n} have?",
            "[I have|i have] {a} {t} and [get|buy|find] {b} more. How many [do I have|{t} do I have][ now|]?",
            n=name,
            o=other,
            a=first,
            b=second,
            t=thing,
        )
        result, sign = first + second, "+"
    else:
        first += second
        question = one_of(
            random,
            "{n} has {a} {t} and [gives away|loses|eats|sells] {b}. How many {t} [are left|does {n} have now]?",
            "If {n} has {a} {t} and gives {b} to {o}, how many {t} are left?",
            "[I have|i have] {a} {t} and [give away|lose|sell] {b}. How many [are left|do I have left|{t} do I have]?",
            n=name,
            o=other,
            a=first,
            b=second,
            t=thing,
        )
        result, sign = first - second, "-"
    subject = "You have" if question.lower().startswith("i have") else f"{name} has"
    return question, f"{first} {sign} {second} = {result}. {subject} {result} {thing}."
