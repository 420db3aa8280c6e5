"""Pictures to a small grid of latents and back, at any size.

The encoder sees a picture of 128 pixels on its short side and makes one cell of every 8x8 of
them. The decoder unfolds each cell into 4x4 features, stretches these smoothly to the size asked
for, and lets a small network turn the features of each pixel into its colour. Edges come from
that last, nonlinear part, so they are sharp at every size, as with the distance fields that games
draw text from (Green 2007, "Improved Alpha-Tested Magnification") and the local implicit image
functions of Chen 2021, arXiv:2012.09161.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SHORT_SIDE = 128  # pixels that the encoder sees
CELL = 8  # of these pixels a latent
GRID = SHORT_SIDE // CELL
CHANNELS = 10
FEATURES_A_CELL = 4
WIDTH = 32  # features of a pixel


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2)


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = conv(width, width)
        self.two = conv(width, width)
        nn.init.zeros_(self.two.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.two(functional.silu(self.one(functional.silu(x))))
        return out


class Encoder(nn.Module):
    """(batch, 3, h, w) in -1..1 to (batch, CHANNELS, h / 8, w / 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2),
            conv(12, 48),
            nn.SiLU(),
            conv(48, 96, stride=2),
            Residual(96),
            nn.SiLU(),
            conv(96, 112, stride=2),
            Residual(112),
            nn.SiLU(),
            conv(112, CHANNELS),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        out: Tensor = self.layers(pictures)
        return out


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(CHANNELS, 112),
            Residual(112),
            Residual(112),
            nn.SiLU(),
            nn.Conv2d(112, 64 * 4, 1),
            nn.PixelShuffle(2),
            Residual(64),
            nn.SiLU(),
            nn.Conv2d(64, WIDTH * 4, 1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            conv(WIDTH, WIDTH),
        )
        self.first = nn.Conv2d(WIDTH + 1, 32, 1)
        self.second = nn.Conv2d(32, 32, 1)
        self.last = nn.Conv2d(32, 3, 1)

    def features(self, latents: Tensor) -> Tensor:
        """Four by four features a cell: (batch, WIDTH, 4 h, 4 w)."""
        out: Tensor = self.body(latents)
        return out

    def colours(self, features: Tensor, pixels_a_feature: Tensor) -> Tensor:
        """Each pixel's colour from its stretched features; -1..1.

        `pixels_a_feature` says how far they were stretched, so that an edge is one pixel wide at
        every size.
        """
        scale = (torch.log2(pixels_a_feature) / 2 - 1).to(features.dtype)
        plane = torch.ones_like(features[:, :1]) * scale
        x = functional.relu(self.first(torch.cat([features, plane], 1)))
        x = functional.relu(self.second(x))
        out: Tensor = self.last(x)
        return out

    def forward(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Whole pictures of `size` (height, width)."""
        features = self.features(latents)
        stretched = functional.interpolate(
            features, size=size, mode="bilinear", align_corners=False
        )
        ratio = math.sqrt(size[0] * size[1] / (features.shape[2] * features.shape[3]))
        return self.colours(stretched, torch.tensor(ratio))

    def window(self, features: Tensor, left: int, top: int, cells: int, scale: int) -> Tensor:
        """Only `cells` by `cells` features, `scale` pixels each, stretched as in the whole."""
        padded = functional.pad(features, (1, 1, 1, 1), mode="replicate")
        part = padded[:, :, top : top + cells + 2, left : left + cells + 2]
        stretched = functional.interpolate(
            part, scale_factor=scale, mode="bilinear", align_corners=False
        )
        inner = stretched[:, :, scale:-scale, scale:-scale]
        return self.colours(inner, torch.tensor(float(scale)))
