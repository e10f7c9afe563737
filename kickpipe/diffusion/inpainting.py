"""Keeping part of a latent while the rest is generated (Lugmayr et al. 2022, RePaint, equation 8).

Before each step the kept part is replaced by the known latent, noised to the level of the moment, and at the end by
the known latent itself. The denoiser sees a whole latent and fits the generated part to the kept one.
"""

__all__ = ["Inpaint"]

from torch import Tensor

from kickpipe.diffusion.sampling import NoiseSource
from kickpipe.diffusion.schedule import NoiseSchedule


class Inpaint:
    """A constraint for the samplers.

    Arguments:
        known: Clean, standardised latents (B, C, H, W).
        mask: 1 where the known latent is kept, 0 where it is generated, values between mix; shape (B, C, H, W), or one
            that broadcasts to it, such as (1, 1, 1, W).
        noise: Gives the noise of the kept part at step index 0, 1, .... Fresh noise is RePaint's; the same noise at every
            step keeps the kept part on one straight path, as deterministic samplers expect.
        schedule: The noise schedule.
    """

    def __init__(self, known: Tensor, mask: Tensor, noise: NoiseSource, schedule: NoiseSchedule) -> None:
        self.known = known
        self.mask = mask
        self.noise = noise
        self.schedule = schedule

    def __call__(self, latent: Tensor, timestep: int, index: int) -> Tensor:
        clean = timestep == -1
        known = self.known if clean else self.schedule.noise_to(self.known, self.noise(index), timestep)
        return self.mask * known + (1 - self.mask) * latent
