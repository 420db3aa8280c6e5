"""The prompt reader: words to what they say of the ground and of up to three things.

It stands where Stable Diffusion has its text encoder. Its output is a row a slot, each the
probabilities of the classes of `captions.LABELS` side by side, so that the denoiser can be trained
from the labels alone, without a word, and both at once.
"""

from __future__ import annotations

import torch
from captions import LABELS, SLOTS
from torch import Tensor, nn
from torch.nn import functional

TOKENS = 64
WIDTH = 160
HEADS = 5
LAYERS = 3
CLASSES = sum(LABELS.values())


def attend(
    query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None = None
) -> Tensor:
    """Plain attention over (batch, tokens, width); `mask` is added to the scores."""
    batch, rows, width = query.shape
    q = query.reshape(batch, rows, heads, width // heads).transpose(1, 2)
    k = key.reshape(batch, -1, heads, width // heads).transpose(1, 2)
    v = value.reshape(batch, -1, heads, width // heads).transpose(1, 2)
    out = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return out.transpose(1, 2).reshape(batch, rows, width)


class Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.up = nn.Linear(width, 3 * width)
        self.down = nn.Linear(3 * width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = self.query_key_value(self.before(x)).chunk(3, -1)
        x = x + self.out(attend(q, k, v, self.heads, mask))
        out: Tensor = x + self.down(functional.gelu(self.up(self.between(x))))
        return out


class Reader(nn.Module):
    """(batch, tokens) of ids to logits (batch, SLOTS, CLASSES); id 0 is padding."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, WIDTH)
        self.places = nn.Parameter(torch.randn(1, SLOTS + TOKENS, WIDTH) * 0.02)
        self.slots = nn.Parameter(torch.randn(1, SLOTS, WIDTH) * 0.5)
        self.layers = nn.ModuleList([Layer(WIDTH, HEADS) for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, ids: Tensor) -> Tensor:
        batch, length = ids.shape
        x = torch.cat([self.slots.expand(batch, -1, -1), self.words(ids)], 1)
        x = x + self.places[:, : SLOTS + length]
        there = torch.cat([torch.ones(batch, SLOTS, dtype=torch.bool), ids != 0], 1)
        mask = (~there).to(x.dtype)[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, mask)
        out: Tensor = self.head(self.norm(x[:, :SLOTS]))
        return out


def probabilities(logits: Tensor, sharpness: float = 1.0) -> Tensor:
    """Each label's own softmax, side by side."""
    parts = logits.split(list(LABELS.values()), -1)
    return torch.cat([functional.softmax(part * sharpness, -1) for part in parts], -1)


def one_hot(labels: Tensor) -> Tensor:
    """(batch, SLOTS, labels) of classes to the (batch, SLOTS, CLASSES) that the reader would give."""
    parts = [functional.one_hot(labels[..., i], count) for i, count in enumerate(LABELS.values())]
    return torch.cat(parts, -1).float()
