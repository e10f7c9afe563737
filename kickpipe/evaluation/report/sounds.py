"""The kicks of a page: their pictures on its axes, and their sounds as FLAC, all inside the HTML."""

__all__ = ["Sound", "SoundBank", "audible_seconds"]

import base64
import io
from dataclasses import dataclass

import numpy as np
import soundfile

from kickpipe.audio.descriptors import onset_ms
from kickpipe.evaluation.report.axes import TimeAxis
from kickpipe.evaluation.report.pictures import ATTACK, WHOLE, attack_path, grey_png, outline_path, segment, spectrogram

TAIL_DB = -60.0
PAD_SECONDS = 0.05
MIN_SECONDS = 0.2


@dataclass(frozen=True)
class Sound:
    """What the template needs of a kick.

    Arguments:
        title: What it is, for people.
        kind: "generated", "real" or "copy"; chooses the colour.
        audio: Number of its sound on the page.
        outline, attack: Data of the SVG paths, in view boxes of 640 x 200.
        mel, attack_mel: Data URIs of the spectrograms; empty for a small picture.
        seconds: From the start of the file to the end of the tail.
        onset_seconds: From the start of the file to the onset, where the attack's axis has its 0.
    """

    title: str
    kind: str
    audio: int
    outline: str
    attack: str
    mel: str
    attack_mel: str
    seconds: float
    onset_seconds: float


class SoundBank:
    """Draws all sounds of a page on one time axis and keeps their audio.

    Arguments:
        sample_rate: In Hz.
        axis: Of the whole kick.
    """

    def __init__(self, sample_rate: int, axis: TimeAxis) -> None:
        self.sample_rate = sample_rate
        self.axis = axis
        self.audio: list[str] = []

    def add(self, waveform: np.ndarray, title: str, kind: str = "real", small: bool = False) -> Sound:
        """Takes a kick with shape (N,); ``small`` pictures have no spectrograms."""
        rate = self.sample_rate
        onset = onset_ms(waveform, rate)
        onset = onset if np.isfinite(onset) else 0.0
        attack_axis = TimeAxis.attack_from(onset)
        level = waveform / max(float(np.abs(waveform).max(initial=0.0)), 1e-9)
        self.audio.append(flac_base64(waveform, rate))
        seconds = audible_seconds(waveform, rate)
        return Sound(
            title=title,
            kind=kind,
            audio=len(self.audio) - 1,
            outline=outline_path(segment(level, rate, self.axis)),
            attack=attack_path(segment(level, rate, attack_axis)),
            mel="" if small else png_uri(spectrogram(level, rate, self.axis, WHOLE)),
            attack_mel="" if small else png_uri(spectrogram(level, rate, attack_axis, ATTACK)),
            seconds=seconds,
            onset_seconds=onset / 1000,
        )


def audible_seconds(waveform: np.ndarray, sample_rate: int) -> float:
    """Time from the start to the last sample within 60 dB of the peak, and 50 ms; at least 0.2 s."""
    magnitude = np.abs(waveform)
    loud = np.flatnonzero(magnitude >= magnitude.max(initial=0.0) * 10 ** (TAIL_DB / 20))
    last = loud[-1] / sample_rate if magnitude.any() else 0.0
    return float(min(max(last + PAD_SECONDS, MIN_SECONDS), len(waveform) / sample_rate))


def flac_base64(waveform: np.ndarray, sample_rate: int) -> str:
    """The kick up to the end of its tail as 16-bit FLAC, which every current browser decodes."""
    length = round(audible_seconds(waveform, sample_rate) * sample_rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(waveform[:length], -1, 1), sample_rate, format="FLAC", subtype="PCM_16")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def png_uri(levels: np.ndarray) -> str:
    return f"data:image/png;base64,{base64.b64encode(grey_png(levels)).decode('ascii')}"
