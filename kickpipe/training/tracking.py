"""What a run tells about itself: curves for DVC, everything for TensorBoard, a line for the person who waits.

The curves are part of the training state, sums since the last validation included, so a resumed run writes the same
files as one that was never stopped. What depends on the clock (throughput, memory) goes to TensorBoard alone.
"""

__all__ = ["Tracker", "write_curves"]

import csv
import io
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from kickpipe.common.files import write_text
from kickpipe.common.progress import progress

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG_EVERY = 10  # steps between two points of a TensorBoard scalar


class Tracker:
    """Collects the scalars of a run.

    Arguments:
        log_dir: TensorBoard folder of the run.
        desc: What is trained, for the progress line.
        steps: Steps of the whole run.
        batch_size: Examples a step, for the throughput.
    """

    def __init__(self, log_dir: str | Path, desc: str, steps: int, batch_size: int) -> None:
        self.log_dir = Path(log_dir)
        self.desc = desc
        self.steps = steps
        self.batch_size = batch_size
        self.rows: list[dict[str, float]] = []
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}  # of each term: some begin in the middle of an interval
        self.writer: SummaryWriter | None = None
        self.line: Iterator[int] | None = None
        self.since = (0, time.monotonic())

    def state_dict(self) -> dict[str, Any]:
        return {"rows": [dict(row) for row in self.rows], "sums": dict(self.sums), "counts": dict(self.counts)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]
        self.sums = state_dict["sums"]
        self.counts = state_dict["counts"]

    def open(self, step: int) -> None:
        """Starts to report, from ``step`` completed steps on; points that a killed run left beyond it are dropped."""
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(self.log_dir), purge_step=step + 1)
        self.line = iter(progress(range(step, self.steps), self.steps, self.desc, "steps", initial=step))
        next(self.line, None)
        self.since = (step, time.monotonic())

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def log(self, step: int, scalars: dict[str, float]) -> None:
        """Takes the scalars of one step."""
        for name, value in scalars.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1
        if self.line is not None:
            next(self.line, None)
        if self.writer is not None and step % LOG_EVERY == 0:
            for name, value in scalars.items():
                self.writer.add_scalar(f"train/{name}", value, step)
            last, then = self.since
            self.since = (step, time.monotonic())
            rate = (step - last) * self.batch_size / max(self.since[1] - then, 1e-9)
            self.writer.add_scalar("run/examples_per_second", rate, step)
            self.writer.add_scalar("run/memory_gib", memory_gib(), step)

    def validated(self, step: int, scalars: dict[str, float]) -> None:
        """Ends an interval: a row with the mean training scalars since the last one, and the validation scalars.

        Raises:
            FloatingPointError: If a validation scalar is not finite.
        """
        if bad := [f"val_{name}" for name, value in scalars.items() if not math.isfinite(value)]:
            raise FloatingPointError(f"{', '.join(bad)} not finite at step {step}: {scalars}")
        means = {name: value / self.counts[name] for name, value in self.sums.items()}
        self.rows.append({"step": step, **means, **{f"val_{name}": value for name, value in scalars.items()}})
        self.sums, self.counts = {}, {}
        if self.writer is not None:
            for name, value in scalars.items():
                self.writer.add_scalar(f"val/{name}", value, step)

    def summary(self, *names: str) -> dict[str, float]:
        """The last row of the curves, to compare runs by: these of its columns that it has, to four digits.

        All columns are in the curves; a table over several runs and stages has room for few.
        """
        row = self.rows[-1] if self.rows else {}
        return {name: row[name] if name == "step" else float(f"{row[name]:.4g}") for name in names if name in row}

    def pictures(self, step: int, name: str, mels: Tensor) -> None:
        """Shows log-mels with shape (B, 1, M, L) side by side, low bands at the bottom."""
        if self.writer is not None:
            self.writer.add_image(name, mel_picture(mels), step)

    def sounds(self, step: int, name: str, waveforms: Tensor, sample_rate: int) -> None:
        """Makes waveforms with shape (B, N) audible."""
        if self.writer is not None:
            for i, waveform in enumerate(waveforms):
                self.writer.add_audio(f"{name}/{i}", waveform.clamp(-1, 1)[None], step, sample_rate)


def mel_picture(mels: Tensor) -> Tensor:
    """Log-mels (B, 1, M, L) as one grey picture (1, M, B * L), from the floor to the maximum over all of them."""
    row = torch.cat(list(mels.detach().float().cpu()[:, 0]), dim=-1).flip(0)
    low, high = row.min(), row.max()
    return ((row - low) / (high - low).clamp(min=1e-6))[None]


def memory_gib() -> float:
    """Memory of this process: the peak of the device for CUDA, else the resident set, in GiB; 0 where unknown."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        return torch.cuda.max_memory_allocated() / 2**30
    statm = Path("/proc/self/statm")  # Linux
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**30 if statm.is_file() else 0.0


def write_curves(path: str | Path, rows: list[dict[str, float]]) -> None:
    """Writes curves as CSV, one row a validation, for ``dvc plots``."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()})
    write_text(path, text.getvalue())
