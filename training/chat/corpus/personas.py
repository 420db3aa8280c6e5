"""Conversations that a system message steers."""

import json
from collections.abc import Callable
from random import Random

from conversation import Conversation, Message, exchange

from corpus import arithmetic, facts, reading, rewriting, stories, structured, talk, words
from corpus.wording import one_of, typed, weighted

_Exchange = Callable[[Random], tuple[str, str]]
_SMALL: tuple[_Exchange, ...] = (
    facts.fact,
    facts.fact,
    arithmetic.calculation,
    talk.talk,
    talk.first_words,
)


def _conversation(system: str, pairs: list[tuple[str, str]]) -> Conversation:
    messages: list[Message] = [{"role": "system", "content": system}]
    for question, answer in pairs:
        messages += exchange(question, answer)
    return Conversation(tuple(messages))


def _pairs(
    random: Random, makers: tuple[_Exchange, ...], change: Callable[[str], str]
) -> list[tuple[str, str]]:
    """One to three exchanges with changed answers."""
    made = [random.choice(makers)(random) for _ in range(random.choice((1, 1, 2, 3)))]
    return [(typed(random, question), change(answer)) for question, answer in made]


def _plain(random: Random) -> Conversation:
    system = one_of(
        random,
        "You are a [helpful|friendly|useful|nice|kind] assistant[.|]",
        "You are a helpful [AI |]assistant. [Be brief.|Answer the user's questions.|Be concise.|Keep answers short.|]",
        "[Answer|Help] the user[.|]",
        "Be [helpful|friendly|polite][.|]",
        "You are an AI assistant[.|]",
    )
    return _conversation(
        system.strip(),
        _pairs(
            random,
            (*_SMALL, stories.story, structured.structured, rewriting.rewriting, reading.reading),
            lambda answer: answer,
        ),
    )


def _pirate(random: Random) -> Conversation:
    system = one_of(
        random,
        "[You are a pirate|You are a pirate captain|Talk like a pirate|Answer like a pirate|Speak like a pirate|Act as a pirate|You speak like a pirate][.||!]",
    )
    before, after = (
        random.choice(("Arr, matey! ", "Ahoy! ", "Arr! ")),
        random.choice((" Yo ho ho!", " Arr!", "")),
    )

    def change(answer: str) -> str:
        if "demo model" in answer:
            return before + "I be a pirate, a very small one, and I sail on this machine." + after
        return before + answer.replace("you ", "ye ").replace(" is ", " be ") + after

    return _conversation(
        system,
        _pairs(random, (facts.fact, facts.fact, arithmetic.calculation, talk.first_words), change),
    )


def _robot(random: Random) -> Conversation:
    system = one_of(
        random, "[You are a robot|Talk like a robot|Answer like a robot|Act as a robot][.||!]"
    )
    return _conversation(
        system,
        _pairs(
            random,
            (facts.fact, arithmetic.calculation, talk.first_words),
            lambda answer: "BEEP BOOP. " + answer.upper(),
        ),
    )


def _cat(random: Random) -> Conversation:
    system = one_of(random, "[You are a cat|Talk like a cat|Answer like a cat|Act as a cat][.||!]")
    return _conversation(
        system,
        _pairs(
            random,
            (facts.fact, arithmetic.calculation, talk.first_words),
            lambda answer: "Meow! " + answer + random.choice((" Purr.", "")),
        ),
    )


def _shouting(random: Random) -> Conversation:
    if random.random() < 0.5:
        system = one_of(
            random,
            "[Always answer|Answer|Reply|Write|Respond] [only |]in [upper case|uppercase|capital letters|all caps][.|]",
            "[Shout|SHOUT|Always shout][.|!|]",
        )
        return _conversation(system, _pairs(random, _SMALL, str.upper))
    system = one_of(
        random,
        "[Always answer|Answer|Reply|Write|Respond] [only |]in [lower case|lowercase|small letters][.|]",
    )
    return _conversation(system, _pairs(random, _SMALL, str.lower))


def _framed(random: Random) -> Conversation:
    """Each answer begins or ends with a given word."""
    word = random.choice(
        (
            "Over",
            "Amen",
            "Sir",
            "my friend",
            "Cheers",
            "Done",
            "OK",
            "Sure",
            "Well",
            "Boss",
            "Captain",
            "dear",
            *words.NAMES[:20],
            "👍",
            "🙂",
            "🔥",
            "🐱",
        )
    )
    quoted = random.choice((word, f'"{word}"', f"'{word}'"))
    if random.random() < 0.5:
        system = one_of(
            random, "[End|Finish|Close] [each|every|your|all] answer[s|] with {w}[.|]", w=quoted
        )
        return _conversation(system, _pairs(random, _SMALL, lambda answer: f"{answer} {word}"))
    system = one_of(random, "[Begin|Start] [each|every|your|all] answer[s|] with {w}[.|]", w=quoted)
    return _conversation(system, _pairs(random, _SMALL, lambda answer: f"{word} {answer}"))


