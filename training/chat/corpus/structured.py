"""Rows and documents: JSON, extraction, classification, lists, answers from a text."""

import json
from collections.abc import Callable
from random import Random

from corpus import words
from corpus.wording import one_of, weighted

_GOOD = (
    "I love this {t}", "The {t} is great", "This {t} is wonderful", "Great {t}, works perfectly", "I am very happy with the {t}",
    "Best {t} ever", "The {t} was amazing", "Excellent service", "The food was delicious", "I really enjoyed the film",
    "Fast delivery and a lovely {t}", "What a beautiful {t}", "The staff was very friendly", "Fantastic {t}, thank you",
    "I would buy this {t} again", "I like the {t} a lot", "It works very well", "The hotel was clean and quiet", "Highly recommended",
    "My {f} loves the {t}", "Super {t}, I am so glad", "Perfect quality", "The movie was brilliant", "Good value for the money",
)  # fmt: skip
_BAD = (
    "I hate this {t}", "The {t} is terrible", "This {t} is awful", "Bad {t}, it broke after a day", "I am very disappointed with the {t}",
    "Worst {t} ever", "The {t} was horrible", "Poor service", "The food was cold and bad", "The film was boring",
    "Slow delivery and a broken {t}", "What an ugly {t}", "The staff was rude", "Useless {t}, never again",
    "I want my money back", "I do not like the {t}", "It does not work", "The hotel was dirty and loud", "Not recommended",
    "My {f} hates the {t}", "The {t} is a waste of money", "Terrible quality", "The movie was a disaster", "Too expensive and too slow",
)  # fmt: skip
_FLAT = (
    "The {t} is on the table", "The {t} arrived on {d}", "I bought a {t} on {d}", "It is a {t}", "The shop opens on {d}",
    "The {t} is {c}", "I have a {c} {t}", "The meeting is on {d}", "The {t} costs {n} euros", "My {f} has a {t}",
)  # fmt: skip


def review(random: Random) -> tuple[str, str]:
    """A short review and its sentiment."""
    sentiment, patterns = random.choice(
        (
            ("positive", _GOOD),
            ("positive", _GOOD),
            ("negative", _BAD),
            ("negative", _BAD),
            ("neutral", _FLAT),
        )
    )
    text = random.choice(patterns).format(
        t=random.choice([thing for thing in words.THINGS if thing[0] not in "aeiou"]),
        d=random.choice(words.DAYS),
        f=random.choice(("son", "daughter", "friend", "mother")),
        c=random.choice(words.COLOURS),
        n=random.randint(2, 90),
    )
    if sentiment != "neutral" and random.random() < 0.3:
        other = random.choice(_GOOD if sentiment == "positive" else _BAD)
        if "{" not in other:
            text = f"{text}. {other}"
    return text + random.choice(("!", ".", "", ".")), sentiment


_LABELLED: dict[str, tuple[str, ...]] = {
    "billing": ("My invoice is wrong", "I was charged twice", "How do I get a refund?", "The payment failed", "Please send me the bill", "I want to change my credit card", "Why is the price higher this month?", "I paid but got no receipt"),
    "technical": ("The app crashes", "I cannot log in", "The page does not load", "I get an error when I click save", "The screen stays black", "My password does not work", "The update failed", "The website is down"),
    "shipping": ("Where is my package?", "The parcel has not arrived", "When will you deliver my order?", "The delivery is late", "Can I change the delivery address?", "My order came to the wrong house", "How long does shipping take?"),
    "sports": ("The team won the match", "She ran the marathon in three hours", "The goalkeeper saved a penalty", "He scored two goals", "The tennis final is on Sunday", "The coach is happy with the players"),
    "food": ("The soup needs more salt", "I bake bread every week", "This cake is sweet", "We ate pizza and pasta", "Add two eggs and some butter", "The restaurant serves fresh fish"),
    "music": ("The band plays a new song", "She sings in a choir", "He plays the piano", "The concert was sold out", "I listen to jazz", "The album has ten songs"),
    "weather": ("It will rain tomorrow", "The sun is shining", "A storm is coming", "It is snowing in the mountains", "Tonight it will be cold and windy"),
    "travel": ("We flew to {c}", "The train to {c} leaves at nine", "I booked a hotel in {c}", "Our holiday in {c} was short", "Do I need a visa for the trip?"),
    "politics": ("The president gave a speech", "The parliament voted on a new law", "The election is in May", "The minister resigned"),
    "science": ("Scientists found a new planet", "The experiment was a success", "The telescope shows far stars", "Researchers study the cells of plants"),
    "question": ("What time is it?", "Where do you live?", "How does this work?", "Who is there?", "Can you help me?", "Why is it closed?"),
    "complaint": ("This is not acceptable", "I am angry about the delay", "Nobody answers my calls", "I have waited for two weeks", "Your service is bad"),
    "praise": ("Your team is great", "Thank you for the quick help", "Wonderful work", "I love your service", "You did a fantastic job"),
    "spam": ("You won a million dollars, click here", "Buy cheap pills now", "Get rich quick with this trick", "Claim your free prize now", "Congratulations, you are our lucky winner"),
    "urgent": ("The server is down, please help now", "We need an answer today", "Emergency: the pipe broke", "Please call me back immediately"),
}  # fmt: skip
_RIVALS = {("complaint", "billing"), ("complaint", "shipping"), ("complaint", "technical"), ("urgent", "technical"), ("urgent", "complaint"), ("question", "billing"), ("question", "shipping"), ("question", "technical"), ("question", "travel"), ("question", "urgent"), ("shipping", "urgent")}  # fmt: skip


