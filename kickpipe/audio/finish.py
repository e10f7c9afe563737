"""The last hand on a kick before a sampler plays it: level, start, tail, length and tuning.

In order: the constant part goes, the pitch moves by resampling, what precedes the onset and what follows the last
sample above -60 dB is cut, short cosine fades take both ends to zero, and the peak is set last, so that nothing after
it can clip. What a pitch is measured at depends on where the tail is cut, and the cut on the pitch: a kick is tuned in
passes, each measured on what would be written.
"""

__all__ = [
    "FinishError",
    "Finished",
    "PitchError",
    "finish",
    "hz_to_midi",
    "midi_to_hz",
    "note_name",
    "parse_pitch",
    "remove_dc",
    "root_hz",
]

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kickpipe.audio.defects import STEP_SHARE, start_level
from kickpipe.audio.descriptors import onset_ms, pitch_sweep
from kickpipe.common.errors import KickpipeError

TAIL_DB = -60.0
SILENCE = 1e-5  # peak of a network's nothing: -100 dBFS
DC_CORNER_HZ = 5.0  # one pole: -0.1 dB and 10 degrees at 30 Hz, the lowest kicks
LEAD_MS = 0.8  # what is kept before the onset and faded in: less than the 1 ms promised, so rounding cannot break it
FADE_MS = 5.0
STEP_FADE_MS = 0.5  # from the onset of a kick that begins with a step
MAX_TUNING_OCTAVES = 2.0  # beyond it a kick is another instrument
TUNING_PASSES = 8
TUNED_CENTS = 0.5  # near enough to stop
MISSED_CENTS = 10.0  # too far to call it tuned: two kicks this far apart beat
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class FinishError(KickpipeError):
    """A kick cannot be finished as asked; the message says why."""


class PitchError(FinishError):
    """This kick cannot be tuned: it has no pitch, or none that follows; another kick may be."""


@dataclass(frozen=True)
class Finished:
    """A kick ready for a sampler.

    Arguments:
        samples: Mono samples with shape (N,), float32.
        sample_rate: Samples a second (Hz).
        root_hz: Its pitch after the sweep (Hz), None where it has none.
        tuning: Factor by which the pitch was moved.
    """

    samples: np.ndarray
    sample_rate: int
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
    """Reads ``F#1``, ``Gb``, ``Fs1`` as file names have it, or ``46.2`` (Hz, also ``46.2Hz``).

    Returns:
        The pitch in Hz, and whether its octave is open (a note without a number means the octave nearest to the kick).

    Raises:
        FinishError: If it is neither a note nor a frequency from 10 to 1000 Hz.
    """
    text = text.strip()
    if match := re.fullmatch(r"([A-Ga-g])([#b♯♭]?|(?<=[CDFGAcdfga])s)(-?\d)?", text):
        semitone = NOTES.index(match[1].upper()) + {"": 0, "#": 1, "♯": 1, "s": 1, "b": -1, "♭": -1}[match[2]]
        octave = 1 if match[3] is None else int(match[3])
        return in_range(midi_to_hz(semitone + 12 * (octave + 1)), text), match[3] is None
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:[hH][zZ])?", text):
        return in_range(float(match[1]), text), False
    raise FinishError(f"cannot read the pitch {text[:40]!r}: write a note such as F#1 or F#, or Hz such as 46.2")


def in_range(hz: float, text: str) -> float:
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


