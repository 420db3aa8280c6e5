"""Proves that llama.cpp cuts text as the tokenizer of the training does.

    python check_tokenizer.py

Compares the ids of hand-picked and drawn strings, and a rendered conversation with
tools against the server's own rendering. Needs xllamacpp and `build/tokenizer.json`.
"""

from random import Random

from conversation import Conversation, render
from corpus import generate
from evaluate import MODEL, Api, started
from prepare import BUILD, text_of
from tokenizers import Tokenizer

HARD = (
    "", " ", "  ", "\n", "\n\n\n", "\t", " \n ", "a  b", "a\n\n b", "\r\n", "  leading", "trailing  ",
    "Grüße aus Köln, déjà vu, ¿qué tal?", "🙂🔥👍🏽👨‍👩‍👧", "日本語のテキスト", "Привет, мир", "مرحبا", "e\u0301 \u00e9 \u200b x",
    "12345 1 23 4,567.89", "x=1;y=2", "don't we'll I'M he'd", "def add(a, b):\n    return a + b\n",
    "{\"name\": \"Ada\", \"age\": 36}", "C:\\temp\\file.txt", "https://example.com/?q=1&x=y#z",
    "<tool_call>\n{}\n</tool_call>", "<tools></tools>", "a<tool_response>b", "| a | b |\n| --- | --- |",
    "ALL CAPS", "mIxEd", "___", "--- ***", "½ ² Ⅷ", "\u00a0non\u2003breaking", "ﬁ ligature", "I\u0307",
)  # fmt: skip


def drawn(random: Random) -> str:
    """Characters of many kinds in any order."""
    kinds = "aB z.,!?'\"\n\t 019éßñ🙂日я{}<>|_-=/\\"
    return "".join(random.choices(kinds, k=random.randint(1, 40)))


def main() -> None:
    tokenizer = Tokenizer.from_file(str(BUILD / "tokenizer.json"))
    server = started(MODEL)
    api = Api(server.listening_address)
    random = Random(7)
    documents = list(generate(150, seed=7))
    texts = [*HARD, *(drawn(random) for _ in range(300)), *map(text_of, documents)]
    for text in texts:
        theirs = api.post("/tokenize", content=text, add_special=False, parse_special=True)
        ours = tokenizer.encode(text).ids
        if theirs["tokens"] != ours:
            raise SystemExit(f"{text!r}: llama.cpp gives {theirs['tokens']}, we {ours}")
    chats = [document for document in documents if isinstance(document, Conversation)]
    for chat in chats:
        question = Conversation(chat.messages[:-1], chat.tools)
        theirs = api.post(
            "/apply-template", messages=question.messages, tools=question.tools or None
        )["prompt"]
        if theirs != render(question, add_generation_prompt=True):
            raise SystemExit(f"rendered otherwise by llama.cpp: {theirs!r}")
    print(f"{len(texts)} texts have the same ids, {len(chats)} chats the same text")


if __name__ == "__main__":
    main()
