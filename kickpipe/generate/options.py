"""What one may ask of the generator: the same options in Python, on the command line, in a recipe and on the web.

Checked when they are made, so that nothing is loaded or computed for what makes no sense. A further option, such as how much
texture the decoder adds, is a field here, a name in ``OptionNames``, a field of ``Recipe`` and a help text in
``cli.options``; a test compares them.
"""

__all__ = [
    "DEFAULT_GUIDANCE",
    "DEFAULT_ITERATIONS",
    "DEFAULT_STEPS",
    "NEGATIVE_GUIDANCE",
    "SAMPLERS",
    "VOCODERS",
    "WALKS",
    "FileOptions",
    "OnStep",
    "OptionNames",
    "Options",
    "Precision",
    "PrecisionOrAuto",
    "Sampler",
    "Vocoder",
    "Walk",
]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from kickpipe.audio.settings import ITERATIONS_AFTER_NETWORK, ITERATIONS_ALONE
from kickpipe.common.limits import MAX_GUIDANCE
from kickpipe.generate.checks import RecipeError, choose, whole, within

Sampler = Literal["dpm-solver++", "ddim", "ddpm"]
Vocoder = Literal["hifigan", "griffin-lim", "hifigan+griffin-lim"]
Precision = Literal["float32", "bfloat16"]
VocoderOrAuto = Literal["auto", Vocoder]
PrecisionOrAuto = Literal["auto", Precision]
Walk = Literal["spherical", "latent"]
Container = Literal["wav", "flac"]
Sharp = Literal["s", "#"]

OnStep = Callable[[int, int], None] | None  # told (steps done, steps of this batch)

SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
VOCODERS: tuple[Vocoder, ...] = get_args(Vocoder)
WALKS: tuple[Walk, ...] = get_args(Walk)

DEFAULT_STEPS: dict[Sampler, int] = {"dpm-solver++": 16, "ddim": 50, "ddpm": 1000}
DEFAULT_ITERATIONS: dict[Vocoder, int] = {
    "hifigan": 0,
    "griffin-lim": ITERATIONS_ALONE,
    "hifigan+griffin-lim": ITERATIONS_AFTER_NETWORK,
}
DEFAULT_GUIDANCE = 1.0  # of 14 words, more come out right than with more of it, and seeds differ more
NEGATIVE_GUIDANCE = 2.0  # 1 does not heed negative words

MAX_ITERATIONS = 1000
MAX_STEPS = 2**31 - 1  # the noise schedule has fewer, which the models' files say
MIN_LENGTH_MS = 20.0  # of a file: what is shorter is a click


