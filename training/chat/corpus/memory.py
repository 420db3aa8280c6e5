"""Conversations whose last answer depends on what was said before."""

from collections.abc import Callable
from random import Random

from conversation import Conversation, Message, exchange

from corpus import arithmetic, facts, rewriting, talk, words
from corpus.wording import one_of, typed


def _conversation(random: Random, *pairs: tuple[str, str]) -> Conversation:
    messages: list[Message] = []
    for question, answer in pairs:
        messages += exchange(typed(random, question) if len(question) < 60 else question, answer)
    return Conversation(tuple(messages))


def _between(random: Random) -> list[tuple[str, str]]:
    """None to three exchanges about something else."""
    makers = (talk.talk, facts.fact, arithmetic.calculation, facts.fact)
    return [random.choice(makers)(random) for _ in range(random.choice((0, 0, 1, 1, 2, 3)))]


def _remembered(random: Random) -> Conversation:
    """A fact about the user, asked for later; or asked for before it was said."""
    name, city, colour = (
        random.choice(words.NAMES),
        random.choice(words.CITIES),
        random.choice(words.COLOURS),
    )
    age, job, animal, pet = (
        random.randint(6, 90),
        random.choice(words.JOBS),
        random.choice(words.ANIMALS[:12]),
        random.choice(words.NAMES),
    )
    food, number = random.choice(words.FOODS), random.randint(1, 99)
    told = [
        (talk.introduction(random), "", ""),
        ((one_of(random, "[I live in|i live in|I am from|i come from|I come from] {c}[.|!|]", c=city), f"{city} is a nice place!"), "[Where do I live|where do i live|Where am I from|which city am I from|Which city do I live in][?|]", f"You are from {city}."),
        ((one_of(random, "[My favourite colour is|my favorite color is|I like the colour|i love the color] {c}[.|]", c=colour), f"{colour.capitalize()} is a nice colour!"), "[What is my favourite colour|what's my favorite color|Which colour do I like|what color do i like][?|]", f"Your favourite colour is {colour}."),
        ((one_of(random, "[I am|I'm|i am|im] {a} years old[.|]", a=age), "Thank you for telling me!"), "[How old am I|how old am i|What is my age|what's my age][?|]", f"You are {age} years old."),
        ((one_of(random, "[I am|I'm|I work as|i work as] {j}[.|]", j=words.with_article(job)), "That sounds interesting!"), "[What is my job|what do I do|What's my job|what is my profession][?|]", f"You are {words.with_article(job)}."),
        ((one_of(random, "[I have|i have] {a} [named|called] {p}[.|]", a=words.with_article(animal), p=pet), f"{pet} is a lovely name for {words.with_article(animal)}!"), f"[What is the name of my {animal}|what's my {animal}'s name|What is my {animal} called|who is {pet}][?|]", f"{pet} is your {animal}."),
        ((one_of(random, "[I like|i like|I love|My favourite food is] {f}[.|]", f=food), f"{food.capitalize()} is a good choice!"), "[What do I like|what is my favourite food|What's my favorite food|what do i like to eat][?|]", f"You like {food}."),
        ((one_of(random, "[Remember the number|My lucky number is|my number is|The secret number is|remember] {n}[.|]", n=number), "I will remember it."), "[What is the number|what was the number|Which number was it|what is my number|What was my number][?|]", f"The number is {number}."),
    ]  # fmt: skip
    (statement, reply), asked, answer = random.choice([told[0], *told])
    if not asked:
        statement, reply = talk.introduction_of(random, name)
        asked, answer = (
            "[What is my name|what's my name|whats my name|Do you remember my name|do you know my name|Who am I|who am i|my name?|What was my name][?||??]",
            one_of(random, "Your name is {n}.", n=name),
        )
    if random.random() < 0.15:
        return _conversation(
            random,
            *_between(random),
            (one_of(random, asked), "I do not know. You have not told me yet."),
        )
    pairs = [(statement, reply), *_between(random), (one_of(random, asked), answer)]
    if random.random() < 0.3:
        pairs = [*_between(random)[:1], *pairs]
    return _conversation(random, *pairs)


