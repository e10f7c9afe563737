"""Pages one looks at and listens to: self-contained HTML, with pictures and sounds inside, that opens from disk.

``build_report`` shows an evaluation, ``build_folder_report`` any folder of kicks against any library. A page is data first
(``page``): cards of kicks (``cards``) with pictures on common axes (``axes``, ``pictures``, ``sounds``), tables, and charts
(``figures``); the template lays it out, ``player.js`` plays and ``browse.js`` sorts, filters and moves.
"""

__all__ = ["build_folder_report", "build_report"]

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kickpipe.evaluation.evaluate import Evaluation
    from kickpipe.evaluation.report.origin import Origin


def build_report(evaluation: "Evaluation", out: str | Path, origin: "Origin") -> None:
    """Writes the page of an evaluation; see ``kickpipe.evaluation.report.evaluation_page.build``."""
    from kickpipe.evaluation.report.evaluation_page import build

    build(evaluation, out, origin)


def build_folder_report(
    kicks_dir: str | Path, library_dir: str | Path | None, out: str | Path, *, compare: int = 300, shown: int = 60
) -> None:
    """Writes a page about a folder of kicks, beside a library; see ``kickpipe.evaluation.report.folder_page.build``."""
    from kickpipe.evaluation.report.folder_page import build

    build(kicks_dir, library_dir, out, compare=compare, shown=shown)
