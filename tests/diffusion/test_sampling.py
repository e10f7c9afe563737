from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
from torch import Tensor

from diffusion.gaussian import Gaussian
from kickpipe.diffusion.sampling import (
    SAMPLERS,
    ddim,
    ddpm,
    dpm_solver,
    kick_noise,
    log_snr_timesteps,
    uniform_timesteps,
)
from kickpipe.diffusion.schedule import NoiseSchedule

SCHEDULE = NoiseSchedule()
BETAS = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}
SHAPE = (4, 8, 11)


def denoiser(latent: Tensor, timestep: Tensor) -> Tensor:
    """Something that is not linear, depends on the timestep and could be a network."""
    return torch.tanh(latent.roll(1, dims=1) + 0.3 * latent + torch.sin(timestep.float() / 90)[:, None, None, None])


def noises(batch: int, seed: int = 0):
    return kick_noise([torch.Generator().manual_seed(1000 * seed + i) for i in range(batch)], SHAPE)


def start_noise(batch: int) -> Tensor:
    return noises(batch, seed=7)(0)


@pytest.mark.parametrize("timesteps", [uniform_timesteps, log_snr_timesteps])
@pytest.mark.parametrize("num_steps", [1, 2, 3, 8, 16, 50, 997, 1000])
@pytest.mark.parametrize("start", [None, 0, 1, 499])
def test_timesteps_fall_from_the_start_and_none_comes_twice(timesteps, num_steps, start):
    steps = timesteps(SCHEDULE, num_steps, start)
    first = 999 if start is None else start
    assert steps[0] == first
    assert len(steps) == min(num_steps, first + 1)
    assert all(a > b for a, b in pairwise(steps))
    assert steps[-1] >= 0


@pytest.mark.parametrize("timesteps", [uniform_timesteps, log_snr_timesteps])
def test_a_thousand_steps_visit_every_timestep(timesteps):
    assert timesteps(SCHEDULE, 1000) == list(range(999, -1, -1))


def test_uniform_timesteps_are_evenly_spaced_down_to_the_clean_latent():
    assert uniform_timesteps(SCHEDULE, 4) == [999, 749, 499, 249]
    gaps = {a - b for a, b in pairwise([*uniform_timesteps(SCHEDULE, 16), -1])}
    assert gaps <= {62, 63}


def test_log_snr_timesteps_are_evenly_spaced_in_the_log_ratio_and_end_at_zero():
    steps = log_snr_timesteps(SCHEDULE, 6)
    assert steps[-1] == 0
    gaps = [SCHEDULE.log_snr(b) - SCHEDULE.log_snr(a) for a, b in pairwise(steps)]
    assert max(gaps) / min(gaps) < 1.1


@pytest.mark.parametrize("num_steps", [-1, 0, 1001])
@pytest.mark.parametrize("name", SAMPLERS)
def test_impossible_numbers_of_steps_are_refused(name, num_steps):
    with pytest.raises(ValueError, match=f"the number of steps must be 1 to 1000, got {num_steps}"):
        SAMPLERS[name](denoiser, start_noise(1), SCHEDULE, num_steps, noise=noises(1))


@pytest.mark.parametrize("timesteps", [uniform_timesteps, log_snr_timesteps])
@pytest.mark.parametrize("start", [-1, 1000])
def test_impossible_starts_are_refused(timesteps, start):
    with pytest.raises(ValueError, match=f"the first timestep must be 0 to 999, got {start}"):
        timesteps(SCHEDULE, 10, start)


@pytest.mark.parametrize(("num_steps", "start"), [(50, None), (8, None), (20, 600)])
def test_ddim_equals_diffusers(num_steps, start):
    x = start_noise(3)
    ours = ddim(denoiser, x, SCHEDULE, num_steps, start=start)

    steps = uniform_timesteps(SCHEDULE, num_steps, start)
    scheduler = DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=True)
    for t, s in pairwise([*steps, -1]):
        scheduler.num_inference_steps = 1  # it steps from t to t - num_train_timesteps / num_inference_steps
        scheduler.config.num_train_timesteps = t - s
        x = scheduler.step(denoiser(x, torch.full((3,), t)), t, x).prev_sample
    assert (ours - x).abs().max() < 1e-5 * x.abs().max()


