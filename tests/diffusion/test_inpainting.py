import pytest
import torch

from diffusion.gaussian import Gaussian
from kickpipe.diffusion.inpainting import Inpaint
from kickpipe.diffusion.sampling import SAMPLERS, kick_noise
from kickpipe.diffusion.schedule import NoiseSchedule

SCHEDULE = NoiseSchedule()
SHAPE = (4, 8, 11)


def noises(batch: int, seed: int = 0):
    return kick_noise([torch.Generator().manual_seed(100 * seed + i) for i in range(batch)], SHAPE)


def columns(number: int) -> torch.Tensor:
    """A mask that keeps the first columns."""
    return (torch.arange(11) < number).float()[None, None, None]


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("num_steps", [1, 12])
def test_the_kept_part_comes_back_exactly_and_the_rest_is_generated(name, num_steps):
    known, mask = 5 + noises(2, 3)(0), columns(4)
    keep = Inpaint(known, mask, noises(2, 2), SCHEDULE)
    data = Gaussian(0.7, 0.0, SCHEDULE)
    sample = SAMPLERS[name](data.denoiser, noises(2, 1)(0), SCHEDULE, num_steps, noise=noises(2), constrain=keep)
    assert torch.equal(sample[..., :4], known[..., :4])
    assert torch.allclose(sample[..., 4:], torch.full((2, 4, 8, 7), 0.7), atol=1e-4)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_denoiser_sees_the_kept_part_at_the_noise_of_the_moment(name):
    known = torch.full((8, *SHAPE), 2.0)
    keep = Inpaint(known, columns(11), noises(8, 2), SCHEDULE)
    seen = []

    def observe(latent, timestep):
        seen.append((int(timestep[0]), latent))
        return torch.zeros_like(latent)

    SAMPLERS[name](observe, noises(8, 1)(0), SCHEDULE, 10, noise=noises(8), constrain=keep)
    for t, latent in seen:
        assert latent.mean().item() == pytest.approx(2 * SCHEDULE.alpha(t), abs=0.08)
        assert latent.std().item() == pytest.approx(SCHEDULE.sigma(t), rel=0.06)


@pytest.mark.parametrize("name", SAMPLERS)
def test_keeping_nothing_changes_nothing(name):
    data = Gaussian(1.0, 0.5, SCHEDULE)
    x = noises(2, 1)(0)
    keep = Inpaint(torch.zeros(2, *SHAPE), columns(0), noises(2, 2), SCHEDULE)
    free = SAMPLERS[name](data.denoiser, x, SCHEDULE, 20, noise=noises(2))
    assert torch.equal(SAMPLERS[name](data.denoiser, x, SCHEDULE, 20, noise=noises(2), constrain=keep), free)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_generated_part_fits_the_kept_one(name):
    # data in which all values of a latent are the same number: what is kept must spread to what is generated
    def denoiser(latent, timestep):
        t = int(timestep[0])
        alpha, sigma, count = SCHEDULE.alpha(t), SCHEDULE.sigma(t), latent[0].numel()
        mean = latent.mean(dim=(1, 2, 3), keepdim=True)
        x0 = alpha * count * mean / (alpha**2 * count + sigma**2)  # posterior mean for a N(0, 1) number
        return (latent - alpha * x0) / sigma

    known = torch.stack([torch.full(SHAPE, 1.5), torch.full(SHAPE, -0.5)])
    keep = Inpaint(known, columns(6), noises(2, 2), SCHEDULE)
    sample = SAMPLERS[name](denoiser, noises(2, 1)(0), SCHEDULE, 200, noise=noises(2), constrain=keep)
    for generated, value in zip(sample[..., 6:], (1.5, -0.5), strict=True):
        assert generated.mean().item() == pytest.approx(value, abs=0.25)


def test_a_soft_mask_mixes():
    keep = Inpaint(torch.ones(1, *SHAPE), torch.tensor(0.25), noises(1), SCHEDULE)
    assert torch.allclose(keep(torch.full((1, *SHAPE), 5.0), -1, 0), torch.full((1, *SHAPE), 4.0))


def test_no_noise_is_drawn_for_the_clean_latent():
    def unwanted(index):
        raise AssertionError("the clean latent needs no noise")

    keep = Inpaint(torch.ones(1, *SHAPE), columns(11), unwanted, SCHEDULE)
    assert torch.equal(keep(torch.zeros(1, *SHAPE), -1, 9), torch.ones(1, *SHAPE))
