"""The last hand on a kick before a sampler plays it: level, start, tail, length and tuning.

In order: the constant part goes, the pitch moves by resampling, what precedes the onset and what follows the last
sample above -60 dB is cut, short cosine fades take both ends to zero, and the peak is set last, so that nothing after
it can clip.
"""

__all__ = ["FinishError", "Finished", "finish", "midi_to_hz", "hz_to_midi", "note_name", "parse_pitch", "root_hz"]

import math
import re
from dataclasses import dataclass

import numpy as np

from kickpipe.audio.descriptors import onset_ms, pitch_sweep
from kickpipe.common.errors import KickpipeError

TAIL_DB = -60.0
SILENCE = 1e-5  # peak of a network's nothing: -100 dBFS
DC_CORNER_HZ = 5.0  # one pole: -0.1 dB and 10 degrees at 30 Hz, the lowest kicks
LEAD_MS = 0.8  # what is kept before the onset and faded in: less than the 1 ms promised, so rounding cannot break it
FADE_MS = 5.0
MAX_TUNING_OCTAVES = 2.0  # beyond it a kick is another instrument
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class FinishError(KickpipeError):
    """A kick cannot be finished as asked; the message says why."""


@dataclass(frozen=True)
class Finished:
    """A kick ready for a sampler.

    Arguments:
        samples: Mono samples with shape (N,), float32.
        root_hz: Its pitch after the sweep (Hz), None where it has none.
        tuning: Factor by which the pitch was moved.
    """

    samples: np.ndarray
    root_hz: float | None
    tuning: float

    @property
    def note(self) -> str | None:
        """The nearest note, for example ``F#1``, None for a kick without pitch."""
        return None if self.root_hz is None else note_name(self.root_hz)


def hz_to_midi(hz: float) -> float:
    """MIDI note number with a fraction: 69 is A4 = 440 Hz, 60 is C4."""
    return 69.0 + 12.0 * math.log2(hz / 440.0)


def midi_to_hz(midi: float) -> float:
    return 440.0 * 2.0 ** ((midi - 69.0) / 12.0)


def note_name(hz: float) -> str:
    """The nearest note of equal temperament, for example ``F#1`` for 46.2 Hz."""
    midi = round(hz_to_midi(hz))
    return f"{NOTES[midi % 12]}{midi // 12 - 1}"


def parse_pitch(text: str) -> tuple[float, bool]:
    """Reads ``F#1``, ``Gb`` or ``46.2`` (Hz, also ``46.2Hz``).

    Returns:
        The pitch in Hz, and whether its octave is open (a note without a number means the octave nearest to the kick).

    Raises:
        FinishError: If it is neither a note nor a frequency from 10 to 1000 Hz.
    """
    text = text.strip()
    if match := re.fullmatch(r"([A-Ga-g])([#b♯♭]?)(-?\d)?", text):
        semitone = NOTES.index(match[1].upper()) + {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[match[2]]
        octave = 1 if match[3] is None else int(match[3])
        return _in_range(midi_to_hz(semitone + 12 * (octave + 1)), text), match[3] is None
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:[hH][zZ])?", text):
        return _in_range(float(match[1]), text), False
    raise FinishError(f"cannot read the pitch {text[:40]!r}: write a note such as F#1 or F#, or Hz such as 46.2")


def _in_range(hz: float, text: str) -> float:
    if not 10.0 <= hz <= 1000.0:
        raise FinishError(f"the pitch {text[:40]!r} is {hz:.4g} Hz: kicks are tuned between 10 and 1000 Hz")
    return hz


def root_hz(samples: np.ndarray, sample_rate: int) -> float | None:
    """The pitch of samples (N,) in Hz once the sweep has settled, None where none can be measured."""
    hz = pitch_sweep(samples, sample_rate).end_hz
    return hz if math.isfinite(hz) and 10.0 <= hz <= 1000.0 else None