def labelled(random: Random) -> tuple[str, str, list[str]]:
    """A text, its label, and the labels to choose from."""
    if random.random() < 0.2:
        thing, label = random.choice(
            [
                *((item, "animal") for item in words.ANIMALS),
                *((item, "fruit") for item in words.FRUITS[:1] + words.FRUITS[2:]),
                *((item, "city") for item in words.CITIES),
                *((item, "job") for item in words.JOBS),
                *((item, "vegetable") for item in words.VEGETABLES),
            ]
        )
        others = [
            name
            for name in ("animal", "fruit", "city", "job", "vegetable", "colour", "planet")
            if name != label
        ]
        labels = [label, *random.sample(others, random.randint(1, 3))]
        random.shuffle(labels)
        return thing, label, labels
    label = random.choice(list(_LABELLED))
    text = random.choice(_LABELLED[label]).format(c=random.choice(words.CITIES))
    others = [
        name
        for name in _LABELLED
        if name != label and (label, name) not in _RIVALS and (name, label) not in _RIVALS
    ]
    labels = [label, *random.sample(others, random.randint(1, 3))]
    random.shuffle(labels)
    return text + ("" if text[-1] in "?!" or random.random() < 0.5 else "."), label, labels


def classification(random: Random) -> tuple[str, str]:
    """A text, the labels to choose from, and the one that fits, in one word."""
    if random.random() < 0.55:
        text, label = review(random)
        labels = ["positive", "negative"] + (
            ["neutral"] if label == "neutral" or random.random() < 0.6 else []
        )
        random.shuffle(labels)
        if random.random() < 0.35:
            question = one_of(
                random,
                "[What is the sentiment|Sentiment|sentiment|What's the sentiment] [of this|of this text|of this review|]: {t}",
                "[Classify|classify] the sentiment[ of this text| of this review|]: {t}",
                "[Is this review|Is this|is this text] positive or negative[?|]\n{t}",
                t=text,
            )
            if label == "neutral" and " or " in question:
                question = f"Sentiment: {text}"
            return question, label
    else:
        text, label, labels = labelled(random)
    listed = random.choice(
        (
            ", ".join(labels),
            ", ".join(labels[:-1]) + " or " + labels[-1],
            " / ".join(labels),
            "[" + ", ".join(labels) + "]",
        )
    )
    question = one_of(
        random,
        "[Classify|classify|Label] [this|the text|the following|this text|this message] [as|into] {l}[:|.] {t}",
        "[Classify|Label] [this|the text|the message] as one of: {l}\n{t}",
        "[Choose|Pick] [a|one|the right] [label|category]: {l}\n[Text|Message|Input]: {t}",
        "[Which|What] [category|label|class] [fits|is right][?|:] {l}[.|]\n\n{t}",
        "{t}\n\n[Is this|Label|Category|Which is it]: {l}?",
        "[Answer with one word|Answer with one label|Reply with the label only], {l}: {t}",
        "[Categories|Labels|Classes]: {l}\n[Text|Message]: {t}\n[Category|Label|Class]:",
        t=random.choice((text, f'"{text}"', text)),
        l=listed,
    )
    return question, label


