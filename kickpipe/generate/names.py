"""Short names that tell kicks apart: what one typed is in them, what one did not is left out.

    kick_deep-808_s1_Cs1.wav                  "deep 808", seed 1
    kick_808x2-deepx0.2_g4_s0-3_F1.wav        "808:2 deep:0.2", guidance 4, the fourth kick of seed 0
    kick_vary_my-kick_punchy_s0_G1.wav        a variation of "my kick.wav"
    kick_inpaint_my-kick_60-2000ms_s0_G1.wav
    kick_interpolate_first_second_at25_A1.wav
    kick_deep_s1_Cs1_3fa1.wav                 anything else, as four digits of a hash: here 30 steps

Models and precision are left out: they are the machine's, and a file that is already there is never replaced by another
kick's.
"""

__all__ = ["batch_stem", "file_name", "slug", "stem"]

import hashlib
import json
import re
import unicodedata

from kickpipe.generate.options import DEFAULT_GUIDANCE, DEFAULT_ITERATIONS, DEFAULT_STEPS, NEGATIVE_GUIDANCE
from kickpipe.generate.recipe import DEFAULT_STRENGTH, Recipe

MAX_SLUG = 40
MAX_SOURCE = 24
HASH_DIGITS = 4


def slug(text: str, limit: int = MAX_SLUG) -> str:
    """A text as part of a file name: its words, joined by hyphens, at most ``limit`` characters."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text.lower()).replace("_", " "))
    return "-".join(words)[:limit].strip("-")


def prompt_slug(prompt: str) -> str:
    """The words of a prompt with the weights that are not 1, "808x2-deepx0.2", however long."""
    parts = []
    for item in re.split(r"[\s,]+", prompt):
        word, _, weight = item.partition(":")
        if name := slug(word, len(item)):
            factor = slug_number(weight)
            parts.append(f"{name}x{factor}" if factor not in ("", "1") else name)
    return "-".join(parts)


def slug_number(text: str) -> str:
    try:
        return f"{float(text):g}".replace("+", "")
    except ValueError:
        return slug(text)


def shorten(name: str) -> str:
    return name[:MAX_SLUG].strip("-.")


def file_name(recipe: Recipe, note: str | None, container: str = "wav", sharp: str = "s") -> str:
    """The name of a kick's file.

    Arguments:
        recipe: What the kick follows from.
        note: Such as "F#1"; None for a kick without pitch.
        container: The suffix without its dot.
        sharp: What stands for "#".
    """
    parts = ["kick", *visible(recipe), number(recipe), (note or "").replace("#", sharp), hidden(recipe)]
    return "_".join(filter(None, parts)) + f".{container}"


def stem(recipe: Recipe) -> str:
    """The name of a kick without its note: "deep-808_s1-3"."""
    return "_".join(filter(None, [*visible(recipe), number(recipe), hidden(recipe)]))


def number(recipe: Recipe) -> str:
    """Which kick of its batch it is: seed and index, or place on the way between two kicks in percent."""
    if recipe.kind == "interpolate":
        return f"at{100 * recipe.position:.4g}"
    return f"s{recipe.seed}-{recipe.index}" if recipe.index else f"s{recipe.seed}"


def batch_stem(recipe: Recipe) -> str:
    """What the names of one batch have in common, for its manifest: "deep-808_s1"."""
    seed = "" if recipe.kind == "interpolate" else f"s{recipe.seed}"
    return "_".join(filter(None, [*visible(recipe), seed, hidden(recipe)]))


def visible(recipe: Recipe) -> list[str]:
    """Kind, sources, words and guidance, where they are not what one gets unasked."""
    parts: list[str] = ["" if recipe.kind == "generate" else recipe.kind]
    parts += [slug(name, MAX_SOURCE) or digest(source) for name, source in named_sources(recipe)]
    parts.append(shorten(prompt_slug(recipe.prompt)))
    if negative := prompt_slug(recipe.negative):
        parts.append(shorten(f"not-{negative}"))
    if recipe.guidance != (NEGATIVE_GUIDANCE if negative else DEFAULT_GUIDANCE):
        parts.append(f"g{recipe.guidance:g}")
    if recipe.regenerate_ms is not None:
        begin, end = recipe.regenerate_ms
        parts.append(f"{begin:g}-{end:g}ms")
    return parts


def hidden(recipe: Recipe) -> str:
    """Four digits of a hash of what differs from what one gets unasked and has no other place in the name; else empty."""
    usual = {
        "sampler": "dpm-solver++",
        "steps": DEFAULT_STEPS[recipe.sampler],
        "texture": float("texture" in recipe.models),
        # which of the two one gets unasked depends on the vocoder at hand
        "vocoder": "griffin-lim" if recipe.vocoder == "griffin-lim" else "hifigan+griffin-lim",
        "iterations": DEFAULT_ITERATIONS[recipe.vocoder],
        "path": "spherical",
        "strength": DEFAULT_STRENGTH.get(recipe.kind, recipe.strength),
    }
    other = {name: getattr(recipe, name) for name, value in usual.items() if getattr(recipe, name) != value}
    for name in ("prompt", "negative"):
        if len(prompt_slug(getattr(recipe, name))) > MAX_SLUG:
            other[name] = getattr(recipe, name)
    return digest(json.dumps(other, sort_keys=True)) if other else ""


def named_sources(recipe: Recipe) -> list[tuple[str, str]]:
    """Name, empty where there is none, and packed latent of each source."""
    names = recipe.names or ("",) * len(recipe.sources)
    return list(zip(names, recipe.sources, strict=True))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]