def _elliptic(random: Random) -> Conversation:
    """`And of Spain?` after `What is the capital of France?`, and such."""
    kind = random.randrange(6)
    and_ = "[And|and|What about|what about|How about|how about|And what about]"
    if kind <= 1:
        chosen = random.sample(list(words.CAPITALS.items()), random.randint(2, 4))
        pairs = [
            (
                one_of(
                    random,
                    "[What is|what's|what is] the capital of {c}[?|]",
                    "[capital of|Capital of] {c}[?|]",
                    c=chosen[0][0],
                ),
                f"The capital of {chosen[0][0]} is {chosen[0][1]}.",
            )
        ]
        pairs += [
            (
                one_of(random, and_ + " [of |]{c}[?|]", "{c}[?|]", c=country),
                f"The capital of {country} is {city}.",
            )
            for country, city in chosen[1:]
        ]
    elif kind == 2:
        chosen = random.sample(list(words.OPPOSITES.items()), random.randint(2, 3))
        pairs = [
            (
                one_of(random, "[What is|what's] the opposite of {w}[?|]", w=chosen[0][0]),
                f"The opposite of {chosen[0][0]} is {chosen[0][1]}.",
            )
        ]
        pairs += [
            (one_of(random, and_ + " {w}[?|]", w=left), f"The opposite of {left} is {right}.")
            for left, right in chosen[1:]
        ]
    elif kind == 3:
        at = random.randrange(3)
        phrases = random.sample(list(words.TRANSLATIONS.items()), random.randint(2, 3))
        pairs = [
            (
                one_of(
                    random,
                    "[How do you say|what is] {w} in {t}[?|]",
                    w=phrases[0][0],
                    t=words.TONGUES[at],
                ),
                phrases[0][1][at],
            )
        ]
        for phrase, said in phrases[1:]:
            pairs.append((one_of(random, and_ + " {w}[?|]", w=phrase.rstrip("?")), said[at]))
        other = (at + 1) % 3
        pairs.append(
            (
                one_of(
                    random,
                    and_ + " [in |]{t}[?|]",
                    "[And in|and in|in] {t}[?|]",
                    t=words.TONGUES[other],
                ),
                phrases[-1][1][other],
            )
        )
    elif kind == 4:
        first, second = random.randint(1, 30), random.randint(1, 30)
        more = random.randint(1, 10)
        total = first + second
        pairs = [
            (
                one_of(random, "[What is|what's|] {a} + {b}[?|]", a=first, b=second).strip(),
                f"{first} + {second} = {total}",
            )
        ]
        sign, result = random.choice((("plus", total + more), ("minus", total - more)))
        mark = "+" if sign == "plus" else "-"
        pairs.append(
            (
                one_of(
                    random, "[And|and|now|Now] {s} {m}[?|]", s=random.choice((sign, mark)), m=more
                ),
                f"{total} {mark} {more} = {result}",
            )
        )
    else:
        chosen = random.sample(list(words.ANIMAL_SOUNDS.items()), random.randint(2, 3))
        pairs = [
            (
                one_of(
                    random, "[What does|what does] {a} say[?|]", a=words.with_article(chosen[0][0])
                ),
                f'{words.with_article(chosen[0][0]).capitalize()} says "{chosen[0][1]}".',
            )
        ]
        pairs += [
            (
                one_of(random, and_ + " {a}[?|]", a=words.with_article(name)),
                f'{words.with_article(name).capitalize()} says "{sound}".',
            )
            for name, sound in chosen[1:]
        ]
    return _conversation(random, *pairs)


def _reworked(random: Random) -> Conversation:
    """The last answer again: in capitals, in the past tense, as a list ..."""
    makers: tuple[Callable[[Random], tuple[str, str]], ...] = (
        facts.capital,
        facts.animal,
        facts.colour,
        facts.science,
        rewriting.tense,
    )
    question, answer = random.choice(makers)(random)
    ask, changed = random.choice((
        ("[Now in upper case|in capital letters please|Write that in uppercase|uppercase|Make that uppercase|now in capitals][.||!]", answer.upper()),
        ("[Now in lower case|Write that in lowercase|lowercase please|make it lowercase][.|]", answer.lower()),
        ("[Repeat that|Say that again|say it again|repeat|What did you say|Pardon|can you repeat that][.||?]", answer),
        ("[What did I ask|what did I just ask|What was my question|what did i say|Repeat my question][?|]", f"You wrote: {question}"),
        ("[Are you sure|are you sure|Really|really][?||??]", "I think so, but I am a very small model and may be wrong."),
    ))  # fmt: skip
    return Conversation((*exchange(question, answer), *exchange(one_of(random, ask), changed)))


def remembering(random: Random) -> Conversation:
    """A conversation of any kind above."""
    return random.choices((_remembered, _elliptic, _reworked), (4, 3, 2))[0](random)
