"""The arguments and options that commands share, each with its help, in one wording.

A command takes whole objects, ``options: Options`` for instance; ``unfold`` spells their fields out as options of the command
line. So a field is named once, and what it may be is checked in one place, where the object is made.
"""

__all__ = ["HELP", "Checkpoints", "Json", "Output", "Series", "Words", "unfold"]

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

WORDS_HELP = (
    'Keywords: deep 808, or with weights deep:0.7 clicky:0.3; "deep -long" steers away from long; none: any kick.'
)
Words = Annotated[list[str] | None, typer.Argument(metavar="PROMPT", help=WORDS_HELP, show_default=False)]

HELP = {
    # Series
    "count": typer.Option(help="Number of kicks."),
    "seed": typer.Option(help="Kick i of a seed is always the same kick."),
    "first": typer.Option(help="Number of the first kick of the seed."),
    # Options
    "negative": typer.Option(help="Keywords to steer away from."),
    "guidance": typer.Option(
        help="How strictly to follow the prompt: 0 not at all, 1 as learnt (the default; 2 with negative words)."
    ),
    "sampler": typer.Option(help="How noise becomes a kick."),
    "steps": typer.Option(help="Steps of the sampler; by default 16, 50 or 1000, by sampler."),
    "texture": typer.Option(
        help="How much grain is put into what the networks smooth, 0 to 1; by default 1 where there is a texture model.",
        show_default=False,
    ),
    "vocoder": typer.Option(help="What turns the spectrogram into sound; auto: both if there is a trained one."),
    "iterations": typer.Option(help="Griffin-Lim iterations; by default 16, or 4 after HiFi-GAN.", show_default=False),
    "precision": typer.Option(
        help="Of the vocoder; bfloat16 is faster, 60 dB under the sound. auto: where the CPU has it."
    ),
    # FileOptions
    "container": typer.Option("--format", help="File type."),
    "bits": typer.Option(help="16, 24, or 32 for float (WAV only)."),
    "peak_db": typer.Option("--peak", help="Peak in dBFS."),
    "length_ms": typer.Option(
        "--length", help="Length in ms; by default as long as the kick rings.", show_default=False
    ),
    "fade_ms": typer.Option("--fade", help="Fade-out in ms."),
    "tune": typer.Option(help="Tune to a note (F#1; F# for the nearest octave) or to Hz (46.2), by resampling."),
    "sharp": typer.Option(help="How names of files write a sharp: Cs1, or C#1, which shells and links need quoted."),
    # Output
    "out": typer.Option(help="Folder to write to."),
    "zip_batch": typer.Option("--zip", help="Also put the batch into one zip."),
    "checkpoints": typer.Option(help="Folder of the trained models.", envvar="KICKPIPE_CHECKPOINTS"),
    "as_json": typer.Option("--json", help="Print one JSON object, for machines."),
}

Checkpoints = Annotated[Path, HELP["checkpoints"]]
Json = Annotated[bool, HELP["as_json"]]


@dataclass(frozen=True)
class Series:
    """Which kicks: ``count`` of a seed, from number ``first`` on."""

    count: int = 1
    seed: int = 0
    first: int = 0


@dataclass(frozen=True)
class Output:
    """Where the kicks go, and where the models come from."""

    out: Path = Path("kicks")
    zip_batch: bool = False
    checkpoints: Path = Path("checkpoints")
    as_json: bool = False


def unfold(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field in place of every parameter that is a dataclass."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if is_dataclass(kind) and isinstance(kind, type)}
    parameters = []
    for parameter in inspect.signature(command).parameters.values():
        if group := groups.get(parameter.name):
            parameters.extend(options_of(group))
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))

    @functools.wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    signature = inspect.Signature(sorted(parameters, key=lambda parameter: parameter.kind))
    run.__dict__.update(__signature__=signature)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def options_of(group: type) -> list[inspect.Parameter]:
    """A parameter for each field of a dataclass."""
    hints = get_type_hints(group)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=Annotated[hints[field.name], HELP[field.name]],
        )
        for field in fields(group)
    ]