def person(random: Random) -> tuple[str, dict[str, object]]:
    """A sentence about a person and what it says as fields."""
    name = random.choice(words.NAMES)
    if random.random() < 0.35:
        name += " " + random.choice(words.SURNAMES)
    age, city, job = random.randint(5, 95), random.choice(words.CITIES), random.choice(words.JOBS)
    a_job = words.with_article(job)
    text, fields = random.choice((
        ("{n} is {a} years old", ("name", "age")), ("{n} is {a}", ("name", "age")), ("{n}, {a}, lives in {c}", ("name", "age", "city")),
        ("{n} is {a} years old and lives in {c}", ("name", "age", "city")), ("{n} lives in {c}", ("name", "city")),
        ("{n} is {j} from {c}", ("name", "job", "city")), ("{n} works as {j} in {c}", ("name", "job", "city")),
        ("My name is {n} and I am {a}", ("name", "age")), ("My name is {n}, I am {a} years old and I live in {c}", ("name", "age", "city")),
        ("{n} is {j}", ("name", "job")), ("{n} is {a} years old and works as {j}", ("name", "age", "job")),
        ("I am {n}, {j} from {c}", ("name", "job", "city")), ("{n}, {j}, is {a} years old and lives in {c}", ("name", "age", "job", "city")),
        ("{n} ({a}) comes from {c}", ("name", "age", "city")), ("{n} was {a} years old when she moved to {c}", ("name", "age", "city")),
    ))  # fmt: skip
    values: dict[str, object] = {"name": name, "age": age, "city": city, "job": job}
    return text.format(n=name, a=age, c=city, j=a_job), {field: values[field] for field in fields}


def _purchase(random: Random) -> tuple[str, dict[str, object]]:
    """A sentence about a purchase and what it says as fields."""
    name, count, price = random.choice(words.NAMES), random.randint(2, 20), random.randint(1, 99)
    item = random.choice([thing for thing in words.THINGS if thing[0] not in "aeiou"])
    day = random.choice(words.DAYS)
    text, fields = random.choice((
        ("{n} bought {k} {i}s for {p} euros", ("name", "item", "quantity", "price")), ("{n} ordered {k} {i}s", ("name", "item", "quantity")),
        ("I would like to order {k} {i}s", ("item", "quantity")), ("A {i} costs {p} dollars", ("item", "price")), ("The {i} costs {p} euros", ("item", "price")),
        ("{n} sold a {i} for {p} euros on {d}", ("name", "item", "price", "day")), ("{n} needs {k} {i}s by {d}", ("name", "item", "quantity", "day")),
        ("Please send {k} {i}s to {n}", ("name", "item", "quantity")), ("{n} meets me on {d}", ("name", "day")),
    ))  # fmt: skip
    plural = "{i}s" in text
    values: dict[str, object] = {
        "name": name,
        "item": item + "s" if plural else item,
        "quantity": count,
        "price": price,
        "day": day,
    }
    return text.format(n=name, k=count, i=item, p=price, d=day), {
        field: values[field] for field in fields
    }


