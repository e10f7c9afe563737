"""A set of kicks with everything that is measured on each of them, measured once.

Descriptors and defects need numpy only and run in several processes; the embedding runs in this one, on torch's threads.
"""

__all__ = ["KickSet", "analyse", "analyse_batches", "counted", "join"]

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

import numpy as np

from kickpipe.audio.descriptors import DESCRIPTORS
from kickpipe.common.progress import progress
from kickpipe.evaluation.embedding import EMBEDDING_SIZE, embed
from kickpipe.evaluation.workers import measure_all, parallel

CHUNK = 32
T = TypeVar("T")


@dataclass(frozen=True)
class KickSet:
    """Kicks and their measures; silent ones are in ``defects`` only.

    Arguments:
        names: One for each kick, for people.
        waveforms: Samples with shape (B, N), peaks at 1; (0, N) if they were not kept.
        embeddings: With shape (B, D), in dB.
        descriptors: Values with shape (B,), NaN where a kick has none, by the names of ``DESCRIPTORS``.
        defects: What is wrong with each kick that was given, silent ones included.
    """

    names: tuple[str, ...]
    waveforms: np.ndarray
    embeddings: np.ndarray
    descriptors: dict[str, np.ndarray]
    defects: tuple[dict[str, bool], ...]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Sequence[int]) -> "KickSet":
        """The kicks with these indices; defects stay with the whole set."""
        indices = np.asarray(indices, np.int64)
        return KickSet(
            tuple(self.names[i] for i in indices),
            self.waveforms[indices] if len(self.waveforms) else self.waveforms,
            self.embeddings[indices],
            {name: values[indices] for name, values in self.descriptors.items()},
            (),
        )

    def without_waveforms(self) -> "KickSet":
        """The same kicks, for measures that need no sound: joining and taking then copies little."""
        return replace(self, waveforms=self.waveforms[:0])

    def described(self) -> list[dict[str, float]]:
        """The descriptors kick by kick."""
        return [{name: float(values[i]) for name, values in self.descriptors.items()} for i in range(len(self))]


def analyse(
    waveforms: np.ndarray, names: Sequence[str], sample_rate: int, keep_waveforms: bool = True, workers: int = 1
) -> KickSet:
    """Measures kicks.

    Arguments:
        waveforms: Kicks as they were made, with shape (B, N).
        names: One for each kick.
        sample_rate: In Hz.
        keep_waveforms: Whether the set keeps them; 0.35 MB a kick of 2 s.
        workers: Number of processes.
    """
    waveforms = np.asarray(waveforms, np.float32)
    chunks = [(waveforms[i : i + CHUNK], sample_rate) for i in range(0, len(waveforms), CHUNK)]
    measured = list(chain.from_iterable(parallel(measure_all, chunks, workers if len(chunks) > 1 else 1)))
    kept = [i for i, (_, defects) in enumerate(measured) if not defects["silent"]]
    sounding = waveforms[kept]
    # The level is the vocoder's or the file's habit; the peak at 1 makes sets comparable.
    sounding = sounding / np.abs(sounding).max(axis=1, keepdims=True) if len(sounding) else sounding
    return KickSet(
        tuple(names[i] for i in kept),
        sounding if keep_waveforms else sounding[:0],
        embed(sounding, sample_rate),
        {name: np.array([measured[i][0][name] for i in kept], np.float64) for name in DESCRIPTORS},
        tuple(defects for _, defects in measured),
    )


def analyse_batches(
    batches: Iterable[tuple[np.ndarray, Sequence[str]]], sample_rate: int, keep_waveforms: bool = True, workers: int = 1
) -> KickSet:
    """``analyse`` for kicks that come in batches of (waveforms, names), so that not all need to be in memory."""
    return join([analyse(waveforms, names, sample_rate, keep_waveforms, workers) for waveforms, names in batches])


def counted(batches: Iterable[tuple[T, Sequence[str]]], total: int, desc: str) -> Iterator[tuple[T, Sequence[str]]]:
    """Passes batches of (anything, names) through and reports how many kicks are done."""
    ticks = progress(range(total), total, desc, "kicks")
    for batch in batches:
        yield batch
        for _ in batch[1]:
            next(ticks, None)
    for _ in ticks:  # says that it is done
        pass


def join(sets: Sequence[KickSet]) -> KickSet:
    """One set of all kicks, in order."""
    if not sets:
        descriptors = {name: np.zeros(0) for name in DESCRIPTORS}
        return KickSet((), np.zeros((0, 0), np.float32), np.zeros((0, EMBEDDING_SIZE), np.float32), descriptors, ())
    waveforms = [item.waveforms for item in sets if len(item.waveforms)]
    return KickSet(
        tuple(name for item in sets for name in item.names),
        np.concatenate(waveforms) if waveforms else sets[0].waveforms,
        np.concatenate([item.embeddings for item in sets]),
        {name: np.concatenate([item.descriptors[name] for item in sets]) for name in DESCRIPTORS},
        tuple(found for item in sets for found in item.defects),
    )
