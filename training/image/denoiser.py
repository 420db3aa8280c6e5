"""The denoiser: which picture hides in this noise, given what the prompt says.

It works on a grid of 16 latents along the short side (see `autoencoder.py`): convolutions at
full resolution around a transformer over patches of 2x2, in which the slots of the prompt are
further tokens. It predicts the clean latents themselves (`prediction_type: sample`).
"""

from __future__ import annotations

import math

import torch
from autoencoder import CHANNELS, conv
from captions import SLOTS
from reader import CLASSES, attend
from torch import Tensor, nn
from torch.nn import functional

STEPS = 1000
INNER = 48
WIDTH = 160
HEADS = 5
LAYERS = 6
PATCH = 2


def alphas() -> Tensor:
    """The share of the picture (not of its square) that is left at each of the 1000 time steps.

    Stable Diffusion's "scaled linear" betas, shifted so that nothing is left at the last step
    (Lin 2023, arXiv:2305.08891): otherwise pictures come out in medium brightness.
    """
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2
    root = (1 - betas).cumprod(0).sqrt()
    return ((root - root[-1]) * (root[0] / (root[0] - root[-1]))).float()


class Modulated(nn.Module):
    """A convolution block that the time step and the prompt scale and shift."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.one = conv(width, width)
        self.two = conv(width, width)
        self.scale_shift = nn.Linear(WIDTH, 2 * width)
        nn.init.zeros_(self.two.weight)

    def forward(self, x: Tensor, about: Tensor) -> Tensor:
        scale, shift = self.scale_shift(about)[:, :, None, None].chunk(2, 1)
        hidden = functional.silu(self.norm(x) * (1 + scale) + shift)
        out: Tensor = x + self.two(functional.silu(self.one(hidden)))
        return out


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.between = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)
        self.own = nn.Parameter(torch.zeros(6, WIDTH))

    def forward(self, x: Tensor, about: Tensor) -> Tensor:
        s1, h1, g1, s2, h2, g2 = (about + self.own).unsqueeze(2).unbind(1)
        q, k, v = self.query_key_value(self.before(x) * (1 + s1) + h1).chunk(3, -1)
        x = x + g1 * self.out(attend(q, k, v, HEADS))
        out: Tensor = x + g2 * self.down(
            functional.gelu(self.up(self.between(x) * (1 + s2) + h2), approximate="tanh")
        )
        return out


def waves(places: Tensor, count: int, longest: float) -> Tensor:
    """Sines and cosines of each place, from slow to quick: (…, 2 * count)."""
    rates = torch.exp(-math.log(longest) * torch.arange(count, dtype=torch.float32) / (count - 1))
    angles = places[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)


class Denoiser(nn.Module):
    alphas: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("alphas", alphas())
        self.time = nn.Sequential(nn.Linear(96, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.slot = nn.Linear(CLASSES, WIDTH)
        self.slot_place = nn.Parameter(torch.randn(1, SLOTS, WIDTH) * 0.2)
        self.slot_more = nn.Sequential(
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, 2 * WIDTH),
            nn.GELU(approximate="tanh"),
            nn.Linear(2 * WIDTH, WIDTH),
        )
        self.pooled = nn.Linear(SLOTS * WIDTH, WIDTH)
        self.modulate = nn.Linear(WIDTH, 6 * WIDTH)
        self.enter = conv(CHANNELS, INNER)
        self.down = Modulated(INNER)
        self.patch = nn.Conv2d(INNER, WIDTH, PATCH, PATCH)
        self.place = nn.Linear(64, WIDTH)
        self.blocks = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(WIDTH)
        self.unpatch = nn.Linear(WIDTH, INNER * PATCH * PATCH)
        self.join = nn.Conv2d(2 * INNER, INNER, 1)
        self.up = nn.ModuleList([Modulated(INNER), Modulated(INNER)])
        self.last = nn.Sequential(nn.GroupNorm(8, INNER), nn.SiLU(), conv(INNER, CHANNELS))
        nn.init.zeros_(self.modulate.weight)
        with torch.no_grad():  # gates start open, so that all blocks learn from the first step
            self.modulate.bias.zero_().view(6, WIDTH)[[2, 5]] = 0.5

    def forward(self, noisy: Tensor, step: Tensor, slots: Tensor) -> Tensor:
        """Clean latents (batch, CHANNELS, h, w) from noisy ones at whole time `step`s (batch,)."""
        _, _, height, width = noisy.shape
        words = self.slot(slots) + self.slot_place
        words = words + self.slot_more(words)
        about = self.time(waves(step.float() * 0.1, 48, 2000.0)) + self.pooled(words.flatten(1))
        about = functional.silu(about)
        modulation = self.modulate(about).reshape(-1, 6, WIDTH)

        shallow = self.down(self.enter(noisy), about)
        grid = self.patch(shallow)
        rows, columns = height // PATCH, width // PATCH
        x = grid.flatten(2).transpose(1, 2) + self.place(self._places(rows, columns))
        x = torch.cat([x, words], 1)
        for block in self.blocks:
            x = block(x, modulation)
        x = self.unpatch(self.norm(x[:, : rows * columns]))
        x = x.transpose(1, 2).reshape(-1, INNER * PATCH * PATCH, rows, columns)
        x = self.join(torch.cat([functional.pixel_shuffle(x, PATCH), shallow], 1))
        for layer in self.up:
            x = layer(x, about)
        velocity = self.last(x)
        share = self.alphas[step][:, None, None, None]
        out: Tensor = share * noisy - (1 - share * share).sqrt() * velocity
        return out

    def _places(self, rows: int, columns: int) -> Tensor:
        """Where each patch is, as waves: shares of the picture, and distance from its middle."""
        y = (torch.arange(rows) + 0.5)[:, None].expand(rows, columns)
        x = (torch.arange(columns) + 0.5)[None, :].expand(rows, columns)
        quarter = [
            waves(place * 3.0, 8, 24.0)
            for place in (y - rows / 2, x - columns / 2, 16 * y / rows, 16 * x / columns)
        ]
        return torch.cat(quarter, -1).reshape(1, -1, 64)
