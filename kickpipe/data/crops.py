"""The vocoder's pairs of mel and waveform, cropped; only paths are kept in memory.

Most of a 2 s frame is silence (the median kick lasts 0.35 s), and a vocoder that trains on silence learns nothing:
crops are drawn where there is sound.
"""

__all__ = ["CROPS", "VocoderDataset"]

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from kickpipe.audio.io import prepare
from kickpipe.audio.polarity import polarity
from kickpipe.audio.settings import AudioSettings
from kickpipe.data.tensors import load_tensor

CROPS = ("sound", "uniform")


class VocoderDataset:
    """Pairs of mel and waveform, read when their turn comes.

    A crop is ``segment_size`` samples and the mel frames over them. With ``crop`` "sound" a frame is drawn in
    proportion to how far its mean log-mel lies above the floor, and the crop laid around it at random; with "uniform"
    every position is as likely.

    Arguments:
        raw: data/raw.
        processed: data/processed.
        filenames: Kicks to draw from.
        settings: Audio settings.
        segment_size: Length of a crop in samples, a multiple of the hop length.
        crop: "sound" or "uniform".
        align_polarity: Whether to turn over waveforms whose first strong half-wave is negative. A mel is the same for
            both, so without it the generator is asked for one of two opposite answers at random.
    """

    def __init__(
        self,
        raw: str | Path,
        processed: str | Path,
        filenames: Sequence[str],
        settings: AudioSettings,
        segment_size: int,
        crop: str,
        align_polarity: bool,
    ) -> None:
        if crop not in CROPS:
            raise ValueError(f"crop {crop!r}: expected one of {', '.join(CROPS)}")
        self.raw = Path(raw)
        self.processed = Path(processed)
        self.filenames = list(filenames)
        self.settings = settings
        self.num_crop_frames = min(segment_size // settings.hop_length, settings.num_samples // settings.hop_length)
        self.crop = crop
        self.align_polarity = align_polarity

    def __len__(self) -> int:
        return len(self.filenames)

    def paths(self) -> Iterator[Path]:
        """The files of every kick, mel and audio."""
        for name in self.filenames:
            yield self.processed / f"{name}.pt"
            yield self.raw / name

    def pair(self, index: int) -> tuple[Tensor, Tensor]:
        """The whole kick: mel (1, M, L) and waveform (num_samples,)."""
        name = self.filenames[index]
        mel = load_tensor(self.processed / f"{name}.pt")
        waveform = prepare(self.raw / name, self.settings)
        if self.align_polarity:
            waveform = waveform * polarity(waveform, self.settings.sample_rate)
        return mel, torch.from_numpy(waveform)

    def crop_at_random(self, index: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """A crop drawn with ``generator``, or with torch's global one.

        Returns:
            mel (M, F) and waveform (F * hop_length,), for F frames a crop.
        """
        mel, waveform = self.pair(index)
        start = self.draw_start(mel, generator)
        return self.cut(mel, waveform, start)

    def draw_start(self, mel: Tensor, generator: torch.Generator | None = None) -> int:
        """First frame of a crop."""
        last_start = self.settings.num_samples // self.settings.hop_length - self.num_crop_frames
        loudness = (mel[0].mean(0) - math.log(self.settings.mel_floor)).clamp(min=0)
        if self.crop == "uniform" or loudness.sum() <= 0:
            return int(torch.randint(last_start + 1, (), generator=generator))
        frame = int(torch.multinomial(loudness, 1, generator=generator))
        start = frame - int(torch.randint(self.num_crop_frames, (), generator=generator))
        return min(max(start, 0), last_start)

    def cut(self, mel: Tensor, waveform: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """The crop that begins at frame ``start``; see ``crop_at_random``."""
        hop = self.settings.hop_length
        stop = start + self.num_crop_frames
        return mel[0, :, start:stop], waveform[start * hop : stop * hop]
