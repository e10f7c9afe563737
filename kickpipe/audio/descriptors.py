"""What one kick sounds like, in numbers: when it starts, how long it rings, how its pitch falls, how bright it is.

Every descriptor is a function of a mono waveform x with shape (N,) and its sample rate in Hz, does not depend on the
level of x, and is NaN where it has no meaning (silence; pitch of a sound without bass). `describe` measures all of them
with one Fourier transform. Pitch is read from the analytic signal z of the band under 1 kHz: the phase that z gains a
sample, averaged with the energy as weight (Kay, "A fast and accurate single frequency estimator", 1989, equation 16).
"""

__all__ = [
    "DESCRIPTORS",
    "attack_ms",
    "centroid_hz",
    "crest_db",
    "decay_ms",
    "describe",
    "duration_ms",
    "high_share",
    "onset_ms",
    "pitch_sweep",
    "pitch_track",
    "sub_share",
]

from typing import NamedTuple

import numpy as np

ONSET_DB = -20.0  # a tenth of the peak: above the noise and the pre-echo that a lossy codec or a vocoder leaves
PITCH_CEILING_HZ = 1000.0  # a sweep that starts higher is heard as a click
PITCH_FLOOR_HZ = (14.0, 24.0)  # below it a recording holds rumble, not pitch
PITCH_WINDOW_MS = 8.0
HEAD_MS = 20.0
PAD_SECONDS = 0.2

DESCRIPTORS = {
    "onset_ms": "ms",
    "attack_ms": "ms",
    "decay_20_ms": "ms",
    "decay_40_ms": "ms",
    "duration_ms": "ms",
    "f0_start_hz": "Hz",
    "f0_end_hz": "Hz",
    "sweep_ms": "ms",
    "sweep_octaves": "octaves",
    "centroid_hz": "Hz",
    "sub_share": "share of energy",
    "high_share": "share of energy",
    "crest_db": "dB",
}


class PitchTrack(NamedTuple):
    """Instantaneous frequency under 1 kHz: times in s, frequency in Hz, envelope as amplitude, each with shape (T,)."""

    seconds: np.ndarray
    hz: np.ndarray
    envelope: np.ndarray


class PitchSweep(NamedTuple):
    start_hz: float
    end_hz: float
    sweep_ms: float


def _sounding(x: np.ndarray, level_db: float) -> tuple[int, int] | None:
    """First and last sample whose magnitude reaches level_db under the peak; None for silence."""
    magnitude = np.abs(x)
    peak = magnitude.max(initial=0.0)
    if not peak > 0.0 or not np.isfinite(peak):
        return None
    loud = magnitude >= peak * 10.0 ** (float(level_db) / 20.0)
    return int(loud.argmax()), int(len(loud) - 1 - loud[::-1].argmax())


def onset_ms(x: np.ndarray, sample_rate: int) -> float:
    """Time in ms of the first sample that reaches a tenth (-20 dB) of the peak. NaN for silence."""
    found = _sounding(x, ONSET_DB)
    return float("nan") if found is None else 1000.0 * found[0] / sample_rate


def attack_ms(x: np.ndarray, sample_rate: int) -> float:
    """Time in ms from 10% to 90% of the peak: the attack time with fixed thresholds of Peeters,
    "A large set of audio features for sound description", 2004, section 3.1. NaN for silence.
    """
    start, high = _sounding(x, ONSET_DB), _sounding(x, 20.0 * np.log10(0.9))
    return float("nan") if start is None or high is None else 1000.0 * (high[0] - start[0]) / sample_rate


def decay_ms(x: np.ndarray, sample_rate: int, level_db: float) -> float:
    """Time in ms from the onset to the last sample within level_db (negative, for instance -20) of the peak.

    For exp(-t / tau) this is tau * ln(10) * -level_db / 20, give or take half a period of the pitch. NaN for silence.
    """
    start, found = _sounding(x, ONSET_DB), _sounding(x, level_db)
    return float("nan") if start is None or found is None else 1000.0 * (found[1] - start[0]) / sample_rate


def duration_ms(x: np.ndarray, sample_rate: int) -> float:
    """Time in ms from the onset to the last sample within 60 dB of the peak: the sound with its tail."""
    return decay_ms(x, sample_rate, -60.0)


