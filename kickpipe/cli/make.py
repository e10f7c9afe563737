"""The commands that make kicks: generate, vary, interpolate, inpaint, again."""

__all__ = ["again", "generate", "inpaint", "interpolate", "vary"]

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kickpipe.cli.app import load_generator, say, warn
from kickpipe.cli.options import (
    Bits,
    Checkpoints,
    Container,
    ContainerOption,
    Count,
    Fade,
    First,
    Guidance,
    Iterations,
    Json,
    Length,
    Negative,
    Out,
    Peak,
    Precision,
    PrecisionChoice,
    Prompt,
    Sampler,
    SamplerOption,
    Seed,
    Steps,
    Strength,
    Tune,
    Vocoder,
    VocoderOption,
    Walk,
    Zip,
)

if TYPE_CHECKING:
    from kickpipe.generate import Kick
    from kickpipe.generate.files import Written
    from kickpipe.generate.options import FileOptions


MANY_STEPS = 200


def generate(
    prompt: Prompt = "",
    count: Count = 1,
    seed: Seed = 0,
    out: Out = Path("kicks"),
    negative: Negative = "",
    guidance: Guidance = None,
    sampler: SamplerOption = Sampler.dpm,
    steps: Steps = None,
    vocoder: VocoderOption = Vocoder.auto,
    iterations: Iterations = None,
    precision: Precision = PrecisionChoice.auto,
    best_of: Annotated[
        int | None,
        typer.Option(help="Make so many, keep the COUNT that measure best and differ most.", show_default=False),
    ] = None,
    first: First = 0,
    container: ContainerOption = Container.wav,
    bits: Bits = 24,
    peak: Peak = -1.0,
    length: Length = None,
    fade: Fade = 5.0,
    tune: Tune = None,
    zip_batch: Zip = False,
    checkpoints: Checkpoints = Path("checkpoints"),
    as_json: Json = False,
) -> None:
    """Generate kicks from keywords."""
    files = file_options(container, bits, peak, length, fade, tune)
    chosen = choices(guidance, sampler, steps, vocoder, iterations, precision, as_json, seed, negative)
    kicks = load_generator(checkpoints).stream(prompt, count=count, first=first, best_of_k=best_of, **chosen)
    write(kicks, count, out, files, zip_batch, as_json)


def vary(
    source: Annotated[Path, typer.Argument(help="Any audio file with a kick.")],
    prompt: Prompt = "",
    strength: Strength = 0.5,
    count: Count = 1,
    seed: Seed = 0,
    out: Out = Path("kicks"),
    negative: Negative = "",
    guidance: Guidance = None,
    sampler: SamplerOption = Sampler.dpm,
    steps: Steps = None,
    vocoder: VocoderOption = Vocoder.auto,
    iterations: Iterations = None,
    precision: Precision = PrecisionChoice.auto,
    first: First = 0,
    container: ContainerOption = Container.wav,
    bits: Bits = 24,
    peak: Peak = -1.0,
    length: Length = None,
    fade: Fade = 5.0,
    tune: Tune = None,
    zip_batch: Zip = False,
    checkpoints: Checkpoints = Path("checkpoints"),
    as_json: Json = False,
) -> None:
    """Make variations of a kick."""
    files = file_options(container, bits, peak, length, fade, tune)
    chosen = choices(guidance, sampler, steps, vocoder, iterations, precision, as_json, seed, negative)
    kicks = load_generator(checkpoints).vary(source, prompt, strength=strength, count=count, first=first, **chosen)
    write(kicks, count, out, files, zip_batch, as_json)


def interpolate(
    first_source: Annotated[Path, typer.Argument(metavar="FIRST", help="Any audio file with a kick.")],
    second_source: Annotated[Path, typer.Argument(metavar="SECOND", help="Another one.")],
    prompt: Prompt = "",
    count: Annotated[int, typer.Option(help="Number of kicks, the two ends included.")] = 5,
    path: Annotated[
        Walk, typer.Option(help="spherical: by the noises that lead to both; latent: by the straight line.")
    ] = Walk.spherical,
    out: Out = Path("kicks"),
    guidance: Annotated[float, typer.Option(help="Guidance on the way; 1 keeps it smooth.")] = 1.0,
    sampler: SamplerOption = Sampler.dpm,
    steps: Steps = None,
    vocoder: VocoderOption = Vocoder.auto,
    iterations: Iterations = None,
    precision: Precision = PrecisionChoice.auto,
    container: ContainerOption = Container.wav,
    bits: Bits = 24,
    peak: Peak = -1.0,
    length: Length = None,
    fade: Fade = 5.0,
    tune: Tune = None,
    zip_batch: Zip = False,
    checkpoints: Checkpoints = Path("checkpoints"),
    as_json: Json = False,
) -> None:
    """Walk from one kick to another."""
    files = file_options(container, bits, peak, length, fade, tune)
    chosen = choices(guidance, sampler, steps, vocoder, iterations, precision, as_json)
    generator = load_generator(checkpoints)
    kicks = generator.interpolate(first_source, second_source, prompt, count=count, path=path.value, **chosen)
    write(kicks, count, out, files, zip_batch, as_json)


