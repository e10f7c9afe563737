"""The commands that make kicks: generate, vary, interpolate, inpaint, again."""

__all__ = ["again", "generate", "inpaint", "interpolate", "vary"]

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kickpipe.cli.app import open_generator, say, warn
from kickpipe.cli.options import HELP, Checkpoints, Json, Output, Series, Words, unfold
from kickpipe.generate.options import FileOptions, Options, Walk

if TYPE_CHECKING:
    from kickpipe.generate import Kick
    from kickpipe.generate.files import Written

MANY_STEPS = 200

SourceFile = Annotated[Path, typer.Argument(help="Any audio file with a kick.")]


@unfold
def generate(
    words: Words = None,
    *,
    series: Series,
    best_of: Annotated[
        int | None,
        typer.Option(help="Make so many, keep the COUNT that measure best and differ most.", show_default=False),
    ] = None,
    options: Options,
    files: FileOptions,
    output: Output,
) -> None:
    """Generate kicks from keywords."""
    generator = open_generator(output.checkpoints, files)
    kicks = generator.stream(
        prompt(words),
        count=series.count,
        seed=series.seed,
        first=series.first,
        best_of=best_of,
        options=options,
        on_step=step_reporter(output),
    )
    write(kicks, series.count, files, output)


@unfold
def vary(
    source: SourceFile,
    words: Words = None,
    *,
    strength: Annotated[float, typer.Option(help="0: the kick as the models reconstruct it, 1: a new one.")] = 0.5,
    series: Series,
    options: Options,
    files: FileOptions,
    output: Output,
) -> None:
    """Make variations of a kick."""
    generator = open_generator(output.checkpoints, files)
    kicks = generator.vary(
        source,
        prompt(words),
        strength=strength,
        count=series.count,
        seed=series.seed,
        first=series.first,
        options=options,
        on_step=step_reporter(output),
    )
    write(kicks, series.count, files, output)


@unfold
def interpolate(
    first_source: Annotated[Path, typer.Argument(metavar="FIRST", help="Any audio file with a kick.")],
    second_source: Annotated[Path, typer.Argument(metavar="SECOND", help="Another one.")],
    words: Words = None,
    *,
    count: Annotated[int, typer.Option(help="Number of kicks, the two ends included.")] = 5,
    path: Annotated[
        Walk, typer.Option(help="spherical: by the noises that lead to both; latent: by the straight line.")
    ] = "spherical",
    options: Options,
    files: FileOptions,
    output: Output,
) -> None:
    """Walk from one kick to another."""
    generator = open_generator(output.checkpoints, files)
    kicks = generator.interpolate(
        first_source,
        second_source,
        prompt(words),
        count=count,
        path=path,
        options=options,
        on_step=step_reporter(output),
    )
    write(kicks, count, files, output)


@unfold
def inpaint(
    source: SourceFile,
    words: Words = None,
    *,
    begin: Annotated[float, typer.Option("--from", help="Make anew from this time, in ms.")] = 0.0,
    end: Annotated[float, typer.Option("--to", help="Make anew up to this time, in ms.")] = 2000.0,
    strength: Annotated[float, typer.Option(help="How much of that part is replaced, 0 to 1.")] = 1.0,
    series: Series,
    options: Options,
    files: FileOptions,
    output: Output,
) -> None:
    """Keep part of a kick, make the rest anew.

    The tail is made anew with --from 60, the attack with --to 60. The models can only make whole columns of about
    186 ms anew: every column that the time touches. What you keep of such a column is put back from the original's
    spectrogram, cross-faded over 23 ms, but the new part cannot know of it.
    """
    generator = open_generator(output.checkpoints, files)
    kicks = generator.inpaint(
        source,
        begin,
        end,
        prompt(words),
        strength=strength,
        count=series.count,
        seed=series.seed,
        first=series.first,
        options=options,
        on_step=step_reporter(output),
    )
    write(kicks, series.count, files, output)


def again(
    file: Annotated[Path, typer.Argument(help="A file that kickpipe wrote.")],
    out: Annotated[Path, HELP["out"]] = Path(),
    checkpoints: Checkpoints = Path("checkpoints"),
    as_json: Json = False,
) -> None:
    """Make a kick again from its file."""
    from kickpipe.audio.wav import read
    from kickpipe.generate.files import deviation_db, read_recipe, write_kick

    recipe, files, original = read_recipe(file)
    kick = next(open_generator(checkpoints).make([recipe]))
    written = write_kick(kick, out, files)
    deviation = deviation_db(read(written.path).samples, original.samples)
    identical = deviation == -float("inf")
    if as_json:
        result = {
            **written.to_dict(),
            "file": str(written.path),
            "path": str(written.path),
            "identical": identical,
            "deviation_db": deviation if math.isfinite(deviation) else None,
        }
        say(json.dumps(result, ensure_ascii=False))
        return
    say(describe(written))
    say(f"identical to {file.name}" if identical else f"largest difference from {file.name}: {deviation:.0f} dBFS")


def prompt(words: list[str] | None) -> str:
    return " ".join(words or [])


def step_reporter(output: Output) -> Callable[[int, int], None] | None:
    """Progress on the steps of a batch, where they are many: a thousand steps of DDPM take a minute."""
    if output.as_json:
        return None
    from kickpipe.common.progress import progress

    bar: Iterator[int] = iter(())

    def on_step(done: int, total: int) -> None:
        nonlocal bar
        if total < MANY_STEPS:
            return
        if done == 1:
            bar = iter(progress(range(total), total, "Sampling", "steps"))
            next(bar)
        next(bar, None)

    return on_step


def write(kicks: "Iterator[Kick]", count: int, files: FileOptions, output: Output) -> None:
    """Writes the batch and says what was written; the status is 1 if a kick was left out."""
    from kickpipe.common.progress import progress
    from kickpipe.generate.files import write_batch, write_zip

    if count > 1 and not output.as_json:
        kicks = progress(kicks, count, "Generating", "kicks")
    batch = write_batch(kicks, output.out, files)
    archive = write_zip(batch) if output.zip_batch else None
    if output.as_json:
        result = {
            "kicks": [{**item.to_dict(), "path": str(item.path)} for item in batch.written],
            "left_out": [item.to_dict() for item in batch.left_out],
            "manifest": str(batch.manifest),
            "zip": None if archive is None else str(archive),
        }
        say(json.dumps(result, ensure_ascii=False))
    else:
        for item in batch.written:
            say(describe(item))
        if archive is not None:
            say(str(archive))
        for left_out in batch.left_out:
            warn(f"kick {left_out.recipe.index} of seed {left_out.recipe.seed} is left out: {left_out.reason}")
    if batch.left_out:
        raise typer.Exit(1)


def describe(item: "Written") -> str:
    return f"{item.path}  {item.length_ms:.0f} ms"
