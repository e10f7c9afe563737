"""What a page says about where its kicks came from: the commit, and what was left out of the library."""

__all__ = ["Origin", "current_commit", "left_out_table"]

import csv
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kickpipe.evaluation.report.page import Cell, Row, Table, Text

EXAMPLES = 3


@dataclass(frozen=True)
class Origin:
    """What an evaluation was made from.

    Arguments:
        curves: CSV files of the trainings by their titles; those that do not exist are left out.
        left_out: CSV files with path, reason and detail of what was left out of the library.
        params: Text of params.yaml.
        commit: Of the code, for people.
        models: Hash of each model file by kind.
    """

    curves: Mapping[str, Path]
    left_out: Sequence[Path]
    params: str
    commit: str
    models: Mapping[str, str]


def current_commit(folder: str | Path = ".") -> str:
    """Short hash of the checked-out commit, "with changes" where files differ from it; "unknown" outside of Git."""
    try:
        found = [
            subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, timeout=30, check=True).stdout
            for command in (("rev-parse", "--short=10", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        ]
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found[0].strip() + (" with changes" if found[1].strip() else "")


def left_out_table(files: Sequence[Path]) -> Table | Text:
    """Files that are not in the library, counted by reason, with examples."""
    by_reason: dict[str, list[dict[str, str]]] = defaultdict(list)
    for path in files:
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    by_reason[row["reason"]].append(row)
    if not by_reason:
        return Text("Nothing was left out.")
    rows = [
        Row(
            reason.replace("_", " ").capitalize(),
            "; ".join(
                f"{item['path']} ({item['detail']})" if item["detail"] else item["path"] for item in items[:EXAMPLES]
            )
            + (" …" if len(items) > EXAMPLES else ""),
            [Cell(f"{len(items):,}")],
        )
        for reason, items in sorted(by_reason.items(), key=lambda pair: -len(pair[1]))
    ]
    return Table(["Files"], rows)
