"""Pages one looks at and listens to: self-contained HTML, with pictures and sounds inside, that opens from disk.

``build_report`` shows an evaluation, ``build_folder_report`` any folder of kicks against any library. What needs
matplotlib or Jinja2 is imported when a page is built.
"""

__all__ = ["build_folder_report", "build_report"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kickpipe.evaluation.evaluate import Evaluation


def build_report(evaluation: "Evaluation", out: str | Path, **about: Any) -> None:
    """Writes the page of an evaluation; see ``kickpipe.evaluation.report.evaluation_page.build``."""
    from kickpipe.evaluation.report.evaluation_page import build

    build(evaluation, out, **about)


def build_folder_report(kicks_dir: str | Path, library_dir: str | Path | None, out: str | Path, **options: Any) -> None:
    """Writes a page about a folder of kicks, beside a library; see ``kickpipe.evaluation.report.folder_page.build``."""
    from kickpipe.evaluation.report.folder_page import build

    build(kicks_dir, library_dir, out, **options)
