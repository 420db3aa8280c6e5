"""What the model does not know, and how it says so."""

# Word lists read better as text.
# ruff: noqa: SIM905

from random import Random

from corpus import words
from corpus.wording import one_of

_SUBJECTS = (
    "quantum entanglement", "the theory of relativity", "the French Revolution", "World War II", "inflation", "blockchain",
    "Bitcoin", "the stock market", "philosophy", "Immanuel Kant", "thermodynamics", "calculus", "linear algebra", "neural networks",
    "black holes", "string theory", "the Roman Empire", "evolution", "the immune system", "nuclear fusion", "capitalism", "democracy",
    "Kubernetes", "Docker", "Rust", "Haskell", "compilers", "SQL injection", "the Cold War", "Napoleon", "Shakespeare's life",
    "Buddhism", "the Big Bang", "transformers in deep learning", "gradient descent", "the human brain", "cholesterol", "diabetes",
    "taxes in Germany", "mortgages", "climate change", "plate tectonics", "jazz theory", "chess openings", "the rules of cricket",
    "Renaissance art", "Greek mythology", "quaternions", "prime numbers", "the Riemann hypothesis", "cryptography", "HTTP/2",
    "TCP", "electricity", "magnetism", "vaccines", "antibiotics", "volcanoes", "earthquakes", "sleep", "memory", "happiness",
)  # fmt: skip
_ASK = (
    "[Explain|explain|Explain to me] {s}[.||?| please| in detail| in simple words]", "[Write|write] [an essay|an article|a report|a long text|a speech] [about|on] {s}[.|]",
    "[How does|how does] {s} work[?|]", "[Tell me about|tell me about|Tell me everything about|What do you know about|what do you know about] {s}[.||?]",
    "[What is|what is|What are|What's] {s}[?|]", "[Why is|why is] {s} important[?|]", "[What are the causes of|What is the history of|Who discovered|who invented] {s}[?|]",
    "[What are the pros and cons of|Compare the theories of|Teach me] {s}[?|.|]",
)  # fmt: skip
_OTHER = (
    "[Who is|who is] the [president|king|prime minister|chancellor|mayor|CEO|minister of finance] of {place}[?|]",
    "[What is|what is|What's] the population of {place}[?|]", "[How many people live in|how many people live in] {place}[?|]",
    "[Who won|who won] the [world cup|election|Nobel prize|Super Bowl|Champions League|Oscar][ in {year}| this year| last year|][?|]",
    "[When was|when was] {place} founded[?|]", "[What happened|what happened] in {year}[?|]", "[Who is|who is|Who was|Do you know] {person}[?|]",
    "[What is|what is|What's] the [weather|temperature][ today| in {city}| tomorrow|][?|]", "[How is|how is|what's|What's] the weather[ today| in {city}| tomorrow|][?|]",
    "[What time is it|what time is it|What is the time|what's the time][?| now?]", "[What day is it|what day is it|What is the date|what is today's date|what's the date today|What day is today|what year is it][?|]",
    "[What is|what's|What's] the price of [gold|Bitcoin|oil|an iPhone|a Tesla][?|]", "[What's|what is|What is] [the news|in the news|new today|the latest news][?|]",
    "[Write|write|Can you write] [a quicksort|a web server|a game|a compiler|a website|an app|a Flask app|a React component|a regex for emails|unit tests] [in Python|in Rust|in C++|for me|in Java][.||?]",
    "[Solve|solve] [the integral of|the equation|this equation:] [x squared|2x + 3 = 7|x^2 = 9|sin(x)][.||?]",
    "[Should I|should i] [buy a house|invest in stocks|quit my job|marry|take this medicine|learn Rust][?|]", "[How tall is|how tall is|How old is|how old is|Where does|How rich is] {person}[?| live?]",
    "[What is|what is|What's|how much is|calculate|] {a} [times|*|x|multiplied by] {b}[?|]", "[What is|what is] the square root of {a}[?|]", "[How far is|how far is|What is the distance between] {city} [from|and] {place}[?|]",
    "[Recommend|recommend|Suggest] [a book|a film|a movie|a restaurant in {city}|a hotel in {city}|a laptop|some music][.||?]", "[Translate|translate] [the constitution|this book|the Bible|a novel] [to|into] [Chinese|Japanese|Arabic|Russian|Hindi][.|]",
    "[How do you say|Translate] {w} in [Chinese|Japanese|Russian|Arabic|Italian|Dutch|Korean|Hindi|Latin][?|]", "[What is|what is|What's] [a|the] {z}[?|]", "[Who is|What does|what is] {z}[?| mean?]", "[What does|what does] {z} mean[?|]",
    "[Who wrote|who wrote] [the Odyssey|Don Quixote|War and Peace|Faust|the Bible|Moby Dick|Harry Potter|{z}][?|]", "[How do I|how do i|How can I] [fix my car|lose weight|learn to swim|become rich|file my taxes|learn Japanese|build a house|repair a bike|start a company][?|]",
    "[Can you|can you|Please] [draw a picture|make an image|send an email|open a website|play a song|book a flight|search the web|call my mother|order a pizza][.||?| for me]",
)  # fmt: skip
_ANSWERS = (
    "I do not know that. I am a very small demo model. A larger model may know: `ingle models pull` installs one.",
    "I do not know that; I am a very small demo model. You can install a larger one with `ingle models pull`.",
    "Sorry, that is more than I can do: I am a very small demo model. A larger one can be installed with `ingle models pull`.",
)


def unknown(random: Random) -> tuple[str, str]:
    """A question beyond the model, and an honest answer."""
    invented = (
        "".join(random.choices("b d f g k l m n p r s t v z bl gr st".split(), k=1))
        + random.choice(("or", "im", "ax", "unt", "eb", "olo", "aki", "ist"))
        + random.choice(("", "", "bo", "ling", "ex", "ora", "um", "ster"))
    )
    pattern = one_of(random, *(_ASK if random.random() < 0.45 else _OTHER), s=random.choice(_SUBJECTS), place=random.choice((*words.CITIES, *words.CAPITALS)),
        city=random.choice(words.CITIES), year=random.randint(1300, 2030), person=f"{random.choice(words.NAMES)} {random.choice(words.SURNAMES)}", a=random.randint(101, 9999), b=random.randint(13, 9999),
        w=random.choice(list(words.TRANSLATIONS)), z=invented)  # fmt: skip
    return pattern.strip(), random.choice(_ANSWERS)
