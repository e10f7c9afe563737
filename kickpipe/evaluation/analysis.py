"""A set of kicks with everything that is measured on each of them, measured once.

Descriptors and defects need numpy only and run in several processes; the embeddings run in this one, on torch's threads.
"""

__all__ = ["Analyser", "KickSet", "defect_shares", "join", "with_progress"]

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

import numpy as np

from kickpipe.audio.defects import DEFECTS
from kickpipe.audio.descriptors import DESCRIPTORS
from kickpipe.common.progress import progress
from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.registry import EMBEDDINGS, Embedding
from kickpipe.evaluation.workers import measure_all, parallel

CHUNK = 32
T = TypeVar("T")


@dataclass(frozen=True)
class KickSet:
    """Kicks and their measures, row by row; silent ones have none and are only named.

    Arguments:
        names: One for each kick, for people.
        waveforms: Samples with shape (B, N), peaks at 1; (0, N) if they were not kept.
        embeddings: Vectors with shape (B, D) by the name of the embedding, the primary one first.
        descriptors: Values with shape (B,), NaN where a kick has none, by the names of ``DESCRIPTORS``.
        defects: What is wrong with each kick, by the names of ``DEFECTS``.
        silent: Names of the kicks that were given and are silent or not finite.
    """

    names: tuple[str, ...]
    waveforms: np.ndarray
    embeddings: dict[str, np.ndarray]
    descriptors: dict[str, np.ndarray]
    defects: tuple[dict[str, bool], ...]
    silent: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def primary(self) -> np.ndarray:
        """Vectors (B, D) of the embedding that decides nearest kicks, copies and keywords."""
        return next(iter(self.embeddings.values()))

    def take(self, indices: Sequence[int] | np.ndarray) -> "KickSet":
        """The kicks with these indices; silent ones stay with the whole set."""
        rows = np.asarray(indices, np.int64)
        return KickSet(
            tuple(self.names[i] for i in rows),
            self.waveforms[rows] if len(self.waveforms) else self.waveforms,
            {name: vectors[rows] for name, vectors in self.embeddings.items()},
            {name: values[rows] for name, values in self.descriptors.items()},
            tuple(self.defects[i] for i in rows),
        )

    def without_waveforms(self) -> "KickSet":
        """The same kicks, for measures that need no sound: joining and taking then copies little."""
        return replace(self, waveforms=self.waveforms[:0])

    def describe(self) -> list[dict[str, float]]:
        """The descriptors kick by kick."""
        return [{name: float(values[i]) for name, values in self.descriptors.items()} for i in range(len(self))]

    def all_defects(self) -> list[dict[str, bool]]:
        """The defects of every kick that was given, silent ones at the end."""
        silence = {name: name == "silent" for name in DEFECTS}
        return [*self.defects, *(dict(silence) for _ in self.silent)]


@dataclass(frozen=True)
class Analyser:
    """How kicks are measured.

    Arguments:
        sample_rate: In Hz.
        hop_length: Distance of the frames of mels, in samples; see ``find_defects``.
        workers: Number of processes.
        embeddings: In which kicks are compared; the first is the primary one.
    """

    sample_rate: int
    hop_length: int
    workers: int = 1
    embeddings: tuple[Embedding, ...] = EMBEDDINGS

    @property
    def primary(self) -> Embedding:
        return self.embeddings[0]

    def measure(self, waveforms: np.ndarray, names: Sequence[str], keep_waveforms: bool = True) -> KickSet:
        """Measures kicks.

        Arguments:
            waveforms: Kicks as they were made, with shape (B, N).
            names: One for each kick.
            keep_waveforms: Whether the set keeps them; 0.35 MB a kick of 2 s.
        """
        waveforms = np.asarray(waveforms, np.float32)
        chunks = [
            (waveforms[i : i + CHUNK], self.sample_rate, self.hop_length) for i in range(0, len(waveforms), CHUNK)
        ]
        workers = self.workers if len(chunks) > 1 else 1
        measures = list(chain.from_iterable(parallel(measure_all, chunks, workers)))
        silent = [defects["silent"] for _, defects in measures]
        rows = [i for i in range(len(waveforms)) if not silent[i]]
        audible = waveforms[rows]
        # The level is the vocoder's or the file's habit; the peak at 1 makes sets comparable.
        audible = audible / np.abs(audible).max(axis=1, keepdims=True) if len(audible) else audible
        return KickSet(
            tuple(names[i] for i in rows),
            audible if keep_waveforms else audible[:0],
            {embedding.name: embedding(audible, self.sample_rate) for embedding in self.embeddings},
            {name: np.array([measures[i][0][name] for i in rows], np.float64) for name in DESCRIPTORS},
            tuple(measures[i][1] for i in rows),
            tuple(names[i] for i in range(len(waveforms)) if silent[i]),
        )

    def measure_batches(
        self, batches: Iterable[tuple[np.ndarray, Sequence[str]]], keep_waveforms: bool = True
    ) -> KickSet:
        """``measure`` for kicks that come in batches of (waveforms, names), so that not all need to be in memory."""
        nothing = self.measure(np.zeros((0, 0)), ())
        return join([nothing, *(self.measure(waveforms, names, keep_waveforms) for waveforms, names in batches)])


def defect_shares(kicks: KickSet) -> dict[str, float]:
    """Share of the kicks of a set with each defect, silent ones included, and with ``any``.

    Raises:
        NoAnswer: If there are no kicks.
    """
    found = kicks.all_defects()
    if not found:
        raise NoAnswer("shares of no kicks")
    shares = {name: float(np.mean([defects[name] for defects in found])) for name in DEFECTS}
    return {"any": float(np.mean([any(defects.values()) for defects in found])), **shares}


def with_progress(
    batches: Iterable[tuple[T, Sequence[str]]], total: int, desc: str
) -> Iterator[tuple[T, Sequence[str]]]:
    """Passes batches of (anything, names) through and reports how many kicks are done."""
    return progress(batches, total, desc, "kicks", size=lambda batch: len(batch[1]))


def join(sets: Sequence[KickSet]) -> KickSet:
    """One set of all kicks, in order; all sets were measured in the same embeddings, and there is at least one."""
    waveforms = [item.waveforms for item in sets if len(item.waveforms)]
    return KickSet(
        tuple(name for item in sets for name in item.names),
        np.concatenate(waveforms) if waveforms else sets[-1].waveforms,
        {name: np.concatenate([item.embeddings[name] for item in sets]) for name in sets[0].embeddings},
        {name: np.concatenate([item.descriptors[name] for item in sets]) for name in DESCRIPTORS},
        tuple(defects for item in sets for defects in item.defects),
        tuple(name for item in sets for name in item.silent),
    )
