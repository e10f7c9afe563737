"""The kicks of a library and their tensors, mels or latents, which are small enough to lie in memory (13,600 mels: 1.2 GB)."""

__all__ = ["Example", "list_examples", "load_tensor", "load_tensors", "save_tensor"]

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import replacing
from kickpipe.data.split import is_validation


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
        KickpipeError: If there is no table, no kick, or none to train on.
    """
    names = {path.name.removesuffix(".pt") for path in Path(tensors).glob("*.pt")}
    try:
        with Path(metadata).open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["filename"] in names]
    except FileNotFoundError:
        raise KickpipeError(f"{metadata}: not found; the aggregate stage writes it: dvc repro aggregate") from None
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
    """Reads one tensor.

    Raises:
        KickpipeError: If the file cannot be read.
    """
    try:
        return torch.load(path, weights_only=True)
    except Exception as error:  # torch raises many kinds here, and each means the same to the user
        raise KickpipeError(f"{path}: not readable as a tensor: {error}; run 'dvc repro'") from error


def save_tensor(tensor: Tensor, path: Path) -> None:
    """Writes one tensor, and nothing else of the storage that it is a view of.

    Raises:
        OSError: If the file cannot be written.
    """
    with replacing(path) as partial, partial.open("wb") as file:  # torch would write a path's name into the file
        torch.save(tensor.clone(), file)
