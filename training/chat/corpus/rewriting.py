"""Changing a given text: case, tense, manners, length, order, language."""

# Word lists read better as text.
# ruff: noqa: SIM905

from collections.abc import Callable
from random import Random

from corpus import words
from corpus.wording import mistyped, one_of, weighted

_SUBJECTS = (
    "The {a}",
    "My {f}",
    "{n}",
    "The {j}",
    "A {a}",
    "Our {f}",
    "The old {j}",
    "The {c} {a}",
)
_FAMILY = "friend brother sister mother father uncle aunt neighbour".split()
# Present (third person), past, and what may follow.
_VERBS = (
    ("eats", "ate", "{fruit}"), ("buys", "bought", "a {thing}"), ("reads", "read", "a book"),
    ("sees", "saw", "a {animal}"), ("likes", "liked", "{food}"), ("lives", "lived", "in {city}"),
    ("goes", "went", "to {city}"), ("finds", "found", "a {thing}"), ("walks", "walked", "to the park"),
    ("writes", "wrote", "a letter"), ("makes", "made", "{food}"), ("plays", "played", "in the garden"),
    ("drinks", "drank", "water"), ("sings", "sang", "a song"), ("works", "worked", "in {city}"),
    ("sells", "sold", "{fruit}"), ("loves", "loved", "music"), ("needs", "needed", "a {thing}"),
    ("opens", "opened", "the door"), ("runs", "ran", "to the house"), ("cooks", "cooked", "dinner"),
)  # fmt: skip
_WHEN = ("", "", "every day", "in the morning", "on {d}", "at night", "with {n2}")


def clause(random: Random) -> tuple[str, str]:
    """One small statement, in the present and in the past tense, without a full stop."""
    subject = random.choice(_SUBJECTS).format(
        a=random.choice(words.ANIMALS), f=random.choice(_FAMILY), n=random.choice(words.NAMES),
        j=random.choice(words.JOBS), c=random.choice(words.COLOURS),
    )  # fmt: skip
    subject = subject.replace("A o", "An o").replace("A e", "An e").replace("A a", "An a")
    present, past, rest = random.choice(_VERBS)
    thing = random.choice([thing for thing in words.THINGS if thing[0] not in "aeiou"])
    animal = random.choice([animal for animal in words.ANIMALS if animal[0] not in "aeiou"])
    fruits = random.choice(
        [words.PLURALS.get(fruit, fruit + "s") for fruit in words.FRUITS if fruit[-1] not in "yho"]
    )
    rest = rest.format(
        fruit=fruits,
        thing=thing,
        animal=animal,
        food=random.choice(words.FOODS),
        city=random.choice(words.CITIES),
    )
    when = random.choice(_WHEN).format(d=random.choice(words.DAYS), n2=random.choice(words.NAMES))
    tail = f" {rest} {when}".rstrip()
    return f"{subject} {present}{tail}", f"{subject} {past}{tail}"


def _text(random: Random) -> str:
    """A few words or a sentence to work on."""
    kind = random.random()
    if kind < 0.3:
        return " ".join(
            random.sample(
                (*words.ANIMALS, *words.THINGS, *words.COLOURS, *words.FOODS), random.randint(1, 4)
            )
        )
    if kind < 0.45:
        return one_of(
            random,
            "[hello world|good morning|Hello World|the quick brown fox|thank you|happy birthday|I love {f}|open the door]",
            f=random.choice(words.FOODS),
        )
    text = clause(random)[random.randrange(2)]
    return text + random.choice(("", "."))


def _quoted(random: Random, text: str) -> str:
    return random.choice(
        (f": {text}", f": {text}", f': "{text}"', f' "{text}"', f":\n{text}", f":\n\n{text}")
    )


def case(random: Random) -> tuple[str, str]:
    """Upper case, lower case, or a capital on each word."""
    text = _text(random)
    kind = random.randrange(5)
    if kind <= 1:
        ask = one_of(
            random,
            "[Write|write|Put|Convert|Change|Rewrite] [this|the text|the following] [in|to|into] [upper case|uppercase|capital letters|capitals|all caps]",
            "[uppercase|UPPERCASE|Make this uppercase|make it uppercase|Uppercase this]",
            "[to uppercase|Turn this into capital letters|upper case]",
        )
        return ask + _quoted(random, text), text.upper()
    if kind <= 3:
        ask = one_of(
            random,
            "[Write|write|Put|Convert|Change|Rewrite] [this|the text|the following] [in|to|into] [lower case|lowercase|small letters]",
            "[lowercase|Make this lowercase|Lowercase this]",
        )
        shouted = text.upper() if random.random() < 0.6 else text
        return ask + _quoted(random, shouted), shouted.lower()
    ask = one_of(
        random,
        "[Write|write|Put|Convert] [this|the following] in title case",
        "[title case|Capitalize each word|capitalize every word]",
    )
    return ask + _quoted(random, text), " ".join(
        word[:1].upper() + word[1:] for word in text.split(" ")
    )