def crest_db(x: np.ndarray, sample_rate: int) -> float:
    """Peak over root mean square in dB, from the onset to the decay by 40 dB, so that padding does not count.

    3 dB for a steady sine, less for a clipped one, more for a click before a quiet body. NaN for silence.
    """
    del sample_rate
    start, found = _sounding(x, ONSET_DB), _sounding(x, -40.0)
    if start is None or found is None:
        return float("nan")
    part = x[start[0] : found[1] + 1].astype(np.float64)
    return float(20.0 * np.log10(np.abs(x).max() / np.sqrt(np.mean(part**2))))


def _spectrum(x: np.ndarray, sample_rate: int) -> np.ndarray:
    """One-sided Fourier transform without the end that lies 100 dB under the peak.

    Padded by 0.2 s or more, so that the filters of the pitch track do not ring from the start into the end, and to a
    multiple of 4096 samples, as a prime length would cost ten times as much.
    """
    found = _sounding(x, -100.0)
    used = x if found is None else x[: found[1] + 1]
    padding = int(PAD_SECONDS * sample_rate)
    return np.fft.rfft(used, -(-(len(used) + padding) // 4096) * 4096)


def _power(spectrum: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and energy a bin."""
    power = spectrum.real**2 + spectrum.imag**2
    return np.linspace(0.0, sample_rate / 2, len(power)), power


def _centroid(frequencies: np.ndarray, power: np.ndarray) -> float:
    total = power.sum()
    return float(frequencies @ power / total) if total > 0.0 else float("nan")


def _share(power: np.ndarray, low: int, high: int) -> float:
    total = power.sum()
    return float(power[low:high].sum() / total) if total > 0.0 else float("nan")


def centroid_hz(x: np.ndarray, sample_rate: int) -> float:
    """Mean frequency in Hz with energy as weight (Peeters 2004, section 6.1, on the power spectrum of the whole sound,
    so that quiet noise hardly counts). NaN for silence.
    """
    return _centroid(*_power(_spectrum(x, sample_rate), sample_rate))


def sub_share(x: np.ndarray, sample_rate: int) -> float:
    """Share of the energy under 100 Hz, 0 to 1. NaN for silence."""
    frequencies, power = _power(_spectrum(x, sample_rate), sample_rate)
    return _share(power, 0, int(np.searchsorted(frequencies, 100.0)))


def high_share(x: np.ndarray, sample_rate: int) -> float:
    """Share of the energy above 2 kHz, 0 to 1. NaN for silence."""
    frequencies, power = _power(_spectrum(x, sample_rate), sample_rate)
    return _share(power, int(np.searchsorted(frequencies, 2000.0)), len(power))


def _flank(frequencies: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 under low, 1 over high, half a cosine between."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip((frequencies - low) / (high - low), 0.0, 1.0))


def _track(spectrum: np.ndarray, sample_rate: int, floor: tuple[float, float] | None = None) -> PitchTrack:
    fft_size = 2 * (len(spectrum) - 1)
    num_bins = min(int(2.0 * PITCH_CEILING_HZ * fft_size / sample_rate), len(spectrum))
    frequencies = np.arange(num_bins) * sample_rate / fft_size
    # Wide flanks: a hard edge would ring before the onset.
    fade = 1.0 - _flank(frequencies, 0.5 * PITCH_CEILING_HZ, 1.5 * PITCH_CEILING_HZ)
    if floor is not None:
        fade *= _flank(frequencies, *floor)
    band = np.zeros(2 * num_bins, dtype=np.complex128)
    band[1:num_bins] = 2.0 * spectrum[1:num_bins] * fade[1:]
    z = np.fft.ifft(band) * (2 * num_bins / fft_size)
    rate = sample_rate * 2 * num_bins / fft_size
    window = np.hanning(max(int(PITCH_WINDOW_MS * rate / 1000.0) | 1, 3))
    turn = np.convolve(np.conj(z[:-1]) * z[1:], window / window.sum(), mode="same")
    hz = np.angle(turn) * rate / (2.0 * np.pi)
    # The padding holds what the filters ring before the onset, as the transform is circular.
    used = len(turn) - int(PAD_SECONDS * 0.5 * rate)
    return PitchTrack((np.arange(used) + 0.5) / rate, hz[:used], np.sqrt(np.abs(turn[:used])))


def pitch_track(x: np.ndarray, sample_rate: int) -> PitchTrack:
    """Instantaneous frequency of the band under 1 kHz, smoothed over 8 ms with the energy as weight."""
    return _track(_spectrum(x, sample_rate), sample_rate)


def _end_hz(track: PitchTrack, first: int) -> float:
    """Mean pitch, with energy as weight, over the second half of what passes until the track has decayed by 20 dB.

    Moments whose pitch is under the floor are left out: between two notes the phase may run backwards.
    """
    envelope = track.envelope[first:]
    last = len(envelope) - 1 - int((envelope >= 0.1 * envelope.max(initial=0.0))[::-1].argmax())
    half = slice(first + (last + 1) // 2, first + last + 1)
    weight = track.envelope[half] ** 2 * (track.hz[half] > PITCH_FLOOR_HZ[0])
    return float(track.hz[half] @ weight / weight.sum()) if last >= 4 and weight.any() else float("nan")


def _sweep(spectrum: np.ndarray, sample_rate: int, onset_s: float) -> PitchSweep:
    nothing = PitchSweep(float("nan"), float("nan"), float("nan"))
    track = _track(spectrum, sample_rate)
    step = 2.0 * track.seconds[0]
    audible = track.envelope >= 0.1 * track.envelope.max(initial=0.0)
    first = max(int(np.searchsorted(track.seconds, onset_s)), int(audible.argmax()))
    # The floor is for the end alone: filtered, an abrupt start would overshoot.
    end = _end_hz(_track(spectrum, sample_rate, PITCH_FLOOR_HZ), first)
    head = slice(first, first + max(int(HEAD_MS / 1000.0 / step), 1))
    start = float(track.hz[head][audible[head]].max(initial=end))
    if not (end > 0.0 and start > 0.0):
        return nothing
    below = track.hz[first:] <= end + 0.1 * (start - end)
    below[: int(track.hz[head].argmax())] = False
    fallen = int(below.argmax()) if below.any() and start > 1.2 * end else 0
    return PitchSweep(start, end, float(1000.0 * step * fallen))


def pitch_sweep(x: np.ndarray, sample_rate: int) -> PitchSweep:
    """How the pitch falls: (start_hz, end_hz, sweep_ms), from the pitch track of the band under 1 kHz.

    The start is the highest pitch in the first 20 ms after the onset, the end the mean over the second half of the body
    (up to the decay of that band by 20 dB) with energy as weight, the sweep time what passes from the onset until the
    pitch has fallen by 90% of the difference (0 when the start lies less than 20% over the end). NaN where there is no
    such band.
    """
    found = _sounding(x, ONSET_DB)
    if found is None:
        return PitchSweep(float("nan"), float("nan"), float("nan"))
    return _sweep(_spectrum(x, sample_rate), sample_rate, found[0] / sample_rate)


def describe(x: np.ndarray, sample_rate: int) -> dict[str, float]:
    """All descriptors of a mono waveform x with shape (N,), by the names and units of `DESCRIPTORS`.

    Silence, an empty x and x with NaN or infinite samples give NaN for every name.
    """
    x = np.asarray(x)
    if x.ndim != 1:
        raise ValueError(f"expected a mono waveform with shape (N,), got {x.shape}")
    if _sounding(x, ONSET_DB) is None:
        return {name: float("nan") for name in DESCRIPTORS}
    spectrum = _spectrum(x, sample_rate)
    frequencies, power = _power(spectrum, sample_rate)
    onset = onset_ms(x, sample_rate)
    pitch = _sweep(spectrum, sample_rate, onset / 1000.0)
    return {
        "onset_ms": onset,
        "attack_ms": attack_ms(x, sample_rate),
        "decay_20_ms": decay_ms(x, sample_rate, -20.0),
        "decay_40_ms": decay_ms(x, sample_rate, -40.0),
        "duration_ms": duration_ms(x, sample_rate),
        "f0_start_hz": pitch.start_hz,
        "f0_end_hz": pitch.end_hz,
        "sweep_ms": pitch.sweep_ms,
        "sweep_octaves": float(np.log2(pitch.start_hz / pitch.end_hz)),
        "centroid_hz": _centroid(frequencies, power),
        "sub_share": _share(power, 0, int(np.searchsorted(frequencies, 100.0))),
        "high_share": _share(power, int(np.searchsorted(frequencies, 2000.0)), len(power)),
        "crest_db": crest_db(x, sample_rate),
    }
