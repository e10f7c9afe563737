"""A fixed embedding of what lies beside the smooth course of a kick: its texture.

``embedding`` keeps low-order cosines of levels, so a kick whose mel was smoothed over neighbouring bands and frames lies as
near to real ones as an exact one, though everybody hears the difference. This one keeps what smoothing takes away. With
L(b, t) the level (dB) of band b and frame t above a floor, and the onset at frame 0 after half a window of zeros:

    d(b, t) = L(b + 1, t + lag) - L(b, t + lag) - L(b + 1, t) + L(b, t)

is 0 wherever the level is a spectrum plus a course of time, whatever they are: attack, decay, steady lines. What is left is
noise, roughness and sweeps. The embedding is the mean square of d in groups of bands and segments of time, in dB: a
variogram (Matheron 1963) of what no envelope explains. Windows are of 6 to 93 ms; lags are half a window or a whole one, so
that both what a vocoder must keep (neighbouring frames) and what it cannot make up (frames that share no sample) count.

A rattle common to all bands is a course of time too: ``defects`` looks for it. Where nothing is audible a cell takes the
value ``NEUTRAL``: how long a kick sounds is told by the other embedding.
"""

__all__ = ["TEXTURE_SIZE", "embed_texture"]

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from kickpipe.evaluation.embedding import align_to_onset, band_centres, checked, filterbank

FLOOR_DB = (
    -80.0
)  # of a band: a kick's texture lies up to 60 dB below its peak and is heard as soon as the sub has passed
AUDIBLE_DB = 10.0  # above the floor, from where on a cell counts fully
NEUTRAL = 30.0  # dB^2, the middle of audible cells of real kicks
SHRINKAGE = 0.03  # what NEUTRAL weighs against a segment that is audible throughout
LEAST = 1.0  # dB^2, added to all: what is smooth to a decibel is smooth
HIGHEST_HZ = 18000.0
GROUPS_HZ = (0, 250, 700, 1800, 4500, 9000, 18000)
FEWEST_BANDS = 4  # in a group


@dataclass(frozen=True)
class Scale:
    """One window length.

    Arguments:
        window_ms: Length of the window; frames lie a quarter of it apart.
        num_bands: Mel bands, about as many as the window resolves.
        lags: In frames.
        edges_ms: Of the segments of time.
        weight: Factor on the levels of this scale.
    """

    window_ms: float
    num_bands: int
    lags: tuple[int, ...]
    edges_ms: tuple[float, ...]
    weight: float

    @property
    def bands(self) -> tuple[int, float, float]:
        """Number of bands, lowest and highest frequency (Hz): below one period a window there is no level."""
        return self.num_bands, max(20.0, 1000 / self.window_ms), HIGHEST_HZ

    def groups(self) -> list[Tensor]:
        """Indices of the bands of each group that a difference to the band above begins at."""
        group = np.searchsorted(GROUPS_HZ, band_centres(*self.bands), side="right")
        kept = [number for number in range(1, len(GROUPS_HZ)) if (group == number).sum() >= FEWEST_BANDS]
        return [torch.from_numpy(np.flatnonzero(group[:-1] == number)) for number in kept]


# Short windows hear what a vocoder does to attacks; they weigh less, since no mel of 46 ms windows holds it
SCALES = (
    Scale(6, 20, (4,), (0, 10, 25, 60, 150, 400), 0.5),
    Scale(23, 64, (4,), (0, 45, 100, 250, 700), 0.7),
    Scale(46, 96, (2, 4), (0, 60, 160, 400, 1000), 1.0),
    Scale(93, 128, (2, 4), (0, 120, 300, 1000), 1.0),
)
TEXTURE_SIZE = sum(len(scale.groups()) * len(scale.lags) * (len(scale.edges_ms) - 1) for scale in SCALES)