def tense(random: Random) -> tuple[str, str]:
    """A sentence from the present into the past tense, or back."""
    present, past = clause(random)
    if random.random() < 0.75:
        ask = one_of(
            random,
            "[Put|put|Rewrite|Change|Write|Turn] [this|this sentence|the sentence] [in|into|to] the past tense",
            "[past tense|Past tense|Make this past tense]",
        )
        return ask + _quoted(random, present + "."), past + "."
    ask = one_of(
        random,
        "[Put|put|Rewrite|Change|Write|Turn] [this|this sentence|the sentence] [in|into|to] the present tense",
        "[present tense|Present tense]",
    )
    return ask + _quoted(random, past + "."), present + "."


_ORDERS = (
    "give me the {t}", "open the {w}", "close the {w}", "bring me some {f}", "call {n}", "send me the {t}", "help me",
    "come here", "wait for {n}", "buy some {f}", "show me the {t}", "turn off the light", "sit down", "tell {n} the news",
    "pass me the {t}", "fix the {t}", "answer my question", "send the report", "be quiet", "move your {t}",
)  # fmt: skip


def manners(random: Random) -> tuple[str, str]:
    """A command made polite."""
    order = random.choice(_ORDERS).format(
        t=random.choice(words.THINGS),
        w=random.choice(("door", "window", "box", "gate")),
        f=random.choice(words.FOODS),
        n=random.choice(words.NAMES),
    )
    ask = one_of(
        random,
        "[Make|make] [this|this sentence|it] [more |]polite",
        "[Rewrite|rewrite|Say|Write] [this|it|this sentence] [politely|more politely|in a polite way]",
        "[polite version|Be polite|Make it friendlier]",
    )
    said = order[0].upper() + order[1:] + random.choice(("!", ".", ""))
    return ask + _quoted(random, said), f"Could you please {order}?"


def order(random: Random) -> tuple[str, str]:
    """A list reversed or sorted by the alphabet; the first or last of it; its length."""
    source = random.choice(
        (words.ANIMALS, words.FRUITS, words.NAMES, words.COLOURS, words.THINGS, words.CITIES)
    )
    items = random.sample(source, random.randint(3, 5))
    kind = random.randrange(7)
    joined = random.choice((", ", ", ", " ", ", ", "\n"))
    text = joined.join(items)
    if kind <= 1:
        ask = one_of(
            random,
            "[Reverse|reverse] [this list|the list|the order|these words|the order of]",
            "[Write|Put] [this|these words] [backwards|in reverse order]",
        )
        return ask + _quoted(random, text), joined.join(reversed(items))
    if kind <= 4:
        ask = one_of(
            random,
            "[Sort|sort|Order] [these words|this list|the list|the words|] [alphabetically|by alphabet|from A to Z|in alphabetical order]",
            "[Put|put] [these words|these|this list] in alphabetical order",
            "[Sort|sort] [these words|this list|these]",
        )
        return ask + _quoted(random, text), joined.join(sorted(items))
    if kind == 5:
        which = random.choice(("first", "last"))
        ask = one_of(
            random,
            "[What is|Which is|Give me] the {w} [word|item] [of this list|in this list]",
            w=which,
        )
        return f"{ask}: {', '.join(items)}", items[0] if which == "first" else items[-1]
    ask = one_of(
        random,
        "[Make this into|Write this as|make these|Turn it into] a [bulleted |bullet |]list",
        "[bullet points|Format as a list]",
    )
    return f"{ask}: {', '.join(items)}", "\n".join(f"- {item}" for item in items)


def copy(random: Random) -> tuple[str, str]:
    """The text itself, or itself several times."""
    text = _text(random)
    if random.random() < 0.25:
        word = random.choice((*words.ANIMALS, *words.THINGS, *words.FOODS))
        count = random.randint(2, 5)
        question = one_of(
            random,
            "[Say|Write|say|Repeat] [the word |]{w} {n} times[.|]",
            "[Repeat|repeat] {w} {n} times[.|]",
            w=word,
            n=random.choice((count, ("two", "three", "four", "five")[count - 2])),
        )
        return question, " ".join([word] * count)
    ask = one_of(
        random,
        "[Repeat|repeat|Say|say|Echo|Copy|Write] [this|after me|exactly this|the following|]",
        "[Just say|Reply with|Answer with|Respond with|Say exactly|only say|Reply only with]",
    )
    return ask.strip() + _quoted(random, text), text


def drill(random: Random) -> tuple[str, str]:
    """A row of unrelated words to repeat: it makes the model learn early to copy."""
    sources = (
        words.NAMES,
        words.CITIES,
        words.ANIMALS,
        words.THINGS,
        words.COLOURS,
        words.SURNAMES,
        words.FRUITS,
    )
    items = [
        random.choice(
            (
                random.choice(random.choice(sources)),
                str(random.randint(0, 999)),
                words.invented(random),
            )
        )
        for _ in range(random.randint(3, 14))
    ]
    text = random.choice((" ", ", ")).join(items)
    return one_of(
        random,
        "[Repeat|repeat|Say|Echo|Copy|Write]: {t}",
        "[Repeat|Say] [this|after me]: {t}",
        t=text,
    ), text


