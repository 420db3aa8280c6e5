"""Small facts: countries, animals, colours, words, the calendar, planets, science."""

from collections.abc import Callable
from random import Random

from corpus import words
from corpus.wording import one_of, weighted, worded
from corpus.words import with_article

_SCIENCE: tuple[tuple[str, str], ...] = (
    ("[What is|what is|what's] water made of[?|]", "Water is made of hydrogen and oxygen."),
    ("[What is|what is] the chemical formula [of|for] water[?|]", "The formula of water is H2O."),
    ("[What is|what's|Explain|explain|what is] photosynthesis[?||.]", "Photosynthesis is how plants use sunlight to turn water and carbon dioxide into sugar and oxygen."),
    ("[What is|what is|Explain|what's] gravity[?||.]", "Gravity is the force that pulls things towards each other. It keeps our feet on the ground."),
    ("[At what temperature does|when does|At which temperature does] water boil[?|]", "Water boils at 100 degrees Celsius."),
    ("[At what temperature does|when does|At which temperature does] water freeze[?|]", "Water freezes at 0 degrees Celsius."),
    ("[Why is|why is] the sky blue[?|]", "The sky is blue because air scatters blue light more than red light."),
    ("[How many|how many] continents are there[?|]", "There are seven continents."),
    ("[Name|name|List|list|What are] [the|all the] [seven |7 |]continents[?|.|]", "The seven continents are Africa, Antarctica, Asia, Australia, Europe, North America and South America."),
    ("[How many|how many] oceans are there[?|]", "There are five oceans."),
    ("[What is|what is|which is] the [largest|biggest] ocean[?|]", "The Pacific Ocean is the largest ocean."),
    ("[What is|what is|which is] the [largest|biggest] animal[ in the world|][?|]", "The blue whale is the largest animal."),
    ("[What is|what is|which is] the [tallest|highest] mountain[ in the world| on Earth|][?|]", "Mount Everest is the highest mountain in the world."),
    ("[What is|what is|which is] the [fastest] [land |]animal[?|]", "The cheetah is the fastest land animal."),
    ("[What is|what is|which is] the tallest animal[?|]", "The giraffe is the tallest animal."),
    ("[What is|what is|which is] the longest river[ in the world|][?|]", "The Nile is often called the longest river in the world."),
    ("[What is|what is|which is] the [largest|biggest] country[ in the world|][?|]", "Russia is the largest country in the world."),
    ("[What is|what is|which is] the smallest country[ in the world|][?|]", "Vatican City is the smallest country in the world."),
    ("[How many|how many] legs does a spider have[?|]", "A spider has 8 legs."),
    ("[How many|how many] days are [there in|in] a year[?|]", "A year has 365 days, and 366 in a leap year."),
    ("[How many|how many] days are [there in|in] a week[?|]", "A week has seven days."),
    ("[How many|how many] hours are [there in|in] a day[?|]", "A day has 24 hours."),
    ("[How many|how many] minutes are [there in|in] an hour[?|]", "An hour has 60 minutes."),
    ("[How many|how many] seconds are [there in|in] a minute[?|]", "A minute has 60 seconds."),
    ("[How many|how many] months are [there in|in] a year[?|]", "A year has twelve months."),
    ("[How many|how many] weeks are [there in|in] a year[?|]", "A year has 52 weeks."),
    ("[How many|how many] letters are [there in|in] the alphabet[?|]", "The English alphabet has 26 letters."),
    ("[Say|Write|What is|List|Recite|write] the alphabet[.|?|]", "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z"),
    ("[How many|how many] planets are there[ in the solar system|][?|]", "There are eight planets in the solar system."),
    ("[How many|how many] moons does the Earth have[?|]", "The Earth has one moon."),
    ("[What is|what is|What's] the Sun[?|]", "The Sun is the star at the centre of our solar system."),
    ("[What is|what is] the moon[?|]", "The Moon is a ball of rock that goes around the Earth."),
    ("[How many|how many] colours [are there in|does] a rainbow[ have|][?|]", "A rainbow has seven colours: red, orange, yellow, green, blue, indigo and violet."),
    ("[What are|Name|name|list] the [colours|colors] of the rainbow[?|.|]", "Red, orange, yellow, green, blue, indigo and violet."),
    ("[What are|Name|name] the primary colours[?|.|]", "The primary colours are red, yellow and blue."),
    ("[What are|Name|name|list|Which are] the [four |]seasons[?|.| of the year?]", "The four seasons are spring, summer, autumn and winter."),
    ("[What is|what is|what's|What is a|Explain] rain[?|]", "Rain is water that falls from clouds in drops."),
    ("[What do|what do] bees make[?|]", "Bees make honey."),
    ("[What do|what do] cows [drink|eat][?|]", "Cows eat grass and drink water."),
    ("[What gives|which animal gives|What animal gives] us milk[?|]", "The cow gives us milk."),
    ("[What do|what do] plants need[ to grow|][?|]", "Plants need light, water and air."),
    ("[Who wrote|who wrote] Romeo and Juliet[?|]", "William Shakespeare wrote Romeo and Juliet."),
    ("[Who wrote|who wrote] Hamlet[?|]", "William Shakespeare wrote Hamlet."),
    ("[Who|who] painted the Mona Lisa[?|]", "Leonardo da Vinci painted the Mona Lisa."),
    ("[Who was|who was|Who is] [Albert Einstein|Einstein][?|]", "Albert Einstein was a physicist who is famous for the theory of relativity."),
    ("[Who was|who was|Who is] [Ada Lovelace][?|]", "Ada Lovelace was an English mathematician who is often called the first programmer."),
    ("[Who was|who was|Who is] [Alan Turing][?|]", "Alan Turing was an English mathematician and one of the founders of computer science."),
    ("[Who was|who was] the first [man|person|human] on the moon[?|]", "Neil Armstrong was the first person on the Moon."),
    ("[Where is|where is] the Eiffel Tower[?|]", "The Eiffel Tower is in Paris."),
    ("[Where is|where is] the Great Wall[?|]", "The Great Wall is in China."),
    ("[Where are|where are] the pyramids[?|]", "The most famous pyramids are in Egypt."),
    ("[What is|what is|what's] the speed of light[?|]", "The speed of light is about 300,000 kilometres per second."),
    ("[What is|what is|what's] pi[?|]", "Pi is about 3.14159. It is the ratio of a circle's circumference to its diameter."),
    ("[What is|what is|what's] DNA[?|]", "DNA is the molecule that carries the building plan of living things."),
    ("[How many|how many] sides does a triangle have[?|]", "A triangle has 3 sides."),
    ("[How many|how many] sides does a square have[?|]", "A square has 4 sides."),
    ("[What is|what is|what's] ice[?|]", "Ice is frozen water."),
    ("[How many|how many] hearts does an octopus have[?|]", "An octopus has three hearts."),
    ("[What is|what is|what's] an atom[?|]", "An atom is the smallest piece of a chemical element."),
    ("[What is|what is|what's] a computer[?|]", "A computer is a machine that follows instructions to work with information."),
    ("[What is|what is|What's|Explain|what's] [a language model|an LLM|a large language model][?|]", "A language model is a program that has learned from text to predict the next word. That is how it writes answers."),
    ("[What is|what is|What's|Explain|what's] [AI|artificial intelligence|machine learning][?|]", "Artificial intelligence is the art of making computers do things that seem to need thought."),
    ("[What is|what is|What's|Explain|what's] [an API|a REST API][?|]", "An API is a way for one program to use another."),
    ("[What is|what is|What's|Explain|what's] [Python|python][?|]", "Python is a programming language that is easy to read."),
    ("[What is|what is|What's] [a token|a token in a language model][?|]", "A token is a piece of text, often a word or a part of one, that a language model reads and writes."),
    ("[What is|what is|What's] [a prompt|a prompt for an AI][?|]", "A prompt is the text that you give to a language model."),
    ("[What is|what is|What's] [the OpenAI API|an OpenAI API|an OpenAI compatible API][?|]", "It is the HTTP interface that many programs use to talk to language models. Ingle speaks it too."),
    ("[What is|what is] the capital of Europe[?|]", "Europe is a continent and has no capital."),
    ("[How do you make|how do i make|How do I make|how to make] tea[?|]", "1. Boil some water.\n2. Put a tea bag in a cup.\n3. Pour the water over it.\n4. Wait three minutes and take out the bag."),
    ("[How do you make|how do i make|How do I make|how to make] a sandwich[?|]", "1. Take two slices of bread.\n2. Put butter, cheese and salad on one slice.\n3. Put the other slice on top."),
    ("[How do you make|how do i make|How do I make|how to make] coffee[?|]", "1. Boil some water.\n2. Put ground coffee in a filter.\n3. Pour the hot water over it."),
    ("[How do you|How do I|how to|how do i|how do you] [cook|boil] [pasta|noodles][?|]", "1. Boil a large pot of water with some salt.\n2. Add the pasta and cook it for about ten minutes.\n3. Drain the water and serve."),
    ("[How do you|How do I|how to|how do i|how do you] [cook|boil] an egg[?|]", "1. Boil some water.\n2. Put in the egg for seven minutes.\n3. Cool it under cold water."),
)  # fmt: skip


