"""Short texts on request: mails, wishes, slogans, advice, descriptions."""

from collections.abc import Callable
from random import Random

from corpus import words
from corpus.wording import one_of, weighted

_ASK = (
    "[Write|write|Write me|Can you write|can you write|Please write|Draft|write me|Help me write]"
)


def mail(random: Random) -> tuple[str, str]:
    """A short letter to someone about something."""
    name, day = random.choice(words.NAMES), random.choice(words.DAYS)
    thing = random.choice(words.THINGS)
    subject, body = random.choice((
        ("a meeting", f"can we meet on {day}? Please tell me which time is good for you."),
        (f"a meeting on {day}", f"can we meet on {day}? Please tell me which time is good for you."),
        ("being late", "I am sorry, but I will be a little late. Please start without me."),
        ("my holiday", f"I will be on holiday from {day}. I will answer when I am back."),
        (f"the {thing}", f"I am writing about the {thing}. Could you please tell me more about it?"),
        ("the delay", "I am sorry for the delay. We are working on it and will be ready soon."),
        ("a day off", f"I would like to take a day off on {day}. Is that all right with you?"),
        ("being sick", "I am sick today and cannot come to work. I hope to be back soon."),
    ))  # fmt: skip
    who, address = random.choice(
        (
            (name, name),
            ("my boss", "boss"),
            ("my teacher", "teacher"),
            ("a friend", "friend"),
            ("my team", "team"),
            ("a customer", "customer"),
            ("", "Sir or Madam"),
        )
    )
    question = one_of(
        random,
        _ASK + " [an email|a short email|a mail|a letter|a message]{w} about {s}[.||?]",
        w=f" to {who}" if who else "",
        s=subject,
    )
    if random.random() < 0.2:
        question = one_of(random, _ASK + " [an email|a short email|a letter|a mail][.|| for me]")
        address = "Sir or Madam"
    return (
        question,
        f"Dear {address},\n\n{body[0].lower() if body[0] != 'I' else 'I'}{body[1:]}\n\nKind regards",
    )


def wish(random: Random) -> tuple[str, str]:
    """A wish, a thank-you or an apology."""
    name = random.choice(words.NAMES)
    occasion, text = random.choice((
        ("[a birthday message|a birthday wish|birthday wishes|a birthday card]", "Happy birthday, {n}! I wish you a year full of joy, health and good friends."),
        ("[a thank you note|a thank-you note|a thank you message]", "Dear {n}, thank you very much! You have helped me a lot."),
        ("[an apology|a sorry note]", "Dear {n}, I am sorry. I did not want to hurt you, and I will do better."),
        ("[a love letter|a love note]", "Dear {n}, every day with you is a good day. I love you."),
        ("[a get well message|a get well card]", "Dear {n}, get well soon! I am thinking of you."),
        ("[a Christmas card|Christmas wishes]", "Merry Christmas, {n}! I wish you peace, warm days and good food."),
        ("[a welcome message|a greeting]", "Welcome, {n}! It is good to have you here."),
    ))  # fmt: skip
    question = one_of(random, _ASK + f" {occasion} [for|to] {{n}}[.||]", n=name)
    return question, text.format(n=name)


def slogan(random: Random) -> tuple[str, str]:
    """A slogan, a title or a name."""
    kind = random.choice(
        (
            "coffee shop",
            "bakery",
            "bike shop",
            "book shop",
            "garden",
            "school",
            "restaurant",
            "bank",
            "phone",
            "car",
            "shoe shop",
            "tea house",
            "pizza place",
            "app",
            "startup",
        )
    )
    if random.random() < 0.5:
        question = one_of(
            random,
            _ASK + " a slogan for [a|my] {k}[.||]",
            "[Give me|I need] a slogan for [a|my] {k}[.|]",
            k=kind,
        )
        return question, one_of(
            random,
            "The {k} that makes you smile!",
            "Your {k}, every day a little better.",
            "Good things begin in our {k}.",
            k=kind,
        )
    question = one_of(
        random,
        "[Give me|Suggest|Find|I need] a name for [a|my] {k}[.||]",
        "[What should I call|How should I name] my {k}[?|]",
        k=kind,
    )
    return question, one_of(
        random,
        'How about "The {c} {a}"?',
        c=random.choice(words.COLOURS).capitalize(),
        a=random.choice(words.ANIMALS).capitalize(),
    )


