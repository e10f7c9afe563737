"""Tests of the log-mel spectrograms."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from kickpipe.audio.mel import LogMel, mel_filterbank, mel_spectrogram


def noise(batch: int, num_samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(batch, num_samples, generator=torch.Generator().manual_seed(0))


def centres(settings) -> torch.Tensor:
    """Centre frequencies of the bands (Hz), by the formula of the HTK book."""
    highest = 2595 * math.log10(1 + settings.sample_rate / 2 / 700)
    mels = torch.arange(1, settings.n_mels + 1) * highest / (settings.n_mels + 1)
    return 700 * (10 ** (mels / 2595) - 1)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_kick_has_the_specified_shape(settings, batch):
    mel = LogMel(settings)(noise(batch, settings.num_samples))
    assert mel.shape == (batch, 1, 128, 173)
    assert mel.dtype == torch.float32


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_mels": 64},
        {"n_fft": 1024, "hop_length": 256, "n_mels": 40},
        {"sample_rate": 22050},
        {"sample_rate": 16001},
    ],
)
def test_plain_torch_and_torchaudio_agree(settings, changes):
    settings = replace(settings, **changes)
    waveform = noise(2, 20011)
    log_mel = LogMel(settings)
    assert torch.allclose(mel_filterbank(settings), log_mel.mel.mel_scale.fb, atol=1e-6)
    assert torch.allclose(mel_spectrogram(waveform, settings), log_mel(waveform), atol=1e-5)


def test_at_the_specified_sizes_they_agree_to_the_bit(settings):
    waveform = noise(1, settings.num_samples)
    assert torch.equal(mel_filterbank(settings), LogMel(settings).mel.mel_scale.fb)
    assert torch.equal(mel_spectrogram(waveform, settings), LogMel(settings)(waveform))


@pytest.mark.parametrize("frequency", [60.0, 440.0, 5000.0, 15000.0])
def test_a_sine_peaks_in_its_band(settings, frequency):
    time = torch.arange(settings.num_samples) / settings.sample_rate
    mel = mel_spectrogram(torch.sin(2 * math.pi * frequency * time)[None], settings)[0, 0, :, 80]
    distances = (centres(settings) - frequency).abs()
    assert abs(int(mel.argmax()) - int(distances.argmin())) <= 1


def test_silence_is_the_logarithm_of_the_floor(settings):
    mel = mel_spectrogram(torch.zeros(1, settings.num_samples), settings)
    assert torch.allclose(mel, torch.tensor(math.log(1e-5)))


def test_twice_the_amplitude_is_four_times_the_power(settings):
    waveform = noise(1, settings.num_samples)
    difference = mel_spectrogram(2 * waveform, settings) - mel_spectrogram(waveform, settings)
    assert torch.allclose(difference, torch.tensor(math.log(4)), atol=1e-4)


def test_every_band_is_a_triangle_around_its_centre(settings):
    filterbank = mel_filterbank(settings)
    assert filterbank.shape == (1025, 128)
    assert filterbank.min() >= 0
    assert filterbank.max() <= 1
    assert (filterbank.max(dim=0).values > 0).all()
    frequencies = torch.linspace(0, settings.sample_rate / 2, 1025)
    bin_width = settings.sample_rate / settings.n_fft
    assert ((frequencies[filterbank.argmax(dim=0)] - centres(settings)).abs() <= bin_width).all()


def test_a_click_is_where_it_was_put(settings):
    waveform = torch.zeros(1, settings.num_samples)
    waveform[0, 100 * settings.hop_length] = 1
    power = mel_spectrogram(waveform, settings).exp().sum(dim=(0, 1, 2))
    assert int(power.argmax()) == 100


def test_the_mel_is_differentiable_also_in_silence(settings):
    waveform = noise(1, settings.num_samples)
    waveform[:, 30000:] = 0
    waveform.requires_grad_()
    mel_spectrogram(waveform, settings).sum().backward()
    assert torch.isfinite(waveform.grad).all()
    assert waveform.grad.any()


@pytest.mark.parametrize("n_mels", [76, 77])  # not computed before, so that inference mode makes the filter bank
def test_what_inference_mode_made_does_not_spoil_later_training(settings, n_mels):
    settings = replace(settings, n_mels=n_mels)
    waveform = noise(1, settings.num_samples)
    with torch.inference_mode():
        mel_filterbank(settings) if n_mels == 76 else mel_spectrogram(waveform, settings)
    waveform.requires_grad_()
    mel_spectrogram(waveform, settings).sum().backward()
    assert waveform.grad.any()


def test_the_transform_loads_where_torchaudio_itself_does_not():
    """Beside a CPU torch, PyPI's torchaudio raises OSError on import; where it does not, one is made to."""
    script = """
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "torchaudio._extension":
            raise OSError("Could not load this library")

sys.meta_path.insert(0, Broken())
try:
    import torchaudio
except OSError:
    pass
else:
    raise SystemExit("torchaudio loaded, so this shows nothing")
import torch
from kickpipe.audio.mel import LogMel, mel_spectrogram
from kickpipe.audio.settings import AudioSettings
settings = AudioSettings(44100, 2.0, 2048, 512, 128, -1.0, 0.2, 1e-5)
waveform = torch.linspace(-1, 1, 9000)[None]
assert torch.equal(LogMel(settings)(waveform), mel_spectrogram(waveform, settings))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
