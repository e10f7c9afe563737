"""From recipes to standardised latents: noise, varied sources, paths between two sources, and sources with a gap.

Every function takes a denoiser (latent, timestep) -> noise and returns clean latents (B, C, H, W). Latents are
standardised: zero mean and unit variance over the training kicks, as the denoiser knows them.
"""

__all__ = ["columns_touched", "inpainted", "interpolated", "invert", "sampled", "varied"]

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from kickpipe.diffusion.inpainting import Inpaint
from kickpipe.diffusion.interpolation import slerp
from kickpipe.diffusion.sampling import SAMPLERS, Denoiser, kick_noise, timesteps
from kickpipe.diffusion.schedule import NoiseSchedule, start_timestep
from kickpipe.generate.recipe import RecipeError

INVERSION_ROUNDS = 3
OnStep = Callable[[int, int], None] | None


def sampled(
    denoiser: Denoiser,
    schedule: NoiseSchedule,
    sampler: str,
    steps: int,
    generators: Sequence[torch.Generator],
    shape: tuple[int, ...],
    on_step: OnStep = None,
) -> Tensor:
    """New latents, one for each generator."""
    noise = kick_noise(generators, shape)
    return SAMPLERS[sampler](denoiser, noise(0), schedule, steps, noise=noise, on_step=on_step)


def varied(
    denoiser: Denoiser,
    schedule: NoiseSchedule,
    sampler: str,
    steps: int,
    generators: Sequence[torch.Generator],
    source: Tensor,
    strength: float,
    on_step: OnStep = None,
) -> Tensor:
    """The source (B, C, H, W) noised to ``strength`` and denoised: 0 returns it, 1 keeps nothing of it."""
    if strength == 1:
        return sampled(denoiser, schedule, sampler, steps, generators, tuple(source.shape[1:]), on_step)
    start = start_timestep(strength, schedule.num_timesteps)
    if start == -1:
        return source
    noise = kick_noise(generators, tuple(source.shape[1:]))
    latent = schedule.noise_to(source, noise(0), start)
    return SAMPLERS[sampler](denoiser, latent, schedule, steps, start=start, noise=noise, on_step=on_step)


def inpainted(
    denoiser: Denoiser,
    schedule: NoiseSchedule,
    sampler: str,
    steps: int,
    generators: Sequence[torch.Generator],
    source: Tensor,
    strength: float,
    columns: range,
    on_step: OnStep = None,
) -> Tensor:
    """The source (B, C, H, W) with ``columns`` made anew from ``strength`` and the others kept."""
    start = start_timestep(strength, schedule.num_timesteps)
    if start == -1:
        return source
    noise = kick_noise(generators, tuple(source.shape[1:]))
    first = noise(0)
    latent = first if strength == 1 else schedule.noise_to(source, first, start)
    mask = torch.ones(1, 1, 1, source.shape[-1])
    mask[..., columns] = 0.0
    keep = Inpaint(source, mask, lambda index: first, schedule)
    return SAMPLERS[sampler](
        denoiser, latent, schedule, steps, start=start, noise=noise, constrain=keep, on_step=on_step
    )


def interpolated(
    denoiser: Denoiser,
    schedule: NoiseSchedule,
    sampler: str,
    steps: int,
    first: Tensor,
    second: Tensor,
    positions: Sequence[float],
    path: str,
    on_step: OnStep = None,
) -> Tensor:
    """Latents between two latents (C, H, W), one for each position from 0 to 1; the ends are the two themselves.

    The path "latent" is the straight line. "spherical" follows the arc between the noises that lead to the two: noises found
    by inversion, so what they lead to differs a little from the two; that difference, mixed by position, is added back.
    """
    ends = torch.stack([first, second])
    weight = torch.tensor(positions, dtype=torch.float32)[:, None, None, None]
    if path == "latent":
        between = first + weight * (second - first)
    else:
        noise = invert(denoiser, schedule, steps, ends)
        arc = torch.cat([slerp(noise[:1], noise[1:], position) for position in positions])  # one by one: see Engine
        made = SAMPLERS[sampler](denoiser, torch.cat([noise, arc]), schedule, steps, on_step=on_step)
        missing = ends - made[:2]
        between = made[2:] + missing[0] + weight * (missing[1] - missing[0])
    return torch.where(weight == 0, first, torch.where(weight == 1, second, between))


def invert(denoiser: Denoiser, schedule: NoiseSchedule, steps: int, latent: Tensor) -> Tensor:
    """The noise from which DDIM makes the clean latents (B, C, H, W).

    The step of Song et al. 2021, equation 12, solved for x_t. The noise it needs is predicted at x_t itself, so it is found
    by fixed-point iteration (Pan et al. 2023, "Effective real image editing with accelerated iterative diffusion
    inversion").
    """
    for s, t in pairwise([-1, *timesteps(schedule, steps)[::-1]]):
        timestep = torch.full((len(latent),), t, dtype=torch.long)
        scale = schedule.alpha(t) / schedule.alpha(s)
        higher = latent
        for _ in range(INVERSION_ROUNDS):
            noise = denoiser(higher, timestep)
            higher = scale * (latent - schedule.sigma(s) * noise) + schedule.sigma(t) * noise
        latent = higher
    return latent


def columns_touched(begin_ms: float, end_ms: float, column_ms: float, width: int) -> range:
    """Columns of a latent of ``width`` columns that the time from begin to end reaches into.

    Raises:
        RecipeError: If the time is not inside the kick.
    """
    length_ms = width * column_ms
    if not (math.isfinite(begin_ms) and 0 <= begin_ms < end_ms and begin_ms < length_ms):
        raise RecipeError(
            f"regenerate_ms: expected a begin before its end within 0 to {length_ms:.0f} ms, found {begin_ms:g} to {end_ms:g}"
        )
    return range(int(begin_ms // column_ms), min(math.ceil(end_ms / column_ms), width))
