"""A fixed embedding of kicks without any learned weight.

Embeddings of pretrained networks need a download, hardly know drums, and ignore what a producer hears first: the
millisecond of the attack and the pitch of the sub. This one measures a kick where it matters, with the onset at zero:

- a short window (6 ms) over 24 mel bands: click, attack, brightness;
- a long window (93 ms) over 28 mel bands below 2 kHz: the pitch sweep and the body;
- the envelope in 16 segments.

Time is cut into segments that grow with the distance from the onset, levels are in dB above a floor of -60 dBFS, and
each part is smoothed by keeping its low-order cosine coefficients (an orthonormal transform, so distances stay dB).
The squared distance of two kicks is the mean squared level difference of each part, added up: its unit is dB.
"""

__all__ = ["EMBEDDING_SIZE", "align_to_onset", "band_centres", "checked", "embed", "filterbank"]

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

FLOOR_DB = -60.0  # a hiss below this is inaudible behind a kick; defects measure it, distances should not
ONSET_DB = -30.0  # below the peak
SHORT_EDGES_MS = (0, 4, 8, 16, 32, 64, 128, 256, 512, 2000)
LONG_EDGES_MS = (0, 46, 93, 186, 372, 743, 2000)
ENVELOPE_EDGES_MS = (0, 1, 2, 4, 6, 9, 14, 20, 32, 48, 72, 110, 165, 250, 420, 800, 2000)
SHORT_BANDS, SHORT_KEPT = (24, 0.0, 18000.0), (12, 7)
LONG_BANDS, LONG_KEPT = (28, 20.0, 2000.0), (12, 5)
ENVELOPE_KEPT = 12
EMBEDDING_SIZE = SHORT_KEPT[0] * SHORT_KEPT[1] + LONG_KEPT[0] * LONG_KEPT[1] + ENVELOPE_KEPT


def embed(waveforms: np.ndarray, sample_rate: int, batch_size: int = 32) -> np.ndarray:
    """Embeds kicks.

    Arguments:
        waveforms: Kicks with shape (B, N), of any level: peaks are scaled to 1.
        sample_rate: In Hz.
        batch_size: Kicks a pass; bounds the memory to about 5 MB a kick.

    Returns:
        Vectors with shape (B, EMBEDDING_SIZE), float32, in dB.

    Raises:
        ValueError: If waveforms is not two-dimensional or holds NaN or infinity.
    """
    waveforms = checked(waveforms)
    parts = [_embed_batch(waveforms[i : i + batch_size], sample_rate) for i in range(0, len(waveforms), batch_size)]
    return np.concatenate(parts) if parts else np.zeros((0, EMBEDDING_SIZE), np.float32)


def checked(waveforms: np.ndarray) -> np.ndarray:
    """Kicks as float32, if they can be embedded.

    Raises:
        ValueError: If they do not have the shape (B, N) or hold NaN or infinity.
    """
    waveforms = np.asarray(waveforms, np.float32)
    if waveforms.ndim != 2:
        raise ValueError(f"expected kicks with shape (B, N), found {waveforms.shape}")
    if not np.isfinite(waveforms).all():
        raise ValueError("kicks with NaN or infinite samples have no embedding")
    return waveforms


def align_to_onset(waveforms: np.ndarray, threshold_db: float = ONSET_DB) -> np.ndarray:
    """Moves the first sample within threshold_db of each kick's peak to time 0; zeros fill the end.

    The start of a file is a habit of who cut it, not a property of the sound; late starts are counted as defects.
    """
    magnitude = np.abs(waveforms)
    loud = magnitude >= np.maximum(magnitude.max(axis=1, keepdims=True) * 10 ** (threshold_db / 20), 1e-9)
    aligned = np.zeros_like(waveforms)
    for row, start in enumerate(loud.argmax(axis=1)):  # a silent kick has start 0
        aligned[row, : waveforms.shape[1] - start] = waveforms[row, start:]
    return aligned


@torch.inference_mode()
def _embed_batch(waveforms: np.ndarray, sample_rate: int) -> np.ndarray:
    peaks = np.abs(waveforms).max(axis=1, keepdims=True)
    signal = torch.from_numpy(align_to_onset(waveforms / np.maximum(peaks, 1e-9)))
    short = _band_levels(signal, sample_rate, 0.006, SHORT_BANDS, SHORT_EDGES_MS, SHORT_KEPT)
    long = _band_levels(signal, sample_rate, 0.093, LONG_BANDS, LONG_EDGES_MS, LONG_KEPT)
    envelope = _levels(_segment_means(signal.square()[:, None, :], sample_rate, ENVELOPE_EDGES_MS))[:, 0]
    envelope = envelope @ _cosines(envelope.shape[1], ENVELOPE_KEPT) / envelope.shape[1] ** 0.5
    return torch.cat([short, long, envelope], dim=1).numpy()


