"""Which kicks are held out for validation: a pure function of the file, never of the order or the number of files.

A file name in ``data/raw`` begins with the SHA-256 of the content (``a3f2e1_KICK3.WAV``). Read as a fraction of
its range, that prefix is uniform in [0, 1), so the files below ``validation_share`` are a random share that stays
the same on every machine and when files are added. Whole sources can be held out by patterns on the original path.
"""

__all__ = ["Split", "is_validation"]

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Split(Generic[T]):
    """What is trained on, and what is held out for validation: names, tensors or a dataset of each."""

    train: T
    val: T

    def map(self, function: Callable[[T], U]) -> "Split[U]":
        """What a function makes of each side."""
        return Split(function(self.train), function(self.val))


def is_validation(filename: str, original_path: str, validation_share: float, holdout: Iterable[str] = ()) -> bool:
    """Whether a kick is held out from training.

    Arguments:
        filename: Name in ``data/raw``, hexadecimal content hash first.
        original_path: Path below the source folder, with forward slashes.
        validation_share: Share of files to hold out, in [0, 1).
        holdout: Patterns (``*``, ``?``) on ``original_path`` of sources that are held out whole.

    Raises:
        ValueError: If ``filename`` does not begin with a content hash.
    """
    prefix = filename.split("_", 1)[0]
    try:
        fraction = int(prefix, 16) / 16 ** len(prefix)
    except ValueError:
        raise ValueError(
            f"{filename!r}: expected a name that begins with the hash of the content, like a3f2e1_KICK3.WAV; "
            "files in data/raw come from the aggregate stage"
        ) from None
    return fraction < validation_share or any(fnmatchcase(original_path, pattern) for pattern in holdout)
