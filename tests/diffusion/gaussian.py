"""A data distribution whose optimal denoiser is known, for tests of samplers.

For independent values x_0 ~ N(mean, std^2) the posterior mean of the noise in x_t = alpha x_0 + sigma noise is
sigma (x_t - alpha mean) / (alpha^2 std^2 + sigma^2), and the probability flow maps x_t to
mean + std (x_t - alpha mean) / sqrt(alpha^2 std^2 + sigma^2).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from kickpipe.diffusion.schedule import NoiseSchedule


@dataclass(frozen=True)
class Gaussian:
    """Values with a mean and a standard deviation; with std 0 a single point."""

    mean: float
    std: float
    schedule: NoiseSchedule

    def spread(self, timestep: int) -> float:
        """Standard deviation of the values noised to a timestep."""
        return (self.schedule.alpha(timestep) ** 2 * self.std**2 + self.schedule.sigma(timestep) ** 2) ** 0.5

    def denoiser(self, latent: Tensor, timestep: Tensor) -> Tensor:
        t = int(timestep[0])
        assert timestep.shape == (len(latent),)
        assert timestep.dtype == torch.long
        return self.schedule.sigma(t) * (latent - self.schedule.alpha(t) * self.mean) / self.spread(t) ** 2

    def flow(self, latent: Tensor, timestep: int) -> Tensor:
        """Where the probability flow leads a latent at a timestep."""
        return self.mean + self.std * (latent - self.schedule.alpha(timestep) * self.mean) / self.spread(timestep)
