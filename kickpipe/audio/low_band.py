"""The waveform of a kick below 260 Hz, found again from its mel.

Most of a kick's energy lies there, in one sine that falls for 50 ms and then stays near 50 Hz. A mel has no phase, and
Griffin-Lim does not find this one: it walks to the nearest waveform that fits, and from random phases that is a sub in
pieces which cancel where they meet. A network has little to go by either: at 50 Hz a period is longer than a hop, so the
phase must be counted from the onset.

But below 300 Hz a bin is hardly narrower than a mel band, so the mel is nearly the magnitude itself, and magnitudes of
windows that overlap by three quarters determine a waveform up to its sign (Nawab, Quatieri and Lim 1983). So the band is
cut out and sampled at 689 Hz, where a window has 32 samples and searching is cheap: Griffin-Lim starts from many random
phases towards a guess of the magnitude, the waveforms whose mel is nearest go on with the mel itself as their target, and the
best of those is the answer.
"""

__all__ = ["LowBand", "first_band_above", "low_band_of", "retrieve_low_band"]

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from kickpipe.audio.inverse_mel import MelInverse, mel_inverse, mel_power
from kickpipe.audio.mel import mel_filterbank
from kickpipe.audio.polarity import polarity
from kickpipe.audio.settings import AudioSettings

CUTOFF_HZ = 260.0
MARGIN = 1.3  # Nyquist frequency of the low rate over the cutoff
# Iterations of each round, and how many of the waveforms go on from it. Most bad starts show it early, so they are dropped in
# rounds (successive halving, Jamieson and Talwalkar 2016): of 90 iterations for all of them this takes half the time
STARTS = 48
MAGNITUDE_ROUNDS = ((6, 12), (10, 6))
MEL_ROUNDS = ((10, 2), (20, 1))
ROOM = 2
MOMENTUM = 0.99  # Perraudin et al. 2013, section 4
LOWEST_HZ, LOWEST_ORDER = 15.0, 4  # of the filter that keeps out what no kick has and no mel band tells from 0 Hz
MEL_MOMENTUM = 0.9  # with 0.99 a mel's last bit can grow to a hundredth of the waveform
TINY = 1e-20


@dataclass(frozen=True, eq=False)
class LowBand:
    """The low band of some audio settings.

    Arguments:
        sample_rate: The low rate (Hz).
        factor: Decimation. A window and a hop are as long in seconds as at the full rate, so bins lie at the same frequencies.
        n_fft, hop_length: At the low rate, in samples.
        num_bins: Bins up to the cutoff, which are replaced in a full spectrum.
        inverse: The mel bands that lie wholly below the last bin of the low rate.
        window: Of shape (n_fft,).
    """

    sample_rate: float
    factor: int
    n_fft: int
    hop_length: int
    num_bins: int
    inverse: MelInverse
    window: Tensor

    def spectra(self, waveforms: Tensor) -> Tensor:
        """(R, N) at the low rate to (R, L, n_fft // 2 + 1): frames before bins, as they lie in memory."""
        return torch.stft(
            waveforms, self.n_fft, self.hop_length, window=self.window, pad_mode="reflect", return_complex=True
        ).transpose(1, 2)

    def waveforms(self, spectra: Tensor) -> Tensor:
        """Back again."""
        return torch.istft(spectra.transpose(1, 2), self.n_fft, self.hop_length, window=self.window)