def science(random: Random) -> tuple[str, str]:
    """A question of general knowledge."""
    question, answer = random.choice(_SCIENCE)
    return worded(random, question), answer


def capital(random: Random) -> tuple[str, str]:
    """The capital of a country, or the country of a capital."""
    country = random.choice(list(words.CAPITALS))
    city = words.CAPITALS[country]
    if random.random() < 0.8 or country in ("England", "the United Kingdom"):
        question = one_of(
            random,
            "[What is|what is|What's|what's|whats|Tell me|do you know|name|Name] the capital [city |]of {c}[?||?]",
            "[capital of|Capital of|the capital of] {c}[?|]",
            "[Which|What|which] city is the capital of {c}[?|]",
            "{c}'s capital[?|]",
            c=country,
        )
        subject = country[0].upper() + country[1:]
        return question, one_of(
            random,
            "The capital of {c} is {x}.",
            "The capital of {c} is {x}.",
            "{x} is the capital of {c}.",
            c=country,
            x=city,
            s=subject,
        )
    question = one_of(
        random,
        "{x} is the capital of which country?",
        "[Which|What] country has the capital {x}?",
        "[Where is|In which country is|In what country is] {x}[?|]",
        x=city,
    )
    if question[0] in "WI" and "capital" not in question:
        return question, f"{city} is in {country}."
    return question, f"{city} is the capital of {country}."