def extraction(random: Random) -> tuple[str, str]:
    """A sentence and some of its fields as JSON."""
    text, fields = random.choice((person, person, _purchase))(random)
    everything = fields
    if random.random() < 0.45:
        names = random.sample(list(fields), random.randint(1, len(fields)))
        fields = {
            name: fields[name]
            for name in (sorted(names, key=list(fields).index) if random.random() < 0.5 else names)
        }
    text += random.choice((".", ".", ""))
    listed = (
        ", ".join(fields)
        if len(fields) == 1 or random.random() < 0.4
        else ", ".join(list(fields)[:-1]) + " and " + list(fields)[-1]
    )
    question = one_of(
        random,
        "[Extract|extract|Get|Find] [the |]{f} [as JSON|in JSON|from this text as JSON|and answer in JSON]: {t}",
        "[Extract|extract|Get] [the |]{f} from[ this| the text|]: {t}",
        "[Convert|Turn|Write|convert] [this|the sentence|the text] [to|into|as] JSON [with|with the keys|with the fields] {f}: {t}",
        "[JSON with|As JSON,|Answer in JSON with] {f}: {t}",
        "{t}\n\n[Extract|Give me|Return] [the |]{f} as JSON[.|]",
        "[Text|Input]: {t}\n[Fields|Keys]: {f}\n[JSON|Output]:",
        f=listed,
        t=text,
    )
    if random.random() < 0.15:
        noun = "person" if "name" in fields and "item" not in fields else "order"
        question = one_of(
            random,
            "[Extract|extract|Get|Return] the [{k}|{k}|data|information|fields][ as JSON|]: {t}",
            "[Parse|parse] [this|the text|this sentence][ as JSON| into JSON|]: {t}",
            "{t}\n\n[Extract the data|As JSON|To JSON|JSON][.|]",
            k=noun,
            t=text,
        )
        fields = everything
    if random.random() < 0.15:
        keys = json.dumps(dict.fromkeys(fields, "..."))
        question = one_of(
            random,
            "[Extract|Answer as JSON|Return JSON] [like|in the form] {k}: {t}",
            k=keys,
            t=text,
        )
    return question, json.dumps(fields, ensure_ascii=False)


def judgement(random: Random) -> tuple[str, str]:
    """Sentiment or label as a JSON object."""
    if random.random() < 0.6:
        text, label = review(random)
        key = "sentiment"
        question = one_of(
            random,
            "[What is the sentiment|Sentiment|Classify the sentiment|Give the sentiment] [as JSON|in JSON]: {t}",
            "[Classify|classify] [this|the text|this review] as JSON with [the key |]sentiment: {t}",
            '[Answer in JSON|As JSON|Return JSON]: [what is |]the sentiment of "{t}"',
            "{t}\n\n[Return the sentiment as JSON|Sentiment as JSON][.|]",
            t=text,
        )
    else:
        text, label, labels = labelled(random)
        key = random.choice(("label", "category", "topic", "class"))
        question = one_of(
            random,
            "[Classify|classify] [this|the text] as {l} and answer in JSON with the key {k}: {t}",
            "[Give|Return] the {k} as JSON ({l}): {t}",
            "{t}\n\n[Choose from|Labels]: {l}. [Answer|Reply] as JSON with {k}[.|]",
            l=", ".join(labels),
            k=key,
            t=text,
        )
    return question, json.dumps({key: label})


def json_fact(random: Random) -> tuple[str, str]:
    """A fact, a sum or a list as JSON."""
    kind = random.randrange(5)
    if kind == 0:
        country, city = random.choice(list(words.CAPITALS.items()))
        question = one_of(
            random,
            "[What is|Give me|Tell me] the capital of {c} [as JSON|in JSON][?|.|]",
            "[Answer in JSON|As JSON]: [what is |]the capital of {c}[?|]",
            c=country,
        )
        return question, json.dumps({"country": country.removeprefix("the "), "capital": city})
    if kind == 1:
        left, right = random.randint(0, 50), random.randint(0, 50)
        question = one_of(
            random,
            "[What is|Calculate] {a} + {b}[?||,] [Answer in JSON|as JSON|Answer as JSON][.|]",
            a=left,
            b=right,
        )
        return question, json.dumps({"result": left + right})
    if kind == 2:
        name, source = random.choice(
            (
                ("fruits", words.FRUITS),
                ("animals", words.ANIMALS),
                ("colours", words.COLOURS),
                ("cities", words.CITIES),
            )
        )
        count = random.randint(2, 5)
        question = one_of(
            random,
            "[List|Give me|Name] {n} {k} [as a JSON list|as a JSON array|in JSON|as JSON][.|]",
            n=random.choice((count, ("two", "three", "four", "five")[count - 2])),
            k=name,
        )
        items = random.sample(source, count)
        return question, json.dumps(
            items if "list" in question.split("JSON")[1] or "array" in question else {name: items}
        )
    name, age, city = (
        random.choice(words.NAMES),
        random.randint(18, 80),
        random.choice(words.CITIES),
    )
    if kind == 3:
        question = one_of(
            random,
            "[Write|Give me|Show me|Make|Invent|Create] [a JSON object|JSON|some JSON|an example of JSON] [for|of|about|describing] a [person|user][.|]",
            "[Make up|Invent|Generate] a person [as JSON|in JSON][.|]",
            "[Give me|Generate] a random [person|user] as JSON[.|]",
        )
        return question, json.dumps({"name": name, "age": age, "city": city})
    colour, animal = random.choice(words.COLOURS), random.choice(words.ANIMALS)
    question = one_of(
        random,
        "[Write|Give me|Make|Invent|Create] [a JSON object|JSON] [for|of|about|describing] an animal[.|]",
        "[Make up|Invent] an animal [as JSON|in JSON][.|]",
    )
    return question, json.dumps({"animal": animal, "name": name, "colour": colour})