@functools.lru_cache(maxsize=4)
def low_band_of(settings: AudioSettings) -> LowBand | None:
    """The low band of audio settings; None where their windows are too short to hold one."""
    factor = 1
    while (
        settings.sample_rate / (4 * factor) >= MARGIN * CUTOFF_HZ
        and settings.hop_length % (2 * factor) == 0
        and settings.n_fft % (2 * factor) == 0
    ):
        factor *= 2
    n_fft = settings.n_fft // factor
    num_bins = 1 + int(CUTOFF_HZ * settings.n_fft / settings.sample_rate)
    inverse = mel_inverse(settings, n_fft // 2)
    if factor == 1 or not 3 <= num_bins < n_fft // 2 or len(inverse.bands) < 3:
        return None
    rate, hop_length = settings.sample_rate / factor, settings.hop_length // factor
    return LowBand(rate, factor, n_fft, hop_length, num_bins, inverse, torch.hann_window(n_fft))


def first_band_above(settings: AudioSettings) -> int:
    """Index of the first mel band that is not wholly in the low band; 0 where ``low_band_of`` has none."""
    band = low_band_of(settings)
    if band is None:
        return 0
    reaches_beyond = mel_filterbank(settings)[band.num_bins :].sum(dim=0) > 0
    return int(reaches_beyond.nonzero()[0, 0])


def retrieve_low_band(mel: Tensor, settings: AudioSettings, seed: int = 0) -> Tensor:
    """The complex spectrum of the low band that fits a mel.

    Of the two waveforms that differ in their sign, the one whose ``polarity`` is 1.

    Arguments:
        mel: Log-mel spectrogram with shape (B, 1, M, L), L at least 5. Each row is searched alone, so that a kick does not
            depend on its batch.
        settings: Audio settings of the mel.
        seed: Of the random phases that the search starts from.

    Returns:
        Spectra with shape (B, K, L) at the scale of ``mel.stft``: bins up to 260 Hz; K is 0 where ``low_band_of`` has none.
    """
    band = low_band_of(settings)
    if band is None:
        return torch.zeros(len(mel), 0, mel.shape[-1], dtype=torch.complex64)
    target = mel_power(mel, settings) / band.factor**2
    wider = mel_inverse(settings, ROOM * band.n_fft)  # bands at the edge overlap with bins above it
    magnitude = wider.power(target[..., wider.bands])[..., : band.n_fft // 2 + 1].sqrt()
    magnitude[..., -2] *= 0.5  # what lies at the low Nyquist frequency would fold back
    magnitude[..., -1] = 0
    goal = target[..., band.inverse.bands]
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand((STARTS, *magnitude.shape[1:]), generator=generator)
    rows = [_search(*row, angle, band) for row in zip(magnitude, goal, strict=True)]
    return torch.stack(rows).transpose(1, 2)[:, : band.num_bins] * band.factor


def _search(magnitude: Tensor, target: Tensor, angle: Tensor, band: LowBand) -> Tensor:
    """The best spectrum (L, F) for a magnitude (L, F) and mel power (L, M), from starts with phases (R, L, F)."""
    waveforms = band.waveforms(torch.polar(magnitude.expand_as(angle).contiguous(), angle))
    for iterations, kept in MAGNITUDE_ROUNDS:
        waveforms = _by_magnitude(waveforms, magnitude, iterations, band)
        waveforms = waveforms[_misfit(waveforms, target, band).argsort()[:kept]]
    for iterations, kept in MEL_ROUNDS:
        waveforms = _by_mel(waveforms, target, iterations, band)
        waveforms = waveforms[_misfit(waveforms, target, band).argsort()[:kept]]
    spectra = band.spectra(waveforms)
    spectra[..., band.num_bins :] = 0
    return spectra[0] * float(polarity(band.waveforms(spectra)[0].numpy(), band.sample_rate))


def _by_magnitude(waveforms: Tensor, magnitude: Tensor, iterations: int, band: LowBand) -> Tensor:
    """Fast Griffin-Lim from waveforms (R, N) towards a magnitude (L, F): waveforms (R, N)."""
    previous = None
    for _ in range(iterations):
        previous, parts = _accelerated(waveforms, previous, MOMENTUM, band)
        parts *= _power(parts).clamp_(min=TINY).rsqrt_().mul_(magnitude)[..., None]
        waveforms = band.waveforms(torch.view_as_complex(parts))
    return waveforms


def _by_mel(waveforms: Tensor, target: Tensor, iterations: int, band: LowBand) -> Tensor:
    """The same towards the mel (L, M) itself instead of a guess of the magnitude behind it."""
    num_bins = len(band.inverse.bank)
    size = 2 * waveforms.shape[1]  # twice as long, or the end would come round to the beginning
    frequency = torch.fft.rfftfreq(size, 1 / band.sample_rate)
    audible = 1 / (1 + (LOWEST_HZ / frequency.clamp(min=TINY)) ** LOWEST_ORDER)
    previous = None
    for _ in range(iterations):
        previous, parts = _accelerated(waveforms, previous, MEL_MOMENTUM, band)
        covered = parts[..., :num_bins, :]
        covered *= band.inverse.gain(_power(covered), target).sqrt_()[..., None]
        spectrum = torch.fft.rfft(band.waveforms(torch.view_as_complex(parts)), size)
        waveforms = torch.fft.irfft(spectrum * audible)[:, : size // 2]
    return waveforms


def _accelerated(waveforms: Tensor, previous: Tensor | None, momentum: float, band: LowBand) -> tuple[Tensor, Tensor]:
    """Spectra (R, L, F, 2) of waveforms, as real and imaginary parts, and the same moved on from ``previous`` ones."""
    parts = torch.view_as_real(band.spectra(waveforms))
    return parts, parts.clone() if previous is None else parts.lerp(previous, -momentum)


def _misfit(waveforms: Tensor, target: Tensor, band: LowBand) -> Tensor:
    """Distance (R,) of the mel magnitudes of waveforms (R, N) from those of mel power (L, M)."""
    parts = torch.view_as_real(band.spectra(waveforms))
    mel = band.inverse.mel(_power(parts[..., : len(band.inverse.bank), :]))
    return (mel.sqrt() - target.sqrt()).square().sum(dim=(1, 2))


def _power(parts: Tensor) -> Tensor:
    """Squares of complex numbers whose parts lie in the last dimension: several times as fast as those of abs()."""
    return parts[..., 0].square().addcmul_(parts[..., 1], parts[..., 1])
