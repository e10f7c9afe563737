"""Samplers: from noise to a latent in a number of calls of a denoiser.

A denoiser maps latents x_t (B, C, H, W) and their timestep (B,), long, to the predicted noise. With alpha and sigma as in
`schedule`, the clean latent it implies is x_0 = (x_t - sigma_t noise) / alpha_t, and every sampler goes from a timestep t
to the next lower one s, the last time to s = -1, the clean latent:

    ddpm           ancestral sampling, Ho et al. 2020, equation 7; as specified with 1000 steps, or respaced
    ddim           Song et al. 2021, equation 12 with sigma = 0: deterministic
    dpm-solver++   DPM-Solver++(2M), Lu et al. 2022, algorithm 2; deterministic, the best at few steps

All have the same signature, so `SAMPLERS[name](denoiser, latent, schedule, num_steps)` is all one needs. Coefficients are
computed in float64.
"""

__all__ = [
    "SAMPLERS",
    "Constraint",
    "Denoiser",
    "NoiseSource",
    "ddim",
    "ddpm",
    "dpm_solver",
    "kick_noise",
    "log_snr_timesteps",
    "uniform_timesteps",
]

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from kickpipe.diffusion.schedule import NoiseSchedule

Denoiser = Callable[[Tensor, Tensor], Tensor]
NoiseSource = Callable[[int], Tensor]  # index of the step -> noise (B, C, H, W)
Constraint = Callable[[Tensor, int, int], Tensor]  # latent, its timestep (-1: clean), index of the step -> latent
Update = Callable[[Tensor, Tensor, int, int, int], Tensor]  # latent, noise, timestep, next timestep, index -> latent


def uniform_timesteps(schedule: NoiseSchedule, num_steps: int, start: int | None = None) -> list[int]:
    """The decreasing timesteps at which the denoiser is called, evenly spaced: with start + 1 steps every one is visited.

    Arguments:
        schedule: The noise schedule.
        num_steps: Number of steps, at least 1; where only start + 1 timesteps are left, that many.
        start: The first timestep, that of the noise in the latent; None is the last of the schedule, T - 1.

    Raises:
        ValueError: If there are no steps, more than the schedule has, or no such timestep.
    """
    num_steps, start = check_steps(schedule, num_steps, start)
    return [math.ceil((start + 1) * (num_steps - i) / num_steps) - 1 for i in range(num_steps)]


def log_snr_timesteps(schedule: NoiseSchedule, num_steps: int, start: int | None = None) -> list[int]:
    """As ``uniform_timesteps``, but evenly spaced in the log signal-to-noise ratio, down to timestep 0."""
    num_steps, start = check_steps(schedule, num_steps, start)
    if num_steps == 1:
        return [start]
    ratios = torch.tensor([schedule.log_snr(t) for t in range(start + 1)], dtype=torch.float64)
    wanted = torch.linspace(ratios[-1].item(), ratios[0].item(), num_steps, dtype=torch.float64)
    nearest = (wanted[:, None] - ratios).abs().argmin(dim=1).tolist()
    chosen = [start]
    for i in range(1, num_steps):  # whole timesteps: where the ratio changes fast, several would coincide
        chosen.append(min(max(nearest[i], num_steps - 1 - i), chosen[-1] - 1))
    return chosen


def check_steps(schedule: NoiseSchedule, num_steps: int, start: int | None) -> tuple[int, int]:
    """The number of steps that are possible, and the first timestep."""
    start = schedule.num_timesteps - 1 if start is None else start
    if not 1 <= num_steps <= schedule.num_timesteps:
        raise ValueError(f"the number of steps must be 1 to {schedule.num_timesteps}, got {num_steps}")
    if not 0 <= start < schedule.num_timesteps:
        raise ValueError(f"the first timestep must be 0 to {schedule.num_timesteps - 1}, got {start}")
    return min(num_steps, start + 1), start


