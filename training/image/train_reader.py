"""Trains the tokenizer and the prompt reader, on words alone: a few minutes on one core.

python train_reader.py --minutes 4
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import torch
from captions import LABELS, make_pair
from muon import Optimisers
from reader import TOKENS, Reader
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch.nn import functional

BUILD = Path(__file__).parent / "build"


def make_tokenizer(captions: list[str]) -> Tokenizer:
    """WordPiece on lower-cased words; a word it does not know falls into letters."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=1100,
        min_frequency=3,
        special_tokens=["[PAD]", "[UNK]", "[CLS]"],
        initial_alphabet=letters,
        continuing_subword_prefix="##",
    )
    # Every letter also has to be known inside a word.
    spelled = [" ".join(f"{a}{b}" for a in letters for b in letters)] * 3
    tokenizer.train_from_iterator(captions + spelled, trainer)
    # Something always begins a prompt, even an empty one.
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", 2)]
    )
    tokenizer.enable_truncation(TOKENS)
    return tokenizer


def encode(tokenizer: Tokenizer, captions: list[str]) -> torch.Tensor:
    rows = [e.ids for e in tokenizer.encode_batch(captions)]
    length = max(1, max(len(row) for row in rows))
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def train(minutes: float, batch: int = 96) -> None:
    rng = random.Random(11)
    tokenizer = make_tokenizer([make_pair(rng).caption for _ in range(60_000)])
    tokenizer.save(str(BUILD / "tokenizer.json"))
    print("vocabulary", tokenizer.get_vocab_size())
    reader = Reader(tokenizer.get_vocab_size())
    optimiser = Optimisers(reader, reader.layers, muon=0.02, adam=2e-3)
    began, step = time.monotonic(), 0
    counts = list(LABELS.values())
    while (spent := (time.monotonic() - began) / 60) < minutes:
        factor = min(1.0, (step + 1) / 100) * (1 - spent / minutes + 0.002)
        pairs = [make_pair(rng) for _ in range(batch)]
        captions = [p.caption if rng.random() > 0.01 else "" for p in pairs]
        labels = torch.tensor(
            [
                p.labels if c else [[0] * len(counts)] * len(p.labels)
                for p, c in zip(pairs, captions, strict=True)
            ]
        )
        logits = reader(encode(tokenizer, captions))
        losses = [
            functional.cross_entropy(part.flatten(0, 1), labels[..., i].flatten())
            for i, part in enumerate(logits.split(counts, -1))
        ]
        loss = torch.stack(losses).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimiser.step(factor)
        if step % 100 == 0:
            right = torch.stack(
                [
                    part.argmax(-1) == labels[..., i]
                    for i, part in enumerate(logits.split(counts, -1))
                ]
            )
            print(
                f"{spent:4.1f} min  step {step:5d}  loss {loss.item():.3f}  captions wholly right {right.all(0).all(-1).float().mean():.3f}",
                flush=True,
            )
        if step % 500 == 499:
            torch.save(reader.state_dict(), BUILD / "reader.pt")
        step += 1
    torch.save(reader.state_dict(), BUILD / "reader.pt")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    BUILD.mkdir(exist_ok=True)
    train(arguments.minutes)
