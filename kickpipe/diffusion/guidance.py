"""Classifier-free guidance (Ho & Salimans 2022), as a denoiser that wraps a denoiser.

    noise = uncond + guidance * (cond - uncond)

with the predictions under the prompt and under no (or a negative) prompt. 1 is no guidance; samplers know nothing of it.
"""

__all__ = ["Guided"]

import math
from collections.abc import Callable

import torch
from torch import Tensor


class Guided:
    """A denoiser (latent, timestep) -> noise made of one that also takes a conditioning vector.

    Both halves run in one batch of 2 B. Guidance 1 needs only the conditional half and guidance 0 only the unconditional
    one, and where prompt and negative prompt are the same, both empty for instance, there is nothing to steer towards: these
    cost a batch of B.

    Arguments:
        denoiser: Maps latent (B, C, H, W), timestep (B,) and conditioning vectors (B, D) to noise (B, C, H, W).
        cond: Conditioning vectors of the prompts (B, D), or (1, D) for all.
        uncond: Those of no prompt, or of the negative prompts, (B, D) or (1, D).
        guidance: The factor; below 0 it steers away from the prompt.

    Raises:
        ValueError: If the guidance is not finite.
    """

    def __init__(
        self, denoiser: Callable[[Tensor, Tensor, Tensor], Tensor], cond: Tensor, uncond: Tensor, guidance: float
    ) -> None:
        if not math.isfinite(guidance):
            raise ValueError(f"guidance must be a finite number, got {guidance}")
        self.denoiser = denoiser
        self.cond = cond
        self.uncond = uncond
        self.guidance = 1.0 if torch.equal(cond, uncond) else guidance

    def __call__(self, latent: Tensor, timestep: Tensor) -> Tensor:
        batch = len(latent)
        cond = self.cond.expand(batch, -1)
        uncond = self.uncond.expand(batch, -1)
        if self.guidance == 1:
            return self.denoiser(latent, timestep, cond)
        if self.guidance == 0:
            return self.denoiser(latent, timestep, uncond)
        noise = self.denoiser(torch.cat([latent, latent]), torch.cat([timestep, timestep]), torch.cat([cond, uncond]))
        cond_noise, uncond_noise = noise.chunk(2)
        return uncond_noise + self.guidance * (cond_noise - uncond_noise)
