"""What a linear noise schedule may be. Without torch, so that params and model files are checked before anything is loaded."""

__all__ = ["MAX_TIMESTEPS", "check_betas"]

import math

MAX_TIMESTEPS = 100_000
MIN_LOG_SIGNAL = math.log(1e-12)  # of alpha_bar at the last timestep: samplers divide by its root


def check_betas(num_timesteps: int, beta_start: float, beta_end: float) -> None:
    """Whether a latent can be noised and denoised with a schedule.

    Raises:
        ValueError: If the timesteps are none or too many, the betas are not 0 < beta_start <= beta_end < 1, or nothing is
            left of a latent at the last timestep.
    """
    if not 1 <= num_timesteps <= MAX_TIMESTEPS:
        raise ValueError(f"num_timesteps: expected a whole number from 1 to {MAX_TIMESTEPS}, found {num_timesteps}")
    if not 0 < beta_start <= beta_end < 1:
        raise ValueError(f"expected 0 < beta_start <= beta_end < 1, found {beta_start} and {beta_end}")
    if log_signal_left(num_timesteps, beta_start, beta_end) < MIN_LOG_SIGNAL:
        raise ValueError(
            f"num_timesteps: {num_timesteps} of beta {beta_start:g} to {beta_end:g} leave nothing of a latent; expected fewer "
            "timesteps or smaller betas"
        )


def log_signal_left(num_timesteps: int, beta_start: float, beta_end: float) -> float:
    """log(alpha_bar) at the last timestep."""
    slope = (beta_end - beta_start) / max(num_timesteps - 1, 1)
    return math.fsum(math.log1p(-(beta_start + slope * i)) for i in range(num_timesteps))
