"""A recipe: everything that one kick follows from, as plain values that fit into the file it is written to.

Whatever makes kicks makes recipes first, so making a kick again is making its recipe again.
"""

__all__ = ["DEFAULT_STRENGTH", "MAX_INDEX", "MAX_NAME", "Recipe", "batch_key", "pack_latent", "unpack_latent"]

import base64
import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from kickpipe.generate.checks import RecipeError, choose, whole, within
from kickpipe.generate.options import (
    DEFAULT_GUIDANCE,
    DEFAULT_ITERATIONS,
    DEFAULT_STEPS,
    WALKS,
    Options,
    Precision,
    Sampler,
    Vocoder,
    Walk,
)

Kind = Literal["generate", "vary", "interpolate", "inpaint"]

DEFAULT_STRENGTH = {"vary": 0.5, "inpaint": 1.0}
NUM_SOURCES = {"generate": 0, "vary": 1, "inpaint": 1, "interpolate": 2}
MAX_SEED = 2**63 - 1
MAX_INDEX = 2**31 - 1
MAX_TIME_MS = 1e6
MAX_NAME = 255  # characters of a source's name


@dataclass(frozen=True)
class Recipe:
    """What one kick follows from.

    Arguments:
        kind: "generate", "vary", "interpolate" or "inpaint".
        prompt: Keywords, with weights where wanted; empty for none.
        negative, guidance, sampler, steps, texture, vocoder, iterations, precision: As in ``Options``, with nothing left open.
        seed: Of the noise, together with ``index``.
        index: Number of the kick among those of the seed.
        sources: Latents that the kick starts from, packed: one to vary or inpaint, two to interpolate.
        names: What the sources are called, for people; empty where nobody said.
        strength: How much of the source is replaced by noise, 0 to 1 (vary, inpaint).
        position: From the first source, 0, to the second, 1 (interpolate).
        path: "spherical" or "latent" (interpolate).
        regenerate_ms: Begin and end of what is made anew, in ms (inpaint).
        models: First 16 hexadecimal digits of the hash of each model file, by kind.

    Raises:
        RecipeError: If a value is out of range.
    """

    kind: Kind = "generate"
    prompt: str = ""
    negative: str = ""
    guidance: float = DEFAULT_GUIDANCE
    sampler: Sampler = "dpm-solver++"
    steps: int = DEFAULT_STEPS["dpm-solver++"]
    seed: int = 0
    index: int = 0
    texture: float = 0.0  # that of files written before there was one
    vocoder: Vocoder = "hifigan+griffin-lim"
    iterations: int = DEFAULT_ITERATIONS["hifigan+griffin-lim"]
    precision: Precision = "float32"
    sources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    strength: float = 1.0
    position: float = 0.0
    path: Walk = "spherical"
    regenerate_ms: tuple[float, float] | None = None
    models: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choose("kind", self.kind, get_args(Kind))
        if not isinstance(self.prompt, str):
            raise RecipeError(f"prompt: expected a text, found {self.prompt!r}")
        for name, value in dataclasses.asdict(self.options).items():
            if value is None or value == "auto":
                raise RecipeError(f"{name}: expected what was chosen, found {value!r}")
        whole("seed", self.seed, 0, MAX_SEED)
        whole("index", self.index, 0, MAX_INDEX)
        self.check_sources()
        self.check_time()
        if not isinstance(self.models, dict) or not all(isinstance(sha, str) for sha in self.models.values()):
            raise RecipeError(f"models: expected a hash for each kind, found {self.models!r}")

    @property
    def options(self) -> Options:
        """What was chosen, to make more kicks like this one."""
        return Options(
            negative=self.negative,
            guidance=self.guidance,
            sampler=self.sampler,
            steps=self.steps,
            texture=self.texture,
            vocoder=self.vocoder,
            iterations=self.iterations,
            precision=self.precision,
        )

    def check_sources(self) -> None:
        wanted = NUM_SOURCES[self.kind]
        if len(self.sources) != wanted:
            raise RecipeError(f"sources: {self.kind} needs {wanted}, found {len(self.sources)}")
        texts = all(isinstance(name, str) and len(name) <= MAX_NAME for name in self.names)
        if not texts or len(self.names) not in (0, wanted):
            raise RecipeError(f"names: expected one for each source, found {self.names!r}")
        within("strength", self.strength, 0, 1)
        within("position", self.position, 0, 1)
        choose("path", self.path, WALKS)
        if self.kind == "interpolate" and self.path == "spherical" and self.sampler == "ddpm":
            raise RecipeError("sampler: a spherical path needs a deterministic sampler: choose ddim or dpm-solver++")

    def check_time(self) -> None:
        if (self.regenerate_ms is not None) != (self.kind == "inpaint"):
            raise RecipeError("regenerate_ms: needed to inpaint, and only there")
        if self.regenerate_ms is not None:
            if len(self.regenerate_ms) != 2:
                raise RecipeError(f"regenerate_ms: expected a begin and an end, found {self.regenerate_ms!r}")
            for time in self.regenerate_ms:
                within("regenerate_ms", time, 0, MAX_TIME_MS)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without what is left at its default in kinds that do not use it."""
        values = dataclasses.asdict(self) | {"sources": list(self.sources), "names": list(self.names)}
        unused = {
            "generate": ("sources", "names", "strength", "position", "path", "regenerate_ms"),
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
            for name in ("sources", "names", "regenerate_ms"):
                if known.get(name) is not None:
                    known[name] = tuple(known[name])
            return cls(**known)
        except TypeError as error:
            raise RecipeError(f"not a recipe: {error}") from None

    def to_json(self, **extra: Any) -> str:
        return json.dumps({**self.to_dict(), **extra}, sort_keys=True, allow_nan=False, separators=(",", ":"))


def batch_key(recipe: Recipe) -> tuple[object, ...]:
    """What recipes of one batch have in common."""
    return dataclasses.astuple(dataclasses.replace(recipe, index=0, position=0.0, names=(), models={}))


def pack_latent(latent: np.ndarray) -> str:
    """A latent (C, H, W) as text: base64 of its float32 numbers, little-endian."""
    return base64.b64encode(np.asarray(latent, "<f4").tobytes()).decode("ascii")


def unpack_latent(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """The latent that ``pack_latent`` packed, float32.

    Raises:
        RecipeError: If the text is not the numbers of such a latent.
    """
    try:
        latent = np.frombuffer(base64.b64decode(text, validate=True), "<f4").reshape(shape).astype(np.float32)
    except (ValueError, TypeError):
        raise RecipeError(f"sources: expected a latent of shape {tuple(shape)}, found other content") from None
    if not np.isfinite(latent).all():
        raise RecipeError("sources: a latent with numbers that are not finite")
    return latent
