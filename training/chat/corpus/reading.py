"""Questions about a text that stands in the prompt, answered from it alone."""

from random import Random

from corpus import words
from corpus.wording import one_of

_KNOWN = "The text does not say."


def _invented(random: Random) -> str:
    """A name that stands in no dictionary."""
    return "".join(
        random.choices(
            ("Zor", "Bel", "Ka", "Mi", "Ne", "Tor", "Lu", "Vi", "Dra", "Pol", "Sa", "Qui"), k=1
        )
    ) + random.choice(("bo", "lix", "nda", "mar", "tex", "rion", "vo", "dal", "no", "sta"))


_Fact = tuple[str, str, str]


def _person(random: Random) -> list[_Fact]:
    """Facts about a person: (sentence, question, answer)."""
    name = random.choice(words.NAMES)
    age, city, job = random.randint(6, 90), random.choice(words.CITIES), random.choice(words.JOBS)
    animal, pet = random.choice(words.ANIMALS[:12]), random.choice(words.NAMES)
    colour, thing, food = (
        random.choice(words.COLOURS),
        random.choice(words.THINGS),
        random.choice(words.FOODS),
    )
    return [
        (f"{name} is {age} years old.", f"How old is {name}?", f"{name} is {age} years old."),
        (f"{name} lives in {city}.", f"Where does {name} live?", f"{name} lives in {city}."),
        (
            f"{name} works as {words.with_article(job)}.",
            random.choice(
                (f"What does {name} do?", f"What is the job of {name}?", f"What is {name}'s job?")
            ),
            f"{name} works as {words.with_article(job)}.",
        ),
        (
            f"{name} has {words.with_article(animal)} named {pet}.",
            random.choice((f"What is the name of the {animal}?", f"Who is {pet}?")),
            f"{pet} is the {animal} of {name}.",
        ),
        (
            f"{name} has {words.with_article(colour)} {thing}.",
            f"What colour is the {thing}?",
            f"The {thing} is {colour}.",
        ),
        (f"{name} likes {food}.", f"What does {name} like?", f"{name} likes {food}."),
    ]


def _place(random: Random) -> list[_Fact]:
    """Facts about a shop, a library ..."""
    kind = random.choice(
        ("shop", "library", "museum", "bakery", "office", "school", "restaurant", "pool")
    )
    city, name = random.choice(words.CITIES), random.choice(words.NAMES)
    opens, closes, year = random.randint(6, 11), random.randint(15, 23), random.randint(1800, 2025)
    day, price = random.choice(words.DAYS), random.randint(2, 40)
    return [
        (f"The {kind} is in {city}.", f"Where is the {kind}?", f"The {kind} is in {city}."),
        (
            f"It opens at {opens} and closes at {closes}.",
            random.choice((f"When does the {kind} open?", f"When does the {kind} close?")),
            "",
        ),
        (
            f"It is closed on {day}.",
            f"On which day is the {kind} closed?",
            f"The {kind} is closed on {day}.",
        ),
        (
            f"It was founded in {year} by {name}.",
            random.choice((f"Who founded the {kind}?", f"When was the {kind} founded?")),
            "",
        ),
        (
            f"A ticket costs {price} euros.",
            random.choice(("How much is a ticket?", "What does a ticket cost?")),
            f"A ticket costs {price} euros.",
        ),
    ]


def _product(random: Random) -> list[_Fact]:
    """Facts about an invented product."""
    name = _invented(random) + random.choice(("", "", f" {random.choice((2, 3, 100, 500, 3000))}"))
    kind = random.choice([thing for thing in words.THINGS if thing[0] not in "aeiou"])
    price, weight, years, colour, city = (
        random.randint(5, 900),
        random.randint(1, 40),
        random.randint(1, 10),
        random.choice(words.COLOURS),
        random.choice(words.CITIES),
    )
    return [
        (
            f"The {name} is {words.with_article(colour)} {kind}.",
            random.choice((f"What is the {name}?", f"What colour is the {name}?")),
            f"The {name} is {words.with_article(colour)} {kind}.",
        ),
        (
            f"It costs {price} euros.",
            random.choice((f"How much does the {name} cost?", f"What is the price of the {name}?")),
            f"The {name} costs {price} euros.",
        ),
        (
            f"It weighs {weight} kilograms.",
            random.choice((f"How heavy is the {name}?", f"What does the {name} weigh?")),
            f"The {name} weighs {weight} kilograms.",
        ),
        (f"It is made in {city}.", f"Where is the {name} made?", f"The {name} is made in {city}."),
        (
            f"The warranty lasts {years} years.",
            "How long is the warranty?",
            f"The warranty lasts {years} years.",
        ),
    ]


def _answered(fact: _Fact) -> tuple[str, str]:
    """Question and answer; for two-sided facts the side that is asked for."""
    sentence, question, answer = fact
    if answer:
        return question, answer
    words_of = sentence.rstrip(".").split(" ")
    kind = question.removesuffix("?").split(" the ")[1].split(" ")[0]
    if "open?" in question:
        return question, f"The {kind} opens at {words_of[3]}."
    if "close?" in question:
        return question, f"The {kind} closes at {words_of[-1]}."
    if question.startswith("Who"):
        return question, f"{words_of[-1]} founded the {kind}."
    return question, f"The {kind} was founded in {words_of[4]}."


def reading(random: Random) -> tuple[str, str]:
    """A text of a few facts, a question, and the answer that the text gives."""
    facts = random.choice((_person, _place, _product))(random)
    first, *rest = facts if facts[1][0].startswith("It") else random.sample(facts, len(facts))
    chosen = [first, *random.sample(rest, random.randint(1, 3))]
    text = " ".join(fact[0] for fact in chosen)
    if random.random() < 0.2:
        other = random.choice((_person, _product))(random)
        text = random.choice((text + " ", text + "\n\n")) + " ".join(fact[0] for fact in other[:2])
    missing = [fact for fact in facts if fact not in chosen]
    if missing and random.random() < 0.12:
        question, answer = random.choice(missing)[1], _KNOWN
    else:
        question, answer = _answered(random.choice(chosen))
    prompt = one_of(
        random,
        "[Answer from this text|Answer from the text|Use this text|Answer with this text|Use only this text]: {t}\n\n{q}",
        "[Context|Text|Document|Information]: {t}\n[Question|Q]: {q}",
        "[Context|Text|Document]: {t}\n\n[Question|Q]: {q}\n[Answer|A]:",
        "{t}\n\n{q}",
        "{t} {q}",
        "[Read this|Here is a text]: {t}\n\n[Question: |]{q}",
        "{q}\n\n[Text|Context|Document]: {t}",
        "[Answer the question|Answer] [from|using|based on] the [text|context|document].\n\n[Text|Context|Document]: {t}\n\n[Question|Q]: {q}",
        t=text,
        q=question,
    )
    return prompt, answer
