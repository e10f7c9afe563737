"""Distances of magnitude spectra S and S' (Yamamoto et al. 2020, Parallel WaveGAN, equations 4 to 6).

    spectral convergence   |S - S'| / |S|   with Frobenius norms; 0 is perfect, silence scores 1
    log magnitude          mean |ln S - ln S'|   in nats

Of waveforms both are means over three resolutions of the short-time Fourier transform; of log-mels, S is exp(mel / 2).
"""

__all__ = [
    "MAGNITUDE_FLOOR",
    "RESOLUTIONS",
    "batch_convergence",
    "log_magnitude_error",
    "spectral_convergence",
    "stft_distance",
    "stft_magnitude",
]

import torch
from torch import Tensor

RESOLUTIONS = ((512, 128), (1024, 256), (2048, 512))  # window and hop in samples
MAGNITUDE_FLOOR = 10**-3.5  # power 1e-7, as in the paper's code


def stft_magnitude(waveform: Tensor, window_length: int, hop_length: int) -> Tensor:
    """Magnitudes (B, window_length // 2 + 1, L) of waveforms (B, N), at least 10^-3.5.

    Silence lies around the waveforms, so that N is free and the first millisecond counts like any other.
    """
    window = torch.hann_window(window_length, device=waveform.device)
    spectrum = torch.stft(waveform, window_length, hop_length, window=window, pad_mode="constant", return_complex=True)
    # the root of a clamped power: the gradient of the absolute value has no limit where a bin is silent
    return torch.view_as_real(spectrum).square().sum(-1).clamp(min=MAGNITUDE_FLOOR**2).sqrt()


def spectral_convergence(original: Tensor, copy: Tensor) -> Tensor:
    """Spectral convergence (B,) of the magnitudes (B, ...) of each item."""
    inner = tuple(range(1, original.ndim))
    distance = (original - copy).square().sum(dim=inner).clamp(min=1e-12).sqrt()  # a root has no slope at 0
    return distance / original.square().sum(dim=inner).sqrt()


def batch_convergence(original: Tensor, copy: Tensor) -> Tensor:
    """Spectral convergence, a scalar, with norms over a whole batch of magnitudes (B, ...).

    A silent crop has nothing to miss: alone it would be divided by nothing.
    """
    return torch.linalg.vector_norm(original - copy) / torch.linalg.vector_norm(original)


def log_magnitude_error(original: Tensor, copy: Tensor) -> Tensor:
    """|ln S - ln S'| of each magnitude, in nats, with the shape of the magnitudes."""
    return (original.log() - copy.log()).abs()


def stft_distance(original: Tensor, copy: Tensor) -> Tensor:
    """Convergence, over the whole batch, plus mean error of the log magnitudes (nats) of waveforms (B, N): a scalar.

    The mean over the resolutions.
    """
    distance = torch.zeros((), device=original.device)
    for length, hop in RESOLUTIONS:
        a, b = (stft_magnitude(x, length, hop) for x in (original, copy))
        distance = distance + batch_convergence(a, b) + log_magnitude_error(a, b).mean()
    return distance / len(RESOLUTIONS)
