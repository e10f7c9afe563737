"""The pipeline's two tables: ``metadata.csv``, what is in the library, and the lists of what was left out and why.

Both are UTF-8 CSV as RFC 4180 has it; a name with a comma, a quote or a newline survives the round trip.
"""

__all__ = [
    "Sample",
    "LeftOut",
    "TableError",
    "read_metadata",
    "write_metadata",
    "write_left_out",
    "count_reasons",
    "format_counts",
]

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import replacing

METADATA_COLUMNS = ("filename", "original_path", "keywords")
LEFT_OUT_COLUMNS = ("path", "reason", "detail")


class TableError(KickpipeError):
    """A table that is missing or has other columns than expected."""


class Sample(NamedTuple):
    """One kick of the library.

    Attributes:
        filename: Name in ``data/raw``, content hash first.
        original_path: Path below the source folder, with forward slashes; bytes that are not UTF-8 as ``\\xff``.
        keywords: What the original name says.
    """

    filename: str
    original_path: str
    keywords: tuple[str, ...]


class LeftOut(NamedTuple):
    """A file that is not used.

    Attributes:
        path: Where it is, relative to the folder that was read.
        reason: One of a few words, to count by.
        detail: What exactly, for a person.
    """

    path: str
    reason: str
    detail: str


def write_metadata(path: Path, samples: Iterable[Sample]) -> None:
    """Writes ``samples``, keywords separated by spaces."""
    write_csv(path, METADATA_COLUMNS, ((s.filename, s.original_path, " ".join(s.keywords)) for s in samples))


def read_metadata(path: Path) -> list[Sample]:
    """Reads what ``write_metadata`` wrote.

    Raises:
        TableError: If the file is missing, or has other columns than filename, original_path, keywords.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = tuple(next(rows, ()))
            if header != METADATA_COLUMNS:
                expected = ", ".join(METADATA_COLUMNS)
                raise TableError(f"{path}: expected the columns {expected}, found {', '.join(header) or 'none'}")
            samples = []
            for row in rows:
                if len(row) != len(METADATA_COLUMNS):
                    raise TableError(f"{path}, line {rows.line_num}: expected 3 fields, found {len(row)}")
                filename, original_path, keywords = row
                samples.append(Sample(filename, original_path, tuple(keywords.split())))
            return samples
    except FileNotFoundError:
        raise TableError(f"{path}: not found; the aggregate stage writes it: dvc repro aggregate") from None


def write_left_out(path: Path, items: Iterable[LeftOut]) -> None:
    """Writes one line for each file that was left out."""
    write_csv(path, LEFT_OUT_COLUMNS, items)


def count_reasons(items: Iterable[LeftOut], reasons: Iterable[str]) -> dict[str, int]:
    """How many were left out for each of ``reasons``; all are there, zero included, so that runs compare."""
    counts = Counter(item.reason for item in items)
    return {reason: counts[reason] for reason in reasons}


def format_counts(items: Iterable[LeftOut], reasons: Mapping[str, str]) -> list[str]:
    """One line a reason, the most frequent first, in the words of ``reasons``."""
    counts = Counter(item.reason for item in items)
    return [f"  {count:6,}  {reasons[reason]}" for reason, count in counts.most_common()]


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)  # ends lines with CR LF, so a lone CR or LF within a field is always quoted
        writer.writerow(columns)
        writer.writerows(rows)
