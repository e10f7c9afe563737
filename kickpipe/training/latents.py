"""The latents that the denoiser learns: standardised, each with its keywords."""

__all__ = ["LabelledLatents", "LatentScale"]

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


class LabelledLatents(NamedTuple):
    """Standardised latents (N, C, H, W), and the ids (N, K) of their keywords, filled up with -1."""

    latents: Tensor
    ids: Tensor


@dataclass(frozen=True, eq=False)
class LatentScale:
    """Mean and standard deviation (C,) of each channel of the latents: the noise schedule assumes unit variance."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, latents: Tensor) -> "LatentScale":
        """That of latents (N, C, H, W), each counted once.

        Kicks that are drawn less often than others count as much as they do: with ``draw_weights`` the latents that are trained
        on are not quite standard. To weigh them would give other numbers; it belongs to the training of a next release.
        """
        return cls(latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3), correction=0).clamp(min=1e-6))

    def standardise(self, latents: Tensor) -> Tensor:
        return (latents - self.mean[:, None, None]) / self.std[:, None, None]

    def restore(self, latents: Tensor) -> Tensor:
        return latents * self.std[:, None, None] + self.mean[:, None, None]
