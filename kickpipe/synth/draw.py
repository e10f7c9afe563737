"""Which kick number i of a seed is: its family, its words of intent, its parameters, its waveform."""

__all__ = ["DrawnKick", "draw_kick", "synthesise"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kickpipe.synth.families import FAMILIES, FAMILY_SHARES, draw_patch
from kickpipe.synth.intents import INTENTS
from kickpipe.synth.render import Patch, render

PEAK = 10.0 ** (-1.0 / 20.0)


@dataclass(frozen=True)
class DrawnKick:
    """What a kick was made from: its family, words of intent, parameters, and the seed of its noise."""

    family: str
    intents: tuple[str, ...]
    patch: Patch
    noise_seed: int


def draw_kick(seed: int, index: int, *, family: str | None = None, words: Sequence[str] | None = None) -> DrawnKick:
    """Draws kick number `index` of `seed`. A given family or words (of `INTENTS`) take the place of drawn ones.

    Raises:
        ValueError: For an unknown family or word, or a negative seed or index.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index must not be negative, got seed {seed}, index {index}")
    if family is not None and family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; known: {', '.join(FAMILIES)}")
    for word in words or ():
        if word not in INTENTS:
            raise ValueError(f"unknown word {word!r}; known: {', '.join(INTENTS)}")
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    drawn_family = str(rng.choice(list(FAMILY_SHARES), p=list(FAMILY_SHARES.values())))
    num_words = int(rng.choice(3, p=[0.75, 0.2, 0.05]))
    drawn_words = [list(INTENTS)[place] for place in rng.permutation(len(INTENTS))[:num_words]]
    if {"short", "long"} <= set(drawn_words) or {"clicky", "soft"} <= set(drawn_words):
        drawn_words = drawn_words[:1]
    noise_seed = int(rng.integers(2**63))
    family = drawn_family if family is None else family
    intents = tuple(drawn_words if words is None else words)
    return DrawnKick(family, intents, draw_patch(rng, family, intents), noise_seed)


def synthesise(
    seed: int,
    index: int = 0,
    *,
    family: str | None = None,
    words: Sequence[str] | None = None,
    sample_rate: int = 44100,
    duration: float = 2.0,
) -> np.ndarray:
    """One kick as float32 waveform with shape (sample_rate * duration,), peak -1 dBFS, silent after its end.

    The same arguments give the same parameters everywhere and the same samples up to the rounding of the platform's
    sine and exponential.

    Raises:
        ValueError: For an unknown family or word, or a negative seed or index.
    """
    kick = draw_kick(seed, index, family=family, words=words)
    noise = np.random.Generator(np.random.PCG64(kick.noise_seed))
    waveform = render(kick.patch, sample_rate, noise, round(sample_rate * duration))
    return (PEAK * waveform).astype(np.float32)
