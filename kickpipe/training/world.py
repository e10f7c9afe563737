"""The processes that train together, and this one's place among them.

Every process draws the whole batch of a step with its noise, which depend on (seed, step) alone, and computes its share: the
batch is the same however many they are. One of them writes states, curves and the model file.
"""

__all__ = ["World"]

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class World:
    """Arguments:
    rank: Number of this process, from 0.
    size: Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_writer(self) -> bool:
        return self.rank == 0

    def share(self, batch: Any) -> Any:
        """Every ``size``-th example of a batch, from number ``rank`` on.

        Arguments:
            batch: A tensor (B, ...), or a list, tuple or named tuple of batches.
        """
        if self.size == 1:
            return batch
        if isinstance(batch, Tensor):
            return batch[self.rank :: self.size]
        parts = [self.share(part) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
