"""What the model files say of themselves: all that a wish can be checked against before any weight is loaded.

A file may come from a stranger, so every number is held against what can be, before it claims memory.
"""

__all__ = ["REMEDY", "Facts"]

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from kickpipe.audio.settings import AudioSettings
from kickpipe.audio.vocoder_quality import VocoderQuality
from kickpipe.checkpoints import CheckpointError, read_metadata
from kickpipe.common.limits import MAX_LATENT_SIZE, MAX_WORD, MAX_WORDS
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.diffusion.betas import MAX_TIMESTEPS, check_betas
from kickpipe.generate.checks import GenerateError, RecipeError
from kickpipe.generate.options import Vocoder

HASH_DIGITS = 16
OPTIONAL = ("texture", "vocoder")  # files that a folder need not have
MAX_KICKS = 2**53  # that a word may be said to have
MAX_STATISTIC = 1e6
EXTRA = ("vocabulary", "keyword_counts", "latent_mean", "latent_std", "schedule", "latent_shape")
REMEDY = "run 'dvc pull' or 'dvc repro' so that all come from one run"


@dataclass(frozen=True)
class Facts:
    """The files of a VAE, a diffusion model and, where there are such, of texture and vocoder.

    Arguments:
        audio: Settings of the mels and the waveforms.
        latent_shape: (C, H, W).
        vocabulary: The keywords.
        num_timesteps, beta_start, beta_end: Of the noise schedule.
        latent_mean, latent_std: One for each channel, over the training kicks.
        vocoder_quality: What the vocoder's file says of it; None where there is none, or it says nothing.
        hashes: First 16 hexadecimal digits of the SHA-256 of each file, by kind.
    """

    audio: AudioSettings
    latent_shape: tuple[int, int, int]
    vocabulary: Vocabulary
    num_timesteps: int
    beta_start: float
    beta_end: float
    latent_mean: tuple[float, ...]
    latent_std: tuple[float, ...]
    vocoder_quality: VocoderQuality | None
    hashes: dict[str, str]

    @classmethod
    def read(cls, directory: str | PathLike[str]) -> "Facts":
        """Reads vae.safetensors, diffusion.safetensors and, if they are there, texture.safetensors and vocoder.safetensors,
        without their weights. A texture model that took no steps counts as none.

        Raises:
            CheckpointError: If a file is missing, damaged, of another kind or not what kickpipe writes.
            GenerateError: If the files do not belong together.
        """
        paths = {kind: Path(directory) / f"{kind}.safetensors" for kind in ("vae", "diffusion", *OPTIONAL)}
        metadata = {
            kind: read_metadata(path, kind) for kind, path in paths.items() if kind not in OPTIONAL or path.exists()
        }
        if "texture" in metadata and metadata["texture"]["step"] == 0:
            del metadata["texture"]
        hashes = {kind: hashlib.sha256(paths[kind].read_bytes()).hexdigest() for kind in metadata}
        return cls.of(metadata, hashes)

    @classmethod
    def of(cls, metadata: Mapping[str, Mapping[str, Any]], hashes: Mapping[str, str]) -> "Facts":
        """The facts in the metadata and the hashes of files, by kind.

        Raises:
            CheckpointError, GenerateError: As for ``read``.
        """
        audio = AudioSettings.from_dict(metadata["vae"]["audio"])
        for kind, values in metadata.items():
            check_same_audio(audio, kind, AudioSettings.from_dict(values["audio"]))
        extra = metadata["diffusion"]["extra"]
        if missing := [name for name in EXTRA if name not in extra]:
            raise CheckpointError(f"the diffusion model file lacks {', '.join(missing)}")
        try:
            shape = read_shape(extra["latent_shape"])
            num_timesteps, beta_start, beta_end = read_schedule(extra["schedule"])
            return cls(
                audio=audio,
                latent_shape=shape,
                vocabulary=read_vocabulary(extra["vocabulary"], extra["keyword_counts"]),
                num_timesteps=num_timesteps,
                beta_start=beta_start,
                beta_end=beta_end,
                latent_mean=read_statistics("latent_mean", extra["latent_mean"], shape[0], -MAX_STATISTIC),
                latent_std=read_statistics("latent_std", extra["latent_std"], shape[0], 1 / MAX_STATISTIC),
                vocoder_quality=read_quality(metadata.get("vocoder")),
                hashes={kind: sha[:HASH_DIGITS] for kind, sha in hashes.items()},
            )
        except ValueError as error:
            raise CheckpointError(f"the diffusion model file is not one that kickpipe wrote: {error}") from None

    @property
    def has_texture(self) -> bool:
        return "texture" in self.hashes

    @property
    def has_vocoder(self) -> bool:
        return "vocoder" in self.hashes

    @property
    def default_vocoder(self) -> Vocoder:
        """What makes the better waveforms. A vocoder that does not say how good it is counts as the worse one."""
        worth_using = self.vocoder_quality is not None and self.vocoder_quality.is_worth_using
        return "hifigan+griffin-lim" if worth_using else "griffin-lim"

    @property
    def column_ms(self) -> float:
        """How much time one column of the latent covers (ms)."""
        frames = 1
        while math.ceil(self.audio.num_frames / frames) > self.latent_shape[2]:
            frames *= 2  # every stage of the encoder halves the frames, rounding up
        return 1000 * frames * self.audio.hop_length / self.audio.sample_rate

    @property
    def duration_ms(self) -> float:
        """Length of every kick as the networks make it (ms)."""
        return 1000 * self.audio.duration

    def columns(self, begin_ms: float, end_ms: float) -> range:
        """Columns of the latent that the time from begin to end reaches into.

        Raises:
            RecipeError: If the time is not inside the kick.
        """
        width = self.latent_shape[2]
        if not (math.isfinite(begin_ms) and 0 <= begin_ms < end_ms and begin_ms < width * self.column_ms):
            raise RecipeError(
                f"regenerate_ms: expected a begin before its end within 0 to {width * self.column_ms:.0f} ms, "
                f"found {begin_ms:g} to {end_ms:g}"
            )
        return range(int(begin_ms // self.column_ms), min(math.ceil(end_ms / self.column_ms), width))


def check_same_audio(ours: AudioSettings, kind: str, theirs: AudioSettings) -> None:
    if ours == theirs:
        return
    pairs = [(name, value, theirs.to_dict()[name]) for name, value in ours.to_dict().items()]
    different = ", ".join(f"{name} {first} and {second}" for name, first, second in pairs if first != second)
    raise GenerateError(
        f"the vae and {kind} models do not belong together: audio settings differ in {different}; {REMEDY}"
    )


def read_quality(vocoder: Mapping[str, Any] | None) -> VocoderQuality | None:
    """What the metadata of a vocoder says of its quality."""
    values = None if vocoder is None else vocoder["extra"].get("quality")
    try:
        return None if values is None else VocoderQuality.from_dict(values)
    except ValueError as error:
        raise CheckpointError(f"the vocoder model file is not one that kickpipe wrote: {error}") from None


def read_shape(value: object) -> tuple[int, int, int]:
    if not (isinstance(value, list) and len(value) == 3 and all(is_whole(size, 1, MAX_LATENT_SIZE) for size in value)):
        raise ValueError(f"latent_shape: expected three sizes from 1 to {MAX_LATENT_SIZE}, found {short(value)}")
    channels, height, width = value
    return channels, height, width


def read_vocabulary(words: object, counts: object) -> Vocabulary:
    if not (isinstance(words, list) and len(words) <= MAX_WORDS):
        raise ValueError(f"vocabulary: expected a list of at most {MAX_WORDS} words, found {short(words)}")
    for word in words:
        if not (isinstance(word, str) and 1 <= len(word) <= MAX_WORD):
            raise ValueError(f"vocabulary: expected words of 1 to {MAX_WORD} characters, found {short(word)}")
    if not (isinstance(counts, list) and all(is_whole(count, 0, MAX_KICKS) for count in counts)):
        raise ValueError(f"keyword_counts: expected whole numbers, found {short(counts)}")
    return Vocabulary(tuple(words), tuple(counts))


def read_schedule(value: object) -> tuple[int, float, float]:
    """num_timesteps, beta_start and beta_end."""
    names = {"num_timesteps", "beta_start", "beta_end"}
    if not (isinstance(value, dict) and set(value) == names):
        raise ValueError(f"schedule: expected {', '.join(sorted(names))}, found {short(value)}")
    steps, first, last = value["num_timesteps"], value["beta_start"], value["beta_end"]
    if not is_whole(steps, 1, MAX_TIMESTEPS):
        raise ValueError(f"num_timesteps: expected a whole number from 1 to {MAX_TIMESTEPS}, found {short(steps)}")
    if not (is_number(first) and is_number(last)):
        raise ValueError(f"schedule: expected betas that are numbers, found {short(first)} and {short(last)}")
    try:
        check_betas(steps, first, last)
    except ValueError as error:
        raise ValueError(f"schedule: {error}") from None
    return steps, float(first), float(last)


def read_statistics(name: str, value: object, channels: int, least: float) -> tuple[float, ...]:
    if not (isinstance(value, list) and len(value) == channels):
        raise ValueError(f"{name}: expected {channels} numbers, one for each channel, found {short(value)}")
    if not all(is_number(number) and least <= number <= MAX_STATISTIC for number in value):
        raise ValueError(f"{name}: expected numbers from {least:g} to {MAX_STATISTIC:g}, found {short(value)}")
    return tuple(map(float, value))


def is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