def shorten(random: Random) -> tuple[str, str]:
    """A padded statement cut to its core."""
    core = clause(random)[1]
    padded = one_of(
        random,
        "[As far as I know|To be honest|If I remember it correctly|As everybody here can tell you], {c}, [which was a nice thing to see|and nobody was surprised|as one might expect|and that was that].",
        "[It is perhaps interesting to know that|I would like to tell you that|Let me just say that|You may have heard that] {c}[, if I am not mistaken|, at least that is what people say|].",
        "{c}. [It was a long day and the weather was fine|Everyone talked about it for a long time|Nobody knows exactly why, but it does not matter much].",
        c=core,
    )
    ask = one_of(
        random,
        "[Shorten|shorten|Shorten this|Make this shorter|Make it shorter|shorten this text]",
        "[Summarize|Summarise|summarize] [this|this text|the following|the text] [in one sentence|briefly|in a few words|]",
        "[Give me a summary|One sentence summary|TLDR|tl;dr|Summary|Sum this up]",
    )
    return ask + _quoted(random, padded), core + "."


def summary(random: Random) -> tuple[str, str]:
    """A short report in one sentence: who did what where."""
    name, other = random.sample(words.NAMES, 2)
    city, job = random.choice(words.CITIES), random.choice(words.JOBS)
    thing = random.choice([thing for thing in words.THINGS if thing[0] not in "aeiou"])
    day = random.choice(words.DAYS)
    text, short = random.choice((
        (
            f"On {day}, {name}, a {job} from {city}, lost a {thing} on the way home. {name} looked for it everywhere and asked many people. In the evening, {other} found the {thing} and brought it back.",
            f"{name} lost a {thing}, and {other} found it.",
        ),
        (
            f"A new shop opened in {city} on {day}. It sells {thing}s of every kind. {name}, the owner, said that many people came and that {random.randint(20, 300)} {thing}s were sold on the first day.",
            f"{name} opened a shop for {thing}s in {city}.",
        ),
        (
            f"{name} has worked as a {job} in {city} for many years. Now {name} wants to learn something new and will move to another city. {other} will take over the work.",
            f"{name}, a {job} in {city}, is leaving, and {other} will take over.",
        ),
        (
            f"The train to {city} was late again on {day}. {name} waited for {random.randint(20, 90)} minutes in the cold and missed the meeting. {other} had to start without {name}.",
            f"The train to {city} was late, so {name} missed the meeting.",
        ),
        (
            f"{name} and {other} met in {city} to talk about the plan. They agreed on the price, but not on the date. They will meet again on {day}.",
            f"{name} and {other} agreed on the price and will meet again on {day} about the date.",
        ),
    ))  # fmt: skip
    ask = one_of(
        random,
        "[Summarize|Summarise|summarize|summarise] [this|this text|the following text|the text|] [in one sentence|in a sentence|briefly|]",
        "[Give me a short summary|One sentence summary|TLDR|tl;dr|What is this text about?|What happened?|Sum this up]",
    )
    return ask.rstrip("?") + random.choice((": ", ":\n", ":\n\n")) + text, short


def translation(random: Random) -> tuple[str, str]:
    """A word or phrase into French, Spanish or German."""
    phrase, said = random.choice(list(words.TRANSLATIONS.items()))
    at = random.randrange(3)
    tongue = words.TONGUES[at]
    quoted = random.choice((phrase, phrase, f'"{phrase}"', f"'{phrase}'"))
    if random.random() < 0.15 and phrase not in ("thanks", "the cat", "good morning"):
        question = one_of(
            random,
            '[What does|what does] "{s}" mean in English?',
            "[Translate|translate] [this |]to English: {s}",
            '[Translate|translate] "{s}" [to|into] English[.|]',
            s=said[at],
        )
        return question, phrase
    question = one_of(
        random,
        "[Translate|translate] {q} [to|into|in] {t}[.||]",
        "[How do you say|how do you say|How do I say|what is|What is|how to say] {q} in {t}[?|]",
        "[Translate|translate] [this |the following |][to|into] {t}: {p}",
        "[Say|say] {q} in {t}[.|]",
        "{q} in {t}[?|]",
        q=quoted,
        t=tongue,
        p=phrase,
    )
    return question, said[at]


def correction(random: Random) -> tuple[str, str]:
    """Spelling and capitals put right."""
    sentence = clause(random)[1] + "."
    wrong = mistyped(random, sentence)
    if random.random() < 0.4:
        wrong = wrong.lower()
    ask = one_of(
        random,
        "[Correct|correct|Fix|fix] [this|this sentence|the spelling|the mistakes|the errors|the grammar]",
        "[Fix the typos|Correct my English|Proofread this]",
    )
    return ask + _quoted(random, wrong), sentence


REWRITINGS: tuple[tuple[float, Callable[[Random], tuple[str, str]]], ...] = (
    (3, case), (2, tense), (2, manners), (3, order), (2, copy), (2, shorten), (1.5, summary), (4, translation), (1, correction),
)  # fmt: skip


def rewriting(random: Random) -> tuple[str, str]:
    """A task of any kind above."""
    return weighted(random, REWRITINGS)(random)