def inpaint(
    source: Annotated[Path, typer.Argument(help="Any audio file with a kick.")],
    prompt: Prompt = "",
    begin: Annotated[float, typer.Option("--from", help="Make anew from this time, in ms.")] = 0.0,
    end: Annotated[float, typer.Option("--to", help="Make anew up to this time, in ms.")] = 2000.0,
    strength: Annotated[float, typer.Option(help="How much of that part is replaced, 0 to 1.")] = 1.0,
    count: Count = 1,
    seed: Seed = 0,
    out: Out = Path("kicks"),
    negative: Negative = "",
    guidance: Guidance = None,
    sampler: SamplerOption = Sampler.dpm,
    steps: Steps = None,
    vocoder: VocoderOption = Vocoder.auto,
    iterations: Iterations = None,
    precision: Precision = PrecisionChoice.auto,
    first: First = 0,
    container: ContainerOption = Container.wav,
    bits: Bits = 24,
    peak: Peak = -1.0,
    length: Length = None,
    fade: Fade = 5.0,
    tune: Tune = None,
    zip_batch: Zip = False,
    checkpoints: Checkpoints = Path("checkpoints"),
    as_json: Json = False,
) -> None:
    """Keep part of a kick, make the rest anew.

    The tail is made anew with --from 60, the attack with --to 60. The models can only make whole columns of about
    186 ms anew: every column that the time touches. What you keep of such a column is put back from the original's
    spectrogram, cross-faded over 23 ms, but the new part cannot know of it.
    """
    files = file_options(container, bits, peak, length, fade, tune)
    chosen = choices(guidance, sampler, steps, vocoder, iterations, precision, as_json, seed, negative)
    generator = load_generator(checkpoints)
    kicks = generator.inpaint(source, begin, end, prompt, strength=strength, count=count, first=first, **chosen)
    write(kicks, count, out, files, zip_batch, as_json)


def again(
    file: Annotated[Path, typer.Argument(help="A file that kickpipe wrote.")],
    out: Out = Path(),
    checkpoints: Checkpoints = Path("checkpoints"),
    as_json: Json = False,
) -> None:
    """Make a kick again from its file."""
    from kickpipe.audio.wav import read
    from kickpipe.generate.files import deviation_db, read_recipe, write_kick

    recipe, files, original = read_recipe(file)
    kick = next(iter(load_generator(checkpoints).make([recipe])))
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


def file_options(
    container: Container, bits: int, peak: float, length: float | None, fade: float, tune: str | None
) -> "FileOptions":
    from kickpipe.generate.options import FileOptions

    return FileOptions(container.value, bits, peak, length, fade, tune)


def choices(
    guidance: float | None,
    sampler: Sampler,
    steps: int | None,
    vocoder: Vocoder,
    iterations: int | None,
    precision: PrecisionChoice,
    as_json: bool,
    seed: int = 0,
    negative: str = "",
) -> dict[str, object]:
    """Arguments of the generator's methods; its own defaults where nothing was said."""
    chosen = {"sampler": sampler.value, "steps": steps, "vocoder": vocoder.value, "iterations": iterations}
    chosen |= {"precision": precision.value, "seed": seed, "negative": negative}
    chosen |= {"on_step": None if as_json else step_reporter()}
    return chosen if guidance is None else chosen | {"guidance": guidance}


def step_reporter() -> Callable[[int, int], None]:
    """Progress on the steps of a batch, where they are many: a thousand steps of DDPM take a minute."""
    from kickpipe.common.progress import progress

    bar = iter(())

    def on_step(done: int, total: int) -> None:
        nonlocal bar
        if total < MANY_STEPS:
            return
        if done == 1:
            bar = iter(progress(range(total), total, "Sampling", "steps"))
            next(bar)
        next(bar, None)

    return on_step


def write(kicks: "Iterator[Kick]", count: int, out: Path, files: "FileOptions", zip_batch: bool, as_json: bool) -> None:
    """Writes the batch and says what was written; the status is 1 if a kick was left out."""
    from kickpipe.common.progress import progress
    from kickpipe.generate.files import write_batch, write_zip

    if count > 1 and not as_json:
        kicks = progress(kicks, count, "Generating", "kicks")
    batch = write_batch(kicks, out, files)
    archive = write_zip(batch) if zip_batch else None
    if as_json:
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