def _band_levels(
    signal: Tensor,
    sample_rate: int,
    window_seconds: float,
    bands: tuple[int, float, float],
    edges_ms: tuple[float, ...],
    kept: tuple[int, int],
) -> Tensor:
    """Smoothed levels of mel bands in time segments, with shape (B, kept bands * kept segments)."""
    window_length = round(window_seconds * sample_rate)
    n_fft = 2 ** (window_length - 1).bit_length()
    hop_length = window_length // 2
    # Half a window of zeros in front, so that the first frame is centred on the onset and sees nothing before it.
    window = torch.hann_window(window_length)
    spectrum = torch.stft(
        signal, n_fft, hop_length, window_length, window, center=True, pad_mode="constant", return_complex=True
    )
    number, low_hz, high_hz = bands
    bank = filterbank(n_fft, sample_rate, number, low_hz, min(high_hz, sample_rate / 2))
    used = int(bank.any(dim=0).nonzero().max()) + 1
    power = torch.view_as_real(spectrum[:, :used]).square().sum(-1)
    power = power * (2.0 / window.square().sum() / window_length)  # a full-scale sine sums to about 0 dBFS
    mel = bank[:, :used] @ power
    levels = _levels(_segment_means(mel, sample_rate / hop_length, edges_ms))
    smooth = _cosines(levels.shape[1], kept[0]).T @ levels @ _cosines(levels.shape[2], kept[1])
    return smooth.flatten(1) / (levels.shape[1] * levels.shape[2]) ** 0.5


def _segment_means(power: Tensor, frame_rate: float, edges_ms: tuple[float, ...]) -> Tensor:
    """Means of power (B, F, T) over the segments between edges_ms; every segment has at least one frame."""
    edges = [round(edge / 1000 * frame_rate) for edge in edges_ms]
    means = []
    for start, stop in pairwise(edges):
        start = min(start, power.shape[2] - 1)
        means.append(power[:, :, start : max(stop, start + 1)].mean(dim=2))
    return torch.stack(means, dim=2)


def _levels(power: Tensor) -> Tensor:
    """Levels above the floor, in dB."""
    return 10 * torch.log10(power + 10 ** (FLOOR_DB / 10)) - FLOOR_DB


def _cosines(size: int, kept: int) -> Tensor:
    """First columns of the orthonormal DCT-II matrix, with shape (size, kept)."""
    n = torch.arange(size, dtype=torch.float64)
    k = torch.arange(kept, dtype=torch.float64)
    matrix = torch.cos(torch.pi / size * (n[:, None] + 0.5) * k[None, :]) * (2 / size) ** 0.5
    matrix[:, 0] /= 2**0.5
    return matrix.float()


def filterbank(n_fft: int, sample_rate: int, num_bands: int, low_hz: float, high_hz: float) -> Tensor:
    """Triangular bands, equally wide in mel (HTK), with shape (num_bands, n_fft // 2 + 1) and peaks of 1.

    A band between two bins takes the nearest bin, so none is empty.
    """
    edges = _band_edges(num_bands, low_hz, high_hz)
    bins = torch.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    rising = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    bank = torch.minimum(rising, falling).clamp(min=0)
    for band in torch.nonzero(bank.sum(1) == 0)[:, 0]:
        bank[band, (bins - edges[band + 1]).abs().argmin()] = 1
    return bank


def band_centres(num_bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Frequencies (num_bands,) in Hz at which the bands of ``filterbank`` have their peaks."""
    return _band_edges(num_bands, low_hz, high_hz)[1:-1].numpy()


def _band_edges(num_bands: int, low_hz: float, high_hz: float) -> Tensor:
    """Corners (num_bands + 2,) of the triangles in Hz."""
    mel_edges = torch.linspace(_mel(low_hz), _mel(high_hz), num_bands + 2)
    return 700 * (10 ** (mel_edges / 2595) - 1)


def _mel(hz: float) -> float:
    return 2595 * float(np.log10(1 + hz / 700))
