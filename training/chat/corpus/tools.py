"""Function calls: choosing a tool, filling its arguments, answering from its result.

Half of the tools are the familiar ones; the rest have drawn names, so that the model
copies names and values from the prompt instead of remembering them.
"""

import json
from dataclasses import dataclass
from random import Random

from conversation import Conversation, Message, Tool

from corpus import facts, talk, words
from corpus.wording import one_of, typed, worded


@dataclass(frozen=True)
class Call:
    """A tool, a question that needs it, the call, its result and the answer."""

    tool: Tool
    question: str
    arguments: dict[str, object]
    result: str
    answer: str


def _tool(random: Random, name: str, description: str, properties: dict[str, str]) -> Tool:
    """A function tool; `properties` maps names to JSON types."""
    schema: dict[str, object] = {key: {"type": kind} for key, kind in properties.items()}
    parameters = {"type": "object", "properties": schema, "required": list(properties)}
    if random.random() < 0.15:
        description = ""
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def _name(random: Random, *names: str) -> str:
    """One of `names`, now and then with a prefix, a suffix or in another case."""
    name = random.choice(names)
    kind = random.random()
    if kind < 0.1:
        name = f"{name}_{random.choice(('v2', 'tool', 'api', 'now', 'local'))}"
    elif kind < 0.2:
        name = f"{random.choice(('my', 'api', 'do', 'svc', 'run', 'x'))}_{name}"
    elif kind < 0.3:
        first, *rest = name.split("_")
        name = first + "".join(part.capitalize() for part in rest)
    elif kind < 0.35:
        name = f"{words.invented(random)}_{name}"
    return name


def _weather(random: Random) -> Call:
    city = random.choice(words.CITIES)
    parameter = random.choice(("city", "city", "city", "location", "place", "town"))
    tool = _tool(
        random,
        _name(
            random,
            "get_weather",
            "get_weather",
            "weather",
            "get_current_weather",
            "weather_report",
            "forecast",
        ),
        worded(
            random,
            "[Get|Returns|Look up] the [current |]weather [in a city|for a city|of a place][.|]",
        ),
        {parameter: "string"},
    )
    question = one_of(
        random,
        "[What is|What's|what's|whats|Tell me|How is] the weather [in|like in] {c}[?|| today?| now?| right now?]",
        "[Is it|is it] [raining|sunny|cold|warm|snowing|hot] in {c}[?|| today?| now?]",
        "[weather|Weather] [in|for] {c}[?|| please]",
        "[Do I need|Will I need|should I take] an umbrella in {c}[?| today?]",
        "[How warm is it|How cold is it|What is the temperature|what's the temperature] in {c}[?|]",
        "[Please check|Check|Look up|Can you check] the weather in {c}[.||?]",
        c=city,
    )
    degrees = random.randint(-10, 38)
    sky = random.choice(("sunny", "cloudy", "rainy", "windy", "foggy", "snowy", "clear"))
    if random.random() < 0.6:
        key = random.choice(("temperature", "temp", "degrees", "temperature_c", "temp_c"))
        sky_key = random.choice(("condition", "sky", "weather", "conditions", "description"))
        result = json.dumps({key: degrees, sky_key: sky})
        if random.random() < 0.3:
            result = json.dumps({parameter: city, key: degrees, sky_key: sky})
    else:
        result = one_of(
            random,
            "{d} degrees, {s}",
            "{s}, {d} degrees",
            "{s}, {d}°C",
            "{d} C and {s}",
            d=degrees,
            s=sky,
        )
    answer = f"It is {sky} in {city}, with {degrees} degrees."
    return Call(tool, question, {parameter: city}, result, answer)


def _calculator(random: Random) -> Call:
    left, right = random.randint(0, 999), random.randint(0, 999)
    name, sign, said, verb, result = random.choice((
        ("add", "+", "plus", "Add {a} and {b}", left + right),
        ("subtract", "-", "minus", "Subtract {b} from {a}", left - right),
        ("multiply", "*", "times", "Multiply {a} by {b}", left * right),
    ))  # fmt: skip
    first, second = random.choice(
        (("a", "b"), ("a", "b"), ("x", "y"), ("left", "right"), ("first", "second"), ("n", "m"))
    )
    tool = _tool(
        random,
        _name(random, name, name, f"{name}_numbers", f"calc_{name}"),
        worded(random, f"[{name.capitalize()}|{name.capitalize()}s] two numbers[.|]"),
        {
            first: random.choice(("number", "integer", "number")),
            second: random.choice(("number", "integer")),
        },
    )
    question = one_of(
        random,
        "[What is|what's|What's|Calculate|How much is] {a} {said} {b}[?|]",
        "[What is|what is|Calculate|] {a} {sign} {b}[?|]",
        verb + "[.|]",
        "[Use the tool to |Please |]" + verb[0].lower() + verb[1:] + "[.|]",
        a=left,
        b=right,
        said=said,
        sign=sign,
    ).strip()
    key = random.choice(("result", "sum" if name == "add" else "value", "answer"))
    text = random.choice((str(result), json.dumps({key: result})))
    return Call(tool, question, {first: left, second: right}, text, f"The result is {result}.")


