"""Trains the demo chat model on `build/rows.npz` within a time budget.

    python train.py --minutes 60 [--resume]

Writes `build/checkpoint.pt` every two minutes and at the end. `--resume` goes on from
it, at the minute it had reached; the learning rate follows the clock.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from model import Model, ModelShape
from numpy.typing import NDArray
from optimiser import optimisers
from torch import Tensor
from torch.nn import functional

BUILD = Path(__file__).parent / "build"
CHECKPOINT = BUILD / "checkpoint.pt"
ROWS_A_STEP = 32
CHECKPOINT_EVERY_S = 120
REPORT_EVERY = 25
# Every sixteenth step joins eight rows, so that attention over long inputs is trained.
LONG_EVERY, LONG_ROWS = 16, 4
# Of the other rows, this share has gaps in its positions, up to the whole context.
# Source: Zhu et al. 2023 (PoSE), arXiv:2309.10400.
GAPPED_SHARE = 0.2
WARM_UP, DECAY = 0.01, 0.35


def learning_rate_factor(progress: float) -> float:
    """Warm up, hold, then fall linearly to 2%; `progress` runs from 0 to 1."""
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.02)
    return max(min(1.0, (1 - progress) / DECAY), 0.02)


def row_positions(rows: int, length: int, context: int, random: np.random.Generator) -> Tensor:
    """Positions (rows, length): 0, 1, 2 ..., in some rows with jumps."""
    positions = np.tile(np.arange(length), (rows, 1))
    for row in np.flatnonzero(random.random(rows) < GAPPED_SHARE):
        cuts = np.sort(random.integers(1, length, size=2))
        jumps = random.integers(0, max((context - length) // 2, 1), size=2)
        for cut, jump in zip(cuts, jumps, strict=True):
            positions[row, cut:] += jump
    return torch.from_numpy(positions)


def batch(
    data: dict[str, NDArray[np.generic]], step: int, context: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs, targets, target weights and positions of one step, each (rows, time).

    The order of the rows is a new permutation each epoch, fixed by the epoch's number.
    """
    steps = len(data["tokens"]) // ROWS_A_STEP
    epoch, at = divmod(step, steps)
    order = np.random.default_rng(epoch).permutation(len(data["tokens"]))
    chosen = order[at * ROWS_A_STEP : (at + 1) * ROWS_A_STEP]
    tokens = torch.from_numpy(data["tokens"][chosen].astype(np.int64))
    weights = torch.from_numpy(data["weights"][chosen].astype(np.float32)) / 100
    parts = tokens[:, :-1], tokens[:, 1:], weights[:, 1:]
    if step % LONG_EVERY == 0:
        parts = tuple(part.reshape(LONG_ROWS, -1) for part in parts)
    rows, length = parts[0].shape
    positions = row_positions(rows, length, context, np.random.default_rng((1, step)))
    return (*(part.contiguous() for part in parts), positions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(1)
    shape = ModelShape()
    model = Model(shape)
    optimising = optimisers(model)
    peaks = [[group["lr"] for group in optimiser.param_groups] for optimiser in optimising]
    step, elapsed_s = 0, 0.0
    if options.resume:
        saved = torch.load(CHECKPOINT)
        model.load_state_dict(saved["model"])
        for optimiser, state in zip(optimising, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        step, elapsed_s = saved["step"], saved["elapsed_s"]

    def loss_of(tokens: Tensor, targets: Tensor, weights: Tensor, positions: Tensor) -> Tensor:
        logits = model(tokens, positions)
        losses = functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), reduction="none"
        )
        return (losses * weights.flatten()).sum() / weights.sum()

    def save() -> None:
        state = {
            "model": model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in optimising],
            "step": step,
            "elapsed_s": elapsed_s,
        }
        torch.save(state, CHECKPOINT.with_suffix(".part"))
        CHECKPOINT.with_suffix(".part").replace(CHECKPOINT)

    compiled = torch.compile(loss_of, dynamic=False)
    data = dict(np.load(BUILD / "rows.npz"))
    budget_s = options.minutes * 60
    saved_at_s, recent = elapsed_s, []
    while elapsed_s < budget_s:
        begin = time.monotonic()
        factor = learning_rate_factor(elapsed_s / budget_s)
        for optimiser, rates in zip(optimising, peaks, strict=True):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        loss = compiled(*batch(data, step, shape.context))
        loss.backward()
        for optimiser in optimising:
            optimiser.step()
            optimiser.zero_grad()
        recent.append(loss.item())
        step += 1
        elapsed_s += time.monotonic() - begin
        if step % REPORT_EVERY == 0:
            speed = ROWS_A_STEP * data["tokens"].shape[1] / (time.monotonic() - begin)
            print(
                f"step {step}  minute {elapsed_s / 60:.1f}  loss {np.mean(recent):.4f}"
                f"  {speed:.0f} tokens/s  rate {factor:.2f}",
                flush=True,
            )
            recent.clear()
        if elapsed_s - saved_at_s > CHECKPOINT_EVERY_S:
            save()
            saved_at_s = elapsed_s
    save()


if __name__ == "__main__":
    main()
