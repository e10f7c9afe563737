"""What is audibly wrong with one kick, whatever it is held against.

x: waveform with shape (N,), as the generator made it, before any normalisation or trimming. A real library
has flams, clipped and late kicks too, so ``evaluate`` prints the shares of the held-out kicks beside. Whatever else
looks for a defect, in a mel for instance, takes its thresholds from here.
"""

__all__ = ["DEFECTS", "LATE_MS", "RATTLE", "RISE_DB", "RISE_LEVEL_DB", "STEP_SHARE", "find_defects", "start_level"]

import numpy as np

from kickpipe.audio.descriptors import onset_ms
from kickpipe.audio.rattle import rattle

DEFECTS = {
    "onsets": "more than one onset: the level falls by 9 dB and rises again, above -20 dB of the peak",
    "step": "the first sample within 60 dB of the peak is above a tenth of it: a click",
    "late": "starts later than 30 ms",
    "clipped": "flat at its peak for 8 samples or more",
    "dc": "constant part above -40 dB of the peak",
    "tone": "a steady line in the second half, above -60 dBFS, that decays by less than 3 dB a second",
    "silent": "peak below -40 dBFS, or not a number",
    "tail_noise": "the quietest 100 ms hold more than -50 dBFS above 500 Hz",
    "rattle": "the highs come as a row of clicks, one a frame of the mel",
}
RISE_DB, RISE_LEVEL_DB, RISE_AFTER_MS, RISE_FRAME_MS = 9.0, -20.0, 40.0, 25.0
START_DB, STEP_SHARE = -60.0, 0.1
LATE_MS = 30.0
FLAT_SAMPLES, FLAT_STEP = 8, 2e-5
DC_SHARE = 0.01
TONE_DBFS, TONE_PROMINENCE_DB, TONE_DECAY_DB = -60.0, 30.0, 3.0
SILENT_DBFS = -40.0
NOISE_DBFS, NOISE_LOW_HZ = -50.0, 500.0
RATTLE = 0.5


def find_defects(x: np.ndarray, sample_rate: int, hop_length: int) -> dict[str, bool]:
    """Which of ``DEFECTS`` the kick has. A silent kick has only that one.

    Arguments:
        x: Waveform with shape (N,).
        sample_rate: In Hz.
        hop_length: Distance of the frames of the mels that kicks are made from, in samples.
    """
    x = np.asarray(x, np.float64)
    if not np.isfinite(x).all() or np.abs(x).max(initial=0.0) < 10 ** (SILENT_DBFS / 20):
        return {name: name == "silent" for name in DEFECTS}
    return {
        "onsets": has_second_onset(x, sample_rate),
        "step": start_level(x) > STEP_SHARE,
        "late": onset_ms(x, sample_rate) > LATE_MS,
        "clipped": is_clipped(x),
        "dc": bool(abs(x.mean()) > DC_SHARE * np.abs(x).max()),
        "tone": has_steady_tone(x, sample_rate),
        "silent": False,
        "tail_noise": has_tail_noise(x, sample_rate),
        "rattle": rattle(x, sample_rate, hop_length) > RATTLE,
    }


def start_level(x: np.ndarray) -> float:
    """Magnitude of the first sample of x (N,) within 60 dB of its peak, over the peak: 0.001 for a soft start, 1 at most.

    Of 578 real kicks 5% have more than 0.1. NaN for silence.
    """
    magnitude = np.abs(x)
    peak = magnitude.max(initial=0.0)
    return float(magnitude[(magnitude >= peak * 10 ** (START_DB / 20)).argmax()] / peak) if peak > 0 else float("nan")


def frame_levels(x: np.ndarray, size: int, hop: int) -> np.ndarray:
    """Levels in dB (RMS) of frames with the given size, hop samples apart."""
    energy = np.concatenate([[0.0], np.cumsum(x**2)])
    starts = np.arange(0, max(len(x) - size, 0) + 1, hop)
    power = (energy[np.minimum(starts + size, len(x))] - energy[starts]) / size
    return 10 * np.log10(np.maximum(power, 1e-12))


def has_second_onset(x: np.ndarray, sample_rate: int) -> bool:
    # A frame of 25 ms is a whole period at 40 Hz, so the sub's own wave is no rise.
    hop = max(sample_rate // 400, 1)
    levels = frame_levels(x, round(RISE_FRAME_MS / 1000 * sample_rate), hop)
    levels = levels - levels.max()
    start = int((levels > RISE_LEVEL_DB).argmax())
    levels = levels[start:]
    # Before 40 ms a click and its body are one kick.
    later = np.where(np.arange(len(levels)) * hop >= RISE_AFTER_MS / 1000 * sample_rate, levels, -np.inf)
    before = np.maximum.accumulate(levels)
    after = np.maximum.accumulate(later[::-1])[::-1]
    valley = np.minimum(before, after) - levels
    return bool(np.any((valley > RISE_DB) & (after > RISE_LEVEL_DB)))


def is_clipped(x: np.ndarray) -> bool:
    # A peak beyond full scale is none: finishing scales it down before anything is cut off.
    peak = np.abs(x).max()
    # A 20 Hz sine turns by more than this step within 8 samples at its peak; 16 bits resolve it.
    flat = np.concatenate([[0], (np.abs(x) >= peak * (1 - FLAT_STEP)).astype(int), [0]])
    edges = np.flatnonzero(np.diff(flat))
    return bool((edges[1::2] - edges[::2]).max() >= FLAT_SAMPLES)


def has_steady_tone(x: np.ndarray, sample_rate: int) -> bool:
    # The last 0.2 s fade out; two windows between the middle and the fade.
    stop = len(x) - round(0.2 * sample_rate)
    size = (stop - len(x) // 2) // 2
    if size < 1024:
        return False
    window = np.hanning(size)
    first, second = (np.abs(np.fft.rfft(x[stop - k * size : stop - (k - 1) * size] * window)) for k in (2, 1))
    line = int(second[2:].argmax()) + 2
    level = 20 * np.log10(max(second[line] * 4 / size / 2**0.5, 1e-9))  # RMS of the sine
    prominence = 20 * np.log10(max(second[line], 1e-12) / max(np.median(second), 1e-12))
    near = first[max(line - 1, 0) : line + 2].max()
    decay = 20 * np.log10(max(near, 1e-12) / max(second[line], 1e-12)) / (size / sample_rate)
    return bool(level > TONE_DBFS and prominence > TONE_PROMINENCE_DB and abs(decay) < TONE_DECAY_DB)


def has_tail_noise(x: np.ndarray, sample_rate: int) -> bool:
    spectrum = np.fft.rfft(x, -(-len(x) // 2048) * 2048)
    spectrum[: int(np.ceil(NOISE_LOW_HZ / sample_rate * 2 * (len(spectrum) - 1)))] = 0
    high = np.fft.irfft(spectrum)[: len(x) - round(0.2 * sample_rate)]  # without the fade-out
    start = int(onset_ms(x, sample_rate) / 1000 * sample_rate)
    frame = sample_rate // 10
    if len(high) - start < frame:
        return False
    return bool(frame_levels(high[start:], frame, frame // 2).min() > NOISE_DBFS)