@pytest.mark.parametrize(("num_steps", "start"), [(16, None), (8, None), (5, 400)])
def test_dpm_solver_equals_diffusers(num_steps, start):
    x = start_noise(3)
    ours = dpm_solver(denoiser, x, SCHEDULE, num_steps, start=start)

    scheduler = DPMSolverMultistepScheduler(
        **BETAS, algorithm_type="dpmsolver++", solver_order=2, solver_type="midpoint", final_sigmas_type="zero"
    )
    scheduler.set_timesteps(timesteps=log_snr_timesteps(SCHEDULE, num_steps, start))
    for t in scheduler.timesteps.tolist():
        x = scheduler.step(denoiser(x, torch.full((3,), t)), t, x).prev_sample
    assert (ours - x).abs().max() < 1e-5 * x.abs().max()


@pytest.mark.parametrize("num_steps", [1000, 50])
def test_a_step_of_ddpm_equals_diffusers(num_steps, monkeypatch):
    steps = uniform_timesteps(SCHEDULE, num_steps)
    scheduler = DDPMScheduler(**BETAS, clip_sample=False, variance_type="fixed_small")
    scheduler.set_timesteps(timesteps=steps)
    visited = []

    def observe(latent, timestep):
        visited.append(latent)
        return denoiser(latent, timestep)

    source, given = noises(2), []
    ours = ddpm(observe, start_noise(2), SCHEDULE, num_steps, noise=lambda i: given.append(source(i)) or given[-1])
    visited.append(ours)
    assert len(given) == num_steps - 1  # the last step adds none

    for i in [*range(0, num_steps, num_steps // 25), num_steps - 1]:
        fresh = given[i] if i < num_steps - 1 else torch.zeros(2, *SHAPE)
        monkeypatch.setattr("diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *_, fresh=fresh, **__: fresh)
        x = visited[i]
        theirs = scheduler.step(denoiser(x, torch.full((2,), steps[i])), steps[i], x).prev_sample
        assert (visited[i + 1] - theirs).abs().max() < 1e-5 * max(1, theirs.abs().max())


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.5, 0.3), (-0.5, 2.0)])
@pytest.mark.parametrize(
    ("name", "num_steps", "tolerance"),
    [
        ("ddpm", 1000, 0.02),
        ("ddim", 1000, 0.03),
        ("dpm-solver++", 1000, 0.02),
        ("dpm-solver++", 50, 0.02),
        ("dpm-solver++", 16, 0.05),
    ],
)
def test_a_gaussian_is_sampled_with_its_mean_and_variance(name, num_steps, tolerance, mean, std):
    data = Gaussian(mean, std, SCHEDULE)
    x = start_noise(64)  # 22,528 values: the mean is known to 0.7%, the standard deviation to 0.5%
    samples = SAMPLERS[name](data.denoiser, x, SCHEDULE, num_steps, noise=noises(64))
    assert samples.mean().item() == pytest.approx(mean, abs=tolerance * max(1, std))
    assert samples.std().item() == pytest.approx(std, rel=tolerance)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("num_steps", [1, 2, 7, 300])
def test_data_of_a_single_point_is_found_in_any_number_of_steps(name, num_steps):
    data = Gaussian(0.7, 0.0, SCHEDULE)
    sample = SAMPLERS[name](data.denoiser, start_noise(2), SCHEDULE, num_steps, noise=noises(2))
    assert torch.allclose(sample, torch.full_like(sample, 0.7), atol=1e-4)


