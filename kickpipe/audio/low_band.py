"""The waveform of a kick below 260 Hz, found again from its mel.

Most of a kick's energy lies there, in one sine that falls for 50 ms and then stays near 50 Hz. A mel has no phase, and
Griffin-Lim does not find this one: it walks to the nearest waveform that fits, and from random phases that is a sub in
pieces which cancel where they meet. A network has little to go by either: at 50 Hz a period is longer than a hop, so the
phase must be counted from the onset.

But below 300 Hz a bin is hardly narrower than a mel band, so the mel is nearly the magnitude itself, and magnitudes of
windows that overlap by three quarters determine a waveform up to its sign (Nawab, Quatieri and Lim 1983). So the band is
cut out and sampled at 689 Hz, where a window has 32 samples and searching is cheap: Griffin-Lim starts from many random
phases, the most consistent results go on with the mel itself as their target, and the best of those is the answer.
"""

__all__ = ["LowBand", "low_band_of", "retrieve_low_band"]

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from kickpipe.audio.inverse_mel import MelInverse, mel_inverse, mel_power
from kickpipe.audio.settings import AudioSettings

CUTOFF_HZ = 260.0
MARGIN = 1.3  # Nyquist frequency of the low rate over the cutoff
STARTS = 32
MAGNITUDE_ITERATIONS = 30
FINALISTS = 8
MEL_ITERATIONS = 60
ROOM = 2
MOMENTUM = 0.99  # Perraudin et al. 2013, section 4
TINY = 1e-20


@dataclass(frozen=True, eq=False)
class LowBand:
    """The low band of some audio settings.

    Arguments:
        factor: Decimation. A window and a hop are as long in seconds as at the full rate, so bins lie at the same frequencies.
        n_fft, hop_length: At the low rate, in samples.
        num_bins: Bins up to the cutoff, which are replaced in a full spectrum.
        inverse: The mel bands that lie wholly below the last bin of the low rate.
        window: Of shape (n_fft,).
    """

    factor: int
    n_fft: int
    hop_length: int
    num_bins: int
    inverse: MelInverse
    window: Tensor

    def spectra(self, waveforms: Tensor) -> Tensor:
        """(R, N) at the low rate to (R, n_fft // 2 + 1, L)."""
        return torch.stft(
            waveforms, self.n_fft, self.hop_length, window=self.window, pad_mode="reflect", return_complex=True
        )

    def waveforms(self, spectra: Tensor) -> Tensor:
        """Back again."""
        return torch.istft(spectra, self.n_fft, self.hop_length, window=self.window)


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
    return LowBand(factor, n_fft, settings.hop_length // factor, num_bins, inverse, torch.hann_window(n_fft))


def retrieve_low_band(mel: Tensor, settings: AudioSettings, seed: int = 0) -> Tensor:
    """The complex spectrum of the low band that fits a mel.

    Of the two waveforms that differ in their sign, the one whose first strong half-wave is positive.

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
    magnitude = wider.power(target[..., wider.bands])[..., : band.n_fft // 2 + 1].sqrt().transpose(1, 2)
    magnitude[:, -2] *= 0.5  # what lies at the low Nyquist frequency would fold back
    magnitude[:, -1] = 0
    goal = target[..., band.inverse.bands]
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand((STARTS, *magnitude.shape[1:]), generator=generator)
    rows = [_search(*row, angle, band) for row in zip(magnitude, goal, strict=True)]
    return torch.stack(rows)[:, : band.num_bins] * band.factor


def _search(magnitude: Tensor, target: Tensor, angle: Tensor, band: LowBand) -> Tensor:
    """The best spectrum (F, L) for a magnitude (F, L) and mel power (L, M), from starts with phases (R, F, L)."""
    waveforms = _by_magnitude(magnitude, angle, band)
    best = _misfit(band.spectra(waveforms), target, band).argsort()[:FINALISTS]
    spectra = _by_mel(waveforms[best], target, band)
    spectrum = spectra[_misfit(spectra, target, band).argmin()]
    waveform = band.waveforms(spectrum[None])[0]
    first = (waveform.abs() >= 0.5 * waveform.abs().max()).nonzero()[0, 0]
    return -spectrum if waveform[first] < 0 else spectrum


def _by_magnitude(magnitude: Tensor, angle: Tensor, band: LowBand) -> Tensor:
    """Fast Griffin-Lim from phases (R, F, L): waveforms (R, N)."""
    spectra = torch.polar(magnitude.expand_as(angle).contiguous(), angle)
    previous = torch.zeros_like(spectra)
    waveforms = band.waveforms(spectra)
    for _ in range(MAGNITUDE_ITERATIONS):
        rebuilt = band.spectra(waveforms)
        accelerated = rebuilt + MOMENTUM * (rebuilt - previous)
        previous = rebuilt
        waveforms = band.waveforms(magnitude * accelerated * _power(accelerated).clamp(min=TINY).rsqrt())
    return waveforms


def _by_mel(waveforms: Tensor, target: Tensor, band: LowBand) -> Tensor:
    """Griffin-Lim that keeps to the mel instead of a guess of the magnitude behind it: spectra (R, F, L)."""
    for _ in range(MEL_ITERATIONS):
        spectra = band.spectra(waveforms)
        gain = band.inverse.gain(_bins(spectra, band), target).sqrt().transpose(1, 2)
        spectra[:, : gain.shape[1]] *= gain
        waveforms = band.waveforms(spectra)
    return band.spectra(waveforms)


def _misfit(spectra: Tensor, target: Tensor, band: LowBand) -> Tensor:
    """Distance (R,) of the mel magnitudes of spectra (R, F, L) from those of mel power (L, M)."""
    mel = band.inverse.mel(_bins(spectra, band))
    return (mel.sqrt() - target.sqrt()).square().sum(dim=(1, 2))


def _bins(spectra: Tensor, band: LowBand) -> Tensor:
    """Power (R, L, F') of spectra (R, F, L) in the bins that the bands cover."""
    return _power(spectra)[:, : len(band.inverse.bank)].transpose(1, 2)


def _power(spectra: Tensor) -> Tensor:
    return torch.view_as_real(spectra).square().sum(dim=-1)  # several times as fast as the square of abs()
