"""Latents of the four kinds of kicks: from noise, near a source, between two sources, and in a source's gap.

Latents (B, C, H, W) are standardised: zero mean and unit variance over the training kicks, as the denoiser knows them.
"""

__all__ = ["Sampling", "generate", "inpaint", "interpolate", "invert", "vary"]

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from kickpipe.diffusion.inpainting import Inpaint
from kickpipe.diffusion.interpolation import slerp
from kickpipe.diffusion.sampling import SAMPLERS, Constraint, Denoiser, NoiseSource, kick_noise, uniform_timesteps
from kickpipe.diffusion.schedule import NoiseSchedule, start_timestep
from kickpipe.generate.options import OnStep

INVERSION_ROUNDS = 3


@dataclass(frozen=True)
class Sampling:
    """How noise becomes clean latents.

    Arguments:
        denoiser: Predicts the noise in a latent at a timestep; prompts, guidance and whatever else steers are inside it.
        schedule: The noise schedule.
        sampler: One of ``SAMPLERS``.
        steps: Calls of the denoiser.
        on_step: Told (steps done, steps of all).
    """

    denoiser: Denoiser
    schedule: NoiseSchedule
    sampler: str
    steps: int
    on_step: OnStep = None

    def run(
        self,
        latent: Tensor,
        noise: NoiseSource | None = None,
        start: int | None = None,
        constrain: Constraint | None = None,
    ) -> Tensor:
        """Clean latents (B, C, H, W) from noise, or from latents noised to timestep ``start``.

        Arguments:
            latent: (B, C, H, W).
            noise: Fresh noise of each step, for samplers that add some.
            start: None: the last timestep, where a latent is nothing but noise.
            constrain: Changes the latent before each step and at the end.
        """
        sampler = SAMPLERS[self.sampler]
        return sampler(
            self.denoiser,
            latent,
            self.schedule,
            self.steps,
            start=start,
            noise=noise,
            constrain=constrain,
            on_step=self.on_step,
        )


def generate(sampling: Sampling, generators: Sequence[torch.Generator], shape: tuple[int, ...]) -> Tensor:
    """New latents of a shape (C, H, W), one for each generator."""
    noise = kick_noise(generators, shape)
    return sampling.run(noise(0), noise)


def vary(sampling: Sampling, generators: Sequence[torch.Generator], source: Tensor, strength: float) -> Tensor:
    """The source (B, C, H, W) noised to ``strength`` and denoised: 0 returns it, 1 keeps nothing of it."""
    start = start_timestep(strength, sampling.schedule.num_timesteps)
    if start == -1:
        return source
    noise = kick_noise(generators, tuple(source.shape[1:]))
    return sampling.run(noised(sampling, source, noise(0), strength), noise, start)


def inpaint(
    sampling: Sampling, generators: Sequence[torch.Generator], source: Tensor, strength: float, columns: range
) -> Tensor:
    """The source (B, C, H, W) with ``columns`` made anew from ``strength`` and the others kept."""
    start = start_timestep(strength, sampling.schedule.num_timesteps)
    if start == -1:
        return source
    noise = kick_noise(generators, tuple(source.shape[1:]))
    first = noise(0)
    mask = torch.ones(1, 1, 1, source.shape[-1])
    mask[..., columns] = 0.0
    keep = Inpaint(source, mask, lambda index: first, sampling.schedule)
    return sampling.run(noised(sampling, source, first, strength), noise, start, keep)


def noised(sampling: Sampling, source: Tensor, noise: Tensor, strength: float) -> Tensor:
    """The source with noise of a strength above 0; at 1 nothing but noise, of which the last timestep falls short."""
    start = start_timestep(strength, sampling.schedule.num_timesteps)
    return noise if strength == 1 else sampling.schedule.noise_to(source, noise, start)


def interpolate(sampling: Sampling, first: Tensor, second: Tensor, positions: Sequence[float], path: str) -> Tensor:
    """Latents between two latents (C, H, W), one for each position from 0 to 1; the ends are the two themselves.

    The path "latent" is the straight line. "spherical" follows the arc between the noises that lead to the two: noises found
    by inversion, so what they lead to differs a little from the two; that difference, mixed by position, is added back.
    """
    ends = torch.stack([first, second])
    weight = torch.tensor(positions, dtype=torch.float32)[:, None, None, None]
    if path == "latent":
        between = first + weight * (second - first)
    else:
        noise = invert(sampling, ends)
        # one by one: a kick is the same alone and in a batch
        arc = torch.cat([slerp(noise[:1], noise[1:], position) for position in positions])
        made = sampling.run(torch.cat([noise, arc]))
        missing = ends - made[:2]
        between = made[2:] + missing[0] + weight * (missing[1] - missing[0])
    return torch.where(weight == 0, first, torch.where(weight == 1, second, between))


def invert(sampling: Sampling, latent: Tensor) -> Tensor:
    """The noise from which DDIM makes the clean latents (B, C, H, W).

    The step of Song et al. 2021, equation 12, solved for x_t. The noise it needs is predicted at x_t itself, so it is found
    by fixed-point iteration (Pan et al. 2023, "Effective real image editing with accelerated iterative diffusion
    inversion").
    """
    schedule = sampling.schedule
    for s, t in pairwise([-1, *uniform_timesteps(schedule, sampling.steps)[::-1]]):
        timestep = torch.full((len(latent),), t, dtype=torch.long)
        scale = schedule.alpha(t) / schedule.alpha(s)
        higher = latent
        for _ in range(INVERSION_ROUNDS):
            noise = sampling.denoiser(higher, timestep)
            higher = scale * (latent - schedule.sigma(s) * noise) + schedule.sigma(t) * noise
        latent = higher
    return latent
