"""Stories from a plot grammar, short poems and haiku."""

# Word lists read better as text.
# ruff: noqa: SIM905

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from corpus import words
from corpus.wording import one_of, worded

_PLACES = (
    "a green forest", "a small village", "a house by the sea", "the mountains", "a quiet valley",
    "an old castle", "a busy town", "a garden behind a wall", "a cave near a river",
    "a lighthouse on a cliff", "a hut on a hill", "a tall tower", "a warm desert",
)  # fmt: skip
_TRAITS = "brave curious kind small clever shy cheerful young friendly lonely gentle sleepy".split()
_TREASURES = (
    "a golden key", "an old map", "a shining stone", "a silver bell", "a wooden box",
    "a blue feather", "a tiny lamp", "a letter without a name", "a red kite", "a music box",
)  # fmt: skip
_HEROES = (
    "dragon", "dragon", "cat", "dog", "fox", "rabbit", "robot", "robot", "princess", "prince", "knight", "wizard", "bear",
    "mouse", "owl", "boy", "girl", "unicorn", "pirate", "king", "queen", "lion", "turtle",
    "penguin", "astronaut", "witch", "elephant", "frog", "wolf", "bird", "horse", "monkey", "hedgehog", "tiger", "ghost", "giant",
)  # fmt: skip
_SHORT_NAMES = "Milo Luna Pip Tom Mia Leo Nora Finn Bella Otto Lily Max Zoe Sam Ruby".split()
_HERS = ("princess", "queen", "girl", "witch")
_HER_NAMES = (
    "Luna Mia Nora Lily Zoe Ruby Ada Anna Clara Emma Eva Grace Hannah Ida Julia Sara".split()
)


@dataclass(frozen=True)
class _Cast:
    """Who and what a story is about; pronouns agree with the hero."""

    name: str
    hero: str
    trait: str
    place: str
    friend: str
    friend_kind: str
    treasure: str
    weather: str
    time: str


def _cast(random: Random, hero: str | None = None, name: str | None = None) -> _Cast:
    hero = hero or random.choice(_HEROES)
    if name is None:
        name = random.choice(_HER_NAMES if hero in _HERS else (*_SHORT_NAMES, *words.NAMES))
    friend = random.choice([other for other in _SHORT_NAMES if other != name])
    friend_kind = random.choice([other for other in words.ANIMALS if other != hero])
    return _Cast(
        name, hero, random.choice(_TRAITS), random.choice(_PLACES), friend, friend_kind,
        random.choice(_TREASURES), random.choice(("sunny", "rainy", "windy", "snowy", "foggy", "cold", "warm")),
        random.choice(("One {w} morning", "One {w} day", "One {w} afternoon", "On a {w} day")),
    )  # fmt: skip


def _opening(random: Random, cast: _Cast) -> str:
    return one_of(
        random,
        "Once upon a time, there was a {t} {h} named {n} who lived in {p}.",
        "Once upon a time, a {t} {h} named {n} lived in {p}.",
        "Once upon a time, in {p}, there lived a {t} {h} named {n}.",
        t=cast.trait,
        h=cast.hero,
        n=cast.name,
        p=cast.place,
    )


def _lost_and_found(random: Random, cast: _Cast) -> list[str]:
    return [
        one_of(
            random,
            "{time}, {n} found {x} under [a tree|a stone|the snow|the old bridge].",
            time=cast.time.format(w=cast.weather),
            n=cast.name,
            x=cast.treasure,
        ),
        one_of(
            random,
            '"Who lost this?" {n} asked, but nobody answered.',
            "{n} wondered who had lost it.",
            n=cast.name,
        ),
        one_of(
            random,
            "So {n} went from door to door and asked everyone.",
            "So {n} walked along the river to find the owner.",
            n=cast.name,
        ),
        one_of(
            random,
            "At last, {n} met {f}, {a} who was crying.",
            "Behind a hill, {n} met {f}, {a} who looked very sad.",
            n=cast.name,
            f=cast.friend,
            a=words.with_article(cast.friend_kind),
        ),
        one_of(
            random,
            '"That is mine!" said {f}. "I have looked for it everywhere."',
            '"You found it!" cried {f} and danced with joy.',
            f=cast.friend,
        ),
        one_of(
            random,
            "{n} gave it back with a smile, and {f} said thank you.",
            "{n} was happy to help, and they shared some [bread|soup|cake|tea].",
            n=cast.name,
            f=cast.friend,
        ),
    ]


