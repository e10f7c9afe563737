import math

import pytest
import torch
from diffusers import DDPMScheduler

from kickpipe.diffusion.schedule import NoiseSchedule, start_timestep


def test_the_schedule_equals_that_of_diffusers():
    ours = NoiseSchedule(1000, 1e-4, 0.02)
    theirs = DDPMScheduler(1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
    assert torch.allclose(ours.betas, theirs.betas, rtol=0, atol=1e-7)
    assert torch.allclose(ours.alphas, theirs.alphas, rtol=0, atol=1e-6)
    assert torch.allclose(ours.alpha_bar, theirs.alphas_cumprod, rtol=1e-4, atol=1e-6)


def test_noised_latents_equal_those_of_diffusers():
    ours = NoiseSchedule(1000, 1e-4, 0.02)
    theirs = DDPMScheduler(1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
    x0, noise = torch.randn(2, 5, 4, 8, 11)
    timestep = torch.tensor([0, 1, 250, 600, 999])
    assert torch.allclose(ours.add_noise(x0, noise, timestep), theirs.add_noise(x0, noise, timestep), atol=1e-5)


def test_betas_are_linear_and_alpha_bar_is_their_product():
    schedule = NoiseSchedule(3, 0.1, 0.3)
    assert schedule.betas.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert schedule.alpha_bar.tolist() == pytest.approx([0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7])
    assert schedule.betas.dtype == schedule.alphas.dtype == schedule.alpha_bar.dtype == torch.float32


def test_signal_and_noise_always_have_unit_power_together():
    schedule = NoiseSchedule()
    for timestep in (-1, 0, 1, 500, 999):
        assert schedule.alpha(timestep) ** 2 + schedule.sigma(timestep) ** 2 == pytest.approx(1)


def test_timestep_minus_one_is_the_clean_latent():
    schedule = NoiseSchedule()
    x0, noise = torch.randn(2, 3, 4, 8, 11)
    assert schedule.alpha(-1) == 1
    assert schedule.sigma(-1) == 0
    assert schedule.log_snr(-1) == math.inf
    assert schedule.noise_to(x0, noise, -1) is x0


def test_noising_to_one_timestep_equals_noising_each_item_to_it():
    schedule = NoiseSchedule()
    x0, noise = torch.randn(2, 3, 4, 8, 11)
    expected = schedule.add_noise(x0, noise, torch.full((3,), 321))
    assert torch.allclose(schedule.noise_to(x0, noise, 321), expected, atol=1e-6)


def test_the_signal_to_noise_ratio_falls_with_every_timestep():
    schedule = NoiseSchedule()
    ratios = [schedule.log_snr(timestep) for timestep in range(-1, 1000)]
    assert ratios == sorted(ratios, reverse=True)
    assert len(set(ratios)) == len(ratios)


def test_almost_nothing_of_the_latent_is_left_at_the_last_timestep():
    assert NoiseSchedule().alpha(999) < 0.01


def test_strength_zero_starts_nowhere_and_strength_one_at_the_last_timestep():
    assert start_timestep(0, 1000) == -1
    assert start_timestep(1, 1000) == 999
    assert start_timestep(0.5, 1000) == 499
    assert start_timestep(1e-9, 1000) == 0


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan, math.inf])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ValueError, match="strength must be between 0 and 1"):
        start_timestep(strength, 1000)


@pytest.mark.parametrize(
    "arguments", [(0, 1e-4, 0.02), (10, 0.0, 0.02), (10, 0.02, 1e-4), (10, 1e-4, 1.0), (10, math.nan, 0.1)]
)
def test_impossible_betas_are_refused(arguments):
    with pytest.raises(ValueError, match="a noise schedule needs"):
        NoiseSchedule(*arguments)
