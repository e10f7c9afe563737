"""The real kicks of a library, split as the trainings split it, measured for the evaluation."""

__all__ = ["Choice", "Library", "load_kicks", "load_library"]

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import torch

from kickpipe.audio.io import prepare
from kickpipe.audio.settings import AudioSettings
from kickpipe.data.datasets import Example, list_examples
from kickpipe.data.tensors import load_tensors
from kickpipe.evaluation.analysis import Analyser, KickSet, with_progress
from kickpipe.evaluation.workers import parallel, prepare_all

CHUNK = 64  # kicks in memory at a time, for each process: 23 MB


@dataclass(frozen=True)
class Choice:
    """Which real kicks an evaluation measures.

    Arguments:
        validation_share, holdout: The split, as in ``kickpipe.data.split.is_validation``.
        number: Real kicks to measure, up to half of them held out; the rest are training kicks. Chosen at random.
        not_real: Patterns on the original path of kicks that are no yardstick, such as synthesised ones.
        seed: Of the choice.
    """

    validation_share: float
    holdout: tuple[str, ...]
    number: int
    not_real: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Library:
    """Real kicks of both sides of the split.

    Arguments:
        settings: Audio settings.
        analyser: What measured the kicks, and is to measure those that are held against them.
        training: Some of the training kicks, measured, without waveforms.
        heldout: Held-out kicks, measured, with waveforms.
        trained_on: Names of all training kicks.
        trained_embeddings: Their vectors (len(trained_on), D) in the primary embedding.
        keywords: Keywords of each kick by its name.
        load: Waveform (num_samples,) of a kick by its name.
        mels: Log-mels (N, 1, M, L) of kicks by their names, as the trainings read them.
    """

    settings: AudioSettings
    analyser: Analyser
    training: KickSet
    heldout: KickSet
    trained_on: tuple[str, ...]
    trained_embeddings: np.ndarray
    keywords: dict[str, tuple[str, ...]]
    load: Callable[[str], np.ndarray]
    mels: Callable[[Sequence[str]], torch.Tensor]


def load_library(data: str | Path, settings: AudioSettings, choice: Choice, analyser: Analyser) -> Library:
    """Reads and measures the kicks below ``data`` (raw/, processed/, metadata.csv).

    Raises:
        KickpipeError: If there are no kicks, or files are missing.
    """
    data = Path(data)
    examples = list_examples(data / "metadata.csv", data / "processed", choice.validation_share, choice.holdout)
    real = [item for item in examples if not any(fnmatchcase(item.original_path, one) for one in choice.not_real)]
    rng = np.random.default_rng(choice.seed)
    heldout = choose_at_random([item for item in real if item.validation], choice.number // 2, rng)
    training = choose_at_random([item for item in real if not item.validation], choice.number - len(heldout), rng)
    chosen = {item.filename for item in training}
    others = [item.filename for item in examples if not item.validation and item.filename not in chosen]

    def load(name: str) -> np.ndarray:
        return prepare(data / "raw" / name, settings)

    def mels(names: Sequence[str]) -> torch.Tensor:
        return load_tensors(data / "processed", names, settings.mel_shape)

    def read(names: list[str], desc: str) -> Iterator[tuple[np.ndarray, Sequence[str]]]:
        return with_progress(load_kicks(data / "raw", names, settings, analyser.workers), len(names), desc)

    measured = {
        desc: analyser.measure_batches(read([item.filename for item in items], desc), keep_waveforms)
        for items, desc, keep_waveforms in ((training, "training kicks", False), (heldout, "held-out kicks", True))
    }
    embed = analyser.primary
    batches = read(others, "other training kicks") if others else ()
    return Library(
        settings=settings,
        analyser=analyser,
        training=measured["training kicks"],
        heldout=measured["held-out kicks"],
        trained_on=(*measured["training kicks"].names, *others),
        trained_embeddings=np.concatenate(
            [measured["training kicks"].primary, *(embed(waveforms, settings.sample_rate) for waveforms, _ in batches)]
        ),
        keywords={item.filename: item.keywords for item in real},
        load=load,
        mels=mels,
    )


def load_kicks(
    folder: str | Path, names: Sequence[str], settings: AudioSettings, workers: int
) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Yields batches of (waveforms (B, num_samples), names) in order, read in several processes.

    Raises:
        AudioError: If a file cannot be used.
    """
    paths = [Path(folder) / name for name in names]
    batches = [paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK)]
    loaded = parallel(prepare_all, ((batch, settings) for batch in batches), workers if len(batches) > 1 else 1)
    start = 0
    for waveforms in loaded:
        yield waveforms, list(names[start : start + len(waveforms)])
        start += len(waveforms)


def choose_at_random(items: list[Example], number: int, rng: np.random.Generator) -> list[Example]:
    return [items[i] for i in sorted(rng.permutation(len(items))[:number])]
