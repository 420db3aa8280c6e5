"""The network of the demo chat model: a llama of about four million parameters.

Names and shapes follow GGUF's `llama` architecture, so that exporting is a copy:
pre-norm RMSNorm, rotary positions on neighbouring pairs, SwiGLU, no biases.
Knows nothing about text, files or training.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class ModelShape:
    """The sizes that define the network; each is a multiple of 32, as Q8_0 asks."""

    vocabulary: int = 2304
    width: int = 256
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 512
    context: int = 2048
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        return self.width // self.heads


def rotation(positions: Tensor, shape: ModelShape) -> Tensor:
    """Cosines and sines for `positions` (batch, time): (2, batch, 1, time, head_width / 2).

    Source: Su et al. 2021, arXiv:2104.09864.
    """
    half = torch.arange(0, shape.head_width, 2, device=positions.device)
    frequencies = shape.rope_base ** (-half.float() / shape.head_width)
    angles = positions[:, None, :, None].float() * frequencies
    return torch.stack((angles.cos(), angles.sin()))


def rotate(heads: Tensor, turn: Tensor) -> Tensor:
    """Turns neighbouring pairs of `heads` (batch, head, time, head_width) by their position."""
    even, odd = heads.float().unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = turn[0], turn[1]
    turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return turned.flatten(-2).to(heads.dtype)


class Block(nn.Module):
    """One layer: attention, then a gated feed-forward, each added to its input."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.kv_heads * shape.head_width
        self.attn_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, kv_width, bias=False)
        self.attn_v = nn.Linear(shape.width, kv_width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.ffn_gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, stream: Tensor, turn: Tensor) -> Tensor:
        shape = self.shape
        # One product for what reads the same input: larger products run faster.
        qkv = torch.cat((self.attn_q.weight, self.attn_k.weight, self.attn_v.weight))
        heads = functional.linear(self.attn_norm(stream), qkv)
        heads = heads.unflatten(-1, (-1, shape.head_width)).transpose(1, 2)
        query, key, value = heads.split((shape.heads, shape.kv_heads, shape.kv_heads), dim=1)
        group = shape.heads // shape.kv_heads
        mixed = functional.scaled_dot_product_attention(
            rotate(query, turn),
            rotate(key, turn).repeat_interleave(group, dim=1),
            value.repeat_interleave(group, dim=1),
            is_causal=True,
        )
        stream = stream + self.attn_output(mixed.transpose(1, 2).flatten(-2))
        gate_up = torch.cat((self.ffn_gate.weight, self.ffn_up.weight))
        gate, up = functional.linear(self.ffn_norm(stream), gate_up).chunk(2, dim=-1)
        return stream + self.ffn_down(functional.silu(gate) * up)


class Model(nn.Module):
    """Token ids (batch, time) to logits (batch, time, vocabulary)."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.output = nn.Linear(shape.width, shape.vocabulary, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.normal_(self.token_embd.weight, std=0.5)
        for name, weight in self.named_parameters():
            if weight.ndim == 2 and name != "token_embd.weight":
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
            if name.endswith(("attn_output.weight", "ffn_down.weight")):
                nn.init.normal_(weight, std=0.2 * weight.shape[1] ** -0.5)

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        turn = rotation(positions, self.shape)
        stream = self.token_embd(tokens)
        for block in self.blk:
            stream = block(stream, turn)
        logits: Tensor = self.output(self.output_norm(stream))
        return logits