def embed_texture(waveforms: np.ndarray, sample_rate: int, batch_size: int = 16) -> np.ndarray:
    """Embeds kicks.

    Arguments:
        waveforms: Kicks with shape (B, N), peaks at 1.
        sample_rate: In Hz; bands above half of it are inaudible.
        batch_size: Kicks a pass; bounds the memory to about 20 MB a kick.

    Returns:
        Vectors with shape (B, TEXTURE_SIZE), float32, in dB: the squared distance of two kicks is the mean squared difference
        of each scale, times the square of its weight, added up.

    Raises:
        ValueError: If waveforms is not two-dimensional or holds NaN or infinity.
    """
    aligned = align_to_onset(checked(waveforms))
    parts = [_embed_batch(aligned[i : i + batch_size], sample_rate) for i in range(0, len(aligned), batch_size)]
    return np.concatenate(parts) if parts else np.zeros((0, TEXTURE_SIZE), np.float32)


@torch.inference_mode()
def _embed_batch(aligned: np.ndarray, sample_rate: int) -> np.ndarray:
    signal = torch.from_numpy(aligned)
    return torch.cat([_embed_scale(signal, sample_rate, scale) for scale in SCALES], dim=1).numpy()


def _embed_scale(signal: Tensor, sample_rate: int, scale: Scale) -> Tensor:
    """Vectors (B, D) of kicks (B, N) at one scale."""
    power = band_power(signal, sample_rate, scale)
    floor = 10 ** (FLOOR_DB / 10)
    levels = 10 * torch.log10(power + floor)
    audible = ((10 * torch.log10(power + 1e-12) - FLOOR_DB) / AUDIBLE_DB).clamp(0, 1)
    groups = scale.groups()
    frames_a_ms = sample_rate / 1000 / hop_length(sample_rate, scale)
    values = []
    for lag in scale.lags:
        change, weight = _mixed_difference(levels, lag), _least_of_four(audible, lag)
        for bands in groups:
            d, w = change[:, bands], weight[:, bands]
            for start, stop in pairwise(round(edge * frames_a_ms) for edge in scale.edges_ms):
                values.append(_mean_square(d[..., start:stop], w[..., start:stop]))
    vectors = 10 * torch.log10(torch.stack(values, dim=1) + LEAST)
    return scale.weight * vectors / vectors.shape[1] ** 0.5


def hop_length(sample_rate: int, scale: Scale) -> int:
    """In samples."""
    return round(scale.window_ms / 1000 * sample_rate) // 4


def band_power(signal: Tensor, sample_rate: int, scale: Scale) -> Tensor:
    """Power (B, bands, frames) of kicks (B, N), about 1 for a sine of full scale; frame 0 is centred on sample 0."""
    window_length = round(scale.window_ms / 1000 * sample_rate)
    n_fft = 2 ** (window_length - 1).bit_length()
    window = torch.hann_window(window_length)
    used = round(scale.edges_ms[-1] / 1000 * sample_rate) + (max(scale.lags) + 4) * window_length  # lags reach beyond
    signal = torch.nn.functional.pad(signal[:, :used], (0, max(used - signal.shape[1], 0)))
    spectrum = torch.stft(
        signal,
        n_fft,
        hop_length(sample_rate, scale),
        window_length,
        window,
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    power = torch.view_as_real(spectrum).square().sum(-1) * (2.0 / window.square().sum() / window_length)
    bank = filterbank(n_fft, sample_rate, *scale.bands)
    bank[torch.from_numpy(band_centres(*scale.bands) > sample_rate / 2)] = 0
    return bank @ power


def _mixed_difference(levels: Tensor, lag: int) -> Tensor:
    """d of the module's text, shape (B, bands - 1, frames - lag)."""
    slope = levels[:, 1:] - levels[:, :-1]
    return slope[..., lag:] - slope[..., :-lag]


def _least_of_four(audible: Tensor, lag: int) -> Tensor:
    """The least of the four cells that a mixed difference takes."""
    both = torch.minimum(audible[:, 1:], audible[:, :-1])
    return torch.minimum(both[..., lag:], both[..., :-lag])


def _mean_square(d: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean square (B,) over bands and frames, drawn towards ``NEUTRAL`` by what is not audible."""
    prior = SHRINKAGE * d[0].numel()
    return ((weight * d.square()).sum((1, 2)) + prior * NEUTRAL) / (weight.sum((1, 2)) + prior)
