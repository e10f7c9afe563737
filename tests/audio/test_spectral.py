import math

import pytest
import torch

from kickpipe.audio.spectral import (
    MAGNITUDE_FLOOR,
    RESOLUTIONS,
    batch_convergence,
    log_magnitude_error,
    spectral_convergence,
    stft_magnitude,
)


@pytest.mark.parametrize(("window", "hop"), RESOLUTIONS)
def test_magnitudes_are_those_of_the_short_time_fourier_transform_above_a_floor(window, hop):
    noise = torch.randn(2, 5000, generator=torch.Generator().manual_seed(0))
    plain = torch.stft(noise, window, hop, window=torch.hann_window(window), pad_mode="constant", return_complex=True)
    torch.testing.assert_close(stft_magnitude(noise, window, hop), plain.abs().clamp(min=MAGNITUDE_FLOOR))
    assert (stft_magnitude(torch.zeros(1, 3000), window, hop) == MAGNITUDE_FLOOR).all()


def test_the_first_sample_counts():
    step = torch.zeros(1, 4096)
    step[0, 0] = 1.0
    # a reflection would double a step in the middle of the window; silence around it leaves it as it is
    assert stft_magnitude(step, 512, 128)[0, :, 0].max().item() == pytest.approx(1.0, abs=1e-4)


def test_a_waveform_may_be_shorter_than_a_window():
    assert stft_magnitude(torch.randn(1, 100), 2048, 512).shape == (1, 1025, 1)


def test_convergence_is_the_relative_error_of_each_item():
    original = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    copy = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert spectral_convergence(original, copy).tolist() == pytest.approx([0, 1], abs=1e-6)
    assert spectral_convergence(original, 2 * original).tolist() == pytest.approx([1, 1])


def test_convergence_of_a_batch_forgives_a_silent_item():
    original, copy = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert batch_convergence(original, copy).item() == pytest.approx(1 / 5)


def test_equal_spectra_have_a_gradient_of_zero():
    magnitude = torch.rand(2, 3, 4) + 0.1
    copy = magnitude.clone().requires_grad_()
    spectral_convergence(magnitude, copy).sum().backward()
    assert not copy.grad.any()


def test_a_gain_is_its_logarithm_everywhere():
    magnitude = torch.rand(2, 3, 4) + 0.1
    torch.testing.assert_close(log_magnitude_error(magnitude, 2 * magnitude), torch.full((2, 3, 4), math.log(2)))
