"""Noise of kick i of seed s: a function of (s, i) alone, so that a kick is the same alone and in any batch."""

__all__ = ["kick_generator", "kick_generators"]

import hashlib
from collections.abc import Iterable

import torch


def kick_generator(seed: int, index: int) -> torch.Generator:
    """A generator whose state follows from a hash of (seed, index): neighbours are unrelated."""
    digest = hashlib.sha256(f"kick {seed} {index}".encode("ascii")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def kick_generators(pairs: Iterable[tuple[int, int]]) -> list[torch.Generator]:
    return [kick_generator(seed, index) for seed, index in pairs]