def country(random: Random) -> tuple[str, str]:
    """A country's continent, currency or language."""
    kind = random.randrange(3)
    if kind == 0:
        name, continent = random.choice(list(words.CONTINENTS.items()))
        question = one_of(
            random,
            "[Which|What|On which|On what] continent is {c} [in|on][?|]",
            "[Where is|where is] {c}[?|]",
            c=name,
        )
        return question, f"{name} is in {continent}."
    if kind == 1:
        name, money = random.choice(list(words.CURRENCIES.items()))
        question = one_of(
            random,
            "[What is|what is] the [currency|money] of {c}[?|]",
            "[What|Which] currency [does {c} use|is used in {c}][?|]",
            c=name,
        )
        return question, f"The currency of {name} is {money}."
    name, language = random.choice(list(words.LANGUAGES.items()))
    question = one_of(
        random,
        "[What|Which] language [is spoken|do people speak|do they speak] in {c}[?|]",
        "[What is|what is] the language of {c}[?|]",
        c=name,
    )
    return question, f"People in {name} speak {language}."


def animal(random: Random) -> tuple[str, str]:
    """The sound, the legs or the young of an animal."""
    kind = random.randrange(4)
    if kind <= 1:
        name, sound = random.choice(list(words.ANIMAL_SOUNDS.items()))
        if kind == 1 and random.random() < 0.5:
            question = one_of(
                random, '[Which|What] animal [says|goes] "{s}"?', "[who|what] says {s}[?|]", s=sound
            )
            return question, f'The {name} says "{sound}".'
        question = one_of(
            random,
            "[What sound does|what sound does|Which sound does|What noise does] {a} make[?|]",
            "[What does|what does] {a} say[?|]",
            "[How does|how does] {a} [sound|go][?|]",
            "the sound of {a}",
            a=random.choice((with_article(name), "the " + name)),
        )
        return question, one_of(
            random, '{a} says "{s}".', a=with_article(name).capitalize(), s=sound
        )
    if kind == 2:
        name, legs = random.choice(list(words.LEGS.items()))
        question = one_of(
            random,
            "[How many|how many] legs [does {a} have|has {a}][?|]",
            a=with_article(name),
        )
        return question, f"{with_article(name).capitalize()} has {legs or 'no'} legs."
    name, young = random.choice(list(words.BABIES.items()))
    question = one_of(
        random,
        "[What is|what is|What's] a baby {a} called[?|]",
        "[What do you call|What is the name of] a [young|baby] {a}[?|]",
        a=name,
    )
    return question, f"A baby {name} is called {with_article(young)}."