class OptionNames(TypedDict, total=False):
    """The fields of ``Options`` as keyword arguments, for ``**options: Unpack[OptionNames]``."""

    negative: str
    guidance: float | None
    sampler: Sampler
    steps: int | None
    texture: float | None
    vocoder: VocoderOrAuto
    iterations: int | None
    precision: PrecisionOrAuto


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a kick is made, whatever it is made from.

    Arguments:
        negative: Keywords to steer away from.
        guidance: How strictly the prompt is followed: 0 not at all, 1 as learnt, above exaggerated. None: 1, or 2 with
            negative words, which need more than 1.
        sampler: How noise becomes a kick.
        steps: Calls of the denoiser; None: 16, 50 or 1000 by sampler.
        texture: How much of the noise that a decoder averages away is put back, 0 (the smooth mean) to 1 (as in real
            kicks). None: 1 where there is a texture model, otherwise 0.
        vocoder: "auto" is "hifigan+griffin-lim" where there is a vocoder whose file says that it neither rattles nor is
            farther from real kicks than Griffin-Lim, otherwise "griffin-lim"; files of 1.2 and before do not say. With
            Griffin-Lim the waveform below 260 Hz is searched for (``audio.low_band``).
        iterations: Of Griffin-Lim; None: 16 alone, 4 after HiFi-GAN.
        precision: "bfloat16" in the vocoder's coarse stages, which differs from "float32" by 60 dB less than the sound;
            "auto": where the CPU has it natively.

    Raises:
        RecipeError: If a value makes no sense; it names the option, what was expected and what was found.
    """

    negative: str = ""
    guidance: float | None = None
    sampler: Sampler = "dpm-solver++"
    steps: int | None = None
    texture: float | None = None
    vocoder: VocoderOrAuto = "auto"
    iterations: int | None = None
    precision: PrecisionOrAuto = "auto"

    def __post_init__(self) -> None:
        if not isinstance(self.negative, str):
            raise RecipeError(f"negative: expected a text, found {self.negative!r}")
        choose("sampler", self.sampler, SAMPLERS)
        choose("vocoder", self.vocoder, get_args(VocoderOrAuto))
        choose("precision", self.precision, get_args(PrecisionOrAuto))
        if self.guidance is not None:
            within("guidance", self.guidance, -MAX_GUIDANCE, MAX_GUIDANCE)
        if self.steps is not None:
            whole("steps", self.steps, 1, MAX_STEPS)
        if self.texture is not None:
            within("texture", self.texture, 0, 1)
        if self.iterations is not None:
            whole("iterations", self.iterations, 0, MAX_ITERATIONS)

    def check_negative(self) -> None:
        """Raises RecipeError where negative words would do nothing, or the opposite."""
        if self.negative.strip(" ,") and self.guidance is not None and self.guidance <= 1:
            raise RecipeError(
                f"negative: words to steer away from need a guidance above 1, found {self.guidance:g}; raise it, or leave "
                f"it out for {NEGATIVE_GUIDANCE:g}"
            )

    @property
    def guidance_or_default(self) -> float:
        default = NEGATIVE_GUIDANCE if self.negative.strip(" ,") else DEFAULT_GUIDANCE
        return default if self.guidance is None else self.guidance

    @property
    def steps_or_default(self) -> int:
        return DEFAULT_STEPS[self.sampler] if self.steps is None else self.steps

    def texture_or_default(self, has_model: bool) -> float:
        """``has_model``: whether there is a texture model."""
        return float(has_model) if self.texture is None else self.texture

    def vocoder_or_default(self, default: Vocoder) -> Vocoder:
        """``default``: what suits the models."""
        return default if self.vocoder == "auto" else self.vocoder


@dataclass(frozen=True)
class FileOptions:
    """How kicks are finished and written.

    Arguments:
        container: "wav" or "flac".
        bits: 16, 24 or 32 (float, WAV only).
        peak_db, length_ms, fade_ms, tune: As for ``kickpipe.audio.finish.finish``.
        sharp: How sharps are written in file names: "s" as in Cs1, or "#", which shells and links need quoted.

    Raises:
        RecipeError: If a value is none of those.
        FinishError: If finishing refuses it.
    """

    container: Container = "wav"
    bits: int = 24
    peak_db: float = -1.0
    length_ms: float | None = None
    fade_ms: float = 5.0
    tune: str | None = None
    sharp: Sharp = "s"

    def __post_init__(self) -> None:
        choose("format", self.container, get_args(Container))
        choose("sharp", self.sharp, get_args(Sharp))
        choose("bits", self.bits, (16, 24, 32))
        if self.container == "flac" and self.bits == 32:
            raise RecipeError("bits: FLAC holds 16 or 24, found 32: choose one of them, or the format wav")
        check_finishing(self)

    def check_length(self, longest_ms: float) -> None:
        """Raises RecipeError for a length that no kick of ``longest_ms`` fills or that is a click."""
        if self.length_ms is not None and not MIN_LENGTH_MS <= self.length_ms <= longest_ms:
            raise RecipeError(
                f"length: expected {MIN_LENGTH_MS:g} to {longest_ms:g} ms, for so long these models make kicks, "
                f"found {self.length_ms:g}"
            )


def check_finishing(options: FileOptions) -> None:
    """Raises FinishError for what finishing refuses, before any kick is made."""
    import numpy as np

    from kickpipe.audio.finish import finish, parse_pitch

    time = np.arange(4410)
    probe = np.sin(time * 2 * np.pi * 55 / 44100) * np.exp(-time / 1500)
    finish(probe, 44100, peak_db=options.peak_db, length_ms=options.length_ms, fade_ms=options.fade_ms)
    if options.tune is not None:
        parse_pitch(options.tune)