def tuning_factor(shape: Callable[[float], np.ndarray], sample_rate: int, tune: str) -> float:
    """The factor on the pitch that brings a kick to a note.

    Arguments:
        shape: Gives the kick as it would be written, with its pitch moved by a factor.
        tune: As for ``parse_pitch``.

    Raises:
        PitchError: If no pitch can be measured, it is too far away, or it does not follow within 10 cents.
    """
    target, any_octave = parse_pitch(tune)
    first = found = root_hz(shape(1.0), sample_rate)
    if first is None or found is None:
        raise PitchError("this kick has no pitch that could be measured, so it cannot be tuned; leave the tuning out")
    if any_octave:
        target *= 2.0 ** round(math.log2(first / target))
    if abs(octaves := math.log2(target / first)) > MAX_TUNING_OCTAVES:
        raise PitchError(
            f"tuning from {first:.1f} Hz to {target:.1f} Hz moves the kick by {octaves:+.1f} octaves; "
            f"at most {MAX_TUNING_OCTAVES:g} are possible: choose a nearer note"
        )
    factor, best, missed = 1.0, 1.0, abs(cents(first, target))
    for _ in range(TUNING_PASSES):
        if missed <= TUNED_CENTS:
            break
        factor *= target / found
        if abs(math.log2(factor)) > MAX_TUNING_OCTAVES:
            break
        found = root_hz(shape(factor), sample_rate)
        if found is None:
            break
        if abs(cents(found, target)) < missed:
            best, missed = factor, abs(cents(found, target))
    if missed > MISSED_CENTS:
        raise PitchError(
            f"this kick has no steady pitch: its {first:.1f} Hz come within {missed:.0f} cents of {target:.1f} Hz at best; "
            "leave the tuning out or choose a nearer note"
        )
    return best


def cents(hz: float, reference_hz: float) -> float:
    """How far a pitch lies above another, in hundredths of a semitone."""
    return 1200.0 * math.log2(hz / reference_hz)


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
        FinishError: If an argument makes no sense, or the samples are silent or not finite.
        PitchError: If the kick cannot be tuned.
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

    def shape(factor: float) -> np.ndarray:
        return cut(move_pitch(x, sample_rate, factor), sample_rate, length_ms, fade_ms)

    factor = 1.0 if tune is None else tuning_factor(shape, sample_rate, tune)
    x = shape(factor)
    x *= 10.0 ** (peak_db / 20.0) / np.abs(x).max()
    root = root_hz(x, sample_rate)
    if length_ms is not None:
        x = np.pad(x, (0, max(round(length_ms / 1000 * sample_rate) - len(x), 0)))
    return Finished(x.astype(np.float32), sample_rate, root, factor)


def move_pitch(x: np.ndarray, sample_rate: int, factor: float) -> np.ndarray:
    """The samples (N,) played ``factor`` times as fast."""
    import soxr

    return x if factor == 1.0 else soxr.resample(x, sample_rate * factor, sample_rate, quality="HQ")


def cut(x: np.ndarray, sample_rate: int, length_ms: float | None, fade_ms: float) -> np.ndarray:
    """What a sampler needs of samples (N,): from just before the onset to the end of the tail, with both ends faded."""
    onset = round(onset_ms(x, sample_rate) / 1000 * sample_rate)
    lead = min(round(LEAD_MS / 1000 * sample_rate), onset)
    magnitude = np.abs(x)
    last = int(np.flatnonzero(magnitude >= magnitude.max() * 10.0 ** (TAIL_DB / 20.0))[-1])
    fade = round(fade_ms / 1000 * sample_rate)
    stop = min(last + 1 + min(fade, round(FADE_MS / 1000 * sample_rate)), len(x))
    if length_ms is not None:
        stop = min(stop, onset - lead + round(length_ms / 1000 * sample_rate))
    x = x[onset - lead : stop].copy()
    x[:lead] *= rise(lead)
    if start_level(x) > STEP_SHARE:
        length = min(round(STEP_FADE_MS / 1000 * sample_rate), len(x) - lead)
        x[lead : lead + length] *= rise(length)
    fade = min(fade, len(x) - lead)
    if fade:
        x[len(x) - fade :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fade + 1) / fade)
    return x


def rise(length: int) -> np.ndarray:
    """Factors (length,) from 0 towards 1, half a cosine."""
    return 0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(length, 1))
