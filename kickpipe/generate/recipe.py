"""A recipe: everything that one kick follows from, as plain values that fit into the file it is written to.

Whatever makes kicks makes recipes first, so making a kick again is making its recipe again.
"""

__all__ = [
    "DEFAULT_GUIDANCE",
    "DEFAULT_STEPS",
    "KINDS",
    "NEGATIVE_GUIDANCE",
    "VOCODERS",
    "Recipe",
    "RecipeError",
    "batch_key",
    "pack_latent",
    "unpack_latent",
]

import base64
import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from kickpipe.common.errors import KickpipeError
from kickpipe.diffusion.sampling import SAMPLERS

KINDS = ("generate", "vary", "interpolate", "inpaint")
VOCODERS = ("hifigan", "griffin-lim", "hifigan+griffin-lim")
PATHS = ("spherical", "latent")
PRECISIONS = ("float32", "bfloat16")
DEFAULT_STEPS = {"dpm-solver++": 16, "ddim": 50, "ddpm": 1000}
DEFAULT_GUIDANCE = 1.0  # of 14 words, more come out right than with more of it, and seeds differ more
NEGATIVE_GUIDANCE = 2.0  # without some, negative words would do nothing
MAX_GUIDANCE = 100.0
MAX_ITERATIONS = 1000
MAX_SEED = 2**63 - 1
MAX_INDEX = 2**31 - 1
MAX_TIME_MS = 1e6


class RecipeError(KickpipeError):
    """A kick cannot be made as asked; the message names the value, what was expected and what was found."""


