"""From mels back to power: what went in comes out, and the floor is silence."""

import numpy as np
import pytest
import torch

from kickpipe.audio.inverse_mel import mel_inverse, mel_power
from kickpipe.audio.mel import mel_filterbank, mel_spectrogram
from kickpipe.synth import synthesise


@pytest.fixture(scope="module")
def mel(settings) -> torch.Tensor:
    return mel_spectrogram(torch.from_numpy(synthesise(1, 0)[:22016])[None], settings)


@pytest.mark.parametrize("num_bins", [None, 64])
def test_the_power_has_the_wanted_mel(mel, settings, num_bins):
    inverse = mel_inverse(settings, num_bins)
    target = mel_power(mel, settings)[..., inverse.bands]
    power = inverse.power(target)
    covered = inverse.bank.sum(dim=0) > 0  # the lowest bands are narrower than an FFT bin
    audible = target > target.max() * 1e-6
    error = (inverse.mel(power).clamp(min=1e-12).log() - target.log()).abs()
    assert power.shape == (1, mel.shape[-1], num_bins or settings.n_fft // 2 + 1)
    assert (power >= 0).all()
    assert error[audible & covered].mean() < 0.05


def test_the_lowest_part_has_the_bands_that_lie_in_it(settings):
    inverse = mel_inverse(settings, 64)
    bank = mel_filterbank(settings)
    assert 0 < len(inverse.bands) < settings.n_mels
    assert not bank[64:, inverse.bands].any()
    assert torch.equal(inverse.bank, bank[:64, inverse.bands])


def test_a_band_at_the_floor_is_silent(settings):
    floor = torch.full((1, 1, settings.n_mels, 3), float(np.log(settings.mel_floor)))
    assert mel_power(floor, settings).max() < 0.01 * settings.mel_floor
    assert mel_power(floor + 5, settings).min() == pytest.approx(settings.mel_floor * (np.exp(5) - 1), rel=1e-3)
