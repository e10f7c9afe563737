"""How much of a kick survives a round trip: mel and vocoder, or VAE, mel and vocoder.

original, copy: waveforms with shape (B, N), one kick a row, not aligned to each other. All functions return one number
a kick with shape (B,), NaN where the question has no answer for that kick (no silence after it, no bass in it).
"""

__all__ = [
    "decay_error_ms",
    "log_mel_error",
    "low_band_correlation",
    "measure_round_trip",
    "onset_error_ms",
    "spectral_distances",
    "start_level_db",
    "summarise",
    "tail_level_db",
]

import numpy as np
import torch

from kickpipe.audio.defects import start_level
from kickpipe.audio.descriptors import decay_ms, onset_ms
from kickpipe.audio.spectral import RESOLUTIONS, log_magnitude_error, spectral_convergence, stft_magnitude

LOW_BAND_HZ = 150.0
MAX_LAG_MS = 10.0
SILENCE_DB = -80.0
TAIL_MARGIN_MS = 50.0  # one mel window: what a frame cannot separate from the sound
TAIL_FRAME_MS = 10.0
MIN_TAIL_MS = 50.0
LEVEL_FLOOR_DB = -120.0
START_MS = (1, 2, 4)
START_FLOOR = 1e-6  # mean power under that of the original's peak: -60 dB


def log_mel_error(original: np.ndarray, copy: np.ndarray) -> dict[str, np.ndarray]:
    """Mean absolute difference of log-mels with shape (B, 1, M, L).

    Returns:
        ``l1`` in nats of power, as the VAE's loss counts it, and the same in ``db`` (10 / ln 10 times as much).
    """
    l1 = np.abs(np.asarray(original, np.float64) - copy).mean(axis=(1, 2, 3))
    return {"l1": l1, "db": l1 * 10 / np.log(10)}


@torch.inference_mode()
def spectral_distances(original: np.ndarray, copy: np.ndarray) -> dict[str, np.ndarray]:
    """Spectral ``convergence`` and error of the ``log_magnitude`` (nats), means over three resolutions; ``audio.spectral``."""
    waveforms = tensor(original), tensor(copy)
    convergence, log_magnitude = [], []
    for window_length, hop_length in RESOLUTIONS:
        a, b = (stft_magnitude(x, window_length, hop_length) for x in waveforms)
        convergence.append(spectral_convergence(a, b))
        log_magnitude.append(log_magnitude_error(a, b).mean((1, 2)))
    return {
        "convergence": torch.stack(convergence).mean(0).double().numpy(),
        "log_magnitude": torch.stack(log_magnitude).mean(0).double().numpy(),
    }


def onset_error_ms(original: np.ndarray, copy: np.ndarray, sample_rate: int) -> np.ndarray:
    """Distance in ms between the onsets (first sample within 20 dB of the peak)."""
    return np.array(
        [abs(onset_ms(a, sample_rate) - onset_ms(b, sample_rate)) for a, b in zip(original, copy, strict=True)]
    )


def start_level_db(original: np.ndarray, copy: np.ndarray, sample_rate: int, ms: float) -> np.ndarray:
    """How much louder, in dB, a copy is in the first milliseconds after the original's onset; a late one is quiet there.

    At least -60 dB of the original's peak are heard in either. NaN for silence.
    """
    length = max(round(ms / 1000 * sample_rate), 1)
    levels = np.full(len(original), np.nan)
    for row, (a, b) in enumerate(zip(original, copy, strict=True)):
        onset = onset_ms(a, sample_rate)
        if np.isfinite(onset):
            start = round(onset / 1000 * sample_rate)
            floor = START_FLOOR * float(np.abs(a).max()) ** 2
            powers = [np.mean(x[start : start + length].astype(np.float64) ** 2) + floor for x in (a, b)]
            levels[row] = 10 * np.log10(powers[1] / powers[0])
    return levels


def decay_error_ms(original: np.ndarray, copy: np.ndarray, sample_rate: int, level_db: float = -20.0) -> np.ndarray:
    """Distance in ms between the decay times to level_db below the peak."""
    pairs = zip(original, copy, strict=True)
    return np.array([abs(decay_ms(a, sample_rate, level_db) - decay_ms(b, sample_rate, level_db)) for a, b in pairs])