def remove_dc(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Removes the constant part of samples (N,) without a step at either end.

    A kick is mostly silence, so the median is the offset of that silence; what slow drift remains goes through
    y[n] = x[n] - x[n-1] + r y[n-1], computed as a convolution.
    """
    x = samples.astype(np.float64) - np.median(samples)
    size = 1 << (2 * len(x) - 1).bit_length()
    pole = math.exp(-2 * math.pi * DC_CORNER_HZ / sample_rate)
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    gain = (1 + pole) / 2 * (1 - delay) / (1 - pole * delay)
    return np.fft.irfft(np.fft.rfft(x, size) * gain, size)[: len(x)]


def _tune(samples: np.ndarray, sample_rate: int, tune: str) -> tuple[np.ndarray, float]:
    import soxr

    target, any_octave = parse_pitch(tune)
    found = root_hz(samples, sample_rate)
    if found is None:
        raise FinishError("this kick has no pitch that could be measured, so it cannot be tuned; leave the tuning out")
    octaves = math.log2(target / found)
    if any_octave:
        octaves -= round(octaves)
    if abs(octaves) > MAX_TUNING_OCTAVES:
        raise FinishError(
            f"tuning from {found:.1f} Hz to {target:.1f} Hz moves the kick by {octaves:+.1f} octaves; "
            f"at most {MAX_TUNING_OCTAVES:g} are possible: choose a nearer note"
        )
    factor = 2.0**octaves
    return soxr.resample(samples, sample_rate * factor, sample_rate, quality="HQ"), factor


def finish(
    samples: np.ndarray,
    sample_rate: int,
    *,
    peak_db: float = -1.0,
    length_ms: float | None = None,
    fade_ms: float = FADE_MS,
    tune: str | None = None,
) -> Finished:
    """Makes a kick ready for a sampler.

    Arguments:
        samples: Mono samples with shape (N,), any level.
        peak_db: Peak of the result (dBFS), at most 0.
        length_ms: Length of the result: a longer kick is cut, a shorter one followed by silence. None: as it rings.
        fade_ms: Length of the fade-out, at most as long as the kick.
        tune: Note or Hz to which the settled pitch is moved by resampling, see ``parse_pitch``.

    Raises:
        FinishError: If an argument makes no sense, or the samples are silent, not finite or without the pitch to tune.
    """
    if not (math.isfinite(peak_db) and -60.0 <= peak_db <= 0.0):
        raise FinishError(f"the peak must be from -60 to 0 dBFS, found {peak_db:g}")
    if length_ms is not None and not 5.0 <= length_ms <= 10_000.0:
        raise FinishError(f"the length must be from 5 to 10000 ms, found {length_ms:g}")
    if not 0.0 <= fade_ms <= 10_000.0:
        raise FinishError(f"the fade must be from 0 to 10000 ms, found {fade_ms:g}")
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise FinishError(f"expected mono samples of shape (N,), found shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise FinishError("the kick has samples that are not finite")
    x = remove_dc(samples, sample_rate) if len(samples) else samples
    if not np.abs(x).max(initial=0.0) > SILENCE:
        raise FinishError("the kick is silent")
    factor = 1.0
    if tune is not None:
        x, factor = _tune(x, sample_rate, tune)
    x = _cut(x, sample_rate, length_ms, fade_ms)
    x *= 10.0 ** (peak_db / 20.0) / np.abs(x).max()
    root = root_hz(x, sample_rate)
    if length_ms is not None:
        x = np.pad(x, (0, max(round(length_ms / 1000 * sample_rate) - len(x), 0)))
    return Finished(x.astype(np.float32), root, factor)


def _cut(x: np.ndarray, sample_rate: int, length_ms: float | None, fade_ms: float) -> np.ndarray:
    onset = round(onset_ms(x, sample_rate) / 1000 * sample_rate)
    lead = min(round(LEAD_MS / 1000 * sample_rate), onset)
    magnitude = np.abs(x)
    last = int(np.flatnonzero(magnitude >= magnitude.max() * 10.0 ** (TAIL_DB / 20.0))[-1])
    fade = round(fade_ms / 1000 * sample_rate)
    stop = min(last + 1 + min(fade, round(FADE_MS / 1000 * sample_rate)), len(x))
    if length_ms is not None:
        stop = min(stop, onset - lead + round(length_ms / 1000 * sample_rate))
    x = x[onset - lead : stop].copy()
    x[:lead] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(lead) / max(lead, 1))
    fade = min(fade, len(x) - lead)
    if fade:
        x[len(x) - fade :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fade + 1) / fade)
    return x
