"""The arguments and options that commands share, each with its help, in one wording."""

__all__ = [
    "Bits",
    "Checkpoints",
    "Container",
    "ContainerOption",
    "Count",
    "Fade",
    "First",
    "Guidance",
    "Iterations",
    "Json",
    "Length",
    "Negative",
    "Out",
    "Peak",
    "Precision",
    "PrecisionChoice",
    "Prompt",
    "Sampler",
    "SamplerOption",
    "Seed",
    "Steps",
    "Strength",
    "Tune",
    "Vocoder",
    "VocoderOption",
    "Walk",
    "Zip",
]

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Sampler(StrEnum):
    dpm = "dpm-solver++"
    ddim = "ddim"
    ddpm = "ddpm"


class Vocoder(StrEnum):
    auto = "auto"
    hifigan = "hifigan"
    griffin_lim = "griffin-lim"
    both = "hifigan+griffin-lim"


class PrecisionChoice(StrEnum):
    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"


class Container(StrEnum):
    wav = "wav"
    flac = "flac"


class Walk(StrEnum):
    spherical = "spherical"
    latent = "latent"


PROMPT_HELP = 'Keywords, for example "deep 808" or, with weights, "deep:0.7 clicky:0.3"; none: any kick.'
Prompt = Annotated[str, typer.Argument(help=PROMPT_HELP)]
Count = Annotated[int, typer.Option(help="Number of kicks.")]
Seed = Annotated[int, typer.Option(help="Kick i of a seed is always the same kick.")]
First = Annotated[int, typer.Option(help="Number of the first kick of the seed.")]
Negative = Annotated[str, typer.Option(help="Keywords to steer away from.")]
Guidance = Annotated[
    float | None,
    typer.Option(
        help="How strictly to follow the prompt: 0 not at all, 1 as learnt (the default; 2 with negative words)."
    ),
]
SamplerOption = Annotated[Sampler, typer.Option(help="How noise becomes a kick.")]
Steps = Annotated[int | None, typer.Option(help="Steps of the sampler; by default 16, 50 or 1000, by sampler.")]
VocoderOption = Annotated[
    Vocoder, typer.Option(help="What turns the spectrogram into sound; auto: both if there is a trained one.")
]
Iterations = Annotated[
    int | None, typer.Option(help="Griffin-Lim iterations; by default 16, or 4 after HiFi-GAN.", show_default=False)
]
Precision = Annotated[
    PrecisionChoice,
    typer.Option(help="Of the vocoder; bfloat16 is faster, 60 dB under the sound. auto: where the CPU has it."),
]
Strength = Annotated[float, typer.Option(help="0: the kick as the models reconstruct it, 1: a new one.")]
Out = Annotated[Path, typer.Option(help="Folder to write to.")]
Checkpoints = Annotated[Path, typer.Option(help="Folder of the trained models.", envvar="KICKPIPE_CHECKPOINTS")]
ContainerOption = Annotated[Container, typer.Option("--format", help="File type.")]
Bits = Annotated[int, typer.Option(help="16, 24, or 32 for float (WAV only).")]
Peak = Annotated[float, typer.Option("--peak", help="Peak in dBFS.")]
Length = Annotated[
    float | None,
    typer.Option("--length", help="Length in ms; by default as long as the kick rings.", show_default=False),
]
Fade = Annotated[float, typer.Option("--fade", help="Fade-out in ms.")]
Tune = Annotated[
    str | None, typer.Option(help="Tune to a note (F#1; F# for the nearest octave) or to Hz (46.2), by resampling.")
]
Zip = Annotated[bool, typer.Option("--zip", help="Also put the batch into one zip.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