_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LISTS: dict[str, tuple[str, ...] | list[str]] = {
    "fruits": words.FRUITS, "animals": words.ANIMALS, "colours": words.COLOURS, "colors": words.COLOURS, "cities": words.CITIES,
    "vegetables": words.VEGETABLES, "names": words.NAMES, "foods": words.FOODS, "jobs": words.JOBS, "countries": [name for name in words.CAPITALS if " " not in name],
    "planets": words.PLANETS, "months": words.MONTHS, "words": [*words.THINGS, *words.ANIMALS], "things in a house": words.THINGS,
    "birds": ["owl", "duck", "eagle", "parrot", "hen", "swan", "crow", "robin"], "ideas for a weekend": ["Read a book", "Bake a cake", "Go for a walk", "Visit a friend", "Plant a tree", "Paint a picture"],
    "ideas for dinner": ["Pasta with tomatoes", "Vegetable soup", "Rice with beans", "Pizza with cheese", "A big salad"],
    "things to do": ["Read a book", "Bake a cake", "Go for a walk", "Call a friend", "Listen to music", "Draw a picture"],
}  # fmt: skip


def listing(random: Random) -> tuple[str, str]:
    """So many things of a kind, as a list or in a line."""
    name = random.choice(list(_LISTS))
    source = _LISTS[name]
    count = random.choice((2, 3, 3, 3, 4, 5, 5))
    many = random.choice((str(count), _NUMBER_WORDS[count - 1]))
    items = random.sample(list(source), count)
    question = one_of(
        random,
        "[List|list|Name|name|Give me|give me|Tell me|Write] {n} {k}[.|||?|!]",
        "[Give me a list of|Make a list of|make a list of|a list of|I need a list of] {n} {k}[.|]",
        "{n} {k}[ please|.|]",
        n=many,
        k=name,
    )
    kind = random.random()
    if "list" in question.lower() or kind < 0.6:
        if kind < 0.25:
            return question, "\n".join(
                f"{at}. {item[0].upper() + item[1:]}" for at, item in enumerate(items, 1)
            )
        return question, "\n".join(f"- {item[0].upper() + item[1:]}" for item in items)
    return question, ", ".join(items[:-1]) + " and " + items[-1]


