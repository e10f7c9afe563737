"""Which kicks the batch of a step has: a function of (seed, step), the same in every process and after every kill."""

__all__ = ["BatchOrder", "EpochOrder", "WeightedOrder", "draw_weights"]

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

import torch
from torch import Tensor

from kickpipe.common.seeds import order_generator


class BatchOrder(Protocol):
    """Gives the items (B,) of the batch of a step."""

    @property
    def batch_size(self) -> int: ...
    @property
    def seed(self) -> int: ...
    def __call__(self, step: int) -> Tensor: ...


@dataclass(frozen=True)
class EpochOrder:
    """Every item once an epoch, each epoch in a new order; the last batch of an epoch may be smaller.

    Arguments:
        num_items: Items to go through.
        batch_size: Items of a batch.
        seed: With the epoch, determines its order.
    """

    num_items: int
    batch_size: int
    seed: int

    @property
    def batches_per_epoch(self) -> int:
        return -(-self.num_items // self.batch_size)

    def __call__(self, step: int) -> Tensor:
        """Items (B,) of the batch of a step."""
        epoch, batch = divmod(step, self.batches_per_epoch)
        order = torch.randperm(self.num_items, generator=order_generator(self.seed, epoch))
        return order[batch * self.batch_size : (batch + 1) * self.batch_size]


@dataclass(frozen=True, eq=False)
class WeightedOrder:
    """Every item drawn with its weight, with replacement.

    Arguments:
        weights: How often each item is drawn against the others, (N,).
        batch_size: Items of a batch.
        seed: With the step, determines what is drawn.
    """

    weights: Tensor
    batch_size: int
    seed: int

    def __call__(self, step: int) -> Tensor:
        """Items (B,) of the batch of a step."""
        generator = order_generator(self.seed, step)
        return torch.multinomial(self.weights, self.batch_size, replacement=True, generator=generator)


def draw_weights(original_paths: Sequence[str], secondary: Sequence[str], secondary_weight: float) -> Tensor | None:
    """How often each kick is drawn against the others, (N,); None where all are drawn alike.

    Arguments:
        original_paths: Of the kicks.
        secondary: Patterns (``*``, ``?``) on them of kicks that have ``secondary_weight``, where all others have 1: many takes
            of one drum, say, which a model that meets them all equally often makes again and again.
    """
    matches = [any(fnmatchcase(path, pattern) for pattern in secondary) for path in original_paths]
    if secondary_weight == 1 or not any(matches) or all(matches):
        return None
    return torch.tensor([secondary_weight if match else 1.0 for match in matches])
