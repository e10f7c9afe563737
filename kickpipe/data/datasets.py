"""The kicks of a library that can be trained on: those of its table that have a tensor, on both sides of the split."""

__all__ = ["Example", "list_examples", "split_examples"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kickpipe.common.errors import KickpipeError
from kickpipe.data.split import Split, is_validation
from kickpipe.data.tables import read_metadata


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
        KickpipeError: If there is no such table, no kick, or none to train on.
    """
    names = {path.name.removesuffix(".pt") for path in Path(tensors).glob("*.pt")}
    examples = [
        Example(*sample, is_validation(sample.filename, sample.original_path, validation_share, holdout))
        for sample in read_metadata(Path(metadata))
        if sample.filename in names
    ]
    if not examples:
        raise KickpipeError(f"{tensors}: no tensors of the kicks in {metadata}; run 'dvc repro preprocess'")
    if all(example.validation for example in examples):
        raise KickpipeError(
            f"{metadata}: all {len(examples)} kicks are held out for validation, none is left to train on; "
            "add samples, or lower split.validation_share and split.holdout"
        )
    return examples


def split_examples(examples: Sequence[Example]) -> Split[list[Example]]:
    """The two sides of the split, each in the order of the examples."""
    return Split([e for e in examples if not e.validation], [e for e in examples if e.validation])
