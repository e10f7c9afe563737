"""The audio constants that every component shares, as one plain value.

They travel inside every model file, so a network is never fed mels it was not trained on.
"""

__all__ = ["ITERATIONS_AFTER_NETWORK", "ITERATIONS_ALONE", "LIMITS", "AudioSettings"]

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

# Of Griffin-Lim where nothing else is asked for: alone, and from the waveform of a vocoder
ITERATIONS_ALONE, ITERATIONS_AFTER_NETWORK = 16, 4

# What a file may claim at most: a model file from a stranger must not make a machine run out of memory
LIMITS = {"sample_rate": 768_000, "duration": 60.0, "n_fft": 2**16, "hop_length": 2**16, "n_mels": 2**12}
MAX_SAMPLES = 3_000_000  # a minute at 48 kHz
MAX_STFT = 2**24  # n_fft times frames: a spectrogram of 64 MB


@dataclass(frozen=True)
class AudioSettings:
    """How audio becomes a log-mel spectrogram.

    Arguments:
        sample_rate: Samples a second (Hz).
        duration: Length of every kick (s).
        n_fft: Window and FFT size (samples).
        hop_length: Distance between frames (samples).
        n_mels: Number of mel bands.
        peak_db: Peak after normalisation (dBFS).
        fade_seconds: Length of the linear fade-out (s).
        mel_floor: Mel power below which the logarithm is clamped.
    """

    sample_rate: int
    duration: float
    n_fft: int
    hop_length: int
    n_mels: int
    peak_db: float
    fade_seconds: float
    mel_floor: float

    @property
    def num_samples(self) -> int:
        """Length of a kick in samples."""
        return round(self.sample_rate * self.duration)

    @property
    def num_frames(self) -> int:
        """Number of mel frames of a kick, with centred windows."""
        return 1 + self.num_samples // self.hop_length

    @property
    def mel_shape(self) -> tuple[int, int, int]:
        """Shape (1, n_mels, num_frames) of one log-mel spectrogram."""
        return (1, self.n_mels, self.num_frames)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "AudioSettings":
        """Rebuilds the settings from what a file says.

        Raises:
            TypeError: If a name is missing or unknown.
            ValueError: If a value is not a number, or one that no kick has.
        """
        settings = cls(**values)
        for name, value in settings.to_dict().items():
            whole = name in ("sample_rate", "n_fft", "hop_length", "n_mels")
            if (
                isinstance(value, bool)
                or not isinstance(value, int if whole else (int, float))
                or not math.isfinite(value)
            ):
                raise ValueError(f"audio.{name}: expected a{' whole' if whole else ''} number, found {value!r}")
            if name in LIMITS and not 0 < value <= LIMITS[name]:
                raise ValueError(f"audio.{name}: {value} is not between 0 and {LIMITS[name]}")
        if settings.num_samples > MAX_SAMPLES:
            raise ValueError(
                f"audio: {settings.duration:g} s at {settings.sample_rate} Hz are {settings.num_samples:,} samples, "
                f"expected at most {MAX_SAMPLES:,}"
            )
        if max(settings.n_fft, settings.n_mels) * settings.num_frames > MAX_STFT:
            raise ValueError(
                f"audio: {settings.num_frames:,} frames of n_fft {settings.n_fft} and n_mels {settings.n_mels} are too "
                "many: expected a longer hop_length"
            )
        return settings
