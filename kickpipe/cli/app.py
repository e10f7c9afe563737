"""The application object and what its commands share."""

__all__ = ["app", "load_generator", "say", "set_threads"]

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kickpipe.generate import KickGenerator

app = typer.Typer(
    name="kickpipe",
    help="Generate kick drums from keywords, with models trained on a folder of your own samples.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def print_version(wanted: bool) -> None:
    if wanted:
        from kickpipe import __version__

        print(f"kickpipe {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def load_generator(checkpoints: Path) -> "KickGenerator":
    """The generator of a folder of model files, with threads set."""
    set_threads()
    from kickpipe.generate import KickGenerator

    return KickGenerator.load(checkpoints)


def set_threads() -> None:
    """Uses as many threads as this process may have, unless OMP_NUM_THREADS says otherwise.

    A container's share of a large host is not what the number of its processors says: too many threads take turns.
    """
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(min(torch.get_num_threads(), available_cpus()), 1))


def available_cpus() -> int:
    """Processors this process may use: its affinity, and the quota of its control group where there is one."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return min(count, max(round(int(quota) / int(period)), 1))
    except (OSError, ValueError):
        return count


def say(text: str) -> None:
    """Prints a line, also where the terminal cannot show every character."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)
