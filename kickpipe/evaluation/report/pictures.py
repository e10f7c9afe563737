"""A kick as pictures: its outline, its first milliseconds, and spectrograms on a logarithmic frequency axis.

A spectrogram is a grey PNG, 0 for 65 dB below the loudest cell; the page colours it, light or dark. Levels rise by 3 dB an
octave, or a click would vanish beside the sub. One window cannot show both ends of a kick: low rows are read through a
long window, which tells 50 from 60 Hz, high rows through a short one, which keeps a click narrow.
"""

__all__ = [
    "ATTACK",
    "HEIGHT",
    "WHOLE",
    "WIDTH",
    "Resolution",
    "attack_path",
    "grey_png",
    "outline_path",
    "segment",
    "spectrogram",
]

import struct
import zlib
from typing import NamedTuple

import numpy as np

from kickpipe.evaluation.report.axes import HIGHEST_HZ, LOWEST_HZ, TimeAxis

WIDTH, HEIGHT = 640, 200  # of the view box of a waveform, in whole steps
MIDDLE = HEIGHT // 2
ROWS = 80
RANGE_DB = 65.0
TILT_DB = 3.0  # an octave
GREYS = 4  # step of the grey values: 64 of them compress twice as well as 256 and look the same


class Resolution(NamedTuple):
    """How finely a spectrogram looks: columns, windows (ms) of the low and the high rows, and where they meet (Hz)."""

    columns: int
    low_window_ms: float
    high_window_ms: float
    meet_hz: tuple[float, float]


WHOLE = Resolution(400, 46.0, 9.0, (250.0, 600.0))
ATTACK = Resolution(96, 11.0, 2.5, (600.0, 1500.0))


def segment(waveform: np.ndarray, sample_rate: int, axis: TimeAxis) -> np.ndarray:
    """The samples between the bounds of an axis; zeros where the waveform (N,) has none."""
    start, stop = (round(bound / 1000 * sample_rate) for bound in (axis.start, axis.stop))
    inside = waveform[max(start, 0) : max(stop, 0)]
    return np.pad(inside, (max(-start, 0), stop - max(start, 0) - len(inside)))


def outline_path(waveform: np.ndarray) -> str:
    """SVG outline of a waveform, its peak at 1: the highest sample of each column forwards, the lowest backwards."""
    columns = np.array_split(np.asarray(waveform, np.float64), WIDTH)
    # One step at least on both sides, so that silence stays visible as a line.
    top = [min(row_of(column.max(initial=0.0)), MIDDLE - 1) for column in columns]
    bottom = [max(row_of(column.min(initial=0.0)), MIDDLE + 1) for column in columns]
    forwards = path_points(list(enumerate(top)))
    backwards = path_points(list(enumerate(bottom))[::-1])
    return f"M{forwards}L{backwards}Z"


