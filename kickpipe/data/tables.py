"""The pipeline's two tables: ``metadata.csv``, what is in the library, and the lists of what was left out and why.

Both are UTF-8 CSV as RFC 4180 has it; a name with a comma, a quote or a newline survives the round trip.
"""

__all__ = [
    "Sample",
    "LeftOut",
    "TableError",
    "read_metadata",
    "read_table",
    "write_metadata",
    "write_left_out",
    "count_reasons",
    "format_counts",
]

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import replacing

if TYPE_CHECKING:
    from pandas import DataFrame

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
    """Reads what ``write_metadata`` wrote, or what a person made of it in a spreadsheet.

    Raises:
        TableError: If the file is missing or cannot be read, or has other columns than filename, original_path, keywords.
    """
    table = read_table(path, METADATA_COLUMNS, "the aggregate stage writes it: dvc repro aggregate")
    rows = zip(table.filename, table.original_path, table.keywords, strict=True)
    return [Sample(filename, original_path, tuple(keywords.split())) for filename, original_path, keywords in rows]


def read_table(path: Path, columns: Sequence[str], remedy: str) -> "DataFrame":
    """Reads a table of texts, strictly: no cell is missing, and "NA" is a name as any other.

    Arguments:
        path: Of the table.
        columns: Which it must have, in their order.
        remedy: What to do when it is missing.

    Raises:
        TableError: If the file is missing, cannot be read, or has other columns or rows of another length.
    """
    import pandas  # 0.4 s, which only those wait who read a table

    try:
        # the other engine fills short rows with empty cells, and cuts long ones
        table = pandas.read_csv(path, dtype=str, keep_default_na=False, engine="python", encoding="utf-8-sig")
    except FileNotFoundError:
        raise TableError(f"{path}: not found; {remedy}") from None
    except pandas.errors.EmptyDataError:
        table = pandas.DataFrame()
    except (OSError, UnicodeDecodeError, pandas.errors.ParserError) as error:
        raise TableError(f"{path}: cannot be read as a table: {error}") from None
    if tuple(table.columns) != tuple(columns):
        found = ", ".join(map(str, table.columns)) or "none"
        raise TableError(f"{path}: expected the columns {', '.join(columns)}, found {found}")
    if not isinstance(table.index, pandas.RangeIndex):  # what is too much on the left has become the index
        raise TableError(f"{path}, row 1: expected {len(columns)} fields, found more")
    short = table.isna().any(axis="columns")
    if short.any():
        raise TableError(f"{path}, row {short.argmax() + 1}: expected {len(columns)} fields, found fewer")
    return table


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
