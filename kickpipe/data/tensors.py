"""Tensors as files, one a kick: mels and latents, small enough to lie in memory all together (13,600 mels: 1.2 GB)."""

__all__ = ["load_tensor", "load_tensors", "save_tensor"]

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import replacing


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
        torch.save(tensor.clone(memory_format=torch.contiguous_format), file)
