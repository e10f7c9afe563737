"""The inputs of the trainings, read once: mels, latents, and for the vocoder paths with their crops.

Mels and latents are small enough to lie in memory (13,600 mels: 1.2 GB). The vocoder keeps only paths and reads a
kick when its turn comes.
"""

__all__ = ["Example", "list_examples", "load_tensors", "VocoderDataset"]

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kickpipe.audio.io import prepare
from kickpipe.audio.settings import AudioSettings
from kickpipe.data.split import is_validation
from kickpipe.errors import KickpipeError

CROPS = ("sound", "uniform")


@dataclass(frozen=True)
class Example:
    """One kick of the library: its name in data/raw, where it came from, its keywords, and whether it is held out."""

    filename: str
    original_path: str
    keywords: tuple[str, ...]
    validation: bool


def list_examples(
    metadata: str | Path, tensors: str | Path, validation_share: float, holdout: Sequence[str]
) -> list[Example]:
    """The kicks of ``metadata`` that have a tensor, in its order.

    Arguments:
        metadata: data/metadata.csv.
        tensors: data/processed or data/latents, with one ``<filename>.pt`` a kick.
        validation_share, holdout: As in ``is_validation``.

    Raises:
        KickpipeError: If there is no kick, or none to train on.
    """
    names = {path.name.removesuffix(".pt") for path in Path(tensors).glob("*.pt")}
    with Path(metadata).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["filename"] in names]
    examples = [
        Example(
            row["filename"],
            row["original_path"],
            tuple(row["keywords"].split()),
            is_validation(row["filename"], row["original_path"], validation_share, holdout),
        )
        for row in rows
    ]
    if not examples:
        raise KickpipeError(f"{tensors}: no tensors of the kicks in {metadata}; run 'dvc repro preprocess'")
    if all(example.validation for example in examples):
        raise KickpipeError(
            f"{metadata}: all {len(examples)} kicks are held out for validation, none is left to train on; "
            "add samples, or lower split.validation_share and split.holdout"
        )
    return examples


def load_tensors(folder: str | Path, filenames: Sequence[str], shape: tuple[int, ...]) -> Tensor:
    """Reads the tensors of kicks into one with shape (N, *shape), float32.

    Raises:
        KickpipeError: If a file cannot be read or has another shape.
    """
    stacked = torch.empty((len(filenames), *shape))
    for i, name in enumerate(filenames):
        path = Path(folder) / f"{name}.pt"
        tensor = load_tensor(path)
        if tuple(tensor.shape) != tuple(shape):
            raise KickpipeError(f"{path}: shape {tuple(tensor.shape)}, expected {tuple(shape)}; run 'dvc repro'")
        stacked[i] = tensor
    return stacked


def load_tensor(path: Path) -> Tensor:
    try:
        return torch.load(path, weights_only=True)
    except Exception as error:  # torch raises many kinds here, and each means the same to the user
        raise KickpipeError(f"{path}: not readable as a tensor: {error}; run 'dvc repro'") from error


class VocoderDataset:
    """Pairs of mel and waveform, cropped; only paths are kept in memory.

    A crop is ``segment_size`` samples and the mel frames over them. Most of a 2 s frame is silence, so with ``crop``
    "sound" a frame is drawn in proportion to how far its mean log-mel lies above the floor, and the crop laid around
    it at random; with "uniform" every position is as likely.

    Arguments:
        raw: data/raw.
        processed: data/processed.
        filenames: Kicks to draw from.
        settings: Audio settings.
        segment_size: Length of a crop in samples, a multiple of the hop length.
        crop: "sound" or "uniform".
        context_frames: Mel frames given to the generator on either side of the crop; silence beyond the ends.
    """

    def __init__(
        self,
        raw: str | Path,
        processed: str | Path,
        filenames: Sequence[str],
        settings: AudioSettings,
        segment_size: int,
        crop: str,
        context_frames: int,
    ) -> None:
        if crop not in CROPS:
            raise ValueError(f"crop {crop!r}: expected one of {', '.join(CROPS)}")
        self.raw = Path(raw)
        self.processed = Path(processed)
        self.filenames = list(filenames)
        self.settings = settings
        self.num_crop_frames = min(segment_size // settings.hop_length, settings.num_samples // settings.hop_length)
        self.crop = crop
        self.context_frames = context_frames

    def __len__(self) -> int:
        return len(self.filenames)

    def pair(self, index: int) -> tuple[Tensor, Tensor]:
        """The whole kick: mel (1, M, L) and waveform (num_samples,)."""
        name = self.filenames[index]
        mel = load_tensor(self.processed / f"{name}.pt")
        return mel, torch.from_numpy(prepare(self.raw / name, self.settings))

    def crop_at_random(self, index: int) -> tuple[Tensor, Tensor]:
        """A crop drawn with torch's global generator.

        Returns:
            mel (M, context + F + context) and waveform (F * hop_length,), for F frames a crop.
        """
        mel, waveform = self.pair(index)
        start = self.draw_start(mel)
        return self.cut(mel, waveform, start)

    def draw_start(self, mel: Tensor) -> int:
        """First frame of a crop."""
        last_start = self.settings.num_samples // self.settings.hop_length - self.num_crop_frames
        if self.crop == "uniform":
            return int(torch.randint(last_start + 1, ()))
        floor = torch.log(torch.tensor(self.settings.mel_floor))
        loudness = (mel[0].mean(0) - floor).clamp(min=0)
        if loudness.sum() <= 0:
            return int(torch.randint(last_start + 1, ()))
        frame = int(torch.multinomial(loudness, 1))
        start = frame - int(torch.randint(self.num_crop_frames, ()))
        return min(max(start, 0), last_start)

    def cut(self, mel: Tensor, waveform: Tensor, start: int) -> tuple[Tensor, Tensor]:
        hop, context = self.settings.hop_length, self.context_frames
        stop = start + self.num_crop_frames
        floor = float(torch.log(torch.tensor(self.settings.mel_floor)))
        inside = mel[0, :, max(start - context, 0) : stop + context]
        before = max(context - start, 0)
        after = self.num_crop_frames + 2 * context - before - inside.shape[1]
        padded = torch.nn.functional.pad(inside, (before, after), value=floor)
        return padded, waveform[start * hop : stop * hop]
