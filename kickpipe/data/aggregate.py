"""From a folder of sample packs to a flat library of kicks: crawl, filter, copy, name.

A file becomes part of the library if its name says kick and not loop or tempo, its size is right, and its content is new. It
is copied (not linked: whoever edits a sample in ``data/source`` must not change ``data/raw``) under a name that
begins with the SHA-256 of its content, ``a3f2e1_KICK3.WAV``. Everything else is listed with its reason.
"""

__all__ = ["AggregateError", "Aggregate", "Filters", "REASONS", "aggregate"]

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import remove_others
from kickpipe.common.progress import progress
from kickpipe.data.crawl import Found, crawl, failure, printable
from kickpipe.data.names import clean_name, name_files
from kickpipe.data.patterns import Patterns
from kickpipe.data.tables import LeftOut, Sample, count_reasons, format_counts
from kickpipe.data.tempos import Tempos
from kickpipe.data.vocabulary import tokenize

REASONS = {
    "not_audio": "not an audio file",
    "hidden": "hidden file",
    "name": "name matches none of aggregate.include",
    "excluded": "name matches one of aggregate.exclude",
    "tempo": "name has a tempo, a number in the range aggregate.tempos",
    "too_small": "smaller than aggregate.min_bytes",
    "too_large": "larger than aggregate.max_bytes",
    "duplicate": "same content as another file",
    "unreadable": "cannot be read",
    "vanished": "gone when it was to be read",
    "linked_folder": "link to a folder that was read already",
}


class AggregateError(KickpipeError):
    """No library can be made; the message says why and what to do."""


class Filters:
    """What a kick is, by its name and size.

    Arguments:
        include: Patterns (see ``kickpipe.data.patterns``) of which a file must match one.
        exclude: Patterns of which it must match none.
        extensions: What audio files end in, without the dot.
        min_bytes: Smallest size of a file.
        max_bytes: Largest size of a file.
        tempos: The lowest and the highest number (BPM) that is the tempo of a loop; None if none is.

    Raises:
        PatternError: If a pattern has no letters or digits.
    """

    def __init__(
        self,
        include: Iterable[str],
        exclude: Iterable[str],
        extensions: Iterable[str],
        min_bytes: int,
        max_bytes: int,
        tempos: tuple[int, int] | None = None,
    ) -> None:
        self.include = Patterns(include)
        self.exclude = Patterns(exclude)
        self.extensions = sorted(extension.lower().lstrip(".") for extension in extensions)
        self.min_bytes = min_bytes
        self.max_bytes = max_bytes
        self.tempos = tempos

    def judge(self, file: Found, tempos: Tempos | None = None) -> LeftOut | None:
        """Why ``file`` does not enter the library; None if it may. ``tempos`` know the files beside it."""
        name = file.path.rpartition("/")[2]
        stem, _, extension = name.rpartition(".")
        if name.startswith("."):  # among them macOS's "._KICK.wav", which holds no audio
            return LeftOut(printable(file.path), "hidden", "name begins with a dot")
        if not stem or extension.lower() not in self.extensions:
            return LeftOut(printable(file.path), "not_audio", f"ends in none of {', '.join(self.extensions)}")
        if self.include.find(file.path) is None:
            return LeftOut(printable(file.path), "name", "matches no include pattern")
        if pattern := self.exclude.find(file.path):
            return LeftOut(printable(file.path), "excluded", f"matches {pattern}")
        if tempos and (number := tempos.find(file.path)):
            return LeftOut(printable(file.path), "tempo", f"{number} BPM")
        return self.judge_size(file.path, file.size)

    def judge_size(self, path: str, size: int) -> LeftOut | None:
        """As ``judge``, by the size (bytes) only."""
        if size < self.min_bytes:
            return LeftOut(printable(path), "too_small", f"{size:,} bytes, expected at least {self.min_bytes:,}")
        if size > self.max_bytes:
            return LeftOut(printable(path), "too_large", f"{size:,} bytes, expected at most {self.max_bytes:,}")
        return None


@dataclass(frozen=True)
class Aggregate:
    """A library and what did not enter it.

    Arguments:
        samples: The kicks, by original path.
        left_out: Everything else, with reasons.
        num_files: Number of files that were found.
    """

    samples: list[Sample]
    left_out: list[LeftOut]
    num_files: int

    def metrics(self) -> dict[str, int]:
        """What ``dvc metrics show`` prints: ``kicks`` that entered, and files ``left_out``."""
        return {"kicks": len(self.samples), "left_out": len(self.left_out)}

    def details(self) -> dict[str, int | dict[str, int]]:
        """All counts, those of the files left out by reason."""
        return {
            "files": self.num_files,
            "kicks": len(self.samples),
            "left_out": count_reasons(self.left_out, REASONS),
        }

    def check(self, source_dir: Path) -> None:
        """Stops the pipeline when no file is a kick.

        Raises:
            AggregateError: With the counts of why, and what to do.
        """
        if self.samples:
            return
        if not self.left_out:
            raise AggregateError(f"{source_dir}: no audio files; {advice(source_dir)}")
        lines = [f"{source_dir}: {self.num_files:,} files, none of them a kick that can be used:"]
        lines += format_counts(self.left_out, REASONS)
        if any(item.reason == "name" for item in self.left_out):
            lines.append('  if your kicks are named otherwise, say how in aggregate.include, for example "*kik*"')
        lines.append(f"  otherwise {advice(source_dir)}")
        raise AggregateError("\n".join(lines))

    def summary(self, table: Path) -> str:
        """What to tell the user: how many entered and why others did not. ``table`` has the list."""
        lines = [f"{len(self.samples):,} kicks of {self.num_files:,} files"]
        if self.left_out:
            lines += ["left out:", *format_counts(self.left_out, REASONS), f"  listed in {table}"]
        return "\n".join(lines)


