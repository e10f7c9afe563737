"""A few kicks become many: each copy a little faster or slower, brighter or darker, driven, shorter.

Kept small, so that a copy is still a kick of its kind: a listener would call it another take or another pitch. Copy i of
a kick is a function of (seed, i) alone. What a word says about the original need not hold for a copy: describe it anew.
"""

__all__ = ["Augmentation", "augment", "draw_augmentation"]

from dataclasses import dataclass

import numpy as np

from kickpipe.audio.io import resample

# Each effect was measured alone on 200 real kicks, by the kernel distance of the copies to kicks of other sources (1.18
# for the originals): varispeed 1.22 and tilt 1.17 cost nothing; drive up to 9 dB (1.78) and tails from 80 ms (1.53) lead
# away from real kicks, so both are gentle and rare here. All together: 1.27.
SEMITONES = 2.5  # varispeed, either way
TILT_DB = 4.0
DRIVE_SHARE, DRIVE_DB = 0.3, 5.0
TAIL_SHARE, TAIL_SECONDS = 0.4, (0.15, 1.0)
PIVOT_HZ = 300.0
PEAK = 10.0 ** (-1.0 / 20.0)


@dataclass(frozen=True)
class Augmentation:
    """What is done to a kick, in this order.

    Arguments:
        semitones: Varispeed: pitch and length together.
        tilt_db: Gain above 300 Hz against below.
        drive_db: Level into a soft clipper; 0 is clean.
        tail: Time constant (s) of an exponential that shortens the tail; infinite leaves it.
        flip: Inverted polarity.
    """

    semitones: float
    tilt_db: float
    drive_db: float
    tail: float
    flip: bool


def draw_augmentation(seed: int, index: int) -> Augmentation:
    """Draws what copy number `index` is to be."""
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    semitones = rng.uniform(-SEMITONES, SEMITONES)
    tilt_db = rng.uniform(-TILT_DB, TILT_DB)
    drives, drive_db = rng.random() < DRIVE_SHARE, rng.uniform(0.0, DRIVE_DB)
    shortest, longest = TAIL_SECONDS
    shortens, tail = rng.random() < TAIL_SHARE, shortest * (longest / shortest) ** rng.random()
    return Augmentation(
        semitones=float(semitones),
        tilt_db=float(tilt_db),
        drive_db=float(drive_db) if drives else 0.0,
        tail=float(tail) if shortens else float("inf"),
        flip=bool(rng.random() < 0.5),
    )


def tilt(x: np.ndarray, sample_rate: int, gain_db: float) -> np.ndarray:
    """First-order shelf with gain_db above 300 Hz: (1 + g s) / (1 + s), s = i f / 300 Hz; causal."""
    size = -(-(len(x) + sample_rate // 50) // 4096) * 4096
    s = 1j * np.arange(size // 2 + 1) * (sample_rate / size / PIVOT_HZ)
    spectrum = np.fft.rfft(x, size) * (1.0 + 10.0 ** (gain_db / 20.0) * s) / (1.0 + s)
    return np.fft.irfft(spectrum, size)[: len(x)]


def drive(x: np.ndarray, gain_db: float) -> np.ndarray:
    """tanh(g x) of x with peak 1: the loud beginning is flattened, the quiet tail comes up by gain_db."""
    return np.tanh(10.0 ** (gain_db / 20.0) * x)


def shorten(x: np.ndarray, sample_rate: int, tail: float) -> np.ndarray:
    """x times exp(-t / tail), t in s from the loudest sample on."""
    t = np.maximum(np.arange(len(x)) - int(np.abs(x).argmax()), 0) / sample_rate
    return x * np.exp(-t / tail)


def augment(x: np.ndarray, sample_rate: int, seed: int, index: int) -> np.ndarray:
    """Copy number `index` of a kick.

    Arguments:
        x: Mono waveform with shape (N,), not silent.
        sample_rate: Its rate (Hz).
        seed: Seed of all copies of this kick.
        index: Which copy; every one is another.

    Returns:
        float32 waveform with peak -1 dBFS and shape (N / 2 ** (semitones / 12),), up to rounding.

    Raises:
        ValueError: If x is empty, silent or not finite.
    """
    peak = np.abs(x).max(initial=0.0)
    if not 0.0 < peak < float("inf"):
        raise ValueError("expected a waveform with sound, got an empty, silent or not finite one")
    plan = draw_augmentation(seed, index)
    # Played at another speed: the samples are said to have another rate, and are brought back to the first one.
    played_rate = round(sample_rate * 2.0 ** (plan.semitones / 12.0))
    x = resample(np.asarray(x / peak, dtype=np.float32), played_rate, sample_rate).astype(np.float64)
    x = tilt(x, sample_rate, plan.tilt_db)
    if plan.drive_db > 0.0:
        x = drive(x / np.abs(x).max(), plan.drive_db)
    if np.isfinite(plan.tail):
        x = shorten(x, sample_rate, plan.tail)
    x *= (-1.0 if plan.flip else 1.0) * PEAK / np.abs(x).max()
    return x.astype(np.float32)