_TOPICS = (
    "electric cars", "the history of Rome", "cheap flights", "vegan recipes", "black holes",
    "the moon landing", "Python tutorials", "climate change", "the best pizza", "open models",
    "solar panels", "jazz music", "running shoes", "the new library", "garden plants",
    "board games", "coffee machines", "mountain bikes", "local news", "language models",
    "chocolate cake", "the French revolution", "old maps", "bird songs", "tea houses",
)  # fmt: skip


def _topic(random: Random) -> str:
    kind = random.random()
    if kind < 0.45:
        return random.choice(_TOPICS)
    if kind < 0.6:
        return f"{random.choice(words.COLOURS)} {random.choice(words.THINGS)}s"
    if kind < 0.75:
        return f"{random.choice(words.NAMES)} {random.choice(words.SURNAMES)}"
    if kind < 0.9:
        return f"{random.choice(('hotels', 'museums', 'restaurants', 'jobs', 'parks'))} in {random.choice(words.CITIES)}"
    return (
        f"{random.choice(words.ANIMALS)} {random.choice(('facts', 'pictures', 'food', 'stories'))}"
    )


def _search(random: Random) -> Call:
    topic = _topic(random)
    parameter = random.choice(("query", "query", "q", "text", "search_term", "keywords"))
    tool = _tool(
        random,
        _name(random, "search", "search_web", "web_search", "find", "lookup", "search_documents"),
        worded(random, "[Search|Searches] [the web|the internet|documents|for information][.|]"),
        {parameter: "string"},
    )
    question = one_of(
        random,
        "[Search|search|Please search|Can you search] [for|the web for] {t}[.||?]",
        "[Find|find|Look up|look up|Find me] [information about|something about|] {t}[.|]",
        "[What can you find|What do you find] about {t}?",
        t=topic,
    )
    found = random.randint(2, 90)
    fact = one_of(random, "{n} results", "{n} pages found", n=found)
    result = random.choice((fact, json.dumps({"results": found}), json.dumps({"found": found})))
    return Call(tool, question, {parameter: topic}, result, f"I found {found} results for {topic}.")


def _time(random: Random) -> Call:
    city = random.choice(words.CITIES)
    parameter = random.choice(("timezone", "city", "city", "location", "place"))
    tool = _tool(
        random,
        _name(random, "get_time", "get_current_time", "current_time", "clock", "time_in"),
        worded(
            random, "[Get|Returns|Tells] the [current |]time [in a place|in a city|somewhere][.|]"
        ),
        {parameter: "string"},
    )
    question = one_of(
        random,
        "[What time is it|what time is it|What's the time|whats the time|Tell me the time] in {c}[?|| now?]",
        "[How late is it|time] in {c}[?|]",
        "[Get|get] the time [in|for] {c}[.|]",
        c=city,
    )
    clock = f"{random.randint(0, 23):02}:{random.randint(0, 59):02}"
    result = random.choice((clock, json.dumps({"time": clock})))
    return Call(tool, question, {parameter: city}, result, f"It is {clock} in {city}.")


def _mail(random: Random) -> Call:
    name = random.choice(words.NAMES)
    message = one_of(
        random,
        "I will be late",
        "the meeting is at {n}",
        "dinner is ready",
        "happy birthday",
        "I am on my way",
        "thank you for the {t}",
        "please call me",
        "the {t} is here",
        "see you on {d}",
        "the report is done",
        n=random.randint(1, 12),
        t=random.choice(words.THINGS),
        d=random.choice(words.DAYS),
    )
    to = random.choice(("to", "to", "recipient", "name", "receiver"))
    body = random.choice(("body", "text", "message", "message", "content"))
    verb = random.choice(("send_email", "send_message", "send_mail", "notify", "text_message"))
    tool = _tool(
        random,
        _name(random, verb),
        worded(random, "[Send|Sends] a message to [a person|someone][.|]"),
        {to: "string", body: "string"},
    )
    question = one_of(
        random,
        "[Send|send|Write|Please send] [an email|a message|a mail|a note] to {n}[:| saying|: ] {m}[.|]",
        "[Tell|tell|Please tell] {n} [that |]{m}[.|]",
        "[Email|Message|message] {n}: {m}[.|]",
        n=name,
        m=message,
    )
    result = random.choice(("ok", "sent", json.dumps({"status": "sent"}), json.dumps({"ok": True})))
    return Call(
        tool,
        question,
        {to: name, body: message},
        result,
        f"I have sent the message to {name}.",
    )