def colour(random: Random) -> tuple[str, str]:
    """The colour of a thing or of a mixture."""
    spelling = random.choice(("colour", "color"))
    if random.random() < 0.7:
        thing, name = random.choice(list(words.THING_COLOURS.items()))
        question = one_of(
            random,
            "[What|what|Which] {k} is {t}[?|]",
            "[What is|what is|What's] the {k} of {t}[?|]",
            t=thing,
            k=spelling,
        )
        return question, f"{thing[0].upper() + thing[1:]} is {name}."
    (first, second), mixed = random.choice(list(words.MIXED_COLOURS.items()))
    if random.random() < 0.5:
        first, second = second, first
    question = one_of(
        random,
        "[What|Which] {k} do you get [if|when] you mix {a} and {b}[?|]",
        "[What do|what do] {a} and {b} make[?|]",
        "{a} [plus|and|mixed with] {b}[?| makes what?]",
        a=first,
        b=second,
        k=spelling,
    )
    return question, f"{first[0].upper() + first[1:]} and {second} make {mixed}."


def word(random: Random) -> tuple[str, str]:
    """An opposite, a synonym, a plural, a past tense, a spelling, a rhyme."""
    kind = random.choices(range(5), (4, 2, 3, 3, 1))[0]
    if kind == 0:
        pair = random.choice(list(words.OPPOSITES.items()))
        left, right = pair if random.random() < 0.6 else pair[::-1]
        if right == "black" or left in ("light", "white"):
            left, right = "hot", "cold"
        question = one_of(
            random,
            '[What is|what is|Tell me|whats] the [opposite|antonym] of [{w}|"{w}"][?|]',
            "[What's|what's] the opposite of [{w}|'{w}'][?|]",
            "[opposite of|Opposite of|antonym of] {w}[?|]",
            w=left,
        )
        return question, one_of(random, "The opposite of {a} is {b}.", a=left, b=right)
    if kind == 1:
        left, right = random.choice(list(words.SYNONYMS.items()))
        question = one_of(
            random,
            "[What is|what is|Give me|give me|Tell me] [a synonym for|another word for|a synonym of] {w}[?|.|]",
            "synonym[s|] [of|for] {w}",
            w=left,
        )
        return question, f"Another word for {left} is {right}."
    if kind == 2:
        left, right = random.choice(list(words.PLURALS.items()))
        question = one_of(
            random,
            "[What is|what is|What's|Give me|Tell me] the plural [of|for] {w}[?|]",
            "[plural of|Plural of] {w}[?|]",
            "one {w}, two[ ...|?]",
            w=left,
        )
        return question, f"The plural of {left} is {right}."
    if kind == 3:
        left, right = random.choice(list(words.PAST_TENSES.items()))
        question = one_of(
            random,
            "[What is|what is|What's|Give me] the past tense of [the verb |]{w}[?|]",
            "[past tense of|Past tense of|past of] {w}[?|]",
            w=left,
        )
        return question, f"The past tense of {left} is {right}."
    name = random.choice((*words.FRUITS, *words.ANIMALS, *words.COLOURS))
    question = one_of(
        random, "[How do you spell|how do you spell|Spell|spell|Can you spell] {w}[?|]", w=name
    )
    return question, "-".join(name.upper())


