"""Generates the corpus, trains the tokenizer on it and packs the token ids.

    python prepare.py [--conversations 120000] [--keep-tokenizer]

Writes `build/tokenizer.json` and `build/rows.npz`: `tokens` (rows, ROW + 1) uint16,
and `weights` of the same shape, the weight of predicting each token.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from conversation import Conversation, render
from corpus import generate
from model import ModelShape
from numpy.typing import NDArray
from tokenizer import END_OF_TEXT, MESSAGE_END, MESSAGE_START, train_tokenizer
from tokenizers import Tokenizer

BUILD = Path(__file__).parent / "build"
ROW = 256
_OPEN_ROWS = 16
# Questions are predicted too, at a low weight: it teaches copying and costs nothing.
PROMPT_WEIGHT = 0.1
_ENCODE_AT_ONCE = 4096


def text_of(document: Conversation | str) -> str:
    """The document's text between its end-of-text marks."""
    return document if isinstance(document, str) else render(document)


def answer_weights(tokens: NDArray[np.uint16], tokenizer: Tokenizer) -> NDArray[np.uint8]:
    """Percent of weight for each token of one document: 100 in answers, less in questions.

    A plain text has no messages and counts in full.
    """
    start, end = tokenizer.token_to_id(MESSAGE_START), tokenizer.token_to_id(MESSAGE_END)
    header = tokenizer.encode(MESSAGE_START + "assistant\n").ids
    if start not in tokens:
        return np.full(len(tokens), 100, np.uint8)
    weights = np.full(len(tokens), round(100 * PROMPT_WEIGHT), np.uint8)
    ends = np.flatnonzero(tokens == end)
    for begin in np.flatnonzero(tokens == start):
        if list(tokens[begin : begin + len(header)]) == header:
            stop = ends[np.searchsorted(ends, begin)]
            weights[begin + len(header) : stop + 1] = 100
    return weights


def encoded(
    documents: list[Conversation | str], tokenizer: Tokenizer
) -> Iterator[tuple[NDArray[np.uint16], NDArray[np.uint8]]]:
    """Each document's token ids and weights, opened by the end-of-text token."""
    closing = tokenizer.token_to_id(END_OF_TEXT)
    for at in range(0, len(documents), _ENCODE_AT_ONCE):
        texts = [text_of(document) for document in documents[at : at + _ENCODE_AT_ONCE]]
        for encoding in tokenizer.encode_batch(texts):
            tokens = np.array([closing, *encoding.ids], np.uint16)
            weights = answer_weights(tokens, tokenizer)
            # The opening token also ends the document before: only plain texts need it.
            weights[0] = 100
            yield tokens, weights


def packed(
    documents: Iterator[tuple[NDArray[np.uint16], NDArray[np.uint8]]],
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Whole documents side by side in rows of `ROW` + 1, padded with weightless tokens.

    A document longer than a row is cut. Of `_OPEN_ROWS` rows the first with room is
    taken; when none has any, the fullest is closed.
    """
    rows: list[list[tuple[NDArray[np.uint16], NDArray[np.uint8]]]] = []
    open_rows: list[tuple[int, int]] = []
    for tokens, weights in documents:
        for at in range(0, len(tokens), ROW + 1):
            piece = tokens[at : at + ROW + 1], weights[at : at + ROW + 1]
            fitting = [slot for slot in open_rows if slot[0] >= len(piece[0])]
            if fitting:
                room, number = fitting[0]
                open_rows.remove(fitting[0])
            else:
                if len(open_rows) >= _OPEN_ROWS:
                    open_rows.remove(min(open_rows))
                room, number = ROW + 1, len(rows)
                rows.append([])
            rows[number].append(piece)
            open_rows.append((room - len(piece[0]), number))
    all_tokens = np.zeros((len(rows), ROW + 1), np.uint16)
    all_weights = np.zeros((len(rows), ROW + 1), np.uint8)
    for number, pieces in enumerate(rows):
        row_tokens = np.concatenate([piece[0] for piece in pieces])
        all_tokens[number, : len(row_tokens)] = row_tokens
        all_weights[number, : len(row_tokens)] = np.concatenate([piece[1] for piece in pieces])
    return all_tokens, all_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep-tokenizer", action="store_true")
    options = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    documents = list(generate(options.conversations, options.seed))
    tokenizer_path = BUILD / "tokenizer.json"
    if options.keep_tokenizer:
        tokenizer = Tokenizer.from_file(str(tokenizer_path))
    else:
        sample = (text_of(document) for document in documents[:30_000])
        tokenizer = train_tokenizer(sample, ModelShape().vocabulary)
        tokenizer.save(str(tokenizer_path))
    tokens, weights = packed(encoded(documents, tokenizer))
    np.savez(BUILD / "rows.npz", tokens=tokens, weights=weights)
    print(f"{len(documents)} documents, {tokens.size / 1e6:.1f} M tokens, {len(tokens)} rows")
    print(f"mean weight {weights.mean() / 100:.2f}, padding {(weights == 0).mean():.2f}")


if __name__ == "__main__":
    main()
