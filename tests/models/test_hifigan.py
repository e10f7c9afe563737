import copy

import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from kickpipe.models.hifigan import Generator, ResBlock1
from models.checks import assert_every_parameter_learns, assert_items_do_not_mix, assert_same_after_saving


def tiny() -> Generator:
    return Generator(
        n_mels=6,
        channels=8,
        upsample_rates=(4, 2),
        upsample_kernels=(8, 4),
        resblock_kernels=(3, 5),
        resblock_dilations=((1, 3), (1, 2)),
    )


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_every_frame_becomes_a_hop_of_samples(frames):
    waveform = tiny()(torch.randn(3, 6, frames))
    assert waveform.shape == (3, 1, 8 * frames)


def test_samples_lie_between_minus_one_and_one():
    loud = tiny()(1e4 * torch.randn(2, 6, 5)).abs().max()
    assert 0.99 < loud <= 1


def test_every_parameter_learns():
    assert_every_parameter_learns(tiny(), torch.randn(2, 6, 5))


def test_a_saved_network_is_the_same_network():
    assert_same_after_saving(tiny(), tiny(), torch.randn(2, 6, 5))


def test_items_of_a_batch_do_not_mix():
    assert_items_do_not_mix(tiny(), torch.randn(3, 6, 4))


def test_folding_the_weight_norm_keeps_the_output():
    generator, mel = tiny(), torch.randn(2, 6, 5)
    folded = copy.deepcopy(generator)
    folded.remove_weight_norm()
    assert torch.allclose(folded(mel), generator(mel), atol=1e-6)
    assert any(is_parametrized(module) for module in generator.modules())
    assert not any(is_parametrized(module) for module in folded.modules())


def test_folding_twice_does_nothing_more():
    generator, mel = tiny(), torch.randn(1, 6, 3)
    generator.remove_weight_norm()
    once = generator(mel)
    generator.remove_weight_norm()
    assert torch.equal(generator(mel), once)


def test_every_convolution_is_weight_normalised():
    convolutions = [m for m in tiny().modules() if isinstance(m, (torch.nn.Conv1d, torch.nn.ConvTranspose1d))]
    assert len(convolutions) == 1 + 2 + 2 * 2 * 2 * 2 + 1
    assert all(is_parametrized(conv, "weight") for conv in convolutions)


def test_a_residual_block_with_silent_branches_is_the_identity():
    block = ResBlock1(4, 3, (1, 3))
    for conv in block.plain:
        torch.nn.init.zeros_(conv.parametrizations.weight.original0)
        torch.nn.init.zeros_(conv.bias)
    x = torch.randn(1, 4, 1, 9)
    assert torch.equal(block(x), x)


def test_the_reach_of_a_sample_is_bounded_so_that_crops_can_stand_alone():
    generator = tiny()
    generator.remove_weight_norm()
    mel = torch.randn(1, 6, 80)
    changed = mel.clone()
    changed[:, :, 40] += 1
    difference = (generator(mel) - generator(changed)).abs()[0, 0]
    reached = difference.nonzero().flatten() // 8
    assert reached.min() > 40 - 20
    assert reached.max() < 40 + 20


def test_channels_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="channels 100 cannot be halved 5 times"):
        Generator(channels=100)


def test_kernels_that_do_not_fit_their_rates_are_refused():
    with pytest.raises(ValueError, match="upsample_kernels: 3 must exceed its rate 2 by an even number"):
        Generator(upsample_kernels=(16, 16, 4, 4, 3))
