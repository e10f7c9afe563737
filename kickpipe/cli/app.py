"""The application object and what its commands share."""

__all__ = ["app", "open_generator", "say", "warn"]

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from kickpipe.generate import KickGenerator
    from kickpipe.generate.networks import Networks
    from kickpipe.generate.options import FileOptions

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


def open_generator(checkpoints: Path, files: "FileOptions | None" = None) -> "KickGenerator":
    """The generator of a folder of model files, whose weights are loaded, with threads set, when a kick is made.

    Raises:
        KickpipeError: If the files cannot be used, or make no kicks as long as ``files`` are to be.
    """
    from kickpipe.common.cpu import num_threads, set_torch_threads
    from kickpipe.generate import KickGenerator
    from kickpipe.generate.facts import Facts

    def load() -> "Networks":
        from kickpipe.generate.networks import Networks

        set_torch_threads()
        return Networks.load(checkpoints)

    num_threads()  # a wrong number is told before anything is loaded
    generator = KickGenerator(Facts.read(checkpoints), load)
    if files is not None:
        files.check_length(generator.facts.duration_ms)
    return generator


def say(text: str) -> None:
    """Prints a line, also where the terminal cannot show every character, and none that it would obey."""
    write_line(text, sys.stdout)


def warn(text: str) -> None:
    """Says what went wrong, in one line, where it does not mix with what was asked for."""
    write_line(f"kickpipe: {' '.join(text.split())}", sys.stderr)


def write_line(text: str, stream: TextIO) -> None:
    from kickpipe.common.text import visible

    encoding = stream.encoding or "utf-8"
    print(visible(text).encode(encoding, "replace").decode(encoding), file=stream, flush=True)
