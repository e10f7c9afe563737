import math

import pytest
import torch

from diffusion.gaussian import Gaussian
from kickpipe.diffusion.guidance import Guided
from kickpipe.diffusion.sampling import SAMPLERS, kick_noise
from kickpipe.diffusion.schedule import NoiseSchedule

LATENT = torch.randn(3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
TIMESTEP = torch.tensor([5, 5, 5])


class Recorder:
    """A denoiser that depends on all it is given and remembers the batches it saw."""

    def __init__(self):
        self.batches = []

    def __call__(self, latent, timestep, cond):
        self.batches.append(len(latent))
        assert len(latent) == len(timestep) == len(cond)
        return torch.tanh(latent) + timestep[:, None, None, None] + cond.sum(dim=1)[:, None, None, None]


def vectors(batch: int = 3):
    return torch.randn(batch, 6), torch.randn(batch, 6)


@pytest.mark.parametrize("guidance", [-1.0, 0.5, 2.0, 7.5])
def test_the_difference_of_both_predictions_is_scaled(guidance):
    denoiser, (cond, uncond) = Recorder(), vectors()
    noise = Guided(denoiser, cond, uncond, guidance)(LATENT, TIMESTEP)
    assert denoiser.batches == [6]  # both halves in one call
    with_prompt, without = denoiser(LATENT, TIMESTEP, cond), denoiser(LATENT, TIMESTEP, uncond)
    assert torch.allclose(noise, without + guidance * (with_prompt - without), atol=1e-5)


def test_guidance_one_is_the_conditional_model_at_half_the_cost():
    denoiser, (cond, uncond) = Recorder(), vectors()
    noise = Guided(denoiser, cond, uncond, 1.0)(LATENT, TIMESTEP)
    assert denoiser.batches == [3]
    assert torch.equal(noise, denoiser(LATENT, TIMESTEP, cond))


def test_guidance_zero_is_the_unconditional_model_at_half_the_cost():
    denoiser, (cond, uncond) = Recorder(), vectors()
    noise = Guided(denoiser, cond, uncond, 0.0)(LATENT, TIMESTEP)
    assert denoiser.batches == [3]
    assert torch.equal(noise, denoiser(LATENT, TIMESTEP, uncond))


@pytest.mark.parametrize("guidance", [0.0, 1.0, 3.0])
def test_one_vector_serves_a_whole_batch(guidance):
    cond, uncond = vectors(1)
    one = Guided(Recorder(), cond, uncond, guidance)(LATENT, TIMESTEP)
    each = Guided(Recorder(), cond.repeat(3, 1), uncond.repeat(3, 1), guidance)(LATENT, TIMESTEP)
    assert torch.equal(one, each)


@pytest.mark.parametrize("guidance", [0.0, 2.0, -1.0])
def test_between_a_prompt_and_itself_there_is_nothing_to_steer_towards(guidance):
    denoiser, (cond, _) = Recorder(), vectors()
    noise = Guided(denoiser, cond, cond.clone(), guidance)(LATENT, TIMESTEP)
    assert denoiser.batches == [3]
    assert torch.equal(noise, denoiser(LATENT, TIMESTEP, cond))


@pytest.mark.parametrize("guidance", [math.nan, math.inf, -math.inf])
def test_guidance_that_is_not_finite_is_refused(guidance):
    with pytest.raises(ValueError, match="guidance must be a finite number"):
        Guided(Recorder(), *vectors(), guidance)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize(("guidance", "mean"), [(0.0, -1.0), (1.0, 1.0), (2.0, 3.0)])
def test_guided_samplers_move_the_mean_along_the_prompt(name, guidance, mean):
    # two Gaussians of the same width: guidance moves the mean from one through the other, and keeps the width
    schedule = NoiseSchedule()
    prompts = {1.0: Gaussian(1.0, 0.5, schedule), -1.0: Gaussian(-1.0, 0.5, schedule)}

    def denoiser(latent, timestep, cond):
        items = zip(latent.split(1), timestep.split(1), cond[:, 0].tolist(), strict=True)
        return torch.cat([prompts[key].denoiser(x, t) for x, t, key in items])

    guided = Guided(denoiser, torch.tensor([[1.0]]), torch.tensor([[-1.0]]), guidance)
    generators = [torch.Generator().manual_seed(i) for i in range(2)]
    x = kick_noise(generators, (4, 40, 40))(0)
    sample = SAMPLERS[name](guided, x, schedule, 100, noise=kick_noise(generators, (4, 40, 40)))
    assert sample.mean().item() == pytest.approx(mean, abs=0.05)
    assert sample.std().item() == pytest.approx(0.5, rel=0.08)
