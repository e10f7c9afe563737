"""From an audio file to two seconds of normalised mono: the first six steps of preprocessing.

load -> mono -> resample -> pad or trim -> normalise -> fade out. Every step is a function on plain arrays, and
``prepare`` chains them. Whatever makes a file unusable is an ``AudioError`` whose message is the reason.

Shapes: C channels, N samples.
"""

__all__ = [
    "AudioError",
    "prepare",
    "prepare_samples",
    "decode",
    "to_mono",
    "resample",
    "fit",
    "normalise",
    "fade_out",
]

import math
import os
import re
import sys
from pathlib import Path

import numpy as np
import soundfile

from kickpipe.audio.settings import AudioSettings
from kickpipe.common.errors import KickpipeError

SILENCE_PEAK = 1e-4  # -80 dBFS: normalised, such a file would be nothing but amplified noise
MARGIN_SECONDS = 0.1  # read beyond what is kept: the resampler's window reaches there
MIN_RATE, MAX_RATE = 1_000, 768_000  # Hz; a rate outside is a broken header
MAX_CHANNELS = 64

DECLARED_SIZE = re.compile(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", re.MULTILINE)
UNKNOWN_SIZE = 0x7FFFFF00  # programs that write to a pipe leave a size such as 0xFFFFFFFF, which promises nothing


class AudioError(KickpipeError):
    """An audio file or signal that cannot be used; the message is the reason, for a person.

    Attributes:
        kind: The reason in a word, to count by: unreadable, vanished, truncated, empty, silent or not_finite.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type["AudioError"], tuple[str, str]]:  # errors cross process borders
        return type(self), (str(self), self.kind)


def prepare(path: str | os.PathLike[str], settings: AudioSettings) -> np.ndarray:
    """Reads one kick as the networks see it (steps 1 to 6 of preprocessing).

    Only the seconds that are kept are read, however long the file is.

    Returns:
        Mono float32 samples with shape (num_samples,), peak at ``peak_db``, faded out at the end.

    Raises:
        AudioError: If the file cannot be read, or is empty, silent or not finite.
    """
    samples, sample_rate = decode(path, max_seconds=settings.duration + MARGIN_SECONDS)
    return prepare_samples(samples, sample_rate, settings)


def prepare_samples(samples: np.ndarray, sample_rate: int, settings: AudioSettings) -> np.ndarray:
    """Steps 2 to 6 of preprocessing, for audio in memory.

    Arguments:
        samples: Samples with shape (C, N).
        sample_rate: Their rate (Hz).
        settings: What to make of them.

    Returns:
        Mono float32 samples with shape (num_samples,).

    Raises:
        AudioError: If the samples are empty, silent or not finite.
    """
    if samples.shape[-1] == 0:
        raise AudioError("no samples", "empty")
    if not np.isfinite(samples).all():
        raise AudioError("contains NaN or infinite samples", "not_finite")
    waveform = to_mono(samples)
    waveform = resample(waveform, sample_rate, settings.sample_rate)
    waveform = fit(waveform, settings.num_samples)
    waveform = normalise(waveform, settings.peak_db)
    return fade_out(waveform, round(settings.fade_seconds * settings.sample_rate))


def decode(path: str | os.PathLike[str], max_seconds: float | None = None) -> tuple[np.ndarray, int]:
    """Reads an audio file of any format that libsndfile knows (WAV, FLAC, AIFF, Ogg, MP3 ...).

    Arguments:
        path: The file.
        max_seconds: Read no more than this from the beginning; None reads all.

    Returns:
        Float32 samples with shape (C, N), full scale 1, and the sample rate (Hz).

    Raises:
        AudioError: If the file is missing, is not audio, or is truncated before ``max_seconds``.
    """
    try:
        # On POSIX a name is bytes that need not be UTF-8, and soundfile encodes a str strictly
        with soundfile.SoundFile(os.fspath(path) if sys.platform == "win32" else os.fsencode(path)) as file:
            rate, channels = file.samplerate, file.channels
            if not MIN_RATE <= rate <= MAX_RATE:
                raise AudioError(f"sample rate {rate:,} Hz, expected {MIN_RATE:,} to {MAX_RATE:,}", "unreadable")
            if channels > MAX_CHANNELS:
                raise AudioError(f"{channels} channels, expected at most {MAX_CHANNELS}", "unreadable")
            frames = file.frames if max_seconds is None else min(file.frames, math.ceil(max_seconds * rate))
            if frames >= file.frames:
                check_not_truncated(file.extra_info)
            samples = file.read(frames, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise explain_failure(path, error) from None
    return samples.T, rate


def check_not_truncated(header_log: str) -> None:
    """Compares the size that a WAV or AIFF header declares with what there is; libsndfile corrects it silently.

    Raises:
        AudioError: If more than 1% is missing (a few bytes are a careless writer, not a broken file).
    """
    for declared, found in DECLARED_SIZE.findall(header_log):
        declared, found = int(declared), int(found)
        if 0.99 * declared > found and declared < UNKNOWN_SIZE:
            message = f"truncated: the header promises {declared:,} bytes of samples, the file has {found:,}"
            raise AudioError(message, "truncated")


def explain_failure(path: str | os.PathLike[str], error: soundfile.LibsndfileError) -> AudioError:
    """Why libsndfile could not read ``path``: the system's word if it cannot be opened at all."""
    try:
        with Path(path).open("rb") as file:
            if not file.read(1):
                return AudioError("empty file", "empty")
    except FileNotFoundError:
        return AudioError("file not found", "vanished")
    except OSError as system_error:
        return AudioError(f"cannot be opened: {system_error.strerror or system_error}", "unreadable")
    reason = error.error_string.strip().removeprefix("Error :").strip().rstrip(".")
    if "not a regular file" in reason:  # what libsndfile says when its MP3 reader finds no frame
        reason = "format not recognised"
    return AudioError(f"not readable as audio: {reason[:1].lower()}{reason[1:]}", "unreadable")


def to_mono(samples: np.ndarray) -> np.ndarray:
    """The mean of all channels.

    Arguments:
        samples: Samples with shape (C, N).

    Returns:
        Samples with shape (N,).
    """
    return samples[0] if samples.shape[0] == 1 else samples.mean(axis=0, dtype=np.float32)


def resample(waveform: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Changes the sample rate with soxr's HQ filter, which leaks 135 dB less than full scale above half the new rate.

    Arguments:
        waveform: Samples with shape (N,).
        from_rate: Their rate (Hz).
        to_rate: The wanted rate (Hz).

    Returns:
        Samples with shape (about N * to_rate / from_rate,), at least one.
    """
    if from_rate == to_rate:
        return waveform
    import soxr

    resampled = soxr.resample(np.ascontiguousarray(waveform, dtype=np.float32), from_rate, to_rate, quality="HQ")
    return resampled if len(resampled) else np.asarray(waveform[:1], dtype=np.float32)


def fit(waveform: np.ndarray, num_samples: int) -> np.ndarray:
    """Trims the end, or pads it with zeros: shape (N,) to (num_samples,), always a copy."""
    fitted = np.zeros(num_samples, dtype=np.float32)
    length = min(num_samples, len(waveform))
    fitted[:length] = waveform[:length]
    return fitted


def normalise(waveform: np.ndarray, peak_db: float) -> np.ndarray:
    """Scales the peak to ``peak_db`` (dBFS); shape (N,) stays.

    Raises:
        AudioError: If the peak is below -80 dBFS.
    """
    peak = float(np.abs(waveform).max(initial=0.0))
    if peak < SILENCE_PEAK:
        raise AudioError("silent", "silent")
    return (waveform * (10 ** (peak_db / 20) / peak)).astype(np.float32)


def fade_out(waveform: np.ndarray, num_samples: int) -> np.ndarray:
    """Fades the last ``num_samples`` linearly to exactly zero; shape (N,) stays."""
    num_samples = min(num_samples, len(waveform))
    if num_samples == 0:
        return waveform
    faded = waveform.copy()
    faded[-num_samples:] *= np.linspace(1, 0, num_samples, dtype=np.float32)
    return faded
