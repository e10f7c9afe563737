"""The exponential moving average (EMA) of a network's weights: what one generates with."""

__all__ = ["MovingAverage"]

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class MovingAverage(Generic[Network]):
    """Follows a network at a distance.

    Arguments:
        model: The network; the average starts as a copy of it, on its device.
        decay: Share of the average that a step leaves.
        warmup: Whether the decay is min(decay, (1 + step) / (10 + step)), as in TensorFlow's ExponentialMovingAverage:
            otherwise a decay of 0.9999 keeps more than a third of the random initial weights after 10,000 steps.

    Attributes:
        model: The averaged network, in evaluation mode.
    """

    def __init__(self, model: Network, decay: float, warmup: bool) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self.decay = decay
        self.warmup = warmup

    def decay_at(self, step: int) -> float:
        """The decay after ``step`` completed steps."""
        return min(self.decay, (1 + step) / (10 + step)) if self.warmup else self.decay

    @torch.no_grad()
    def update(self, model: Network, step: int) -> None:
        """Moves the parameters towards those of ``model`` after a step; buffers are copied."""
        averaged: list[Tensor] = list(self.model.parameters())
        current: list[Tensor] = list(model.parameters())
        torch._foreach_lerp_(averaged, current, 1 - self.decay_at(step))
        for buffer, source in zip(self.model.buffers(), model.buffers(), strict=True):
            buffer.copy_(source)

    @torch.no_grad()
    def distance(self, model: Network) -> float:
        """Root of the sum of squared differences from the parameters of ``model``."""
        pairs = zip(self.model.parameters(), model.parameters(), strict=True)
        return sum((averaged - current).square().sum().item() for averaged, current in pairs) ** 0.5
