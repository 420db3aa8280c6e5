"""Muon for the matrices of the layers, AdamW for the rest.

Chosen from the literature for few steps on a small model; not compared with AdamW here.
Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from model import Model
from torch import Tensor

_ITERATIONS = 5
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalised(updates: Tensor) -> Tensor:
    """Nearly orthogonal matrices in the direction of `updates` (matrix, rows, columns)."""
    a, b, c = _COEFFICIENTS
    tall = updates.shape[1] > updates.shape[2]
    current = updates.mT if tall else updates
    current = current / (current.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = current @ current.mT
        current = a * current + (b * gram + c * gram @ gram) @ current
    return current.mT if tall else current


class Muon(torch.optim.Optimizer):
    """Momentum, then an orthogonalised step, for matrices of one shape together."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.05,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            self._step_group(parameters, group)

    def _step_group(self, parameters: list[Tensor], group: dict[str, float]) -> None:
        directions = []
        for parameter in parameters:
            state = self.state[parameter]
            velocity = state.setdefault("velocity", torch.zeros_like(parameter))
            velocity.lerp_(parameter.grad, 1 - group["momentum"])
            directions.append(parameter.grad.lerp(velocity, group["momentum"]))
        rows, columns = parameters[0].shape
        scale = max(1.0, rows / columns) ** 0.5
        for parameter, update in zip(
            parameters, orthogonalised(torch.stack(directions)), strict=True
        ):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update, alpha=-group["lr"] * scale)


def optimisers(model: Model) -> list[torch.optim.Optimizer]:
    """Optimisers of disjoint parts of `model`, each with its peak learning rate.

    One Muon a shape: they may step at the same time.
    """
    by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
    for weight in model.blk.parameters():
        if weight.ndim == 2:
            by_shape[weight.shape].append(weight)
    gains = [weight for weight in model.parameters() if weight.ndim == 1]
    rest = torch.optim.AdamW(
        [
            {"params": [model.token_embd.weight], "lr": 0.01},
            {"params": [model.output.weight], "lr": 0.003},
            {"params": gains, "lr": 0.005},
        ],
        betas=(0.9, 0.95),
        weight_decay=0.01,
        fused=True,
    )
    return [rest, *(Muon(matrices) for matrices in by_shape.values())]