@dataclass(frozen=True)
class Recipe:
    """What one kick follows from.

    Arguments:
        kind: One of ``KINDS``.
        prompt: Keywords, with weights where wanted; empty for none.
        negative: Keywords to steer away from; empty for none.
        guidance: Factor of classifier-free guidance, 1 for none.
        sampler: One of ``SAMPLERS``.
        steps: Calls of the denoiser.
        seed: Of the noise, together with ``index``.
        index: Number of the kick among those of the seed.
        vocoder: One of ``VOCODERS``.
        iterations: Griffin-Lim iterations, after HiFi-GAN or alone; not used by plain HiFi-GAN.
        precision: Of the vocoder's coarse stages, one of ``PRECISIONS``.
        sources: Latents that the kick starts from, packed: one to vary or inpaint, two to interpolate.
        strength: How much of the source is replaced by noise, 0 to 1 (vary, inpaint).
        position: From the first source, 0, to the second, 1 (interpolate).
        path: One of ``PATHS`` (interpolate).
        regenerate_ms: Begin and end of what is made anew, in ms (inpaint).
        models: First 16 hexadecimal digits of the hash of each model file, by kind.

    Raises:
        RecipeError: If a value is out of range.
    """

    kind: str = "generate"
    prompt: str = ""
    negative: str = ""
    guidance: float = DEFAULT_GUIDANCE
    sampler: str = "dpm-solver++"
    steps: int = DEFAULT_STEPS["dpm-solver++"]
    seed: int = 0
    index: int = 0
    vocoder: str = "hifigan"
    iterations: int = 0
    precision: str = "float32"
    sources: tuple[str, ...] = ()
    strength: float = 1.0
    position: float = 0.0
    path: str = "spherical"
    regenerate_ms: tuple[float, float] | None = None
    models: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choose("kind", self.kind, KINDS)
        choose("sampler", self.sampler, SAMPLERS)
        choose("vocoder", self.vocoder, VOCODERS)
        choose("path", self.path, PATHS)
        choose("precision", self.precision, PRECISIONS)
        within("guidance", self.guidance, -MAX_GUIDANCE, MAX_GUIDANCE)
        within("strength", self.strength, 0, 1)
        within("position", self.position, 0, 1)
        whole("seed", self.seed, 0, MAX_SEED)
        whole("index", self.index, 0, MAX_INDEX)
        whole("steps", self.steps, 1, MAX_INDEX)
        whole("iterations", self.iterations, 0, MAX_ITERATIONS)
        for name in ("prompt", "negative"):
            if not isinstance(getattr(self, name), str):
                raise RecipeError(f"{name}: expected a text, found {getattr(self, name)!r}")
        wanted = {"generate": 0, "vary": 1, "inpaint": 1, "interpolate": 2}[self.kind]
        if len(self.sources) != wanted:
            raise RecipeError(f"sources: {self.kind} needs {wanted}, found {len(self.sources)}")
        if (self.regenerate_ms is not None) != (self.kind == "inpaint"):
            raise RecipeError("regenerate_ms: needed to inpaint, and only there")
        if self.regenerate_ms is not None:
            if len(self.regenerate_ms) != 2:
                raise RecipeError(f"regenerate_ms: expected a begin and an end, found {self.regenerate_ms!r}")
            for time in self.regenerate_ms:
                within("regenerate_ms", time, 0, MAX_TIME_MS)
        if not isinstance(self.models, dict) or not all(isinstance(sha, str) for sha in self.models.values()):
            raise RecipeError(f"models: expected a hash for each kind, found {self.models!r}")
        if self.kind == "interpolate" and self.path == "spherical" and self.sampler == "ddpm":
            raise RecipeError("sampler: a spherical path needs a deterministic sampler: choose ddim or dpm-solver++")

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without what is left at its default in kinds that do not use it."""
        values = dataclasses.asdict(self) | {"sources": list(self.sources)}
        unused = {
            "generate": ("sources", "strength", "position", "path", "regenerate_ms"),
            "vary": ("position", "path", "regenerate_ms"),
            "interpolate": ("strength", "regenerate_ms"),
            "inpaint": ("position", "path"),
        }[self.kind]
        if self.regenerate_ms is not None:
            values["regenerate_ms"] = list(self.regenerate_ms)
        return {name: value for name, value in values.items() if name not in unused}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Recipe":
        """Rebuilds a recipe; names that are not of a recipe are left aside.

        Raises:
            RecipeError: If a value has the wrong type or is out of range.
        """
        names = {entry.name for entry in dataclasses.fields(cls)}
        known = {name: value for name, value in values.items() if name in names}
        try:
            for name in ("sources", "regenerate_ms"):
                if known.get(name) is not None:
                    known[name] = tuple(known[name])
            return cls(**known)
        except TypeError as error:
            raise RecipeError(f"not a recipe: {error}") from None

    def to_json(self, **extra: Any) -> str:
        return json.dumps({**self.to_dict(), **extra}, sort_keys=True, allow_nan=False, separators=(",", ":"))


def batch_key(recipe: Recipe) -> tuple:
    """What recipes of one batch have in common."""
    return dataclasses.astuple(dataclasses.replace(recipe, index=0, position=0.0, models={}))


def choose(name: str, value: object, allowed: Any) -> None:
    if value not in tuple(allowed):
        raise RecipeError(f"{name}: expected one of {', '.join(allowed)}, found {value!r}")


def within(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and low <= value <= high):
        raise RecipeError(f"{name}: expected a number from {low:g} to {high:g}, found {value!r}")


def whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RecipeError(f"{name}: expected a whole number from {low} to {high}, found {value!r}")


def pack_latent(latent: Tensor) -> str:
    """A latent (C, H, W) as text: base64 of its float32 numbers, little-endian."""
    return base64.b64encode(latent.detach().cpu().contiguous().numpy().astype("<f4").tobytes()).decode("ascii")


def unpack_latent(text: str, shape: tuple[int, ...]) -> Tensor:
    """The latent that ``pack_latent`` packed.

    Raises:
        RecipeError: If the text is not the numbers of such a latent.
    """
    try:
        content = bytearray(base64.b64decode(text, validate=True))
        latent = torch.frombuffer(content, dtype=torch.float32).reshape(shape)
    except (ValueError, TypeError, RuntimeError):
        raise RecipeError(f"sources: expected a latent of shape {tuple(shape)}, found other content") from None
    if not torch.isfinite(latent).all():
        raise RecipeError("sources: a latent with numbers that are not finite")
    return latent