def attack_path(waveform: np.ndarray) -> str:
    """SVG line through the samples of a short waveform, its peak at 1; every column's extreme where samples abound."""
    x = np.asarray(waveform, np.float64)
    width = max(len(x) // WIDTH, 1)
    values = x[: len(x) // width * width].reshape(-1, width)
    extremes = np.where(values.max(1) >= -values.min(1), values.max(1), values.min(1))
    xs = np.linspace(0, WIDTH, len(extremes))
    return "M" + " ".join(f"{x:.4g} {row_of(y)}" for x, y in zip(xs, extremes, strict=True))


def row_of(value: float) -> int:
    """The row of a sample from -1 to 1."""
    return round(MIDDLE - (MIDDLE - 2) * value)


def path_points(points: list[tuple[int, int]]) -> str:
    """Points as SVG has them, without those in the middle of a level stretch."""
    kept = [
        point
        for before, point, after in zip([(-1, -1), *points], points, [*points[1:], (-1, -1)], strict=False)
        if not before[1] == point[1] == after[1]
    ]
    return " ".join(f"{x} {y}" for x, y in kept)


def spectrogram(waveform: np.ndarray, sample_rate: int, axis: TimeAxis, resolution: Resolution = WHOLE) -> np.ndarray:
    """Levels of a waveform (N,) between the bounds of an axis, 0 to 1 over 65 dB, with shape (80, columns).

    Row 0 is the highest frequency, as in a picture; rows are logarithmic from 30 Hz to 16 kHz, or to half the sample rate.
    """
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, ROWS + 1)
    centres = np.sqrt(edges[1:] * edges[:-1])
    times = (axis.start + (np.arange(resolution.columns) + 0.5) / resolution.columns * (axis.stop - axis.start)) / 1000
    low = levels_at(frames_at(waveform, sample_rate, times, resolution.low_window_ms), centres / sample_rate)
    high = levels_between(frames_at(waveform, sample_rate, times, resolution.high_window_ms), edges / sample_rate)
    meet = np.log(centres / resolution.meet_hz[0]) / np.log(resolution.meet_hz[1] / resolution.meet_hz[0])
    share = np.clip(meet, 0, 1)[:, None]
    levels = (1 - share) * low + share * high + TILT_DB * np.log2(centres / LOWEST_HZ)[:, None]
    levels[centres > sample_rate / 2] = -np.inf
    if not np.isfinite(levels.max()) or levels.max() < -130:
        return np.zeros_like(levels)
    return np.clip((levels - levels.max()) / RANGE_DB + 1, 0, 1)[::-1]


def grey_png(levels: np.ndarray) -> bytes:
    """Values 0 to 1 with shape (rows, columns) as a grey PNG (ISO/IEC 15948), the same bytes every time."""
    rows, columns = levels.shape
    grey = np.minimum(np.round(levels * 255 / GREYS) * GREYS, 255).astype(np.uint8)
    # Filter 2 ("up"): each row as the difference to the one above it.
    up = np.diff(grey, axis=0, prepend=np.zeros((1, columns), np.uint8))
    content = np.concatenate([np.full((rows, 1), 2, np.uint8), up], axis=1).tobytes()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">2I5B", columns, rows, 8, 0, 0, 0, 0)  # 8 bits, grey, no interlace
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content, 9)) + chunk(b"IEND", b"")
    )


def frames_at(waveform: np.ndarray, sample_rate: int, times: np.ndarray, window_ms: float) -> np.ndarray:
    """Windowed frames (T, W) centred on times (s); a full-scale sine has the level 0 dB in them."""
    size = max(round(window_ms / 1000 * sample_rate), 8)
    padded = np.pad(np.asarray(waveform, np.float32), size)
    starts = np.round(times * sample_rate).astype(int) + size - size // 2
    # What lies beyond the ends is silence.
    index = np.clip(starts[:, None] + np.arange(size), 0, len(padded) - 1)
    window = np.hanning(size).astype(np.float32)
    return padded[index] * (window * (2 / window.sum()))


def levels_at(frames: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Levels (F, T) in dB at these frequencies (cycles a sample)."""
    phases = -2j * np.pi * frequencies[:, None] * np.arange(frames.shape[1])
    return 20 * np.log10(np.abs(np.exp(phases).astype(np.complex64) @ frames.T) + 1e-9)


def levels_between(frames: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Levels (F, T) in dB of the mean power between neighbouring edges (cycles a sample)."""
    n_fft = 4 * 2 ** (frames.shape[1] - 1).bit_length()
    power = np.abs(np.fft.rfft(frames, n_fft)) ** 2
    total = np.concatenate([np.zeros((len(frames), 1)), np.cumsum(power, axis=1)], axis=1)
    at = np.clip(edges * n_fft + 0.5, 0, power.shape[1])
    below = np.minimum(at.astype(int), power.shape[1] - 1)
    sums = total[:, below] + (at - below) * power[:, below]
    widths = np.maximum(np.diff(at), 1e-9)
    return 10 * np.log10(np.maximum(np.diff(sums, axis=1) / widths, 0) + 1e-18).T