def _convert(random: Random) -> Call:
    amount = random.randint(1, 999)
    source, target = random.sample(("USD", "EUR", "GBP", "JPY", "CHF", "INR", "SEK", "CAD"), 2)
    value, left, right = random.choice(
        (
            ("amount", "from", "to"),
            ("value", "source", "target"),
            ("amount", "from_currency", "to_currency"),
        )
    )
    tool = _tool(
        random,
        _name(random, "convert_currency", "convert", "exchange", "currency_converter"),
        worded(random, "[Convert|Converts] [money|an amount|currencies][.|]"),
        {value: "number", left: "string", right: "string"},
    )
    question = one_of(
        random,
        "[Convert|convert|Change|Please convert] {a} {s} [to|into] {t}[.|]",
        "[How much is|What is|what's] {a} {s} in {t}[?|]",
        a=amount,
        s=source,
        t=target,
    )
    result = random.randint(1, 2000)
    text = random.choice((f"{result} {target}", json.dumps({"result": result}), str(result)))
    return Call(
        tool,
        question,
        {value: amount, left: source, right: target},
        text,
        f"{amount} {source} is {result} {target}.",
    )


def _reminder(random: Random) -> Call:
    task = one_of(
        random,
        "buy {f}",
        "call {n}",
        "feed the {a}",
        "water the plants",
        "clean the {t}",
        "read a book",
        "pay the rent",
        f=random.choice(words.FOODS),
        n=random.choice(words.NAMES),
        a=random.choice(words.ANIMALS),
        t=random.choice(words.THINGS),
    )
    day = random.choice((*words.DAYS, "tomorrow", "tonight"))
    text, when = random.choice(
        (("text", "when"), ("task", "day"), ("title", "date"), ("what", "when"))
    )
    tool = _tool(
        random,
        _name(random, "set_reminder", "add_reminder", "create_task", "add_todo", "remind"),
        worded(random, "[Set|Create|Add] a [reminder|task][.|]"),
        {text: "string", when: "string"},
    )
    question = one_of(
        random,
        "[Remind|remind|Please remind] me to {k} {p}{d}[.|]",
        "[Set|Create|Add] a reminder[:| to] {k} {p}{d}[.|]",
        k=task,
        d=day,
        p="" if day[0].islower() else "on ",
    )
    result = random.choice(("ok", "done", json.dumps({"status": "created"})))
    when_said = day if day[0].islower() else f"on {day}"
    return Call(
        tool, question, {text: task, when: day}, result, f"I will remind you {when_said} to {task}."
    )


def _record(random: Random) -> Call:
    """Something looked up by name: a price, a phone number, a stock level, an age ..."""
    noun = random.choice(
        (
            "price",
            "stock",
            "score",
            "size",
            "rating",
            "weight",
            "height",
            "level",
            "distance",
            "status",
        )
    )
    kind, thing = random.choice((
        ("product", random.choice(words.THINGS)), ("item", random.choice((*words.FRUITS, *words.FOODS))),
        ("user", random.choice(words.NAMES)), ("animal", random.choice(words.ANIMALS)),
        ("city", random.choice(words.CITIES)), ("word", words.invented(random)),
        ("name", words.invented(random).capitalize()), ("id", f"{random.choice('ABCKRXZ')}{random.randint(10, 999)}"),
    ))  # fmt: skip
    verb = random.choice(("get", "fetch", "read", "lookup", "find", "check", "show"))
    tool = _tool(
        random,
        _name(
            random,
            f"{verb}_{noun}",
            f"{verb}_{kind}_{noun}",
            f"{noun}_of",
            f"{words.invented(random)}_{noun}",
        ),
        worded(random, f"[Get|Returns|Look up|Finds] the {noun} of [a|the] {kind}[.|]"),
        {kind: "string"},
    )
    question = one_of(
        random,
        "[What is|what is|What's|Tell me|Get|Show me|Find|Check] the {n} of {t}[?|.|]",
        "[what|What] {n} has {t}[?|]",
        n=noun,
        t=random.choice((thing, thing, f"{kind} {thing}")) if kind != "product" else f"the {thing}",
    )
    value = random.choice(
        (str(random.randint(1, 500)), random.choice(("high", "low", "good", "open", "new")))
    )
    result = random.choice((value, json.dumps({noun: int(value) if value.isdigit() else value})))
    return Call(tool, question, {kind: thing}, result, f"The {noun} of {thing} is {value}.")


