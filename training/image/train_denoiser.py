"""Trains the denoiser on pictures that are drawn meanwhile: some forty minutes on two cores.

python train_denoiser.py bank --pictures 60000
python train_denoiser.py train --threads 2 [--resume]
python train_denoiser.py sheet
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from autoencoder import CHANNELS, SHORT_SIDE, THUMB, Decoder, Encoder
from captions import Pair, make_pair
from denoiser import STEPS, Denoiser
from muon import Optimisers
from reader import Reader, one_hot, probabilities
from scenes import draw
from sheet import save_sheet
from tokenizers import Tokenizer
from torch import Tensor
from train_autoencoder import to_pictures, to_tensor
from train_reader import encode

BUILD = Path(__file__).parent / "build"

# The last time step of a drawing. Not 0, where there is nothing left to do; and small, because
# OpenVINO GenAI counts up from it by 1000 // steps and must stay below 1000. It goes this way
# ("leading") because its "trailing" makes a thirteenth step of twelve, with garbage (2026.4).
OFFSET = 5


def batches(size: int, rng: random.Random) -> Iterator[tuple[Tensor, Tensor]]:
    """Latents and labels of `size` pictures of one ratio, endlessly, each seen only once."""
    waiting: dict[float, list[Pair]] = {}
    while True:
        pair = make_pair(rng)
        group = waiting.setdefault(pair.scene.ratio, [])
        group.append(pair)
        if len(group) == size:
            thumbnails = to_tensor([draw(p.scene, SHORT_SIDE // THUMB) for p in group])
            yield Encoder.of_thumbnails(thumbnails), torch.tensor([p.labels for p in group])
            group.clear()


def train(steps: int, resume: bool, batch: int, rate: float) -> None:
    rng = random.Random(time.time_ns())
    torch.manual_seed(rng.randrange(2**31))
    model = Denoiser()
    if resume:
        model.load_state_dict(torch.load(BUILD / "denoiser-last.pt", weights_only=True))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # as in the docs
    average = copy.deepcopy(model)
    optimiser = Optimisers(model, model.blocks, muon=0.02 * rate, adam=1.2e-3 * rate)
    pictures = batches(batch, rng)
    began, smooth = time.monotonic(), 0.0
    for step in range(steps):
        factor = min(1.0, (step + 1) / 100) * min(1.0, (1 - step / steps) / 0.6)
        clean, said = next(pictures)
        said[torch.rand(batch) < 0.1] = 0
        slots = one_hot(said)
        time_step = torch.randint(STEPS, (batch,))
        share = model.alphas[time_step][:, None, None, None]
        noise_share = (1 - share * share).sqrt()
        noisy = share * clean + noise_share * torch.randn_like(clean)
        guess = model(noisy, time_step, slots)
        # The error of the velocity, in effect: what is left of noise weighs an error more.
        weight = 1 / noise_share.square().clamp(min=0.04)
        loss = (weight * (guess - clean).square()).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(factor)
        kept = min(0.999, (step + 1) / (step + 10))
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), model.parameters(), strict=True):
                mine.lerp_(theirs, 1 - kept)
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            minutes = (time.monotonic() - began) / 60
            print(f"{minutes:5.1f} min  step {step:5d}  loss {smooth:.4f}", flush=True)
        if step % 300 == 299:
            torch.save(model.state_dict(), BUILD / "denoiser-last.pt")
            torch.save(average.state_dict(), BUILD / "denoiser.pt")
    torch.save(model.state_dict(), BUILD / "denoiser-last.pt")
    torch.save(average.state_dict(), BUILD / "denoiser.pt")


@torch.no_grad()
def sample(
    model: Denoiser,
    slots: Tensor,
    nothing: Tensor,
    grid: tuple[int, int],
    steps: int,
    guidance: float,
    seed: int,
) -> Tensor:
    """DDIM without added noise over evenly spaced time steps; the clean latents."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(len(slots), CHANNELS, *grid, generator=generator)
    times = [i * (STEPS // steps) + OFFSET for i in reversed(range(steps))]
    both = torch.cat([nothing.expand_as(slots), slots])
    for i, now in enumerate(times):
        without, with_ = model(torch.cat([x, x]), torch.full((2 * len(slots),), now), both).chunk(2)
        clean = without + guidance * (with_ - without)
        share = model.alphas[now]
        noise = (x - share * clean) / (1 - share * share).sqrt()
        after = model.alphas[times[i + 1]] if i + 1 < steps else torch.tensor(1.0)
        x = after * clean + (1 - after * after).sqrt() * noise
    return x


PROMPTS = [
    "a red circle on a blue background",
    "a yellow star on a navy background",
    "a small green square in the top right corner on a white background",
    "a red circle next to a blue square",
    "a blue triangle above an orange heart",
    "a house under a sun",
    "a boat on the sea",
    "a smiley",
    "three pink hearts on a mint background",
    "a christmas tree in the snow",
    "the moon and stars",
    "a purple cat on a yellow background",
    "a white diamond on black and red diagonal stripes",
    "a rocket in space",
    "a black and white checkerboard",
    "a snowman in the snow",
    "a red car in the desert",
    "a house with a blue roof and a tree at sunset",
    "a golden ring on purple",
    "a mountain and a cloud",
    "a small white star inside a big red heart",
    "two fish on a light blue gradient background",
    "a red apple",
    "a pink flower in a meadow",
    "a red mushroom with white spots",
    "a green circle on the left and a yellow star on the right",
    "an orange balloon at sunset",
    "something pretty",
    "a blue and white flag",
    "a black cat on an orange background",
    "a sunset",
    "a green cross on white, high quality, 4k, trending",
]


@torch.no_grad()
def make_sheet(guidance: float, name: str, seed: int) -> None:
    decoder = Decoder()
    decoder.load_state_dict(torch.load(BUILD / "decoder.pt", weights_only=True))
    tokenizer = Tokenizer.from_file(str(BUILD / "tokenizer.json"))
    reader = Reader(tokenizer.get_vocab_size())
    reader.load_state_dict(torch.load(BUILD / "reader.pt", weights_only=True))
    model = Denoiser()
    model.load_state_dict(torch.load(BUILD / "denoiser.pt", weights_only=True))
    slots = probabilities(reader(encode(tokenizer, PROMPTS)), 1.5)
    nothing = probabilities(reader(encode(tokenizer, [""])), 1.5)
    latents = sample(model, slots, nothing, (16, 16), 16, guidance, seed)
    save_sheet(
        to_pictures(decoder(latents, (256, 256))),
        BUILD / name,
        columns=8,
        titles=PROMPTS,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["train", "sheet"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=1.0, help="of learning; less to go on gently")
    parser.add_argument("--steps", type=int, default=5000, help="of training")
    parser.add_argument("--guidance", type=float, default=2.5)
    parser.add_argument("--name", default="drawn-by-the-model.png")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.what == "train":
        train(arguments.steps, arguments.resume, arguments.batch, arguments.rate)
    else:
        make_sheet(arguments.guidance, arguments.name, arguments.seed)