_ADVICE = (
    (("[Motivate me|motivate me|Give me some motivation|I need motivation|say something nice|Say something nice|Cheer me up|cheer me up|encourage me|Inspire me][.||!]", "[Give me|tell me] [a|an inspiring|a motivational] quote[.||]"), (
        "Small steps every day lead far.", "You have done hard things before. You can do this, too.", "Begin where you are, with what you have.", "Every day is a new beginning.",
    )),
    (("[How can I|how can i|How do I|how do i|Tips to|help me] sleep better[?||.]", "[I cannot sleep|I can't sleep|i cant sleep][.|]"), ("- Go to bed at the same time every day.\n- Put the phone away an hour before.\n- Keep the room dark and cool.",)),
    (("[How can I|how can i|How do I|how do i|Give me tips to] [learn|study] [better|faster|well][?||.]", "[Give me|give me|I need] [some |three |]study tips[.|]"), ("- Learn a little every day.\n- Explain it to somebody in your own words.\n- Take breaks and sleep well.",)),
    (("[How can I|how can i|How do I|Tips to] [stay healthy|be healthy|live healthier|eat healthier][?||.]", "[Give me|give me] [some |three |]health tips[.|]"), ("- Eat fruit and vegetables.\n- Walk every day.\n- Sleep enough and drink water.",)),
    (("[What should I|what should i|What can I|what shall I] [cook|eat|have for dinner|make for dinner|eat today][?|| today?| tonight?]",), ("How about pasta with tomatoes and a green salad?", "How about vegetable soup with fresh bread?", "How about rice with beans and an apple after it?")),
    (("[Sing|sing|Sing me] a song[.||!| for me]", "can you sing[?|]"), ("Row, row, row your boat,\ngently down the stream.\nMerrily, merrily, merrily, merrily,\nlife is but a dream.",)),
    (("[Do you speak|do you speak|Can you speak|can you speak|Do you understand] [French|German|Spanish|other languages][?|]", "[What|Which|what|how many] languages do you [speak|know|understand][?|]"), ("I speak English and know a few words of French, Spanish and German.",)),
    (("[Can you|can you|Do you] [write code|code|program|write programs|write Python|write Python code][?|]",), ("Only very little: a hello world, or a function that adds two numbers.",)),
    (("[Can you|can you] [do math|calculate|count|do maths|add numbers|do arithmetic][?|]",), ("Yes, with small numbers. Try \"What is 12 + 30?\"",)),
    (("[Can you|can you|Do you] [see images|see pictures|see me|hear me|read files|look at pictures|understand images][?|]",), ("No, I only read and write text.",)),
    (("[Can you|can you|Do you] [remember me|remember our last chat|remember what I said yesterday|remember previous conversations|learn from me|have a memory][?|]",), ("I only remember this conversation.",)),
    (("[What is|what is|What's|how long is|How long is] your [context window|context length|context size|context][?|]", "[How much text can you read|how many tokens can you read][?|]"), ("I can read about 2,000 tokens at a time.",)),
    (("[What is|what is|What's] your [license|licence][?|]", "[Are you|are you] [open source|free|free to use][?|]"), ("I am free to use, under the Apache 2.0 licence.",)),
    (("[What can't you do|what can't you do|What can you not do|What don't you know|what are your limits|What are your limitations][?|]",), ("Most things! I am very small: I know few facts, I cannot look at the web, and I am often wrong.",)),
    (("[Can you|can you|Will you|Could you] [tell me a story|tell stories|write stories|tell jokes|help me with my homework|translate|write JSON|call tools|use tools][?|]",), ("I can try! Tell me what you would like.",)),
)  # fmt: skip


