"""The kicks of a folder of one's own: which there are, and a selection of them where they are many."""

__all__ = ["choose_kicks", "copy_kicks", "find_kicks"]

import shutil
from pathlib import Path

from kickpipe.common.errors import KickpipeError
from kickpipe.data.aggregate import Filters, select
from kickpipe.params import load_params


def find_kicks(source: Path, params_file: Path) -> list[str]:
    """Paths below a folder that the pipeline takes for kicks, by name and size, sorted.

    Raises:
        KickpipeError: If the folder is missing or has none.
    """
    if not source.is_dir():
        raise KickpipeError(f"{source}: no such folder")
    params = load_params(params_file).aggregate
    filters = Filters(params.include, params.exclude, params.extensions, params.min_bytes, params.max_bytes)
    kicks, left_out, _ = select(source, source / "data" / "raw", filters, params.keep_numbers)
    if not kicks:
        raise KickpipeError(
            f"{source}: no kicks among {len(left_out):,} files. Files count by their names and sizes: "
            f"aggregate.include in params.yaml is {', '.join(params.include)}; "
            f"{params.min_bytes:,} to {params.max_bytes:,} bytes"
        )
    return kicks


def choose_kicks(kicks: list[str], number: int) -> list[str]:
    """So many of them, spread evenly over the sorted paths, so that every folder has its share."""
    return [kicks[i * len(kicks) // number] for i in range(number)]


def copy_kicks(source: Path, kicks: list[str], target: Path) -> None:
    """Copies them under the same paths; what is there already stays."""
    for name in kicks:
        file = target / name
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, file)