def ddpm(
    denoiser: Denoiser,
    latent: Tensor,
    schedule: NoiseSchedule,
    num_steps: int = 1000,
    *,
    start: int | None = None,
    noise: NoiseSource | None = None,
    constrain: Constraint | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Samples the posterior q(x_s | x_t, x_0) at every step, with its variance (beta-tilde); the last step adds none.

    Arguments:
        denoiser: Predicts the noise.
        latent: Noise, or a latent noised to `start`, (B, C, H, W).
        schedule: The noise schedule.
        num_steps: Calls of the denoiser, 1 to T.
        start: Timestep of the latent; None is T - 1.
        noise: Gives the noise of step index 0, 1, ...; required. `kick_noise` makes one from a generator a kick.
        constrain: Changes the latent before each step and at the end, for example `inpainting.Inpaint`.
        on_step: Called after each step with the number of steps done and that of all, for progress.

    Returns:
        The clean latent (B, C, H, W).

    Raises:
        ValueError: If an argument is out of range, or there is no noise source.
    """
    if noise is None:
        raise ValueError("ddpm adds noise at every step: pass noise, for example kick_noise(generators, shape)")

    def update(x: Tensor, predicted: Tensor, t: int, s: int, index: int) -> Tensor:
        x0 = (x - schedule.sigma(t) * predicted) / schedule.alpha(t)
        alpha_bar_t, alpha_bar_s = schedule.alpha(t) ** 2, schedule.alpha(s) ** 2
        beta = 1 - alpha_bar_t / alpha_bar_s  # of one step from s to t
        mean = schedule.alpha(s) * beta / (1 - alpha_bar_t) * x0
        mean = mean + math.sqrt(1 - beta) * (1 - alpha_bar_s) / (1 - alpha_bar_t) * x
        if s == -1:
            return mean
        return mean + math.sqrt(beta * (1 - alpha_bar_s) / (1 - alpha_bar_t)) * noise(index)

    return _walk(denoiser, latent, schedule, uniform_timesteps(schedule, num_steps, start), update, constrain, on_step)


def ddim(
    denoiser: Denoiser,
    latent: Tensor,
    schedule: NoiseSchedule,
    num_steps: int = 50,
    *,
    start: int | None = None,
    noise: NoiseSource | None = None,
    constrain: Constraint | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Keeps the predicted noise and lowers its share. Arguments and result as for `ddpm`; `noise` is not used.

    Raises:
        ValueError: If an argument is out of range.
    """

    def update(x: Tensor, predicted: Tensor, t: int, s: int, index: int) -> Tensor:
        x0 = (x - schedule.sigma(t) * predicted) / schedule.alpha(t)
        return x0 if s == -1 else schedule.alpha(s) * x0 + schedule.sigma(s) * predicted

    return _walk(denoiser, latent, schedule, uniform_timesteps(schedule, num_steps, start), update, constrain, on_step)


def dpm_solver(
    denoiser: Denoiser,
    latent: Tensor,
    schedule: NoiseSchedule,
    num_steps: int = 16,
    *,
    start: int | None = None,
    noise: NoiseSource | None = None,
    constrain: Constraint | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Integrates the probability flow in lambda = log(alpha / sigma) with a line through the last two x_0.

    The first step has no predecessor and the last one, to the clean latent where lambda is infinite, cannot be
    extrapolated: both are of first order. Arguments and result as for `ddpm`; `noise` is not used.

    Raises:
        ValueError: If an argument is out of range.
    """
    last_x0: Tensor | None = None
    last_h = 0.0

    def update(x: Tensor, predicted: Tensor, t: int, s: int, index: int) -> Tensor:
        nonlocal last_x0, last_h
        x0 = (x - schedule.sigma(t) * predicted) / schedule.alpha(t)
        if s == -1:
            return x0
        h = schedule.log_snr(s) - schedule.log_snr(t)
        slope = 0.0 if last_x0 is None else 0.5 * h / last_h  # 1 / (2 r) with r = last_h / h
        target = x0 if last_x0 is None else (1 + slope) * x0 - slope * last_x0
        last_x0, last_h = x0, h
        return schedule.sigma(s) / schedule.sigma(t) * x - schedule.alpha(s) * math.expm1(-h) * target

    return _walk(denoiser, latent, schedule, log_snr_timesteps(schedule, num_steps, start), update, constrain, on_step)


def _walk(
    denoiser: Denoiser,
    latent: Tensor,
    schedule: NoiseSchedule,
    steps: Sequence[int],
    update: Update,
    constrain: Constraint | None,
    on_step: Callable[[int, int], None] | None,
) -> Tensor:
    """Takes a latent down the timesteps and to the clean latent."""
    for index, (t, s) in enumerate(pairwise([*steps, -1])):
        if constrain is not None:
            latent = constrain(latent, t, index)
        predicted = denoiser(latent, torch.full((len(latent),), t, dtype=torch.long, device=latent.device))
        latent = update(latent, predicted, t, s, index)
        if on_step is not None:
            on_step(index + 1, len(steps))
    return latent if constrain is None else constrain(latent, -1, len(steps))


def kick_noise(generators: Sequence[torch.Generator], shape: tuple[int, ...]) -> NoiseSource:
    """A noise source in which kick i draws only from generator i: it is the same alone and in any batch.

    Each call draws the next noise, whatever the index: use one source for one run of a sampler.
    """
    return lambda index: torch.stack([torch.randn(shape, generator=generator) for generator in generators])


SAMPLERS: dict[str, Callable[..., Tensor]] = {"ddpm": ddpm, "ddim": ddim, "dpm-solver++": dpm_solver}
