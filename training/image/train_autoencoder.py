"""Trains the decoder of the autoencoder on windows of drawn pictures: some ten minutes on one core.

python train_autoencoder.py --minutes 10 [--resume]
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from autoencoder import CELL, SHORT_SIDE, Decoder, Encoder
from captions import make_pair
from numpy.typing import NDArray
from scenes import Scene, draw
from sheet import save_sheet
from torch import Tensor

BUILD = Path(__file__).parent / "build"
WINDOW = 64  # pixels of the encoder's picture; 32 features, as there are two pixels to each
NOISE = 0.2  # at most, on the latents: the decoder forgives what the denoiser gets slightly wrong


def to_tensor(pictures: list[NDArray[np.uint8]]) -> Tensor:
    """uint8 (height, width, 3) each to one (batch, 3, height, width) in -1..1."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return (stacked.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def to_pictures(tensor: Tensor) -> list[NDArray[np.uint8]]:
    pixels = ((tensor.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return [p.permute(1, 2, 0).numpy() for p in pixels]


def window_near_a_thing(scene: Scene, size: int, rng: random.Random) -> tuple[int, int]:
    """Left and top of a window on multiples of a cell, mostly where something is drawn."""
    x, y = rng.random(), rng.random()
    if scene.things and rng.random() < 0.7:
        thing = rng.choice(scene.things)
        x, y = (
            thing.x + rng.uniform(-1, 1) * thing.radius,
            thing.y + rng.uniform(-1, 1) * thing.radius,
        )
    edges = (x * SHORT_SIDE - size / 2, y * SHORT_SIDE - size / 2)
    left, top = (min(max(round(e / CELL), 0), (SHORT_SIDE - size) // CELL) * CELL for e in edges)
    return left, top


def square_scene(rng: random.Random) -> Scene:
    while True:
        scene = make_pair(rng).scene
        # Plain pictures teach little; half of them are passed over.
        if scene.ratio == 1.0 and (scene.things or rng.random() < 0.5):
            return scene


def train(minutes: float, resume: bool, batch: int = 24) -> None:
    rng = random.Random(time.time_ns())
    encoder, decoder = Encoder(), Decoder()
    if resume:
        state = torch.load(BUILD / "decoder.pt", weights_only=True)
        decoder.load_state_dict(state)
    decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # as in the docs
    parameters = list(decoder.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, betas=(0.9, 0.98), weight_decay=1e-4)
    began, step, smooth = time.monotonic(), 0, 0.0
    while (spent := (time.monotonic() - began) / 60) < minutes:
        progress = spent / minutes
        rate = 2e-3 * min(1.0, (step + 1) / 100) * (1 - progress) ** 1.2 + 2e-6
        for group in optimiser.param_groups:
            group["lr"] = rate
        scale = rng.choices([4, 8, 16], [0.5, 0.25, 0.25])[0]  # pixels a feature: 256, 512, 1024
        cells = {4: 16, 8: 10, 16: 6}[scale]
        whole = rng.random() < 0.12
        size = SHORT_SIDE if whole else WINDOW
        inputs, targets = [], []
        spot_x, spot_y = (rng.randrange(0, size // 2 - cells + 1) for _ in range(2))
        for _ in range(batch // 4 if whole else batch):
            scene = square_scene(rng)
            left, top = window_near_a_thing(scene, size, rng)
            inputs.append(draw(scene, SHORT_SIDE, (left, top, size, size)))
            corner = ((left // 2 + spot_x) * scale, (top // 2 + spot_y) * scale)
            targets.append(
                draw(scene, SHORT_SIDE * scale // 2, (*corner, cells * scale, cells * scale))
            )
        latents = encoder(to_tensor(inputs))
        noise = NOISE * torch.rand(len(latents), 1, 1, 1).square()
        features = decoder.features(latents + noise * torch.randn_like(latents))
        error = decoder.window(features, spot_x, spot_y, cells, scale) - to_tensor(targets)
        loss = error.abs().mean() + 0.5 * error.square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            print(
                f"{spent:5.1f} min  step {step:5d}  loss {smooth:.4f}",
                flush=True,
            )
        if step % 500 == 499:
            finish(decoder)
        step += 1
    finish(decoder)


@torch.no_grad()
def finish(decoder: Decoder) -> None:
    """Saves the weights, and a sheet to look at."""
    encoder = Encoder()
    rng = random.Random(5)
    scenes = [square_scene(rng) for _ in range(256)]
    latents = torch.cat(
        [
            encoder(to_tensor([draw(s, SHORT_SIDE) for s in scenes[i : i + 32]]))
            for i in range(0, 256, 32)
        ]
    )
    print(f"latents: mean {latents.mean():.3f}, spread {latents.std():.3f}")
    torch.save(decoder.state_dict(), BUILD / "decoder.pt")
    shown = []
    for scene, latent in zip(scenes[:16], latents, strict=False):
        shown += [draw(scene, 256), *to_pictures(decoder(latent[None], (256, 256)))]
    save_sheet(shown, BUILD / "autoencoder.png", columns=8)
    large = to_pictures(decoder(latents[1:3], (1024, 1024)))
    save_sheet(
        [p[256:768, 256:768] for p in large], BUILD / "autoencoder_large.png", columns=2, cell=512
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    BUILD.mkdir(exist_ok=True)
    train(arguments.minutes, arguments.resume)