def _afraid(random: Random, cast: _Cast) -> list[str]:
    fear = random.choice(("the dark", "deep water", "loud noises", "high places", "thunder"))
    return [
        f"{cast.name} was afraid of {fear} and told nobody about it.",
        one_of(
            random,
            "{time}, {n} heard a cry for help.",
            "{time}, a small voice called for help.",
            time=cast.time.format(w=cast.weather),
            n=cast.name,
        ),
        one_of(
            random,
            "It was {f}, {a} who was stuck [between two rocks|in a deep hole|on a high branch|under a fallen tree].",
            f=cast.friend,
            a=words.with_article(cast.friend_kind),
        ),
        one_of(
            random,
            "{n} was scared, but {f} needed help.",
            'The heart of {n} beat fast. "I must be brave," thought {n}.',
            n=cast.name,
            f=cast.friend,
        ),
        one_of(
            random,
            "Step by step, {n} came closer and pulled {f} out.",
            "{n} took a deep breath, found a long rope and pulled {f} out.",
            n=cast.name,
            f=cast.friend,
        ),
        one_of(
            random,
            '"You are the bravest {h} that I know," said {f}.',
            '"Thank you!" said {f}. "You are a true friend."',
            h=cast.hero,
            f=cast.friend,
        ),
        f"From that day on, {cast.name} was not afraid of {fear} any more.",
    ]


def _journey(random: Random, cast: _Cast) -> list[str]:
    goal = random.choice(
        (
            "the sea",
            "the highest mountain",
            "the end of the rainbow",
            "a hidden island",
            "the moon",
            "the great city",
        )
    )
    return [
        f"{cast.name} had one big dream: to see {goal}.",
        one_of(
            random,
            "{time}, {n} packed [an apple and a blanket|some bread and a lamp|a map and a warm coat] and set out.",
            time=cast.time.format(w=cast.weather),
            n=cast.name,
        ),
        one_of(
            random,
            'On the way, {n} met {f}, {a}. "May I come with you?" asked {f}.',
            n=cast.name,
            f=cast.friend,
            a=words.with_article(cast.friend_kind),
        ),
        one_of(
            random,
            "Together they crossed [a wide river|a dark forest|a long bridge] and slept under the stars.",
            "They walked for three days, and they sang when they were tired.",
        ),
        one_of(
            random,
            "When {f} hurt a foot, {n} carried {f} all the way.",
            "When the rain came, they hid in a cave and told each other stories.",
            n=cast.name,
            f=cast.friend,
        ),
        f"At last they saw {goal}, and it was more beautiful than in any dream.",
        one_of(
            random,
            "But the best part, {n} thought, was to have found a friend.",
            '"I am glad that you came with me," said {n}.',
            n=cast.name,
        ),
    ]


def _feast(random: Random, cast: _Cast) -> list[str]:
    food = random.choice(
        ("a big pot of soup", "a chocolate cake", "warm bread", "an apple pie", "sweet pancakes")
    )
    return [
        f"{cast.name} loved to cook, but always ate alone.",
        one_of(
            random,
            "{time}, {n} made {x}. It smelled wonderful.",
            time=cast.time.format(w=cast.weather),
            n=cast.name,
            x=food,
        ),
        one_of(
            random,
            '{f}, {a}, came by and asked, "What smells so good?"',
            f=cast.friend,
            a=words.with_article(cast.friend_kind),
        ),
        one_of(random, '"Come in and eat with me!" said {n}.', n=cast.name),
        one_of(
            random,
            "Soon [a duck|a goat|an old bear|a hen] and [two mice|three frogs|a squirrel|a shy deer] came too, and everyone brought something.",
        ),
        "They ate, laughed and sang until the moon came up.",
        one_of(random, "From that day on, {n} never ate alone again.", n=cast.name),
    ]


_PLOTS: tuple[Callable[[Random, _Cast], list[str]], ...] = (
    _lost_and_found,
    _afraid,
    _journey,
    _feast,
)


def _ending(random: Random, cast: _Cast) -> str:
    return one_of(
        random,
        "And they lived happily ever after.",
        "{n} and {f} stayed friends for ever.",
        "That night, {n} fell asleep with a smile. The end.",
        "And so {n} learned that a kind heart is the greatest treasure of all.",
        n=cast.name,
        f=cast.friend,
    )


def _long(random: Random, cast: _Cast) -> str:
    """Two plots in paragraphs: 150 to 300 tokens."""
    first, second = random.sample(_PLOTS, 2)
    parts = (
        [_opening(random, cast), *first(random, cast)],
        [*second(random, cast), _ending(random, cast)],
    )
    return "\n\n".join(" ".join(part) for part in parts)


def _medium(random: Random, cast: _Cast) -> str:
    sentences = random.choice(_PLOTS)(random, cast)
    half = len(sentences) // 2 + 1
    opening = [_opening(random, cast), *sentences[:half]]
    return " ".join(opening) + "\n\n" + " ".join([*sentences[half:], _ending(random, cast)])


def plain_story(random: Random) -> str:
    """A story without a question, as a text to go on with."""
    return _medium(random, _cast(random))