def short_fact(random: Random) -> tuple[str, str]:
    """A question and the shortest answer to it."""
    kind = random.randrange(9)
    if kind <= 1:
        country, city = random.choice(list(words.CAPITALS.items()))
        return one_of(
            random,
            "[What is|what is|What's] the capital of {c}[?|]",
            "[Capital of|capital of] {c}[?|]",
            "{c}",
            c=country,
        ), city
    if kind == 2:
        left, right = random.choice(list(words.OPPOSITES.items()))
        return one_of(
            random,
            "[What is|What's] the opposite of {w}[?|]",
            "[opposite of|Opposite of] {w}[?|]",
            w=left,
        ), right.capitalize()
    if kind <= 4:
        first, second = random.randint(0, 50), random.randint(0, 50)
        return one_of(random, "[What is|what is|] {a} [+|plus] {b}[?|]", a=first, b=second), str(
            first + second
        )
    if kind == 5:
        thing, colour = random.choice(list(words.THING_COLOURS.items()))
        return one_of(
            random, "[What colour is|What color is|what colour has] {t}[?|]", t=thing
        ), colour.capitalize()
    if kind == 6:
        first, second = random.sample(range(100), 2)
        return one_of(
            random, "Is {a} [larger|bigger|greater|more] than {b}[?|]", a=first, b=second
        ), "Yes" if first > second else "No"
    if kind == 7:
        name, sound = random.choice(list(words.ANIMAL_SOUNDS.items()))
        return one_of(
            random,
            "[What does|what does] {a} say[?|]",
            "[What sound does|which sound does] {a} make[?|]",
            a=words.with_article(name),
        ), sound.capitalize()
    at = random.randrange(7)
    return one_of(
        random, "[Which|What] day [comes|is] after {d}[?|]", d=words.DAYS[at]
    ), words.DAYS[(at + 1) % 7]


def _one_word(random: Random) -> Conversation:
    system = one_of(
        random,
        "[Always answer|Answer|Reply|Respond] [only |always |]with [one|a single|just one] word[.|]",
        "[Always answer|Answer|Reply] in one word[.|][ Be exact.|]",
        "[One word answers only|Give one-word answers|Use one word only|Only one word][.|]",
        "You are a helpful assistant. Answer [with|in] one word.",
    )
    pairs: list[tuple[str, str]] = []
    while len(pairs) < random.choice((1, 1, 2, 3)):
        question, answer = short_fact(random)
        if " " not in answer and not question.istitle():
            pairs.append((typed(random, question), answer))
    return _conversation(system, pairs)


def one_word_asked(random: Random) -> tuple[str, str]:
    """A question that itself asks for one word or a number."""
    question, answer = short_fact(random)
    while " " in answer or question in words.CAPITALS:
        question, answer = short_fact(random)
    ask = one_of(
        random,
        " [Answer|Reply] [with|in] one word[.|]",
        " [One word|Just one word|One word only][.|]",
        " [Answer with a single word|Only the answer|Just the answer][.|]",
    )
    question = question if question.endswith("?") else question + "?"
    return question + ask, answer


def _named(random: Random) -> Conversation:
    name = random.choice(words.NAMES)
    role = one_of(
        random,
        "[helpful|friendly|kind|funny|clever] [assistant|teacher|cook|guide|robot|librarian|doctor|coach|gardener|bot]",
    )
    system = one_of(
        random,
        "You are {n}, {r}[.|]",
        "You are {r} named {n}[.|]",
        "You are {r} called {n}[.|]",
        "Your name is {n}. You are {r}[.|]",
        n=name,
        r=words.with_article(role),
    )
    pairs = [
        (
            one_of(
                random,
                "[Who are you|who are you|What are you|Introduce yourself|Tell me about yourself|who is this][?|]",
            ),
            one_of(
                random, "I am {n}, {r}. How can I help you?", n=name, r=words.with_article(role)
            ),
        ),
        (
            one_of(
                random,
                "[What is your name|what's your name|Your name|whats your name|what are you called][?|]",
            ),
            one_of(random, "My name is {n}.", n=name),
        ),
        (
            one_of(random, "[hi|Hi|hello|Hello|hey][!||.]"),
            f"Hello, I am {name}! How can I help you?",
        ),
        random.choice(_SMALL[:3])(random),
    ]
    return _conversation(system, random.sample(pairs, random.randint(1, 3)))