@torch.inference_mode()
def low_band_correlation(
    original: np.ndarray, copy: np.ndarray, sample_rate: int, either_polarity: bool = False
) -> np.ndarray:
    """Correlation, -1 to 1, of the waveforms below 150 Hz at the best lag within 10 ms.

    A mel has no phase, so this is what a vocoder must invent and what decides whether the sub thumps like the original.
    Polarity counts, though a mel cannot tell it: an inverted copy only gets what half a period of lag gives back, unless
    ``either_polarity`` lets the better of both count. The band ends with half a cosine
    from 150 to 180 Hz, without delay. NaN where either kick has nothing there.
    """
    waveforms = tensor(original), tensor(copy)
    max_lag = round(MAX_LAG_MS / 1000 * sample_rate)
    size = 2 ** (waveforms[0].shape[1] + max_lag - 1).bit_length()
    hz = torch.arange(size // 2 + 1) * (sample_rate / size)
    band = 0.5 + 0.5 * torch.cos(torch.pi * ((hz - LOW_BAND_HZ) / 30).clamp(0, 1))
    a, b = (torch.fft.rfft(x, size) * band for x in waveforms)
    correlation = torch.fft.irfft(a * b.conj(), size)
    correlation = correlation.abs() if either_polarity else correlation
    best = torch.cat([correlation[:, : max_lag + 1], correlation[:, -max_lag:]], dim=1).amax(dim=1)
    energy = [torch.fft.irfft(x, size).square().sum(1) for x in (a, b)]
    norm = (energy[0] * energy[1]).sqrt().double()
    return torch.where(norm > 1e-6, best.double() / norm, torch.nan).numpy()


def tail_level_db(original: np.ndarray, copy: np.ndarray, sample_rate: int) -> np.ndarray:
    """Level of the copy in dBFS (RMS) where the original has fallen silent: the hiss that a vocoder adds.

    Silent: after the last 10 ms frame of the original above -80 dBFS, and 50 ms further (one mel window). At least
    -120; NaN for kicks that leave less than 50 ms of silence.
    """
    frame = round(TAIL_FRAME_MS / 1000 * sample_rate)
    margin = round(TAIL_MARGIN_MS / 1000 * sample_rate)
    levels = np.full(len(original), np.nan)
    for row, (a, b) in enumerate(zip(original, copy, strict=True)):
        frames = a[: len(a) // frame * frame].reshape(-1, frame).astype(np.float64)
        sounding = np.flatnonzero((frames**2).mean(1) > 10 ** (SILENCE_DB / 10))
        start = (sounding[-1] + 1) * frame + margin if len(sounding) else 0
        if len(a) - start >= MIN_TAIL_MS / 1000 * sample_rate:
            power = np.mean(b[start:].astype(np.float64) ** 2)
            levels[row] = 10 * np.log10(max(power, 10 ** (LEVEL_FLOOR_DB / 10)))
    return levels


def measure_round_trip(original: np.ndarray, copy: np.ndarray, sample_rate: int) -> dict[str, np.ndarray]:
    """All waveform measures of this module for each kick, by name."""
    spectral: dict[str, list[np.ndarray]] = {"convergence": [], "log_magnitude": []}
    correlation: dict[str, list[np.ndarray]] = {"low_correlation": [], "low_correlation_unsigned": []}
    for start in range(0, len(original), 16):  # bounds the memory of the spectra
        rows = slice(start, start + 16)
        for name, values in spectral_distances(original[rows], copy[rows]).items():
            spectral[name].append(values)
        for name, parts in correlation.items():
            either = name.endswith("unsigned")
            parts.append(low_band_correlation(original[rows], copy[rows], sample_rate, either))
    return {
        **{name: np.concatenate(values) for name, values in (spectral | correlation).items()},
        "onset_error_ms": onset_error_ms(original, copy, sample_rate),
        "decay_error_ms": decay_error_ms(original, copy, sample_rate),
        **{f"first_{ms}_ms_db": start_level_db(original, copy, sample_rate, ms) for ms in START_MS},
        "step": np.array([start_level(row) for row in copy]),
        "tail_db": tail_level_db(original, copy, sample_rate),
    }


def summarise(measures: dict[str, np.ndarray]) -> dict[str, dict[str, float | int | None]]:
    """Mean, median, 10th and 90th percentile over the kicks that have the measure, and how many those are."""
    summary: dict[str, dict[str, float | int | None]] = {}
    for name, values in measures.items():
        values = values[np.isfinite(values)]
        if len(values) == 0:
            summary[name] = {"mean": None, "median": None, "p10": None, "p90": None, "num": 0}
            continue
        p10, median, p90 = np.percentile(values, [10, 50, 90])
        numbers = {"mean": values.mean(), "median": median, "p10": p10, "p90": p90}
        summary[name] = {**{key: float(value) for key, value in numbers.items()}, "num": len(values)}
    return summary


def tensor(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, np.float32))