def aggregate(source_dir: Path, raw_dir: Path, filters: Filters, keep_numbers: Collection[str] = ()) -> Aggregate:
    """Copies the kicks below ``source_dir`` into ``raw_dir``, which then holds nothing else.

    Where there is no kick, ``raw_dir`` stays as it is; ``Aggregate.check`` says so.

    Arguments:
        source_dir: A folder of samples, nested at will. It is only read.
        raw_dir: The flat folder to fill.
        filters: What a kick is.
        keep_numbers: Numbers that are keywords, such as "808", and so no tempos.

    Raises:
        AggregateError: If the folder is missing, or is the one to fill.
        OSError: If ``raw_dir`` cannot be written.
    """
    check_folders(source_dir, raw_dir)
    candidates, left_out, num_files = select(source_dir, raw_dir, filters, keep_numbers)
    raw_dir.mkdir(parents=True, exist_ok=True)
    copies: dict[str, str] = {}  # digest to path, in the order of paths
    try:
        for path in progress(candidates, len(candidates), "aggregate", "files"):
            if reason := copy(source_dir, path, raw_dir, filters, copies):
                left_out.append(reason)
        names = [path.rpartition("/")[2] for path in copies.values()]
        filenames = name_files(list(copies), names)
        for digest, filename in zip(copies, filenames, strict=True):
            partial_path(raw_dir, digest).replace(raw_dir / filename)
    finally:
        for digest in copies:
            partial_path(raw_dir, digest).unlink(missing_ok=True)
    if copies:
        remove_others(raw_dir, set(filenames))

    samples = [
        Sample(filename, printable(path), tuple(tokenize(clean_name(name), keep_numbers)))
        for filename, path, name in zip(filenames, copies.values(), names, strict=True)
    ]
    return Aggregate(samples, sorted(left_out), num_files)


def check_folders(source_dir: Path, raw_dir: Path) -> None:
    if not source_dir.is_dir():
        what = "not a folder" if source_dir.exists() else "folder not found"
        raise AggregateError(f"{source_dir}: {what}; {advice(source_dir)}")
    source, raw = source_dir.resolve(), raw_dir.resolve()
    if source == raw or raw in source.parents:
        raise AggregateError(
            f"aggregate.source_dir is {source_dir}, but every run writes {raw_dir} anew; keep your samples elsewhere"
        )


def select(
    source_dir: Path, raw_dir: Path, filters: Filters, keep_numbers: Collection[str]
) -> tuple[list[str], list[LeftOut], int]:
    """Paths that pass all filters on name and size, sorted; what does not, with reasons; the number of files."""
    files: list[Found] = []
    left_out: list[LeftOut] = []
    for item in crawl(source_dir, skip=[raw_dir]):
        if isinstance(item, LeftOut):
            left_out.append(item)
        else:
            files.append(item)
    tempos = filters.tempos and Tempos(*filters.tempos, (file.path for file in files), keep_numbers)
    candidates = []
    for file in files:
        if reason := filters.judge(file, tempos):
            left_out.append(reason)
        else:
            candidates.append(file.path)
    return sorted(candidates), left_out, len(files)


def copy(source_dir: Path, path: str, raw_dir: Path, filters: Filters, copies: dict[str, str]) -> LeftOut | None:
    """Copies one file to a temporary name and enters it into ``copies``, or returns why not.

    The file is read once, for its hash and its copy: both are of the same content, should it be changing.
    """
    try:
        with (source_dir / path).open("rb") as file:
            content = file.read(filters.max_bytes + 1)
    except OSError as error:
        return failure(path, error)
    if reason := filters.judge_size(path, len(content)):  # it changed since its size was read
        return reason
    digest = hashlib.sha256(content).hexdigest()
    if digest in copies:
        return LeftOut(printable(path), "duplicate", f"same content as {printable(copies[digest])}")
    copies[digest] = path
    partial_path(raw_dir, digest).write_bytes(content)
    return None


def partial_path(raw_dir: Path, digest: str) -> Path:
    return raw_dir / f"{digest}.partial"


def advice(source_dir: Path) -> str:
    return f'put samples there, set aggregate.source_dir, or run "kickpipe synth {source_dir}"'
