"""Spherical interpolation of Gaussian noise (Shoemake 1985).

A straight line between two noises has too little variance in the middle, and a denoiser makes something dull of it; an arc
keeps the variance.
"""

__all__ = ["slerp"]

import torch
from torch import Tensor


def slerp(a: Tensor, b: Tensor, weight: float | Tensor) -> Tensor:
    """Interpolates each item of a (B, ...) and b (B, ...) along the arc between them.

    Arguments:
        a: What weight 0 returns.
        b: What weight 1 returns.
        weight: One for all, or one for each item (B,).

    Returns:
        (B, ...). Items that point the same or opposite ways, or are zero, define no arc: they are interpolated linearly.
    """
    flat_a, flat_b = a.flatten(1).double(), b.flatten(1).double()
    weight = torch.as_tensor(weight, dtype=torch.float64, device=a.device).expand(len(a))[:, None]
    cosine = torch.nn.functional.cosine_similarity(flat_a, flat_b, dim=1)[:, None].clamp(-1, 1)
    angle = cosine.acos()
    sine = angle.sin()
    zero = (flat_a.norm(dim=1) * flat_b.norm(dim=1) == 0)[:, None]
    straight = (sine < 1e-6) | zero
    sine = sine.masked_fill(straight, 1)
    share_a = torch.where(straight, 1 - weight, ((1 - weight) * angle).sin() / sine)
    share_b = torch.where(straight, weight, (weight * angle).sin() / sine)
    return (share_a * flat_a + share_b * flat_b).reshape(a.shape).to(a.dtype)
