"""The noise schedule: how much of a latent is left at each timestep.

    x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise        (Ho et al. 2020, equation 4)

for t = 0 ... T - 1, with alpha_bar_t the product of alpha_s = 1 - beta_s for s <= t and beta linear in t. The clean latent
is written as timestep -1, with alpha_bar = 1.
"""

__all__ = ["NoiseSchedule", "start_timestep"]

import math

import torch
from torch import Tensor


class NoiseSchedule:
    """Linear betas and what follows from them.

    Arguments:
        num_timesteps: Number T of timesteps, at least 1.
        beta_start: The first beta.
        beta_end: The last beta, below 1.

    Attributes:
        config: The arguments, as a model file holds them.
        betas, alphas, alpha_bar: float32 tensors (T,), computed in float64.

    Raises:
        ValueError: If the betas are not 0 < beta_start <= beta_end < 1, or there is no timestep.
    """

    def __init__(self, num_timesteps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> None:
        if num_timesteps < 1 or not 0 < beta_start <= beta_end < 1:
            raise ValueError(
                f"a noise schedule needs num_timesteps >= 1 and 0 < beta_start <= beta_end < 1, "
                f"got {num_timesteps}, {beta_start}, {beta_end}"
            )
        self.num_timesteps = num_timesteps
        self.config = {"num_timesteps": num_timesteps, "beta_start": beta_start, "beta_end": beta_end}
        betas = torch.linspace(beta_start, beta_end, num_timesteps, dtype=torch.float64)
        alpha_bar = (1 - betas).cumprod(dim=0)
        self.betas = betas.float()
        self.alphas = (1 - betas).float()
        self.alpha_bar = alpha_bar.float()
        self._alpha_bar = [*alpha_bar.tolist(), 1.0]  # index -1 is the clean latent

    def alpha(self, timestep: int) -> float:
        """Factor sqrt(alpha_bar) of the clean latent at a timestep, in float64; 1 at timestep -1."""
        return math.sqrt(self._alpha_bar[timestep])

    def sigma(self, timestep: int) -> float:
        """Factor sqrt(1 - alpha_bar) of the noise at a timestep, in float64; 0 at timestep -1."""
        return math.sqrt(1 - self._alpha_bar[timestep])

    def log_snr(self, timestep: int) -> float:
        """lambda = log(alpha / sigma), half the log signal-to-noise ratio; infinite at timestep -1."""
        return math.inf if timestep == -1 else math.log(self.alpha(timestep) / self.sigma(timestep))

    def add_noise(self, x0: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
        """Noises each clean item x0 (B, ...) to its own timestep (B,), long, with noise of the same shape."""
        alpha_bar = self.alpha_bar.to(x0.device)[timestep].to(x0.dtype)
        alpha_bar = alpha_bar.reshape(-1, *[1] * (x0.ndim - 1))
        return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise

    def noise_to(self, x0: Tensor, noise: Tensor, timestep: int) -> Tensor:
        """Noises clean items x0 (B, ...) to one timestep; timestep -1 returns them as they are."""
        return x0 if timestep == -1 else self.alpha(timestep) * x0 + self.sigma(timestep) * noise


def start_timestep(strength: float, num_timesteps: int) -> int:
    """The timestep from which a latent noised to `strength` is denoised: -1 (not at all) for 0, the last one for 1.

    Raises:
        ValueError: If the strength is not between 0 and 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be between 0 and 1, got {strength}")
    return math.ceil(strength * num_timesteps) - 1