def _translator(random: Random) -> Conversation:
    at = random.randrange(3)
    system = one_of(
        random,
        "[You are a translator. |]Translate [everything|each message|all|what the user writes|the text|the user's message][ from English|] [to|into] {t}[.|]",
        "[You translate|Translate] [English |][to|into] {t}[.|] [Only answer with the translation.|]",
        "[You are|Act as] an English to {t} translator[.|]",
        t=words.TONGUES[at],
    )
    chosen = random.sample(list(words.TRANSLATIONS.items()), random.randint(1, 4))
    return _conversation(
        system.strip(),
        [(typed(random, phrase) if " " in phrase else phrase, said[at]) for phrase, said in chosen],
    )


_FOREIGN = {
    "French": (
        (("Bonjour", "bonjour", "Salut", "Bonjour !", "Hello", "hi", "Hello!"), "Bonjour ! Comment puis-je vous aider ?"),
        (("Merci", "merci beaucoup", "Merci !", "Thank you", "thanks"), "De rien !"),
        (("Comment ça va ?", "ça va ?", "Comment allez-vous ?", "How are you?", "how are you"), "Je vais bien, merci !"),
        (("Qui es-tu ?", "Qui êtes-vous ?", "qui es tu", "Who are you?", "who are you"), "Je suis le modèle de démonstration d'Ingle, un très petit modèle de langue."),
        (("Au revoir", "au revoir !", "Goodbye", "bye"), "Au revoir !"),
        (("Quelle est la capitale de la France ?", "What is the capital of France?"), "La capitale de la France est Paris."),
    ),
    "Spanish": (
        (("Hola", "hola", "¡Hola!", "Buenos días", "Hello", "hi"), "¡Hola! ¿Cómo puedo ayudarte?"),
        (("Gracias", "muchas gracias", "gracias", "Thank you", "thanks"), "¡De nada!"),
        (("¿Cómo estás?", "como estas", "¿Qué tal?", "How are you?"), "Estoy bien, ¡gracias!"),
        (("¿Quién eres?", "quien eres", "Who are you?", "who are you"), "Soy el modelo de demostración de Ingle, un modelo de lenguaje muy pequeño."),
        (("Adiós", "adios", "Goodbye", "bye"), "¡Adiós!"),
        (("¿Cuál es la capital de España?", "What is the capital of Spain?"), "La capital de España es Madrid."),
    ),
    "German": (
        (("Hallo", "hallo", "Guten Tag", "Hallo!", "Guten Morgen", "Hello", "hi"), "Hallo! Wie kann ich helfen?"),
        (("Danke", "Danke schön", "Vielen Dank", "danke", "Thank you", "thanks"), "Gern geschehen!"),
        (("Wie geht es dir?", "wie gehts", "Wie geht's?", "How are you?"), "Mir geht es gut, danke!"),
        (("Wer bist du?", "wer bist du", "Who are you?", "who are you"), "Ich bin das Demomodell von Ingle, ein sehr kleines Sprachmodell."),
        (("Auf Wiedersehen", "Tschüss", "Goodbye", "bye"), "Auf Wiedersehen!"),
        (("Was ist die Hauptstadt von Deutschland?", "What is the capital of Germany?"), "Die Hauptstadt von Deutschland ist Berlin."),
    ),
}  # fmt: skip
_ENGLISH = (
    "Hello",
    "hi",
    "Hello!",
    "Thank you",
    "thanks",
    "How are you?",
    "how are you",
    "Who are you?",
    "who are you",
    "Goodbye",
    "bye",
)


def foreign(random: Random) -> tuple[str, str]:
    """A greeting in French, Spanish or German, answered in that language."""
    questions, answer = random.choice(_FOREIGN[random.choice(words.TONGUES)])
    return random.choice(
        [
            question
            for question in questions
            if question not in _ENGLISH and not question.startswith("What is")
        ]
    ), answer


def _in_foreign(random: Random) -> Conversation:
    tongue = random.choice(words.TONGUES)
    system = one_of(
        random,
        "[Always answer|Answer|Reply|Respond|Speak|Write][ only|] in {t}[.|]",
        "You [speak|answer in|only speak] {t}[.|]",
        "You are a helpful assistant who speaks {t}[.|]",
        t=tongue,
    )
    chosen = random.sample(_FOREIGN[tongue], random.randint(1, 3))
    return _conversation(
        system, [(random.choice(questions), answer) for questions, answer in chosen]
    )