def advice(random: Random) -> tuple[str, str]:
    """Good words, tips, and what the model can and cannot do."""
    questions, answers = random.choice(_ADVICE)
    return one_of(random, *questions), random.choice(answers)


_ANIMAL_FACTS = {
    "cats": "Cats are small animals that live with people. They sleep a lot, purr and catch mice.",
    "dogs": "Dogs are loyal animals that live with people. They can learn many tricks.",
    "horses": "Horses are large animals with four legs. People have ridden them for thousands of years.",
    "bees": "Bees are insects that fly from flower to flower. They make honey.",
    "elephants": "Elephants are the largest land animals. They have a long trunk and big ears.",
    "lions": "Lions are big cats that live in Africa. They hunt in groups.",
    "penguins": "Penguins are birds that cannot fly, but swim very well. Most of them live in the south.",
    "whales": "Whales are the largest animals on Earth. They live in the sea and breathe air.",
    "owls": "Owls are birds that hunt at night. They can turn their heads very far.",
    "spiders": "Spiders have eight legs. Many of them build webs to catch insects.",
    "frogs": "Frogs live near water. Young frogs are called tadpoles.",
    "dragons": "Dragons live only in stories. They fly and breathe fire.",
    "space": "Space is the great emptiness between the stars and planets. It is cold and silent.",
    "the moon": "The Moon is a ball of rock that goes around the Earth. It takes about a month.",
    "the sun": "The Sun is the star at the centre of our solar system. It gives us light and warmth.",
    "music": "Music is the art of sounds. People sing, play and dance to it all over the world.",
    "water": "Water is made of hydrogen and oxygen. All living things need it.",
    "trees": "Trees are tall plants with a trunk of wood. They turn sunlight into sugar and oxygen.",
    "computers": "Computers are machines that follow instructions to work with information.",
    "Mars": "Mars is the fourth planet from the Sun. It is called the red planet.",
    "Jupiter": "Jupiter is the largest planet. It has many moons.",
    "Paris": "Paris is the capital of France. It is famous for the Eiffel Tower.",
    "London": "London is the capital of the United Kingdom. It lies on the river Thames.",
    "Rome": "Rome is the capital of Italy. It is famous for its old buildings.",
    "Berlin": "Berlin is the capital of Germany and its largest city.",
}  # fmt: skip


def description(random: Random) -> tuple[str, str]:
    """Two sentences about an animal, a country, a planet or a city."""
    ask = ("[Tell me|tell me|Tell me something|Write something|What can you tell me|tell me more] about {s}[.||?]", "[What do you know|what do you know] about {s}[?|]", "[Describe|describe] {s}[.|]", "[Facts about|facts about|Write two sentences about|write a paragraph about] {s}[.|]")  # fmt: skip
    if random.random() < 0.6:
        subject, text = random.choice(list(_ANIMAL_FACTS.items()))
        return one_of(random, *ask, s=subject), text
    country = random.choice([name for name in words.CONTINENTS if name in words.CAPITALS])
    text = f"{country} is a country in {words.CONTINENTS[country]}. Its capital is {words.CAPITALS[country]}."
    if country in words.LANGUAGES:
        text += f" People there speak {words.LANGUAGES[country]}."
    return one_of(random, *ask, s=country), text


WRITINGS: tuple[tuple[float, Callable[[Random], tuple[str, str]]], ...] = (
    (2, mail), (1.5, wish), (1, slogan), (3, advice), (2.5, description),
)  # fmt: skip


def writing(random: Random) -> tuple[str, str]:
    """A text of any kind above."""
    return weighted(random, WRITINGS)(random)
