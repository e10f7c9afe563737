"""The sub of a kick, found again from its mel."""

import numpy as np
import pytest
import torch

from kickpipe.audio.low_band import first_band_above, low_band_of, retrieve_low_band
from kickpipe.audio.mel import mel_spectrogram, stft
from kickpipe.audio.polarity import polarity
from kickpipe.audio.settings import AudioSettings
from kickpipe.synth import synthesise

NUM_SAMPLES = 43 * 512


def kick(settings: AudioSettings, start_hz: float = 180.0, end_hz: float = 52.0) -> torch.Tensor:
    """A sine that falls to its last pitch within some 50 ms, and decays: (1, N)."""
    time = np.arange(NUM_SAMPLES) / settings.sample_rate
    frequency = end_hz + (start_hz - end_hz) * np.exp(-time / 0.02)
    phase = 2 * np.pi * np.cumsum(frequency) / settings.sample_rate
    return torch.from_numpy(0.9 * np.sin(phase) * np.exp(-time / 0.12)).float()[None]


def waveform(spectrum: torch.Tensor, settings: AudioSettings) -> torch.Tensor:
    """The low band as samples, (B, N)."""
    whole = torch.zeros(len(spectrum), settings.n_fft // 2 + 1, spectrum.shape[-1], dtype=spectrum.dtype)
    whole[:, : spectrum.shape[1]] = spectrum
    window = torch.hann_window(settings.n_fft)
    return torch.istft(whole, settings.n_fft, settings.hop_length, window=window, length=NUM_SAMPLES)


def low_band(x: torch.Tensor, num_bins: int, settings: AudioSettings) -> torch.Tensor:
    return waveform(stft(x, settings, torch.hann_window(settings.n_fft))[:, :num_bins], settings)


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a * b).sum() / (a.norm() * b.norm()))


@pytest.mark.parametrize("end_hz", [45.0, 52.0, 63.0])
def test_a_falling_sine_comes_back_with_its_phase(settings, end_hz):
    original = kick(settings, end_hz=end_hz)
    found = retrieve_low_band(mel_spectrogram(original, settings), settings)
    expected = low_band(original, found.shape[1], settings)
    assert correlation(waveform(found, settings), expected) > 0.95


def test_of_both_signs_it_is_the_one_that_starts_upwards(settings):
    original = kick(settings)
    found = retrieve_low_band(mel_spectrogram(-original, settings), settings)
    assert correlation(waveform(found, settings), low_band(original, found.shape[1], settings)) > 0.95


@pytest.mark.parametrize("seed", range(8))
def test_there_is_no_offset(settings, seed):
    mel = mel_spectrogram(torch.from_numpy(synthesise(seed, 0)[:NUM_SAMPLES])[None], settings)
    found = waveform(retrieve_low_band(mel, settings), settings)[0]
    assert found.mean().abs() < 0.005 * found.abs().max()


@pytest.mark.parametrize("seed", range(8))
def test_what_is_returned_starts_upwards(settings, seed):
    mel = mel_spectrogram(torch.from_numpy(synthesise(seed, 0)[:NUM_SAMPLES])[None], settings)
    band = low_band_of(settings)
    found = waveform(retrieve_low_band(mel, settings), settings)[0, :: band.factor]
    assert polarity(found.numpy(), band.sample_rate) == 1


def test_a_row_does_not_depend_on_its_batch_and_a_call_repeats(settings):
    kicks = torch.cat([kick(settings), torch.from_numpy(synthesise(1, 0)[:NUM_SAMPLES])[None]])
    mels = mel_spectrogram(kicks, settings)
    both = retrieve_low_band(mels, settings)
    assert torch.equal(both[1:], retrieve_low_band(mels[1:], settings))
    assert torch.equal(both, retrieve_low_band(mels, settings))


def test_silence_stays_silent(settings):
    floor = torch.full((1, 1, settings.n_mels, 12), float(np.log(settings.mel_floor)))
    found = retrieve_low_band(floor, settings)
    assert torch.isfinite(torch.view_as_real(found)).all()
    assert found.abs().max() < 0.01  # of a full scale of 512


def test_bins_lie_at_the_frequencies_of_the_full_rate(settings):
    band = low_band_of(settings)
    assert band.factor * band.n_fft == settings.n_fft
    assert band.factor * band.hop_length == settings.hop_length
    assert 250 < (band.num_bins - 1) * settings.sample_rate / settings.n_fft <= 260
    assert settings.sample_rate / band.factor / 2 > 300


def test_bands_before_the_first_above_are_covered_whole(settings):
    def hz(corner: int) -> float:  # of the triangular filters, evenly spaced in mel (HTK)
        highest = 2595 * np.log10(1 + settings.sample_rate / 2 / 700)
        return 700 * (10 ** (highest * corner / (settings.n_mels + 1) / 2595) - 1)

    first = first_band_above(settings)
    next_bin = low_band_of(settings).num_bins * settings.sample_rate / settings.n_fft
    assert hz(first + 1) <= next_bin < hz(first + 2)  # the upper corners of the band before it and its own


def test_windows_too_short_for_a_low_band_have_none(settings):
    short = AudioSettings(**{**settings.to_dict(), "n_fft": 128, "hop_length": 32, "n_mels": 16})
    assert low_band_of(short) is None
    assert first_band_above(short) == 0
    mel = torch.zeros(2, 1, 16, 8)
    assert retrieve_low_band(mel, short).shape == (2, 0, 8)
