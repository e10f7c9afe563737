import pytest
import torch

from kickpipe.models.texture import BANDS_CORRELATION, FRAMES_CORRELATION, LOG_DEVIATION_MIN, Texture, colouring
from models.checks import (
    assert_every_parameter_learns,
    assert_items_do_not_mix,
    assert_same_after_saving,
    randomise,
)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(2, 1, 128, 173), (1, 1, 16, 51), (1, 1, 7, 1)])
def test_a_mel_keeps_its_shape_however_many_bands_and_frames_it_has(shape):
    assert Texture((4, 6, 8))(normal(*shape), normal(*shape, seed=1)).shape == shape


def test_every_parameter_learns():
    shape = (2, 1, 16, 12)
    model = randomise(Texture((4, 8)))
    assert_every_parameter_learns(model, normal(*shape), normal(*shape, seed=1))


def test_saved_weights_give_the_same_output():
    shape = (2, 1, 16, 12)
    assert_same_after_saving(randomise(Texture((4, 8))), Texture((4, 8)), normal(*shape), normal(*shape, seed=1))


def test_a_kick_is_the_same_in_a_batch():
    shape = (3, 1, 16, 21)
    assert_items_do_not_mix(randomise(Texture((4, 8))), normal(*shape), normal(*shape, seed=1))


def test_what_follows_far_behind_does_not_change_what_came_before():
    mel, noise = normal(1, 1, 16, 80), normal(1, 1, 16, 80, seed=1)
    model = randomise(Texture((4, 8))).eval()
    with torch.no_grad():
        whole, part = model(mel, noise), model(mel[..., :60], noise[..., :60])
    assert torch.allclose(whole[..., :30], part[..., :30], atol=1e-5)


def test_without_noise_only_the_shift_is_added_and_more_noise_is_added_in_proportion():
    mel, noise = normal(1, 1, 16, 20), normal(1, 1, 16, 20, seed=1)
    model = randomise(Texture((4, 8))).eval()
    with torch.no_grad():
        mean, once, twice = (model(mel, factor * noise) for factor in (0, 1, 2))
        shift, log_deviation = model.predict(mel)
    assert torch.equal(mean, mel + shift)
    assert torch.allclose(twice - mean, 2 * (once - mean), atol=1e-4)
    assert log_deviation.min() >= LOG_DEVIATION_MIN


def test_the_noise_is_correlated_as_the_differences_were_measured_to_be():
    coloured = Texture((4,)).colour(normal(64, 1, 64, 64))[..., 4:-4, 4:-4]
    assert coloured.var().item() == pytest.approx(1, abs=0.02)
    for dim, wanted in ((3, FRAMES_CORRELATION), (2, BANDS_CORRELATION)):
        for lag, value in enumerate(wanted, start=1):
            size = coloured.shape[dim] - lag
            found = (coloured.narrow(dim, 0, size) * coloured.narrow(dim, lag, size)).mean().item()
            assert found == pytest.approx(value, abs=0.03)


def test_a_correlation_of_nothing_is_no_filter():
    assert torch.allclose(colouring(()), torch.tensor([0.0, 0, 0, 1, 0, 0, 0]), atol=1e-6)


@pytest.mark.parametrize(
    "mel, noise", [((1, 1, 8), (1, 1, 8)), ((1, 2, 8, 8), (1, 2, 8, 8)), ((1, 1, 8, 8), (1, 1, 8, 9))]
)
def test_shapes_that_do_not_fit_are_named(mel, noise):
    with pytest.raises(ValueError, match="shape"):
        Texture((4,))(torch.zeros(mel), torch.zeros(noise))


def test_channels_that_make_no_network_are_refused():
    for channels in ((), (4, 0)):
        with pytest.raises(ValueError, match="channels"):
            Texture(channels)
