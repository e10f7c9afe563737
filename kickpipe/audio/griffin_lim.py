"""From a log-mel spectrogram back to a waveform without a trained vocoder.

Two things are missing from a mel: the fine frequencies that a band sums over, and the phase. The power spectrogram S
with S W = mel (W: filterbank) is found by the multiplicative update S <- S * W (mel / (S W)) / W 1 (Lee and Seung,
"Algorithms for non-negative matrix factorization", 2001, equation 5), the phase by the fast Griffin-Lim iteration
(Perraudin et al., "A fast Griffin-Lim algorithm", 2013, algorithm 2). Started from a waveform, one update an
iteration pulls that waveform's own spectrum to the mel, so the harmonics that a vocoder found, and its phase, are
kept.
"""

__all__ = ["griffin_lim", "mel_to_power"]

import functools

import torch
from torch import Tensor

from kickpipe.audio.mel import mel_filterbank, stft
from kickpipe.audio.settings import AudioSettings

MOMENTUM = 0.99  # Perraudin et al. 2013, section 4
POWER_UPDATES = 30  # below 0.1 dB of mel error for real kicks
TINY = 1e-10


@functools.lru_cache(maxsize=4)
def _filterbank(settings: AudioSettings) -> tuple[Tensor, Tensor]:
    """Filterbank W with shape (F, M) and its row sums with shape (F,)."""
    bank = mel_filterbank(settings)
    return bank, bank.sum(dim=1)


def _gain(power: Tensor, mel: Tensor, bank: Tensor, total: Tensor) -> Tensor:
    """Factors (B, L, F) of the multiplicative update of power (B, L, F) towards mel power (B, L, M).

    No filter covers 0 Hz and the Nyquist frequency; they follow their neighbours, since a window spreads a low pitch there.
    """
    gain = (mel / (power @ bank).clamp(min=TINY)) @ bank.T / total.clamp(min=TINY)
    gain[..., 0], gain[..., -1] = gain[..., 1], gain[..., -2]
    return gain


def mel_to_power(mel: Tensor, settings: AudioSettings, updates: int = POWER_UPDATES) -> Tensor:
    """The smoothest power spectrogram that has the given mel.

    Arguments:
        mel: Log-mel spectrogram with shape (B, 1, M, L).
        updates: Number of multiplicative updates, which start from a flat spectrum.

    Returns:
        Power with shape (B, F, L), F = n_fft // 2 + 1.
    """
    bank, total = _filterbank(settings)
    target = mel[:, 0].transpose(1, 2).exp()
    power = torch.ones(*target.shape[:2], len(bank))
    for _ in range(updates):
        power = power * _gain(power, target, bank, total)
    return power.transpose(1, 2)


def griffin_lim(
    mel: Tensor,
    settings: AudioSettings,
    iterations: int = 64,
    initial: Tensor | None = None,
    seed: int = 0,
) -> Tensor:
    """A waveform whose log-mel spectrogram is close to the given one.

    Arguments:
        mel: Log-mel spectrogram with shape (B, 1, M, L); L may be any number of frames.
        settings: Audio settings of the mel.
        iterations: Number of iterations; 0 returns ``initial`` as it is, or the first guess.
        initial: Waveforms with shape (B, N) whose phase and fine spectrum are the start, for instance from a vocoder.
            Without them the phase starts at random, the same for every row, so that a row does not depend on its batch.
        seed: Of that random phase.

    Returns:
        Waveforms with shape (B, num_samples) where L is the settings' number of frames, otherwise of (L - 1) * hop_length
        samples; with ``initial``, of its length.

    Raises:
        ValueError: If a shape does not fit or the number of iterations is negative.
    """
    if mel.dim() != 4 or mel.shape[1] != 1 or mel.shape[2] != settings.n_mels:
        raise ValueError(f"expected a mel of shape (B, 1, {settings.n_mels}, L), found {tuple(mel.shape)}")
    if iterations < 0:
        raise ValueError(f"expected a number of iterations of at least 0, found {iterations}")
    mel = mel.float()
    num_frames = mel.shape[-1]
    num_samples = settings.num_samples if num_frames == settings.num_frames else (num_frames - 1) * settings.hop_length
    if num_samples <= settings.n_fft // 2:
        raise ValueError(f"expected more than half a window ({settings.n_fft // 2} samples), found {num_frames} frames")
    window = torch.hann_window(settings.n_fft)

    if initial is not None:
        return _refine(mel, settings, iterations, initial.float(), window)

    magnitude = mel_to_power(mel, settings).sqrt()
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand(magnitude.shape[1:], generator=generator)
    spectrum = torch.polar(magnitude, angle.expand_as(magnitude))
    previous = torch.zeros_like(spectrum)
    waveform = _istft(spectrum, settings, window, num_samples)
    for _ in range(iterations):
        rebuilt = stft(waveform, settings, window)
        accelerated = rebuilt + MOMENTUM * (rebuilt - previous)
        previous = rebuilt
        spectrum = magnitude * accelerated / accelerated.abs().clamp(min=TINY)
        waveform = _istft(spectrum, settings, window, num_samples)
    return waveform


def _refine(mel: Tensor, settings: AudioSettings, iterations: int, waveform: Tensor, window: Tensor) -> Tensor:
    if waveform.dim() != 2 or len(waveform) != len(mel):
        raise ValueError(f"expected {len(mel)} initial waveforms of shape (B, N), found shape {tuple(waveform.shape)}")
    frames = 1 + waveform.shape[1] // settings.hop_length
    if frames != mel.shape[-1]:
        raise ValueError(f"the initial waveform has {frames} frames, the mel {mel.shape[-1]}")
    bank, total = _filterbank(settings)
    target = mel[:, 0].transpose(1, 2).exp()
    for _ in range(iterations):
        spectrum = stft(waveform, settings, window)
        gain = _gain(spectrum.abs().square().transpose(1, 2), target, bank, total)
        spectrum = spectrum * gain.sqrt().transpose(1, 2)
        waveform = _istft(spectrum, settings, window, waveform.shape[1])
    return waveform


def _istft(spectrum: Tensor, settings: AudioSettings, window: Tensor, num_samples: int) -> Tensor:
    return torch.istft(spectrum, settings.n_fft, settings.hop_length, window=window, center=True, length=num_samples)