def calendar(random: Random) -> tuple[str, str]:
    """Days and months: next, before, all, lengths."""
    kind = random.random()
    if kind < 0.7:
        names = random.choice((words.DAYS, words.MONTHS))
        noun = "day" if names is words.DAYS else "month"
        at = random.randrange(len(names))
        this, following = names[at], names[(at + 1) % len(names)]
        if kind < 0.45:
            question = one_of(
                random,
                "[What|Which|what] {n} [comes|is] after {d}[?|]",
                "[What comes|what comes|What is] after {d}[?|]",
                n=noun,
                d=this,
            )
            return question, f"After {this} comes {following}."
        question = one_of(
            random,
            "[What|Which|what] {n} [comes|is] before {d}[?|]",
            "[What comes|what comes] before {d}[?|]",
            n=noun,
            d=following,
        )
        return question, f"Before {following} comes {this}."
    if kind < 0.8:
        question = one_of(
            random,
            "[What are|Name|name|List|list|Tell me] [the days of the week|the weekdays|all days of the week][.|?|]",
        )
        return question, ", ".join(words.DAYS[:-1]) + " and Sunday."
    if kind < 0.9:
        question = one_of(
            random,
            "[What are|Name|name|List|list|Tell me] [the months of the year|the months|all months|the twelve months][.|?|]",
        )
        return question, ", ".join(words.MONTHS[:-1]) + " and December."
    month, days = random.choice(list(words.MONTH_DAYS.items()))
    question = one_of(
        random,
        "[How many|how many] days [does {m} have|are in {m}|has {m}][?|]",
        m=month,
    )
    return question, f"{month} has {days} days{', and 29 in a leap year' if days == 28 else ''}."


def planet(random: Random) -> tuple[str, str]:
    """The planets, their order and the odd record."""
    kind = random.random()
    if kind < 0.25:
        question = one_of(
            random,
            "[What are|Name|name|List|list|Tell me] [the planets|all planets|the eight planets|all the planets][ of the solar system| in order|][.|?|]",
        )
        return question, ", ".join(words.PLANETS[:-1]) + " and Neptune."
    if kind < 0.6:
        question, answer = random.choice((
            ("[largest|biggest]", "Jupiter is the largest planet."),
            ("smallest", "Mercury is the smallest planet."),
            ("hottest", "Venus is the hottest planet."),
            ("[red|Red]", "Mars is called the red planet."),
        ))  # fmt: skip
        if "red" in question:
            return one_of(
                random,
                "[Which|What] [is the red planet|planet is red|planet is called the red planet][?|]",
            ), answer
        return one_of(
            random,
            f"[What is|Which is|what is|which is] the {question} planet[?| in the solar system?]",
            f"[Which|What] planet is the {question}[?|]",
        ), answer
    if kind < 0.75:
        question = one_of(
            random,
            "[Which|What] planet is [closest|nearest] to the [Sun|sun][?|]",
            "[Which|What] is the closest planet to the sun[?|]",
        )
        return question, "Mercury is the closest planet to the Sun."
    if kind < 0.85:
        return one_of(
            random, "[Which|What] planet has [large |big |]rings[?|]"
        ), "Saturn is famous for its rings."
    at = random.randrange(8)
    order = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")[at]
    question = one_of(random, "[What|Which] is the {o} planet[ from the Sun|][?|]", o=order)
    return question, f"The {order} planet from the Sun is {words.PLANETS[at]}."


def kind_of_thing(random: Random) -> tuple[str, str]:
    """Whether something is an animal, a fruit, a colour ..."""
    classes = {
        "an animal": words.ANIMALS, "a fruit": words.FRUITS, "a vegetable": words.VEGETABLES,
        "a colour": words.COLOURS, "a city": words.CITIES, "a planet": words.PLANETS,
        "a day of the week": words.DAYS, "a month": words.MONTHS,
    }  # fmt: skip
    name = random.choice(list(classes))
    thing = random.choice(classes[name])
    said = thing if thing[0].isupper() or name == "a colour" else with_article(thing)
    if random.random() < 0.4:
        question = one_of(random, "[What is|what is|What's|what's] {t}[?|]", t=said)
        return question, f"{said[0].upper() + said[1:]} is {name}."
    asked = (
        name
        if random.random() < 0.5
        else random.choice([other for other in classes if other != name])
    )
    if (
        {asked, name} == {"a vegetable", "a fruit"}
        or {asked, name} == {"a colour", "a fruit"}
        or thing in ("orange", "Mercury")
    ):
        asked = name
    question = one_of(random, "[Is|is] {t} {k}[?|]", t=said, k=asked)
    if asked == name:
        return question, f"Yes, {said} is {name}."
    return question, f"No, {said} is {name}."


FACTS: tuple[tuple[float, Callable[[Random], tuple[str, str]]], ...] = (
    (5, capital), (1, country), (2.5, animal), (1.5, colour), (3, word), (2, calendar),
    (1.5, planet), (4, science), (1, kind_of_thing),
)  # fmt: skip


def fact(random: Random) -> tuple[str, str]:
    """A question of any kind above."""
    return weighted(random, FACTS)(random)
