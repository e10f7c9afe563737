"""Steps of an optimiser, and the learning rate each step has."""

__all__ = [
    "ConstantRate",
    "CosineRate",
    "LearningRate",
    "learning_rate",
    "optimize",
    "set_rate",
    "step_optimizer",
]

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

LearningRate = Callable[[int], float]  # the rate after so many completed steps


@dataclass(frozen=True)
class ConstantRate:
    lr: float

    def __call__(self, step: int) -> float:
        return self.lr


@dataclass(frozen=True)
class CosineRate:
    """Half a cosine from ``lr`` down to 0 at the end (Loshchilov & Hutter 2017, without restarts).

    A short run gains from it; a run that is to be lengthened does not want it.
    """

    lr: float
    steps: int

    def __call__(self, step: int) -> float:
        return self.lr * ((1 + math.cos(math.pi * step / self.steps)) / 2)


def learning_rate(schedule: str, lr: float, steps: int) -> LearningRate:
    """The schedule of a name.

    Arguments:
        schedule: "constant" or "cosine".
        lr: The first rate.
        steps: Steps of the whole run.

    Raises:
        ValueError: If there is no such schedule.
    """
    if schedule == "constant":
        return ConstantRate(lr)
    if schedule == "cosine":
        return CosineRate(lr, steps)
    raise ValueError(f"learning rate schedule {schedule!r}: expected constant or cosine")


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Gives all parameters of an optimiser a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def optimize(optimizer: torch.optim.Optimizer, loss: Tensor, scaler: torch.amp.GradScaler) -> Tensor:
    """Takes one step down the gradient of ``loss``; returns the norm of the gradient."""
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    return step_optimizer(optimizer, scaler)


def step_optimizer(optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> Tensor:
    """Steps with gradients that have been accumulated; returns their norm, before a scaler skips one that overflowed."""
    scaler.unscale_(optimizer)
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    scaler.step(optimizer)
    scaler.update()
    # fp16 overflows now and then by design: the scaler has skipped that step, its norm says nothing
    return torch.where(torch.isfinite(norm), norm, torch.zeros_like(norm)) if scaler.is_enabled() else norm
