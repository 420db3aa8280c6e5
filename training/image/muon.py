"""Muon for the matrices of transformer layers, AdamW for the rest.

Reaches a loss in about half of AdamW's steps, for a tenth more work in each.
Source: Jordan 2024, https://kellerjordan.github.io/posts/muon/.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


def orthogonalised(updates: Tensor) -> Tensor:
    """Nearly orthogonal matrices in the direction of `updates` (matrix, rows, columns)."""
    a, b, c = _COEFFICIENTS
    is_tall = updates.shape[1] > updates.shape[2]
    current = updates.mT if is_tall else updates
    current = current / (current.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = current @ current.mT
        current = a * current + (b * gram + c * gram @ gram) @ current
    return current.mT if is_tall else current


class Muon(torch.optim.Optimizer):
    """Momentum, then an orthogonalised step, for matrices of one shape together."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.02,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override] # no closure
        for group in self.param_groups:
            weights = group["params"]
            directions = []
            for weight in weights:
                velocity = self.state[weight].setdefault("velocity", torch.zeros_like(weight))
                velocity.lerp_(weight.grad, 1 - group["momentum"])
                directions.append(weight.grad.lerp(velocity, group["momentum"]))
            scale = max(1.0, weights[0].shape[0] / weights[0].shape[1]) ** 0.5
            for weight, update in zip(
                weights, orthogonalised(torch.stack(directions)), strict=True
            ):
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * scale)


class Optimisers:
    """Both at once. `layers` is the part of `whole` whose matrices Muon steps."""

    def __init__(self, whole: nn.Module, layers: nn.Module, *, muon: float, adam: float) -> None:
        by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for weight in layers.parameters():
            if weight.ndim == 2 and min(weight.shape) >= 32:
                by_shape[weight.shape].append(weight)
        taken = {id(weight) for weights in by_shape.values() for weight in weights}
        rest = [weight for weight in whole.parameters() if id(weight) not in taken]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(rest, lr=adam, betas=(0.9, 0.97), weight_decay=0.001, fused=True),
            *(Muon(weights, lr=muon) for weights in by_shape.values()),
        ]
        self._peaks = [[group["lr"] for group in part.param_groups] for part in self._parts]

    def step(self, factor: float) -> None:
        """One step at `factor` of the full rates; the gradients are cleared after it."""
        for part, peaks in zip(self._parts, self._peaks, strict=True):
            for group, peak in zip(part.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            part.step()
            part.zero_grad(set_to_none=True)
