"""What the denoiser is trained to lower.

    x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise        loss = MSE(model(x_t, t, keywords), noise)

with t uniform over the schedule (Ho et al. 2020, algorithm 1) and the keywords of each example dropped with a fixed
probability, so that one network learns both halves of classifier-free guidance (Ho & Salimans 2022).
"""

__all__ = ["DiffusionObjective"]

from dataclasses import dataclass

import torch
from torch import Tensor

from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.text import PAD
from kickpipe.models.unet import KeywordUNet


@dataclass(frozen=True)
class DiffusionObjective:
    """The squared error, on examples of which some lose their keywords.

    Arguments:
        schedule: The noise schedule.
        keyword_dropout: Probability that an example loses all its keywords.
    """

    schedule: NoiseSchedule
    keyword_dropout: float

    def drop_keywords(self, ids: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Keyword ids (B, K) with whole rows emptied at random, each on its own."""
        dropped = torch.rand(len(ids), generator=generator) < self.keyword_dropout
        return ids.masked_fill(dropped[:, None], PAD)

    def __call__(self, model: KeywordUNet, latent: Tensor, ids: Tensor, timestep: Tensor, noise: Tensor) -> Tensor:
        """Mean squared error of the predicted noise, a scalar.

        Arguments:
            latent, noise: Standardised latents and normal noise (B, C, H, W).
            ids: Keyword ids (B, K), filled up with -1.
            timestep: (B,), long.
        """
        predicted: Tensor = model(self.schedule.add_noise(latent, noise, timestep), timestep, ids)
        return (predicted.float() - noise).square().mean()
