"""Typed, frozen view of params.yaml.

Every hyperparameter has one name, here and in the file; nothing has a default in code. An unknown, missing or
mistyped one is refused by its dotted name before any work starts. ``dvc exp run -S diffusion.lr=1e-5`` writes
``1e-05``, which YAML reads as a string: numbers in strings are accepted for that reason. Values that only fail together
(channels that attention heads do not divide) are refused here too, and so is what only a later stage would refuse, by the
limits of that stage: not by a network or a generator hours after the first stage began.
"""

__all__ = ["Params", "ParamsError", "load_params", "plain"]

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from kickpipe.audio.settings import LIMITS, AudioSettings
from kickpipe.common.errors import KickpipeError
from kickpipe.common.limits import MAX_COUNT, MAX_GUIDANCE, MAX_LATENT_SIZE
from kickpipe.diffusion.betas import MAX_TIMESTEPS, check_betas
from kickpipe.models.sizes import NUM_COARSE, NUM_HEADS, check_upsampling, upsample_factor


def refuse_bool(value: Any) -> Any:
    """Keeps ``epochs: yes`` from becoming 1: Python counts booleans among the numbers."""
    if isinstance(value, bool):
        raise ValueError(f"expected a number, found {value}")
    return value


Integer = Annotated[int, BeforeValidator(refuse_bool)]
Number = Annotated[float, BeforeValidator(refuse_bool), Field(allow_inf_nan=False)]
Count = Annotated[Integer, Gt(0)]
NonNegativeCount = Annotated[Integer, Ge(0)]
Positive = Annotated[Number, Gt(0)]
NonNegative = Annotated[Number, Ge(0)]
Share = Annotated[Number, Ge(0), Le(1)]
Decay = Annotated[Number, Ge(0), Lt(1)]
Seed = Annotated[Integer, Ge(0), Lt(2**31)]
KickCount = Annotated[Count, Le(MAX_COUNT)]
Guidance = Annotated[Positive, Le(MAX_GUIDANCE)]

MAX_LAYERS = 16  # of a network, or of a part of it: their arguments have room in a model file


