"""A kick on the page: its waveform as an SVG path, its log-mel as a PNG, its sound as FLAC, all inside the HTML."""

__all__ = ["Sound", "audible_seconds", "show"]

import base64
import io
from dataclasses import dataclass

import numpy as np
import soundfile
import torch

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.settings import AudioSettings

WIDTH, HEIGHT = 160, 40  # of the waveform's view box
RANGE_DB = 70.0  # of the log-mel's colours
LOWEST_HZ, ROWS = 30.0, 96
TAIL_DB = -60.0
PAD_SECONDS = 0.05
MIN_SECONDS = 0.2


@dataclass(frozen=True)
class Sound:
    """What the template needs of a kick.

    Arguments:
        title: Shown above.
        note: Shown below, small.
        path: Data of the SVG path, in a view box of 160 x 40.
        mel: Data URI of the picture.
        audio: Data URI of the sound.
        seconds: How much of the kick the pictures show.
        kind: "generated", "real" or "copy"; chooses the colour.
    """

    title: str
    note: str
    path: str
    mel: str
    audio: str
    seconds: float
    kind: str


def show(
    waveform: np.ndarray, settings: AudioSettings, seconds: float, title: str, note: str = "", kind: str = "real"
) -> Sound:
    """Pictures of the first seconds of a kick with shape (num_samples,), and all of its sound."""
    frames = max(round(seconds * settings.sample_rate / settings.hop_length), 2)
    mel = mel_spectrogram(torch.from_numpy(np.ascontiguousarray(waveform, np.float32))[None], settings)[0, 0].numpy()
    return Sound(
        title=title,
        note=note,
        path=waveform_path(waveform[: round(seconds * settings.sample_rate)]),
        mel=mel_uri(mel[:, :frames], settings),
        audio=audio_uri(waveform, settings.sample_rate),
        seconds=seconds,
        kind=kind,
    )


def audible_seconds(waveform: np.ndarray, sample_rate: int) -> float:
    """Time from the start to the last sample within 60 dB of the peak, and 50 ms; at least 0.2 s."""
    magnitude = np.abs(waveform)
    loud = np.flatnonzero(magnitude >= magnitude.max(initial=0.0) * 10 ** (TAIL_DB / 20))
    last = loud[-1] / sample_rate if magnitude.any() else 0.0
    return float(min(max(last + PAD_SECONDS, MIN_SECONDS), len(waveform) / sample_rate))


def waveform_path(waveform: np.ndarray) -> str:
    """Outline of the waveform: the highest sample of each column forwards, the lowest backwards."""
    columns = np.array_split(np.asarray(waveform, np.float64), WIDTH)
    middle = HEIGHT / 2
    scale = (middle - 1) / max(np.abs(waveform).max(initial=0.0), 1e-9)
    # Half a unit at least, so that silence stays visible as a line.
    top = [middle - max(column.max(initial=0.0) * scale, 0.25) for column in columns]
    bottom = [middle - min(column.min(initial=0.0) * scale, -0.25) for column in columns]
    points = [f"{x} {y:.1f}" for x, y in enumerate(top)]
    points += [f"{x} {y:.1f}" for x, y in reversed(list(enumerate(bottom)))]
    return "M" + "L".join(points) + "Z"


def mel_uri(mel: np.ndarray, settings: AudioSettings) -> str:
    """A log-mel (M, L) as PNG, drawn on a logarithmic frequency axis from 30 Hz: on the mel's own, the whole kick would
    lie in the lowest tenth of the picture."""
    import matplotlib.image

    edges = np.linspace(0, 2595 * np.log10(1 + settings.sample_rate / 2 / 700), settings.n_mels + 2)
    centres = 700 * (10 ** (edges[1:-1] / 2595) - 1)
    hz = np.geomspace(LOWEST_HZ, centres[-1], ROWS)
    band = np.interp(hz, centres, np.arange(settings.n_mels))
    lower = np.minimum(band.astype(int), settings.n_mels - 2)
    share = (band - lower)[:, None]
    decibels = (10 / np.log(10)) * ((1 - share) * mel[lower] + share * mel[lower + 1])
    top = float(decibels.max())
    buffer = io.BytesIO()
    matplotlib.image.imsave(
        buffer,
        decibels,
        origin="lower",
        vmin=top - RANGE_DB,
        vmax=top,
        cmap="magma",
        format="png",
        metadata={"Software": None},
    )
    return _uri("image/png", buffer.getvalue())


def audio_uri(waveform: np.ndarray, sample_rate: int) -> str:
    """The kick up to the end of its tail as 16-bit FLAC, which every current browser plays."""
    length = round(audible_seconds(waveform, sample_rate) * sample_rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(waveform[:length], -1, 1), sample_rate, format="FLAC", subtype="PCM_16")
    return _uri("audio/flac", buffer.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
