import math

import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from kickpipe.models.discriminators import (
    MultiPeriodDiscriminator,
    MultiScaleDiscriminator,
    PeriodDiscriminator,
    ScaleDiscriminator,
    pad_to_multiple,
)
from models.checks import assert_every_parameter_learns, assert_same_after_saving

KINDS = [MultiPeriodDiscriminator, MultiScaleDiscriminator]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 2, 100, 8192])
def test_each_part_gives_a_score_and_features_for_any_length(kind, length):
    judgements = kind(width=0.02)(torch.randn(2, 1, length))
    assert len(judgements) == len(kind(width=0.02).parts)
    for score, features in judgements:
        assert score.ndim == 2
        assert len(score) == 2
        assert score.isfinite().all()
        # the last feature is the score map itself; the batch stays the slowest dimension of all of them
        assert torch.equal(features[-1].reshape(2, -1), score)
        assert all(len(feature) % 2 == 0 for feature in features)


def test_periods_have_six_layers_and_scales_eight():
    assert [len(features) for _, features in MultiPeriodDiscriminator(width=0.02)(torch.randn(1, 1, 99))] == [6] * 5
    assert [len(features) for _, features in MultiScaleDiscriminator(width=0.02)(torch.randn(1, 1, 99))] == [8] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_learns(kind):
    assert_every_parameter_learns(kind(width=0.05), torch.randn(2, 1, 512))


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_network_is_the_same_network(kind):
    assert_same_after_saving(kind(width=0.02), kind(width=0.02), torch.randn(1, 1, 300))


@pytest.mark.parametrize("kind", KINDS)
def test_two_waveforms_in_one_batch_are_judged_as_alone(kind):
    model = kind(width=0.02).eval()
    waveforms = torch.randn(2, 1, 300)
    for i in range(2):
        for (score, _), (alone, _) in zip(model(waveforms), model(waveforms[i : i + 1]), strict=True):
            assert torch.allclose(score[i], alone[0], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_waveform_receives_a_gradient(kind):
    waveform = torch.randn(1, 1, 300, requires_grad=True)
    sum(score.sum() for score, _ in kind(width=0.02)(waveform)).backward()
    assert waveform.grad.isfinite().all()
    assert waveform.grad.any()


@pytest.mark.parametrize("period", [2, 3, 5, 7, 11])
def test_a_period_discriminator_equals_its_two_dimensional_form(period):
    part = PeriodDiscriminator(period, width=0.05)
    waveform = torch.randn(2, 1, 333)
    padded = torch.nn.functional.pad(waveform, (0, -333 % period), mode="reflect")
    x = padded.reshape(2, 1, -1, period)
    for layer in part.layers:
        x = torch.nn.functional.conv2d(x, layer.weight[..., None], layer.bias, (*layer.stride, 1), (2, 0))
        x = torch.nn.functional.leaky_relu(x, 0.1)
    x = torch.nn.functional.conv2d(x, part.score.weight[..., None], part.score.bias, 1, (1, 0))
    score, _ = part(waveform)
    assert torch.allclose(score, x.transpose(2, 3).reshape(2, -1), atol=1e-5)


def test_the_end_is_reflected_up_to_a_whole_period():
    waveform = torch.arange(8.0).reshape(1, 1, 8)
    assert pad_to_multiple(waveform, 5)[0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 6, 5]
    assert pad_to_multiple(waveform, 4) is waveform
    assert pad_to_multiple(waveform[:, :, :2], 5)[0, 0].tolist() == [0, 1, 1, 1, 1]


def test_a_scale_discriminator_sees_averages_of_the_waveform():
    model = MultiScaleDiscriminator(width=0.02)
    waveform = torch.randn(1, 1, 400)
    averaged = torch.nn.functional.avg_pool1d(waveform, 4, 2, 2)
    model.eval()
    assert torch.allclose(model(waveform)[1][0], model.parts[1](averaged)[0], atol=1e-6)


def test_the_first_scale_is_spectrally_normalised_and_the_others_weight_normalised():
    names = [type(part.score.parametrizations.weight[0]).__name__ for part in MultiScaleDiscriminator(width=0.02).parts]
    assert names == ["_SpectralNorm", "_WeightNorm", "_WeightNorm"]
    for part in MultiScaleDiscriminator(width=0.02).parts:
        assert all(is_parametrized(layer, "weight") for layer in part.layers)


def test_spectral_norm_bounds_the_gain_of_a_layer_at_one():
    layer = MultiScaleDiscriminator(width=0.05).parts[0].layers[-1].eval()
    assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("width", [1.0, 0.5, 0.3, 0.25, 0.1, 0.01])
def test_groups_divide_the_channels_at_any_width(width):
    for layer in ScaleDiscriminator(width).layers:
        assert math.gcd(layer.in_channels, layer.out_channels) % layer.groups == 0


def test_width_scales_the_channels():
    wide, narrow = PeriodDiscriminator(2), PeriodDiscriminator(2, width=0.25)
    assert [layer.out_channels for layer in wide.layers] == [32, 128, 512, 1024, 1024]
    assert [layer.out_channels for layer in narrow.layers] == [8, 32, 128, 256, 256]
    assert [layer.out_channels for layer in ScaleDiscriminator(0.25).layers] == [32, 32, 64, 128, 256, 256, 256]
