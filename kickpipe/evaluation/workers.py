"""What runs in several processes: reading kicks, and measuring what needs numpy only.

Nothing here imports torch, which would cost every process seconds and 200 MB.
"""

__all__ = ["measure_all", "parallel", "prepare_all"]

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kickpipe.audio.defects import find_defects
from kickpipe.audio.descriptors import DESCRIPTORS, describe
from kickpipe.audio.io import prepare
from kickpipe.audio.settings import AudioSettings

T = TypeVar("T")


def parallel(function: Callable[..., T], tasks: Iterable[tuple[Any, ...]], workers: int) -> Iterator[T]:
    """Yields function(*task) for each task, in order; in this process if there is but one worker."""
    if workers == 1:
        yield from (function(*task) for task in tasks)
        return

    import joblib

    with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        jobs = (joblib.delayed(function)(*task) for task in tasks)
        # Arrays go through a pipe: joblib's files in shared memory would outlive their use.
        yield from joblib.Parallel(return_as="generator", pre_dispatch=workers, max_nbytes=None)(jobs)


def prepare_all(paths: Sequence[Path], settings: AudioSettings) -> np.ndarray:
    """Kicks with shape (B, num_samples).

    Raises:
        AudioError: If a file cannot be used.
    """
    return np.stack([prepare(path, settings) for path in paths])


def measure_all(
    waveforms: np.ndarray, sample_rate: int, hop_length: int
) -> list[tuple[dict[str, float], dict[str, bool]]]:
    """Descriptors and defects of each kick of (B, N); descriptors of a silent one are NaN."""
    silence = dict.fromkeys(DESCRIPTORS, float("nan"))
    measured = []
    for waveform in waveforms:
        defects = find_defects(waveform, sample_rate, hop_length)
        measured.append((silence if defects["silent"] else describe(waveform, sample_rate), defects))
    return measured