def story(random: Random) -> tuple[str, str]:
    """A request for a story, about whom it asks for, and the story."""
    kind = random.random()
    ask = "[Tell me|tell me|Write|write|Write me|Can you tell me|can you write|Please tell me|I want|Tell us|make up|Make up]"
    if kind < 0.25:
        cast = _cast(random)
        question = one_of(
            random,
            ask
            + " a [story|short story|bedtime story|fairy tale|little story|nice story][.|||?|!| please]",
            "[story|a story please|Story time!|once upon a time|another story|Another story please]",
        )
    elif kind < 0.8:
        cast = _cast(random)
        question = one_of(
            random,
            ask + " a [story|short story|tale|bedtime story] [about|of] {h}[.|||?|!]",
            "[story|a story] about {h}[.|]",
            h=words.with_article(cast.hero),
        )
    elif kind < 0.92:
        cast = _cast(random)
        question = one_of(
            random,
            ask + " a [story|short story] about {h} [named|called] {n}[.||]",
            h=words.with_article(cast.hero),
            n=cast.name,
        )
    else:
        cast = _cast(random, random.choice(("boy", "girl", "child")))
        question = one_of(random, ask + " a story about {n}[.||]", n=cast.name)
    if random.random() < 0.12:
        question = question.replace("a short story", "a story").replace("a story", "a long story")
    if "long" in question or ("short" not in question and random.random() < 0.2):
        return question, _long(random, cast)
    return question, _medium(random, cast)


_HAIKU = {
    "spring": "Soft rain on new leaves,\na small bird sings in the tree:\nspring is here again.",
    "summer": "Warm sun on the grass,\nbees hum from flower to flower,\nlong days full of light.",
    "autumn": "Red leaves in the wind,\nthe old tree lets go of them.\nA cold moon looks on.",
    "winter": "White snow on the roofs,\nno sound in the sleeping street,\nsmoke above a house.",
    "the sea": "Blue waves come and go,\na shell sleeps upon the sand,\nsalt wind in my hair.",
    "the moon": "The moon on the lake,\na frog jumps, the light breaks up,\nthen it is whole again.",
    "the rain": "Drops on my window,\neach one a small silver world.\nThe garden drinks deep.",
    "a cat": "The cat on the wall\nwatches a bird, then yawns wide\nand goes back to sleep.",
    "the night": "Stars above the hill,\nan owl calls into the dark,\nthe village is still.",
    "a fire": "A fire in the dark,\nsmall sparks rise up to the stars,\nwarm hands and warm hearts.",
    "a computer": "A small light blinks on,\nthe machine thinks for a while.\nOne word, then the next.",
}

_POEM_LINES = (
    ("The sun comes up, the day is new,", "the grass is wet with morning dew,"),
    ("A little bird sings in a tree,", "its song is made for you and me,"),
    ("The wind goes dancing down the lane,", "and brings the smell of summer rain,"),
    ("The moon looks down with silver light", "and walks with us into the night,"),
    ("The sea is deep, the sea is wide,", "and ships go out with every tide,"),
    ("A fire is burning, warm and bright,", "and keeps us company at night,"),
    ("The stars are small, the sky is tall,", "and there is room in it for all,"),
    ("My {x} is near, my heart is light,", "and everything will be all right,"),
)


def poem(random: Random) -> tuple[str, str]:
    """A haiku, or four or six rhyming lines."""
    if random.random() < 0.5:
        subject = random.choice(list(_HAIKU))
        question = one_of(
            random,
            "[Write|write|Write me|Give me|Can you write] a haiku about {s}[.||?|]",
            s=subject,
        )
        if random.random() < 0.35:
            question = one_of(
                random,
                "[Write|write|Write me|Give me|write me] a haiku[.|||!]",
                "[haiku|A haiku please|haiku please]",
            )
        return question, _HAIKU[subject]
    thing = random.choice(("friend", "cat", "dog", "book", "home", "mother", "garden"))
    couplets = random.sample(_POEM_LINES[:-1], random.choice((2, 2, 3)))
    question = one_of(
        random,
        "[Write|write|Write me|Tell me|Can you write|can you write me] a [short |little |]poem[.||?|!]",
        "[poem|A poem please|Write some poetry]",
    )
    if random.random() < 0.4:
        question = one_of(
            random, "[Write|write|Write me] a [short |]poem [about|for] my {t}[.||]", t=thing
        )
        couplets[-1] = _POEM_LINES[-1]
    lines = [line.format(x=thing) for couplet in couplets for line in couplet]
    return question, "\n".join(lines).rstrip(",") + "."


_ACROSTIC_WORDS = (
    "Always Bright Calm Daring Eager Funny Gentle Happy Inspiring Joyful Kind Loyal Merry Nice Open "
    "Patient Radiant Smart True Useful Valiant Warm Young Zestful"
).split()
_ACROSTIC = {word[0]: word for word in _ACROSTIC_WORDS}


def acrostic(random: Random) -> tuple[str, str]:
    """A word for each letter of a name."""
    name = random.choice([name for name in words.NAMES if set(name.upper()) <= set(_ACROSTIC)])
    question = worded(
        random, "[Write|write|Make] an acrostic [for|of|with] [the name |]{n}[.|]", n=name
    )
    return question, "\n".join(f"**{letter}** - {_ACROSTIC[letter]}" for letter in name.upper())
