"""Noise, variation, inpainting and interpolation, with a denoiser that is known to be right.

For latents from a standard normal the best prediction of the noise in x_t is sigma_t x_t.
"""

import pytest
import torch

from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.generate.latents import Sampling, generate, inpaint, interpolate, invert, vary
from kickpipe.generate.noise import kick_generator, kick_generators

SHAPE = (4, 8, 11)
SCHEDULE = NoiseSchedule()
SAMPLERS = ["ddim", "dpm-solver++", "ddpm"]


def denoiser(latent: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    return (1 - SCHEDULE.alpha_bar[timestep]).sqrt()[:, None, None, None] * latent


def bent(latent: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """A denoiser that is not linear, as networks are not."""
    return denoiser(latent, timestep) + 0.1 * torch.sin(latent)


def sampling(denoiser, sampler: str, steps: int) -> Sampling:
    return Sampling(denoiser, SCHEDULE, sampler, steps)


def latents(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(seed))


def generators(count: int = 2) -> list[torch.Generator]:
    return kick_generators((3, i) for i in range(count))


def test_noise_of_a_kick_is_its_own():
    assert torch.equal(torch.randn(5, generator=kick_generator(1, 2)), torch.randn(5, generator=kick_generator(1, 2)))
    drawn = {tuple(torch.randn(3, generator=kick_generator(s, i)).tolist()) for s in range(5) for i in range(5)}
    assert len(drawn) == 25


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    generate(sampling(denoiser, "ddpm", 5), generators(), SHAPE)
    assert torch.equal(torch.randn(3), expected)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_kick_is_the_same_alone_and_in_a_batch(sampler):
    batch = generate(sampling(bent, sampler, 8), generators(3), SHAPE)
    alone = generate(sampling(bent, sampler, 8), [kick_generator(3, 2)], SHAPE)
    assert torch.allclose(batch[2:], alone, atol=1e-5)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_strength_zero_returns_the_source_and_one_forgets_it(sampler):
    source = latents(2)
    assert torch.equal(vary(sampling(bent, sampler, 8), generators(), source, 0.0), source)
    new = vary(sampling(bent, sampler, 8), generators(), source, 1.0)
    assert torch.equal(new, generate(sampling(bent, sampler, 8), generators(), SHAPE))


def test_more_strength_goes_further_from_the_source():
    source = latents(2)
    distances = [
        (vary(sampling(denoiser, "ddim", 20), generators(), source, strength) - source).abs().mean()
        for strength in (0.05, 0.3, 0.6, 1.0)
    ]
    assert distances == sorted(distances)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_inpainting_keeps_the_other_columns_exactly(sampler):
    source = latents(2)
    made = inpaint(sampling(bent, sampler, 10), generators(), source, 1.0, range(1, 11))
    assert torch.equal(made[..., :1], source[..., :1])
    assert (made[..., 1:] - source[..., 1:]).abs().mean() > 0.1


def test_inpainting_without_strength_returns_the_source():
    source = latents(2)
    assert torch.equal(inpaint(sampling(bent, "ddim", 10), generators(), source, 0.0, range(3)), source)


@pytest.mark.parametrize("sampler", ["ddim", "dpm-solver++"])
@pytest.mark.parametrize("path", ["spherical", "latent"])
def test_an_interpolation_ends_at_its_inputs(sampler, path):
    first, second = latents(2)
    made = interpolate(sampling(bent, sampler, 10), first, second, [0.0, 0.5, 1.0], path)
    assert torch.equal(made[0], first)
    assert torch.equal(made[2], second)


def test_a_spherical_path_is_continuous_at_its_ends_and_keeps_the_variance():
    first, second = latents(2, 1)
    made = interpolate(sampling(denoiser, "ddim", 50), first, second, [0.0, 0.01, 0.5, 0.99, 1.0], "spherical")
    assert (made[1] - made[0]).abs().max() < 0.15
    assert (made[3] - made[4]).abs().max() < 0.15
    assert made[2].std() == pytest.approx(1.0, abs=0.12)
    straight = interpolate(sampling(denoiser, "ddim", 50), first, second, [0.5], "latent")
    assert straight.std() < 0.85 * made[2].std()


def test_a_step_of_a_path_does_not_depend_on_the_others():
    first, second = latents(2)
    both = interpolate(sampling(bent, "ddim", 10), first, second, [0.25, 0.5], "spherical")
    alone = interpolate(sampling(bent, "ddim", 10), first, second, [0.5], "spherical")
    assert torch.allclose(both[1], alone[0], atol=1e-4)


def test_inversion_finds_the_noise_that_ddim_started_from():
    noise = latents(1)
    from kickpipe.diffusion.sampling import ddim

    latent = ddim(denoiser, noise, SCHEDULE, 50)
    assert torch.allclose(invert(sampling(denoiser, "ddim", 50), latent), noise, atol=0.05)