def test_the_flow_is_followed_with_second_order():
    data = Gaussian(1.0, 0.5, SCHEDULE)
    x = start_noise(8)
    errors = {}
    for name in ("ddim", "dpm-solver++"):
        for num_steps in (20, 40):
            sample = SAMPLERS[name](data.denoiser, x, SCHEDULE, num_steps)
            errors[name, num_steps] = (sample - data.flow(x, 999)).abs().mean().item()
    assert errors["dpm-solver++", 40] < 0.3 * errors["dpm-solver++", 20]  # a quarter, for the second order
    assert 0.4 < errors["ddim", 40] / errors["ddim", 20] < 0.6  # a half, for the first
    assert errors["dpm-solver++", 20] < 0.15 * errors["ddim", 20]


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_latent_noised_to_its_start_is_denoised_from_there(name):
    data = Gaussian(1.0, 0.5, SCHEDULE)
    clean = 1.0 + 0.5 * start_noise(64)
    noised = SCHEDULE.noise_to(clean, noises(64, seed=3)(0), 300)
    sample = SAMPLERS[name](data.denoiser, noised, SCHEDULE, 100, start=300, noise=noises(64))
    assert sample.mean().item() == pytest.approx(1.0, abs=0.02)
    assert sample.std().item() == pytest.approx(0.5, rel=0.05)
    correlation = torch.corrcoef(torch.stack([sample.flatten(), clean.flatten()]))[0, 1]
    # ddpm draws from the posterior of the clean latent, the others follow the flow from the noised one
    kept = (SCHEDULE.alpha(300) * 0.5 / data.spread(300)) ** 2
    assert correlation.item() == pytest.approx(kept if name == "ddpm" else kept**0.5, abs=0.03)


@pytest.mark.parametrize("name", SAMPLERS)
def test_starting_at_the_lowest_timestep_hardly_changes_a_latent(name):
    clean = start_noise(2)
    noised = SCHEDULE.noise_to(clean, noises(2, seed=3)(0), 0)
    sample = SAMPLERS[name](Gaussian(0, 1, SCHEDULE).denoiser, noised, SCHEDULE, 16, start=0, noise=noises(2))
    assert (sample - clean).abs().max() < 0.06  # sigma is 0.01 there


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_kick_is_the_same_alone_and_in_a_batch(name):
    together = SAMPLERS[name](denoiser, start_noise(4), SCHEDULE, 30, noise=noises(4))
    third = kick_noise([torch.Generator().manual_seed(2)], SHAPE)
    alone = SAMPLERS[name](denoiser, start_noise(4)[2:3], SCHEDULE, 30, noise=third)
    assert torch.allclose(together[2], alone[0], atol=1e-6)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_call_gives_the_same_bits_and_leaves_its_input_alone(name):
    x = start_noise(2)
    kept = x.clone()
    first = SAMPLERS[name](denoiser, x, SCHEDULE, 20, noise=noises(2))
    assert torch.equal(first, SAMPLERS[name](denoiser, x, SCHEDULE, 20, noise=noises(2)))
    assert torch.equal(x, kept)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_denoiser_is_called_once_a_step_and_progress_is_told(name):
    calls, progress = [], []

    def count(latent, timestep):
        calls.append(int(timestep[0]))
        return denoiser(latent, timestep)

    SAMPLERS[name](count, start_noise(1), SCHEDULE, 12, noise=noises(1), on_step=lambda *step: progress.append(step))
    assert len(calls) == 12
    assert calls[0] == 999
    assert progress == [(i, 12) for i in range(1, 13)]


def test_a_sampler_that_adds_noise_asks_for_its_source():
    with pytest.raises(ValueError, match="ddpm adds noise at every step"):
        ddpm(denoiser, start_noise(1), SCHEDULE, 10)


def test_a_short_schedule_works_too():
    short = NoiseSchedule(3, 0.1, 0.9)
    data = Gaussian(0.7, 0.0, short)
    for sampler in SAMPLERS.values():
        sample = sampler(data.denoiser, start_noise(1), short, 3, noise=noises(1))
        assert torch.allclose(sample, torch.full_like(sample, 0.7), atol=1e-5)