def _switch(random: Random) -> Call:
    """Something turned on or off, or started with an argument."""
    device = random.choice(
        (
            "light",
            "lamp",
            "heater",
            "fan",
            "radio",
            "TV",
            "oven",
            "alarm",
            "music",
            "camera",
            "door",
        )
    )
    room = random.choice(
        ("kitchen", "bedroom", "garden", "office", "bathroom", "hall", "garage", "cellar")
    )
    state = random.choice(("on", "off"))
    where, what = random.choice(
        (("room", "state"), ("location", "state"), ("place", "mode"), ("room", "power"))
    )
    name = _name(
        random,
        f"switch_{device.lower()}",
        f"turn_{device.lower()}",
        f"set_{device.lower()}",
        f"{device.lower()}_control",
    )
    tool = _tool(
        random,
        name,
        worded(random, f"[Switch|Turns|Turn] the {device} [in a room |]on or off[.|]"),
        {where: "string", what: "string"},
    )
    question = one_of(
        random,
        "[Turn|turn|Switch|switch|Please turn] {s} the {d} in the {r}[.||!]",
        "[Turn|Switch] the {r} {d} {s}[.|]",
        s=state,
        d=device,
        r=room,
    )
    result = random.choice(("ok", "done", json.dumps({"ok": True}), json.dumps({"state": state})))
    return Call(
        tool,
        question,
        {where: room, what: state},
        result,
        f"The {device} in the {room} is now {state}.",
    )


_CALLS = (
    _weather,
    _weather,
    _calculator,
    _search,
    _time,
    _mail,
    _convert,
    _reminder,
    _record,
    _record,
    _switch,
)


def _call_message(name: str, arguments: dict[str, object], number: int) -> Message:
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": f"call_{number}", "type": "function", "function": function}],
    }


def tool_use(random: Random) -> Conversation:
    """A conversation with tools: calls and their results, or a question that needs none."""
    first = random.choice(_CALLS)(random)
    others = [
        random.choice(_CALLS)(random).tool
        for _ in range(random.choices((0, 1, 2, 3), (5, 3, 2, 1))[0])
    ]
    names = {first.tool["function"]["name"]}
    tools = [first.tool]
    for other in others:
        if other["function"]["name"] not in names and not _alike(other, first.tool):
            names.add(other["function"]["name"])
            tools.append(other)
    random.shuffle(tools)
    messages: list[Message] = []
    if random.random() < 0.25:
        system = one_of(
            random,
            "You are a helpful assistant[.|]",
            "You [can use|may use|have] tools[.|]",
            "You are {n}, a [helpful|friendly] assistant[.|]",
            "Use the tools when they help.",
            n=random.choice(words.NAMES),
        )
        messages.append({"role": "system", "content": system})
    kind = random.random()
    if kind < 0.15:
        question, answer = random.choice((talk.talk, talk.first_words, facts.fact))(random)
        messages += [
            {"role": "user", "content": typed(random, question)},
            {"role": "assistant", "content": answer},
        ]
        if random.random() < 0.5:
            return Conversation(tuple(messages), tuple(tools))
    if kind > 0.95:
        messages += [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "Hello! How can I help you today?"},
        ]
    messages.append(
        {
            "role": "user",
            "content": typed(random, first.question) if random.random() < 0.6 else first.question,
        }
    )
    messages.append(_call_message(first.tool["function"]["name"], first.arguments, 0))
    if random.random() < 0.75:
        messages.append({"role": "tool", "tool_call_id": "call_0", "content": first.result})
        messages.append({"role": "assistant", "content": first.answer})
        if random.random() < 0.2:
            question, answer = random.choice((talk.talk, facts.fact))(random)
            messages += [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer},
            ]
    return Conversation(tuple(messages), tuple(tools))


def _alike(left: Tool, right: Tool) -> bool:
    """Whether two tools could answer the same question: they share a parameter."""
    parameters = [set(tool["function"]["parameters"]["properties"]) for tool in (left, right)]
    return bool(parameters[0] & parameters[1])