class ParamsError(KickpipeError):
    """The params file cannot be used; the message names every wrong entry."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AudioParams(Section):
    sample_rate: Annotated[Count, Le(LIMITS["sample_rate"])]
    duration: Annotated[Positive, Le(LIMITS["duration"])]
    n_fft: Annotated[Count, Le(LIMITS["n_fft"])]
    hop_length: Annotated[Count, Le(LIMITS["hop_length"])]
    n_mels: Annotated[Count, Le(LIMITS["n_mels"])]
    peak_db: Annotated[Number, Le(0)]
    fade_seconds: NonNegative
    mel_floor: Positive

    @model_validator(mode="after")
    def check_window(self) -> "AudioParams":
        if self.hop_length > self.n_fft:
            raise ValueError(f"hop_length {self.hop_length} must not exceed n_fft {self.n_fft}")
        if self.n_fft > round(self.sample_rate * self.duration):
            raise ValueError(f"n_fft {self.n_fft} must not exceed the {self.duration} s of a kick")
        try:
            AudioSettings.from_dict(self.settings().to_dict())  # what a model file may say
        except ValueError as error:
            raise ValueError(str(error).removeprefix("audio.").removeprefix("audio: ")) from None
        return self

    def settings(self) -> AudioSettings:
        return AudioSettings(
            sample_rate=self.sample_rate,
            duration=self.duration,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mels=self.n_mels,
            peak_db=self.peak_db,
            fade_seconds=self.fade_seconds,
            mel_floor=self.mel_floor,
        )


class AggregateParams(Section):
    source_dir: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    extensions: Annotated[tuple[str, ...], Field(min_length=1)]
    min_bytes: NonNegativeCount
    max_bytes: Count
    tempos: tuple[Count, Count] | None
    keep_numbers: tuple[str, ...]

    @model_validator(mode="after")
    def check_ranges(self) -> "AggregateParams":
        if self.min_bytes > self.max_bytes:
            raise ValueError(f"min_bytes {self.min_bytes} must not exceed max_bytes {self.max_bytes}")
        if self.tempos and self.tempos[0] > self.tempos[1]:
            raise ValueError(f"tempos {list(self.tempos)}: the lowest must not exceed the highest")
        return self


class PreprocessParams(Section):
    max_failed_share: Share


class SplitParams(Section):
    validation_share: Annotated[Number, Ge(0), Lt(1)]
    holdout: tuple[str, ...]


class TrainingParams(Section):
    batch_size: Count
    lr: Positive
    mixed_precision: bool
    seed: Seed
    init_from: str | None


class VaeParams(TrainingParams):
    channels: Annotated[tuple[Count, ...], Len(1, MAX_LAYERS)]
    latent_channels: Annotated[Count, Le(MAX_LATENT_SIZE)]
    lr_schedule: Literal["constant", "cosine"]
    epochs: Count
    kl_weight_start: NonNegative
    kl_weight_end: NonNegative
    kl_anneal_epochs: NonNegativeCount
    convergence_weight: NonNegative
    checkpoint_every_epochs: Count


class TextureParams(TrainingParams):
    channels: Annotated[tuple[Count, ...], Len(1)]
    posterior_share: Share
    secondary: tuple[str, ...]
    secondary_weight: Positive
    num_frames: Count
    steps: NonNegativeCount
    validate_every: Count
    checkpoint_every: Count


class DiffusionParams(TrainingParams):
    channels: Annotated[tuple[Count, ...], Len(1, MAX_LAYERS)]
    time_dim: Count
    cond_dim: Count
    embedding_dim: Count
    num_timesteps: Annotated[Integer, Gt(1), Le(MAX_TIMESTEPS)]
    beta_start: Annotated[Number, Gt(0), Lt(1)]
    beta_end: Annotated[Number, Gt(0), Lt(1)]
    min_count: Count
    secondary: tuple[str, ...]
    secondary_weight: Positive
    gradient_accumulation: Count
    iterations: Count
    ema_decay: Decay
    ema_warmup: bool
    keyword_dropout: Share
    validate_every: Count
    checkpoint_every: Count

    @model_validator(mode="after")
    def check_network(self) -> "DiffusionParams":
        check_betas(self.num_timesteps, self.beta_start, self.beta_end)
        if self.time_dim % 2:
            raise ValueError(f"time_dim {self.time_dim} must be even: half sines, half cosines")
        if self.channels[-1] % NUM_HEADS:
            raise ValueError(f"channels: the last, {self.channels[-1]}, must be a multiple of {NUM_HEADS}")
        return self


class VocoderParams(TrainingParams):
    channels: Count
    upsample_rates: Annotated[tuple[Count, ...], Len(NUM_COARSE, MAX_LAYERS)]
    upsample_kernels: tuple[Count, ...]
    resblock_kernels: Annotated[tuple[Count, ...], Len(1, MAX_LAYERS)]
    resblock_dilations: Annotated[tuple[Count, ...], Len(1, MAX_LAYERS)]
    periods: tuple[Annotated[Integer, Gt(1)], ...]
    num_scales: Count
    discriminator_width: Positive
    reconstruction_steps: NonNegativeCount
    discriminator_warmup_steps: NonNegativeCount
    segment_size: Count
    crop: Literal["sound", "uniform"]
    align_polarity: bool
    betas: tuple[Decay, Decay]
    lr_gamma: Annotated[Number, Gt(0), Le(1)]
    epochs: Count
    feature_matching_weight: NonNegative
    mel_weight: NonNegative
    stft_weight: NonNegative
    checkpoint_every_epochs: Count

    @model_validator(mode="after")
    def check_network(self) -> "VocoderParams":
        check_upsampling(self.channels, self.upsample_rates, self.upsample_kernels)
        if even := [kernel for kernel in self.resblock_kernels if kernel % 2 == 0]:
            raise ValueError(f"resblock_kernels: {even[0]} is even; a kernel has a centre only if odd")
        return self


class StatesParams(Section):
    keep: Count | None


class EvaluateParams(Section):
    count: KickCount
    seed: Seed
    prompts: Annotated[tuple[str, ...], Len(1)]
    guidance: Guidance
    real: Annotated[Integer, Gt(1)]
    not_real: tuple[str, ...]
    compare: Count
    draws: Count
    round_trips: Count
    keywords: NonNegativeCount
    keyword_kicks: Annotated[KickCount, Ge(4)]
    guidances: Annotated[tuple[Guidance, ...], Len(1)]


class Params(Section):
    """All of params.yaml, one attribute a section."""

    audio: AudioParams
    aggregate: AggregateParams
    preprocess: PreprocessParams
    split: SplitParams
    vae: VaeParams
    texture: TextureParams
    diffusion: DiffusionParams
    vocoder: VocoderParams
    states: StatesParams
    evaluate: EvaluateParams

    @model_validator(mode="after")
    def check_upsampling(self) -> "Params":
        total = upsample_factor(self.vocoder.upsample_rates)
        if total != self.audio.hop_length:
            raise ValueError(
                f"vocoder.upsample_rates multiply to {total}, expected audio.hop_length = {self.audio.hop_length}"
            )
        if self.vocoder.segment_size % self.audio.hop_length:
            raise ValueError(
                f"vocoder.segment_size {self.vocoder.segment_size} is not a multiple of audio.hop_length "
                f"{self.audio.hop_length}: crops of mel and waveform would not match"
            )
        if self.vocoder.segment_size <= self.audio.n_fft // 2:
            raise ValueError(
                f"vocoder.segment_size {self.vocoder.segment_size} must exceed half of audio.n_fft {self.audio.n_fft}: "
                "a crop has no mel otherwise"
            )
        return self


def plain(*sections: Section) -> dict[str, Any]:
    """Sections as plain values, by the names of their classes: what a hash can be made of."""
    return {type(section).__name__: section.model_dump() for section in sections}


def load_params(path: str | Path = "params.yaml") -> Params:
    """Reads and checks a params file.

    Raises:
        ParamsError: If the file is missing, is not YAML, or has unknown, missing or mistyped entries.
    """
    path = Path(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path}: not found; run the stages from the root of the project") from None
    except OSError as error:
        raise ParamsError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ParamsError(f"{path}: expected sections such as 'audio:', found {type(values).__name__}")
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        lines = [f"{path}: {error.error_count()} wrong", *(f"  {describe_error(item)}" for item in error.errors())]
        raise ParamsError("\n".join(lines)) from None


def describe_error(error: ErrorDetails) -> str:
    """One line for one pydantic error: dotted name, what was expected, what was found."""
    name = ".".join(str(part) for part in error["loc"]) or "params"
    texts = {"extra_forbidden": "unknown parameter; check the spelling, or remove it", "missing": "missing"}
    if error["type"] == "value_error":
        return f"{name}: {error['ctx']['error']}"
    other = f"{error['msg']}, found {error['input']!r}"
    return f"{name}: {texts.get(error['type'], other)}"
