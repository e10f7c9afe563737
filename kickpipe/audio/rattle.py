"""The rattle of a vocoder: noise that comes as a row of clicks, one a frame of the mel it was made from.

A transposed convolution that has not learnt better makes noise by the same click at every hop, 86 times a second with the
specified settings, which is heard as a buzz. In the logarithm of the envelope the clicks are a wave whose period is the hop.
A distorted kick whose bass lies at that pitch or an octave below has such a wave too, as its highs come with its
half-waves: what turns with the phase of the bass is no rattle and is taken out first.
"""

__all__ = ["rattle", "split"]

import numpy as np

from kickpipe.audio.descriptors import onset_ms

LOWEST_HZ = 1500.0  # below it a period of the sound itself may be as long as a hop
BASS_HZ = (150.0, 350.0)  # where the bass begins to fade, and where it is gone
BEGIN_MS, END_MS = 20.0, 120.0  # after the onset: behind the attack, before most kicks have died away
AUDIBLE_DB = -50.0  # mean level of the highs there, under the peak of the kick
ENVELOPE_MS, ENVELOPE_STEP_MS = 1.0, 0.25
TREND_DEGREE = 3  # of the polynomial that a decay is taken for
HOPS_MS = (4.0, 40.0)  # shorter ones the envelope cannot show, longer ones do not come back in 100 ms


def rattle(x: np.ndarray, sample_rate: int, hop_length: int) -> float:
    """How much stronger the envelope of the highs is correlated over a hop than over three quarters of it and five.

    Arguments:
        x: Waveform with shape (N,), of any level.
        sample_rate: In Hz.
        hop_length: Distance of the frames of the mel that x was made from, in samples.

    Returns:
        -2 to 2; 0 for noise and for real kicks (of 241 none is above 0.5, of 84 loud and distorted ones one), about 1 for
        what rattles. NaN where the band above 1.5 kHz is not audible 20 to 120 ms after the onset, or cannot show a hop of
        this length.
    """
    hop_ms = 1000.0 * hop_length / sample_rate
    onset = onset_ms(x, sample_rate)
    if not (HOPS_MS[0] <= hop_ms <= HOPS_MS[1] and np.isfinite(onset)):
        return float("nan")
    begin, end = (round((onset + ms) / 1000.0 * sample_rate) for ms in (BEGIN_MS, END_MS))
    if end > len(x):
        return float("nan")
    highs, bass = (band[begin:end] for band in split(x, sample_rate))
    if np.mean(highs**2) < np.abs(x).max() ** 2 * 10 ** (AUDIBLE_DB / 10):
        return float("nan")
    level, phase = log_envelope(highs, bass, sample_rate)
    time = np.linspace(-1.0, 1.0, len(level))
    level = without(level, np.vander(time, TREND_DEGREE + 1))
    turns = np.stack([function(order * phase) for order in (0, 1, 2) for function in (np.cos, np.sin)], axis=1)
    remainder = without(level, turns)
    hop, shorter, longer = (mean_product(remainder, factor * hop_ms / ENVELOPE_STEP_MS) for factor in (1, 0.75, 1.25))
    return (hop - (shorter + longer) / 2) / max(float(np.mean(level**2)), 1e-12)


def split(x: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """What lies above 1.5 kHz of x (N,), and the analytic signal of the bass; flanks of half a cosine, no delay."""
    size = -(-(len(x) + 2048) // 4096) * 4096
    spectrum = np.fft.rfft(x, size)
    hz = np.fft.rfftfreq(size, 1 / sample_rate)
    highs = np.fft.irfft(spectrum * flank(hz, 0.85 * LOWEST_HZ, 1.15 * LOWEST_HZ), size)
    bass = np.zeros(size, dtype=np.complex128)
    bass[1 : len(hz)] = (2 * spectrum * (1 - flank(hz, *BASS_HZ)))[1:]
    return highs[: len(x)], np.fft.ifft(bass)[: len(x)]


def flank(hz: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 under low, 1 over high, half a cosine between."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip((hz - low) / (high - low), 0.0, 1.0))


def log_envelope(highs: np.ndarray, bass: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Level of the highs (N,) in nats over 1 ms, every 0.25 ms, and the phase of the bass (N,) then.

    Silence is 100 dB under the mean.
    """
    width = max(round(ENVELOPE_MS / 1000 * sample_rate), 1)
    energy = np.concatenate([[0.0], np.cumsum(highs**2)])
    starts = np.arange(0.0, len(highs) - width, ENVELOPE_STEP_MS / 1000 * sample_rate).round().astype(int)
    power = (energy[starts + width] - energy[starts]) / width
    return np.log(np.maximum(power, 1e-10 * power.mean())), np.angle(bass[starts + width // 2])


def without(x: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """x (N,) without the sum of parts (N, K) that is nearest to it."""
    return x - parts @ np.linalg.lstsq(parts, x, rcond=None)[0]


def mean_product(x: np.ndarray, lag: float) -> float:
    """Mean of x (N,) times itself ``lag`` places on, between whole places interpolated."""
    whole = int(lag)
    here, next_to_it = (np.mean(x[:-places] * x[places:]) for places in (whole, whole + 1))
    return float(here + (lag - whole) * (next_to_it - here))
