"""From a log-mel spectrogram back to a waveform without a trained vocoder, and better with one.

Two things are missing from a mel: the fine frequencies that a band sums over, and the phase. The first comes from
``inverse_mel``. The phase below 260 Hz, where a kick has most of its energy, is searched for by ``low_band`` and held;
that above comes from the fast Griffin-Lim iteration (Perraudin et al., "A fast Griffin-Lim algorithm", 2013,
algorithm 2). Started from a waveform, one update an iteration pulls that waveform's own spectrum to the mel, so the
harmonics that a vocoder found, and its phase, are kept.
"""

__all__ = ["griffin_lim"]

import torch
from torch import Tensor

from kickpipe.audio.inverse_mel import mel_inverse, mel_power
from kickpipe.audio.low_band import retrieve_low_band
from kickpipe.audio.mel import stft
from kickpipe.audio.settings import AudioSettings

MOMENTUM = 0.99  # Perraudin et al. 2013, section 4
TINY = 1e-10


def griffin_lim(
    mel: Tensor,
    settings: AudioSettings,
    iterations: int = 64,
    initial: Tensor | None = None,
    seed: int = 0,
    low_band: bool = True,
) -> Tensor:
    """A waveform whose log-mel spectrogram is close to the given one.

    Arguments:
        mel: Log-mel spectrogram with shape (B, 1, M, L); L may be any number of frames.
        settings: Audio settings of the mel.
        iterations: Number of iterations; 0 returns the first guess, or ``initial`` with its low band replaced.
        initial: Waveforms with shape (B, N) whose phase and fine spectrum are the start, for instance from a vocoder.
            Without them the phase starts at random, the same for every row, so that a row does not depend on its batch.
        seed: Of that random phase.
        low_band: Whether to search for the waveform below 260 Hz first and hold it; without, this is the plain algorithm.

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
    if initial is not None and (initial.dim() != 2 or len(initial) != len(mel)):
        raise ValueError(f"expected {len(mel)} initial waveforms of shape (B, N), found shape {tuple(initial.shape)}")
    if initial is not None and 1 + initial.shape[1] // settings.hop_length != num_frames:
        frames = 1 + initial.shape[1] // settings.hop_length
        raise ValueError(f"the initial waveform has {frames} frames, the mel {num_frames}")
    window = torch.hann_window(settings.n_fft)
    held = retrieve_low_band(mel, settings, seed) if low_band else torch.zeros(len(mel), 0, num_frames)

    if initial is not None:
        return _refine(mel, settings, iterations, initial.float(), held, window)

    magnitude = mel_inverse(settings).power(mel_power(mel, settings)).transpose(1, 2).sqrt()
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand(magnitude.shape[1:], generator=generator)
    spectrum = _with_low_band(torch.polar(magnitude, angle.expand_as(magnitude)), held)
    previous = torch.zeros_like(spectrum)
    waveform = _istft(spectrum, settings, window, num_samples)
    for _ in range(iterations):
        rebuilt = stft(waveform, settings, window)
        accelerated = rebuilt + MOMENTUM * (rebuilt - previous)
        previous = rebuilt
        spectrum = _with_low_band(magnitude * accelerated / accelerated.abs().clamp(min=TINY), held)
        waveform = _istft(spectrum, settings, window, num_samples)
    return waveform


def _refine(
    mel: Tensor, settings: AudioSettings, iterations: int, waveform: Tensor, held: Tensor, window: Tensor
) -> Tensor:
    inverse, target = mel_inverse(settings), mel_power(mel, settings)
    length = waveform.shape[1]
    if held.shape[1]:
        waveform = _istft(_with_low_band(stft(waveform, settings, window), held), settings, window, length)
    for _ in range(iterations):
        spectrum = stft(waveform, settings, window)
        gain = inverse.gain(spectrum.abs().square().transpose(1, 2), target)
        spectrum = _with_low_band(spectrum * gain.sqrt().transpose(1, 2), held)
        waveform = _istft(spectrum, settings, window, length)
    return waveform


def _with_low_band(spectrum: Tensor, held: Tensor) -> Tensor:
    """Writes the bins of ``held`` (B, K, L) over the lowest of ``spectrum`` (B, F, L), in place."""
    spectrum[:, : held.shape[1]] = held
    return spectrum


def _istft(spectrum: Tensor, settings: AudioSettings, window: Tensor, num_samples: int) -> Tensor:
    return torch.istft(spectrum, settings.n_fft, settings.hop_length, window=window, center=True, length=num_samples)
