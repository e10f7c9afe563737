import pytest
import torch

from kickpipe.models.layers import zero_init
from kickpipe.models.text import PAD
from kickpipe.models.unet import KeywordUNet, LatentUNet
from models.checks import (
    assert_every_parameter_learns,
    assert_items_do_not_mix,
    assert_same_after_saving,
    randomise,
)


def tiny(**arguments) -> KeywordUNet:
    defaults = {"vocab_size": 3, "latent_channels": 2, "channels": (4, 6, 8), "time_dim": 4, "cond_dim": 10}
    return KeywordUNet(**defaults | {"embedding_dim": 5, "num_heads": 2} | arguments)


def inputs(batch: int = 2, size: tuple[int, int] = (8, 11)) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(batch, 2, *size, generator=generator)
    ids = torch.tensor([[0, 1], [2, PAD], [PAD, PAD]])[:batch]
    return latent, torch.tensor([999, 3, 500])[:batch], ids


@pytest.mark.parametrize("size", [(8, 11), (4, 6), (5, 3), (1, 1), (7, 22)])
def test_the_noise_has_the_shape_of_the_latent_whatever_its_size(size):
    latent, timestep, ids = inputs(size=size)
    assert tiny()(latent, timestep, ids).shape == latent.shape


@pytest.mark.parametrize("channels", [(6,), (4, 6), (2, 3, 4, 6)])
def test_any_number_of_resolutions_works(channels):
    latent, timestep, ids = inputs()
    assert tiny(channels=channels)(latent, timestep, ids).shape == latent.shape


def test_an_untrained_network_predicts_the_mean_of_the_noise():
    assert not tiny()(*inputs()).any()


def test_every_parameter_learns():
    assert_every_parameter_learns(randomise(tiny()), *inputs(3))


def test_every_parameter_learns_from_the_second_step_on_although_outputs_start_at_zero():
    model = tiny()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(4):
        optimizer.zero_grad()
        (model(*inputs(3)) - 1).square().mean().backward()
        optimizer.step()
    assert all(parameter.grad.any() for parameter in model.parameters())


def test_a_saved_network_is_the_same_network():
    assert_same_after_saving(randomise(tiny()), tiny(), *inputs())


def test_items_of_a_batch_do_not_mix():
    assert_items_do_not_mix(randomise(tiny()), *inputs(3))


def test_the_prediction_depends_on_timestep_and_on_keywords():
    model = randomise(tiny())
    latent, timestep, ids = inputs()
    noise = model(latent, timestep, ids)
    assert not torch.allclose(noise, model(latent, timestep - 1, ids), atol=1e-3)
    assert not torch.allclose(noise, model(latent, timestep, torch.full_like(ids, PAD)), atol=1e-3)


def test_the_text_vector_may_be_computed_once_for_all_steps():
    model = randomise(tiny())
    latent, timestep, ids = inputs()
    weights = torch.tensor([[0.5, 2.0], [1.0, 0.0]])
    cond = model.text(ids, weights)
    assert torch.equal(model.unet(latent, timestep, cond), model(latent, timestep, ids, weights))


def test_timestep_and_text_are_added():
    unet = randomise(LatentUNet(2, (4, 6), time_dim=4, cond_dim=10, num_heads=2))
    latent, timestep, _ = inputs()
    cond = torch.randn(2, 10)
    other = timestep - 2
    moved = cond + unet.time(timestep) - unet.time(other)
    assert torch.allclose(unet(latent, timestep, cond), unet(latent, other, moved), rtol=1e-3, atol=1e-3)


def test_the_skip_connections_carry_the_latent_past_the_lower_resolutions():
    model = randomise(tiny())
    latent, timestep, ids = inputs()
    zero_init(model.unet.up_stages[-1].upsample)  # nothing comes up from below
    assert not torch.allclose(model(latent, timestep, ids), model(2 * latent, timestep, ids), atol=1e-3)


def test_a_network_without_keywords_still_generates():
    model = tiny(vocab_size=0)
    latent, timestep, _ = inputs()
    assert model(latent, timestep, torch.full((2, 1), PAD)).shape == latent.shape