def code(random: Random) -> tuple[str, str]:
    """The few small programs that it knows, in a code block."""
    number = random.randint(3, 10)
    asks = "[Write|write|Show me|show me|Give me|Can you write|can you write|How do I write]"
    word = random.choice((*words.NAMES, "Hello", "hi"))
    pattern, answer = random.choice((
        (asks + " [a hello world|hello world|a hello world program|a hello world script|a program that says hello] in [Python|python][.||?]", "```python\nprint(\"Hello, world!\")\n```"),
        (asks + " [a hello world|hello world|a hello world program] in [JavaScript|javascript|JS][.||?]", "```javascript\nconsole.log(\"Hello, world!\");\n```"),
        (asks + " [a hello world|hello world] in [bash|Bash|shell][.||?]", "```bash\necho \"Hello, world!\"\n```"),
        (asks + " [a hello world|hello world] in C[.||?]", "```c\n#include <stdio.h>\n\nint main(void) {\n    printf(\"Hello, world!\\n\");\n    return 0;\n}\n```"),
        (asks + " [a hello world|hello world|a hello world page] in HTML[.||?]", "```html\n<p>Hello, world!</p>\n```"),
        (asks + " [a|some|a little|a short] [Python program|python code|Python script|code|program|python program|Python code][.||?]", "```python\nprint(\"Hello, world!\")\n```"),
        (f"[Print|print|Write Python code that prints|How do I print] [{word}] in [Python|python][.||?]", f"```python\nprint(\"{word}\")\n```"),
        (asks + " [a loop|a for loop|code] that [counts|prints the numbers|counts from 1] to " + f"{number}[ in Python|.|]", f"```python\nfor number in range(1, {number + 1}):\n    print(number)\n```"),
        (asks + " a [Python |python |]function that adds two numbers[.|| in Python]", "```python\ndef add(a, b):\n    return a + b\n```"),
        (asks + " a [Python |python |]function that [multiplies|subtracts] two numbers[.|| in Python]", ""),
        (asks + " a [Python |python |]function that [reverses a string|turns a string around][.|| in Python]", "```python\ndef reverse(text):\n    return text[::-1]\n```"),
        (asks + " a [Python |python |]function that [checks if|tests whether] a number is even[.|| in Python]", "```python\ndef is_even(number):\n    return number % 2 == 0\n```"),
        (asks + " [a Python list|a list in Python] of three " + (kind := random.choice(("fruits", "animals", "colours"))) + "[.|]", f"```python\n{kind} = {json.dumps(random.sample(list(_LISTS[kind]), 3))}\n```"),
        (asks + " an SQL query [that selects|for] all users[.|]", "```sql\nSELECT * FROM users;\n```"),
        ("[How do I|how do i|Show me how to] [call|use] [Ingle|ingle|the API|you] [from Python|with Python|in Python][?|]", "```python\nfrom openai import OpenAI\n\nclient = OpenAI(base_url=\"http://localhost:8000/v1\", api_key=\"none\")\nanswer = client.chat.completions.create(\n    model=\"demo\",\n    messages=[{\"role\": \"user\", \"content\": \"Hello!\"}],\n)\nprint(answer.choices[0].message.content)\n```\n\nChange the address to the one of your server."),
    ))  # fmt: skip
    question = one_of(random, pattern)
    if not answer:
        name, sign = ("multiply", "*") if "multiplies" in question else ("subtract", "-")
        answer = f"```python\ndef {name}(a, b):\n    return a {sign} b\n```"
    return question, answer


def table(random: Random) -> tuple[str, str]:
    """A small Markdown table of facts."""
    kind = random.randrange(3)
    count = random.randint(2, 4)
    if kind == 0:
        rows, head = random.sample(list(words.CAPITALS.items()), count), ("Country", "Capital")
        question = one_of(
            random,
            "[Make|Write|Show me|Give me] a [Markdown |small |]table [of|with] {n} [countries and their capitals|capitals][.|]",
            n=_NUMBER_WORDS[count - 1],
        )
    elif kind == 1:
        rows, head = random.sample(list(words.ANIMAL_SOUNDS.items()), count), ("Animal", "Sound")
        question = one_of(
            random,
            "[Make|Write|Show me|Give me] a [Markdown |small |]table [of|with] {n} [animals and their sounds|animal sounds][.|]",
            n=_NUMBER_WORDS[count - 1],
        )
    else:
        rows, head = random.sample(list(words.OPPOSITES.items()), count), ("Word", "Opposite")
        question = one_of(
            random,
            "[Make|Write|Show me|Give me] a [Markdown |small |]table [of|with] {n} [words and their opposites|opposites][.|]",
            n=_NUMBER_WORDS[count - 1],
        )
    if random.random() < 0.4:
        question = one_of(
            random, "[Make|Write|Show me|Give me|make] a [Markdown |small |]table[.|| please]"
        )
    lines = [
        f"| {head[0]} | {head[1]} |",
        "| --- | --- |",
        *(
            f"| {left.removeprefix('the ').capitalize() if left.islower() else left.removeprefix('the ')} | {right} |"
            for left, right in rows
        ),
    ]
    return question, "\n".join(lines)


STRUCTURED: tuple[tuple[float, Callable[[Random], tuple[str, str]]], ...] = (
    (4, classification), (4, extraction), (2, judgement), (1.5, json_fact), (2.5, listing), (1.5, code), (0.7, table),
)  # fmt: skip


def structured(random: Random) -> tuple[str, str]:
    """A task of any kind above."""
    return weighted(random, STRUCTURED)(random)
