"""Every file of the library to a log-mel tensor, on all cores.

The nine steps of the specification: ``kickpipe.audio.io.prepare`` takes the first six, ``LogMel`` the next two, and
the ninth writes ``<filename>.pt``. Files go to the workers in small batches and nothing comes back but reasons, so
memory does not grow with the library. The workers are joblib's: processes on this machine, or whatever
``KICKPIPE_BACKEND`` names, such as the workers of a Dask cluster that share the disk.
"""

__all__ = ["PreprocessError", "Preprocessed", "REASONS", "preprocess", "preprocess_batch"]

import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kickpipe.audio.settings import AudioSettings
from kickpipe.common.cpu import num_workers
from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import remove_others
from kickpipe.common.progress import progress
from kickpipe.data.tables import LeftOut, count_reasons, format_counts

if TYPE_CHECKING:
    from kickpipe.audio.mel import LogMel

REASONS = {
    "unreadable": "not readable as audio",
    "truncated": "truncated",
    "empty": "no samples",
    "silent": "silent",
    "not_finite": "NaN or infinite samples",
    "vanished": "missing",
}

BATCH = 16  # files a task: some 50 ms of work, against 1 ms to hand it over
LISTED = 20  # failures that an error message lists before it points to the table


class PreprocessError(KickpipeError):
    """The library cannot be used; the message says why and lists the files."""


@dataclass(frozen=True)
class Preprocessed:
    """What became of the library.

    Arguments:
        filenames: Files that have a tensor now, in the order given.
        left_out: The others, with reasons.
    """

    filenames: list[str]
    left_out: list[LeftOut]

    def metrics(self) -> dict[str, int]:
        """What ``dvc metrics show`` prints: ``kicks`` that have a tensor, and files ``left_out``."""
        return {"kicks": len(self.filenames), "left_out": len(self.left_out)}

    def details(self) -> dict[str, int | dict[str, int]]:
        """All counts, those of the files left out by reason."""
        return {
            "files": len(self.filenames) + len(self.left_out),
            "kicks": len(self.filenames),
            "left_out": count_reasons(self.left_out, REASONS),
        }

    def summary(self, table: Path) -> str:
        """What to tell the user: how many tensors there are and why not more. ``table`` has the list."""
        lines = [f"{len(self.filenames):,} tensors of {len(self.filenames) + len(self.left_out):,} files"]
        if self.left_out:
            lines += ["left out:", *format_counts(self.left_out, REASONS), f"  listed in {table}"]
        return "\n".join(lines)

    def check(self, max_failed_share: float, table: Path) -> None:
        """Stops the pipeline when too much failed: then something is wrong with the library, not with a file.

        Arguments:
            max_failed_share: Share of the files that may fail.
            table: Where the failures are listed in full.

        Raises:
            PreprocessError: If more failed, or nothing is left.
        """
        failed, total = len(self.left_out), len(self.filenames) + len(self.left_out)
        if total == 0:
            raise PreprocessError("no files to preprocess; run the aggregate stage first: dvc repro aggregate")
        if self.filenames and failed <= max_failed_share * total:
            return
        allowed = f"preprocess.max_failed_share allows {max_failed_share:.0%}"
        lines = [f"{failed:,} of {total:,} files cannot be used; {allowed}:"]
        lines += [f"  {item.path}: {item.detail}" for item in self.left_out[:LISTED]]
        if failed > LISTED:
            lines.append(f"  and {failed - LISTED:,} more")
        lines.append(f"  all are in {table}; repair or remove them, or raise preprocess.max_failed_share")
        raise PreprocessError("\n".join(lines))


def preprocess(
    raw_dir: Path, processed_dir: Path, filenames: Sequence[str], settings: AudioSettings, workers: int | None = None
) -> Preprocessed:
    """Writes ``processed_dir/<filename>.pt`` for every file that can be used, and removes whatever else is there.

    Arguments:
        raw_dir: Where the files are.
        processed_dir: Where the tensors go, each with shape (1, M, L), float32.
        filenames: Names in ``raw_dir``.
        settings: The audio settings.
        workers: Number of processes; by default ``KICKPIPE_WORKERS``, or all cores.
    """
    processed_dir.mkdir(parents=True, exist_ok=True)
    remove_others(processed_dir, {f"{filename}.pt" for filename in filenames})
    failures: dict[str, LeftOut] = {}
    results = run_batches(raw_dir, processed_dir, filenames, settings, workers or num_workers())
    for failure in progress(results, len(filenames), "preprocess", "files"):
        if failure:
            failures[failure.path] = failure
    for filename in failures:
        (processed_dir / f"{filename}.pt").unlink(missing_ok=True)
    kept = [filename for filename in filenames if filename not in failures]
    return Preprocessed(kept, [failures[filename] for filename in filenames if filename in failures])


def run_batches(
    raw_dir: Path, processed_dir: Path, filenames: Sequence[str], settings: AudioSettings, workers: int
) -> Iterator[LeftOut | None]:
    """Yields one result a file, in no particular order, as they come."""
    batches = [filenames[i : i + BATCH] for i in range(0, len(filenames), BATCH)]
    if len(batches) < 2 or workers == 1:
        for batch in batches:
            yield from preprocess_batch(raw_dir, processed_dir, batch, settings)
        return

    import joblib

    backend = os.environ.get("KICKPIPE_BACKEND", "loky")
    with joblib.parallel_config(backend, n_jobs=workers, inner_max_num_threads=1 if backend == "loky" else None):
        try:
            parallel = joblib.Parallel(return_as="generator_unordered", pre_dispatch="3*n_jobs")
        except ValueError:  # a backend that hands results back at the end only
            parallel = joblib.Parallel()
        tasks = (joblib.delayed(preprocess_batch)(raw_dir, processed_dir, batch, settings) for batch in batches)
        for results in parallel(tasks):
            yield from results


def preprocess_batch(
    raw_dir: Path, processed_dir: Path, filenames: Sequence[str], settings: AudioSettings
) -> list[LeftOut | None]:
    """Steps 1 to 9 for several files, one after the other; a bad file is a result, not an exception.

    Raises:
        OSError: If a tensor cannot be written: a full disk is no fault of the file.
    """
    import torch

    from kickpipe.audio.io import AudioError, prepare
    from kickpipe.data.tensors import save_tensor

    log_mel = cached_log_mel(settings)
    results: list[LeftOut | None] = []
    with one_torch_thread(), torch.inference_mode():
        for filename in filenames:
            try:
                waveform = prepare(raw_dir / filename, settings)
            except AudioError as error:
                results.append(LeftOut(filename, error.kind, str(error)))
                continue
            mel = log_mel(torch.from_numpy(waveform).unsqueeze(0)).squeeze(0)
            save_tensor(mel, processed_dir / f"{filename}.pt")
            results.append(None)
    return results


@functools.lru_cache(maxsize=1)
def cached_log_mel(settings: AudioSettings) -> "LogMel":
    """One per worker: the filter bank takes longer to make than a mel."""
    from kickpipe.audio.mel import LogMel

    return LogMel(settings)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """The other cores are busy with other files."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
