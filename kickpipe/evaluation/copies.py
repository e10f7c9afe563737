"""Whether generated kicks are new, or copies of what the model was trained on.

Two questions. Over all kicks: do generated kicks lie nearer to the training kicks than other real kicks do (the ratio
falls below 1)? One by one: is this kick a training kick again? The embedding only proposes copies; the waveform decides.
Real libraries are full of the same sample in two packs, so the same test on held-out kicks is given beside.
"""

__all__ = ["NearCopy", "NEAR_DB", "aligned_correlation", "distance_ratio", "find_near_copies", "nearest"]

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.distances import pairwise_distances
from kickpipe.evaluation.embedding import align_to_onset
from kickpipe.evaluation.roundtrip import spectral_distances

NEAR_DB = 4.0  # in the embedding; most real pairs below it are versions of one sample
COPY_CORRELATION = 0.9
COPY_CONVERGENCE = 0.3  # a vocoder invents the phase, so a copy may have the spectrum without the wave
MAX_LAG_MS = 10.0
CHUNK = 1024


class NearCopy(NamedTuple):
    """A kick and the training kick that it repeats, by their indices, with the evidence."""

    kick: int
    training: int
    distance_db: float
    correlation: float
    convergence: float


def nearest(x: np.ndarray, y: np.ndarray, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Indices and distances, both with shape (N, count), of the rows of y nearest to each row of x, nearest first.

    Raises:
        NoAnswer: If y has fewer than ``count`` rows.
    """
    if len(y) < count:
        raise NoAnswer(f"the nearest {count} of {len(y)} kicks")
    indices = np.empty((len(x), count), np.int64)
    distances = np.empty((len(x), count))
    for start in range(0, len(x), CHUNK):  # 1,024 rows against 15,000 kicks take 120 MB
        rows = slice(start, start + CHUNK)
        between = pairwise_distances(x[rows], y)
        found = np.argpartition(between, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(between, found, axis=1), axis=1, kind="stable")
        indices[rows] = np.take_along_axis(found, order, axis=1)
        distances[rows] = np.take_along_axis(between, indices[rows], axis=1)
    return indices, distances


def distance_ratio(generated: np.ndarray, heldout: np.ndarray, training: np.ndarray) -> float:
    """Median distance of generated kicks to their nearest training kick, over that of held-out kicks.

    About 1 for a model that makes new kicks of the same kind, near 0 for one that copies, above 1 for one that strays.
    All three are embeddings; the held-out kicks must not be part of the training kicks.

    Raises:
        NoAnswer: If there are no kicks, or the held-out kicks are all copies of training kicks.
    """
    if min(len(generated), len(heldout), len(training)) == 0:
        raise NoAnswer("the ratio needs generated, held-out and training kicks")
    of_heldout = float(np.median(nearest(heldout, training)[1]))
    if of_heldout <= 1e-9:
        raise NoAnswer("half of the held-out kicks are copies of training kicks")
    return float(np.median(nearest(generated, training)[1])) / of_heldout


def aligned_correlation(x: np.ndarray, y: np.ndarray, sample_rate: int) -> float:
    """Largest correlation, 0 to 1, of two waveforms (N,) with their onsets aligned, within 10 ms, whatever the polarity.

    0 if either is silent.
    """
    x, y = align_to_onset(np.stack([x, y])).astype(np.float64)
    max_lag = round(MAX_LAG_MS / 1000 * sample_rate)
    size = 2 ** (len(x) + max_lag - 1).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(y, size).conj(), size)
    norm = np.sqrt((x @ x) * (y @ y))
    if norm < 1e-9:
        return 0.0
    return float(min(np.abs(np.concatenate([correlation[: max_lag + 1], correlation[-max_lag:]])).max() / norm, 1.0))


def find_near_copies(
    waveforms: np.ndarray,
    embeddings: np.ndarray,
    training: np.ndarray,
    load: Callable[[int], np.ndarray],
    sample_rate: int,
    candidates: int = 3,
    skip: Sequence[int] | None = None,
) -> list[NearCopy]:
    """Kicks that repeat a training kick.

    A kick is a near-copy if a training kick lies within 4 dB in the embedding and, aligned, either correlates by at
    least 0.9 or has a spectral convergence of at most 0.3.

    Arguments:
        waveforms: Kicks with shape (N, samples).
        embeddings: Of these kicks, with shape (N, D).
        training: Embeddings of the training kicks, with shape (M, D).
        load: Gives the waveform (samples,) of a training kick by its index; called for candidates only.
        candidates: Number of nearest training kicks that are looked at.
        skip: For each kick a training index that does not count (itself), or -1.

    Returns:
        At most one near-copy for each kick, the best correlated.
    """
    if len(embeddings) == 0 or len(training) == 0:
        return []
    indices, distances = nearest(embeddings, training, min(candidates + (skip is not None), len(training)))
    copies = []
    for kick, (found, apart) in enumerate(zip(indices, distances, strict=True)):
        best: NearCopy | None = None
        for index, distance in zip(found.tolist(), apart.tolist(), strict=True):
            if distance > NEAR_DB or (skip is not None and skip[kick] == index):
                continue
            pair = align_to_onset(np.stack([load(index), waveforms[kick]]))
            correlation = aligned_correlation(pair[0], pair[1], sample_rate)
            convergence = float(spectral_distances(pair[:1], pair[1:])["convergence"][0])
            confirmed = correlation >= COPY_CORRELATION or convergence <= COPY_CONVERGENCE
            if confirmed and (best is None or correlation > best.correlation):
                best = NearCopy(kick, index, distance, correlation, convergence)
        if best is not None:
            copies.append(best)
    return copies
