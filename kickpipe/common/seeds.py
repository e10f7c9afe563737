"""Where all that is random in a training comes from: its seed and its step, never the hidden state of a generator.

A run that is killed and resumed draws what it would have drawn, and so does another process that is given the same step.
"""

__all__ = ["hash_seed", "order_generator", "seed_torch", "seed_torch_at", "step_generator"]

import hashlib

import torch


def hash_seed(text: str) -> int:
    """A seed of 63 bits from the SHA-256 of a text: neighbours are unrelated."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def seed_torch(seed: int) -> None:
    """Seeds torch's global generator, which initial weights are drawn from."""
    torch.manual_seed(seed)


def seed_torch_at(seed: int, step: int) -> None:
    """Seeds the global generator for what a network draws itself in a step, such as dropout."""
    torch.manual_seed(hash_seed(f"{seed}/{step}"))


def step_generator(seed: int, step: int) -> torch.Generator:
    """The generator of the noise of a step."""
    return torch.Generator().manual_seed(hash_seed(f"{seed}/{step}"))


def order_generator(seed: int, number: int) -> torch.Generator:
    """The generator of the order of an epoch, or of the items of a batch."""
    return torch.Generator().manual_seed(seed * 1_000_003 + number)
