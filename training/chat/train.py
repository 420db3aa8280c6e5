"""Trains the demo chat model on `build/rows.npz` within a time budget.

    python train.py --minutes 60 [--resume]

Writes `build/checkpoint.pt` every minute and at the end. `--resume` goes on from
it, at the minute it had reached; the learning rate follows the clock.

A step's rows are shared out in small parts to single-threaded workers, each taking the
next as it is done: on cores that others use too, this is several times faster than
letting every operation wait for its slowest thread.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from model import Model, ModelShape
from numpy.typing import NDArray
from optimiser import optimisers
from prepare import BUILD, ROW
from torch import Tensor
from torch.nn import functional

CHECKPOINT = BUILD / "checkpoint.pt"
WORKERS = 2
ROWS_A_STEP = 16
ROWS_A_PART = 4
CHECKPOINT_EVERY_S = 60
REPORT_EVERY = 25
# Every so often a step joins eight rows, so that attention over long inputs is trained.
LONG_EVERY, JOINED_ROWS = 25, 8
# Of the other rows, this share has gaps in its positions, up to the whole context.
# Source: Zhu et al. 2023 (PoSE), arXiv:2309.10400.
GAPPED_SHARE = 0.2
WARM_UP, DECAY = 0.01, 0.7


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


def is_long(step: int) -> bool:
    """Whether the step's rows are joined to the length of the whole context."""
    return step % LONG_EVERY == LONG_EVERY - 1


Part = tuple[Tensor, Tensor, Tensor, Tensor]


def parts(data: dict[str, NDArray[np.generic]], step: int, context: int) -> list[Part]:
    """One step: inputs, targets, target weights and positions, each (rows, time).

    The weights of a step sum to 1. The order of the rows is a new permutation each
    epoch, fixed by the epoch's number.
    """
    steps = len(data["tokens"]) // ROWS_A_STEP
    epoch, at = divmod(step, steps)
    order = np.random.default_rng(epoch).permutation(len(data["tokens"]))
    chosen = order[at * ROWS_A_STEP : (at + 1) * ROWS_A_STEP]
    tokens = torch.from_numpy(data["tokens"][chosen].astype(np.int64))
    weights = torch.from_numpy(data["weights"][chosen].astype(np.float32))[:, 1:]
    tensors = tokens[:, :-1], tokens[:, 1:], weights / weights.sum()
    rows_a_part = ROWS_A_PART
    if is_long(step):
        tensors = tuple(tensor.reshape(ROWS_A_STEP // JOINED_ROWS, -1) for tensor in tensors)
        rows_a_part = 1
    rows, length = tensors[0].shape
    positions = row_positions(rows, length, context, np.random.default_rng((1, step)))
    split = (tensor.contiguous().split(rows_a_part) for tensor in (*tensors, positions))
    return list(zip(*split, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
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
        losses = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        return (losses * weights.flatten()).sum()

    compiled = torch.compile(loss_of, dynamic=False)

    def learn(part: Part) -> float:
        # The rare long parts are not worth a compilation of their own.
        loss = (compiled if part[0].shape[1] == ROW else loss_of)(*part)
        # Safe from several threads: autograd locks each gradient that it adds to.
        loss.backward()
        return loss.item()

    def step_and_clear(optimiser: torch.optim.Optimizer) -> None:
        optimiser.step()
        optimiser.zero_grad()

    def save() -> None:
        state = {
            "model": model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in optimising],
            "step": step,
            "elapsed_s": elapsed_s,
        }
        torch.save(state, CHECKPOINT.with_suffix(".part"))
        CHECKPOINT.with_suffix(".part").replace(CHECKPOINT)

    data = dict(np.load(BUILD / "rows.npz"))
    # Compiles before the second worker needs the result.
    learn(parts(data, 0, shape.context)[0])
    model.zero_grad()
    workers = ThreadPoolExecutor(WORKERS, initializer=torch.set_num_threads, initargs=(1,))
    budget_s = options.minutes * 60
    saved_at_s, recent = elapsed_s, []
    while elapsed_s < budget_s:
        begin = time.monotonic()
        factor = learning_rate_factor(elapsed_s / budget_s)
        for optimiser, rates in zip(optimising, peaks, strict=True):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        work = parts(data, step, shape.context)
        recent.append(sum(workers.map(learn, work)))
        list(workers.map(step_and_clear, optimising))
        step += 1
        elapsed_s += time.monotonic() - begin
        if step % REPORT_EVERY == 0:
            speed = ROWS_A_STEP * ROW / (time.monotonic() - begin)
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
