"""Pictures to a small grid of latents and back, at any size.

A latent is four pixels of a thumbnail of 32 pixels on the short side. The decoder unfolds each
into 4x4 features, stretches these smoothly to the size asked for, and lets a small network turn
the features of each pixel into its colour. Edges come from that last, nonlinear part, so they are
sharp at every size, as with the distance fields that games draw text from (Green 2007, "Improved
Alpha-Tested Magnification") and the local implicit image functions of Chen 2021, arXiv:2012.09161.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SHORT_SIDE = 128  # pixels that the encoder sees
CELL = 8  # of these pixels a latent
GRID = SHORT_SIDE // CELL
CHANNELS = 12  # two by two pixels of three colours
THUMB = 4  # of the encoder's pixels a pixel of the thumbnail, each way
MEAN, SPREAD = 0.2, 0.62  # of the thumbnail's colours, so that latents are about 0 and 1
FEATURES_A_CELL = 4
WIDTH = 32
EDGES = 2  # that can cross a feature
COLOURS = EDGES + 1


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
    """(batch, 3, h, w) in -1..1 to (batch, CHANNELS, h / 8, w / 8). Nothing in it is learned.

    The smoothing of edges leaves in the greys of a small picture where exactly each edge runs.
    """

    def forward(self, pictures: Tensor) -> Tensor:
        return self.of_thumbnails(functional.avg_pool2d(pictures, THUMB))

    @staticmethod
    def of_thumbnails(small: Tensor) -> Tensor:
        """The latents of pictures that are drawn small already."""
        return (functional.pixel_unshuffle(small, CELL // THUMB) - MEAN) / SPREAD


class Decoder(nn.Module):
    """Latents to pictures: for each pixel three colours, and how much of each.

    Per feature it predicts the colours on the sides of the edges near by, and how far these edges
    are. Stretched to a picture, colours stay smooth, and the distances become edges of one pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(CHANNELS, 96),
            Residual(96),
            Residual(96),
            nn.SiLU(),
            nn.Conv2d(96, 64 * 4, 1),
            nn.PixelShuffle(2),
            Residual(64),
            nn.SiLU(),
            nn.Conv2d(64, WIDTH * 4, 1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            conv(WIDTH, 3 * COLOURS + EDGES),
        )
        self.gain = nn.Parameter(torch.tensor(0.7))

    def features(self, latents: Tensor) -> Tensor:
        """Four by four features a cell: colours and distances, (batch, 9 + 2, 4 h, 4 w)."""
        thumbnail = functional.pixel_shuffle(latents, CELL // THUMB) * SPREAD + MEAN
        doubled = functional.interpolate(
            thumbnail, scale_factor=2, mode="bilinear", align_corners=False
        )
        out = self.body(latents)
        colours = out[:, : 3 * COLOURS] * 0.5 + doubled.repeat(1, COLOURS, 1, 1)
        return torch.cat([colours, out[:, 3 * COLOURS :]], 1)

    def colours(self, features: Tensor, pixels_a_feature: Tensor) -> Tensor:
        """Each pixel's colour from its stretched features; -1..1.

        `pixels_a_feature` says how far they were stretched, so that an edge is one pixel wide at
        every size.
        """
        shares = torch.sigmoid(features[:, 3 * COLOURS :] * (self.gain * pixels_a_feature))
        mixed = features[:, :3]
        for i in range(EDGES):
            colour = features[:, 3 * (i + 1) : 3 * (i + 2)]
            mixed = mixed + (colour - mixed) * shares[:, i : i + 1]
        return mixed

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
