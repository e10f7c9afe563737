"""Noise of kick i of seed s: a function of (s, i) alone, so that a kick is the same alone and in any batch."""

__all__ = ["kick_generator", "kick_generators", "texture_noise"]

import hashlib
from collections.abc import Iterable

import torch
from torch import Tensor


def kick_generator(seed: int, index: int, use: str = "kick") -> torch.Generator:
    """A generator whose state follows from a hash of (use, seed, index): neighbours are unrelated."""
    digest = hashlib.sha256(f"{use} {seed} {index}".encode("ascii")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def kick_generators(pairs: Iterable[tuple[int, int]]) -> list[torch.Generator]:
    return [kick_generator(seed, index) for seed, index in pairs]


def texture_noise(pairs: Iterable[tuple[int, int]], shape: tuple[int, ...]) -> Tensor:
    """White noise (B, *shape) that the texture of kicks is made from, unrelated to the noise of their latents."""
    return torch.stack([torch.randn(shape, generator=kick_generator(*pair, use="texture")) for pair in pairs])
