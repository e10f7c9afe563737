"""The command that looks at a folder of kicks: report."""

__all__ = ["report"]

from pathlib import Path
from typing import Annotated

import typer

from kickpipe.cli.app import say


def report(
    kicks: Annotated[Path, typer.Argument(help="Folder of kicks to look at, generated or bought.")],
    library: Annotated[
        Path | None, typer.Option(help="Folder of kicks to hold them against: distances, nearest kicks, repeats.")
    ] = None,
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("kicks.html"),
    shown: Annotated[int, typer.Option(min=1, help="Kicks to show and play, at most.")] = 60,
) -> None:
    """Build a page about a folder of kicks.

    To listen, with descriptors, defects, and what the folder repeats of a library. The page is one file with pictures and
    sounds inside, and opens without a network.
    """
    from kickpipe.common.cpu import set_torch_threads
    from kickpipe.evaluation.report import build_folder_report

    set_torch_threads()
    build_folder_report(kicks, library, out, shown=shown)
    say(f"{out}: {out.stat().st_size / 1e6:.1f} MB; open it in a browser")