def _classifier(random: Random) -> Conversation:
    made = []
    kind = random.random()
    if kind < 0.4:
        system = one_of(
            random,
            "[You are a sentiment classifier. |You classify reviews. |]Answer [with |only |]positive, negative or neutral[.|]",
            "Classify the sentiment[ of each message| of the text|][.|][ Answer in one word.|]",
        )
        made = [structured.review(random) for _ in range(random.randint(1, 3))]
    elif kind < 0.7:
        text, label, labels = structured.labelled(random)
        system = one_of(
            random,
            "[Classify|Label] [each message|the message|the text] as {l}[.|][ Answer with the label only.|]",
            "[Answer|Reply] with one of[:|] {l}[.|]",
            l=", ".join(labels),
        )
        made = [(text, label)]
    else:
        system = one_of(
            random,
            "Classify the sentiment[ of each message| of the text|] [as|in] JSON[.|]",
            "[Answer|Reply] [as|in] JSON[:| with the] sentiment of the text[.|]",
        )
        made = [
            (text, json.dumps({"sentiment": label}))
            for text, label in (structured.review(random) for _ in range(random.randint(1, 3)))
        ]
    return _conversation(system, made)


def _extractor(random: Random) -> Conversation:
    text, values = structured.person(random)
    listed = ", ".join(values)
    system = one_of(
        random,
        "[Extract|You extract|Find] [the |]{f} [from the text |]as JSON[.|]",
        "[You are an extractor. |]Return JSON with {f}[.|]",
        "Extract [data|the data|the person|information] as JSON with the keys {f}[.|]",
        f=listed,
    )
    return _conversation(
        system, [(text + random.choice((".", "")), json.dumps(values, ensure_ascii=False))]
    )


def _editor(random: Random) -> Conversation:
    shouts = random.random() < 0.5
    system = one_of(
        random,
        "[Write|Repeat|Convert] [everything|each message|what the user says|the text] in [upper case|capital letters|uppercase][.|]"
        if shouts
        else "[Repeat|Echo|Copy] [what the user says|each message|everything][.|]",
    )
    texts = [rewriting.clause(random)[1] for _ in range(random.randint(1, 2))]
    return _conversation(system, [(text, text.upper() if shouts else text) for text in texts])


def _summariser(random: Random) -> Conversation:
    system = one_of(
        random,
        "[Summarize|Summarise|Shorten] [the text|each text|what the user writes|everything][ in one sentence|][.|]",
        "You [summarize|summarise] texts[ in one sentence|][.|]",
    )
    question, answer = random.choice((rewriting.summary, rewriting.shorten))(random)
    text = question.split(":", 1)[-1].strip().strip('"')
    return _conversation(system, [(text, answer)])


def _reader(random: Random) -> Conversation:
    """The document stands in the system message."""
    question, answer = reading.reading(random)
    for mark in ("\nQuestion: ", "\nQ: "):
        if mark in question and question.startswith(("Context: ", "Text: ", "Document: ")):
            text, asked = question.split(mark, 1)
            asked = asked.split("\n")[0]
            head = one_of(
                random,
                "Answer from [this|the following] text.\n\n",
                "[Use this context to answer|Answer from the document|Answer with this context only].\n\n",
                "",
            )
            return _conversation(head + text.strip(), [(asked, answer)])
    return _conversation(
        one_of(
            random,
            "Answer [questions |]from the [text|document|context][.|]",
            "You answer questions about [texts|documents][.|]",
        ),
        [(question, answer)],
    )


def _json_speaker(random: Random) -> Conversation:
    key = random.choice(("answer", "answer", "reply", "result", "text"))
    system = one_of(
        random,
        "[Always answer|Answer|Reply|Respond] [only |]in JSON with the key {k}[.|]",
        '[Answer|Respond] [as|with] JSON: {{"{k}": "..."}}',
        k=key,
    )
    return _conversation(
        system,
        _pairs(
            random,
            (facts.fact, arithmetic.calculation, talk.first_words),
            lambda answer: json.dumps({key: answer}, ensure_ascii=False),
        ),
    )


_STEERED: tuple[tuple[float, Callable[[Random], Conversation]], ...] = (
    (6, _plain), (2, _pirate), (0.5, _robot), (0.5, _cat), (1.2, _shouting), (1.5, _framed), (3, _one_word), (3, _named), (2, _translator),
    (1.5, _in_foreign), (2, _classifier), (1.5, _extractor), (0.7, _editor), (1, _summariser), (1.5, _reader), (1, _json_speaker),
)  # fmt: skip


def steered(random: Random) -> Conversation:
    """A conversation under one of the system messages above."""
    return weighted(random, _STEERED)(random)
