import math

import pytest
import torch

from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.text import PAD
from kickpipe.training.diffusion_objective import DiffusionObjective

SCHEDULE = NoiseSchedule(100, 1e-4, 0.02)


def test_the_loss_is_the_squared_error_of_the_predicted_noise():
    seen = {}

    def model(noised, timestep, ids):
        seen.update(noised=noised, timestep=timestep, ids=ids)
        return torch.full_like(noised, 2.0)

    latent, noise = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    timestep, ids = torch.tensor([0, 50, 99]), torch.tensor([[0], [1], [PAD]])
    loss = DiffusionObjective(SCHEDULE, 0.15)(model, latent, ids, timestep, noise)
    assert loss.item() == pytest.approx((noise - 2).square().mean().item())
    assert torch.equal(seen["noised"], SCHEDULE.add_noise(latent, noise, timestep))
    assert torch.equal(seen["timestep"], timestep)
    assert torch.equal(seen["ids"], ids)


def test_a_model_that_predicts_the_noise_has_no_loss():
    noise = torch.randn(2, 2, 4, 4)
    arguments = (torch.zeros(2, 2, 4, 4), torch.zeros(2, 0, dtype=torch.long), torch.tensor([1, 2]), noise)
    assert DiffusionObjective(SCHEDULE, 0.0)(lambda *_: noise, *arguments).item() == 0


def test_each_example_loses_all_its_keywords_or_none():
    torch.manual_seed(0)
    ids = torch.tensor([[0, 1, 2]]).expand(20_000, 3)
    dropped = DiffusionObjective(SCHEDULE, 0.15).drop_keywords(ids)
    lost = (dropped == PAD).all(dim=1)
    assert torch.equal(dropped[~lost], ids[~lost])
    share = lost.float().mean().item()
    assert abs(share - 0.15) < 5 * math.sqrt(0.15 * 0.85 / 20_000)


@pytest.mark.parametrize(("probability", "lost"), [(0.0, False), (1.0, True)])
def test_dropout_can_be_none_or_all(probability, lost):
    ids = torch.tensor([[0], [1]])
    assert (DiffusionObjective(SCHEDULE, probability).drop_keywords(ids) == PAD).all().item() is lost
    assert torch.equal(ids, torch.tensor([[0], [1]]))  # the input stays
