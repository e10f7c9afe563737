"""The blocks that the VAE and the U-Net are built from.

Feature maps x have shape (B, C, H, W): H is mel bands, W is frames, both possibly halved several times. A convolution
of stride 2 maps a side of n to ceil(n / 2) and a transposed one back to 2 * ceil(n / 2), one too many where n is odd:
`crop` cuts that row or column off. Conditioning vectors c have shape (B, D).
"""

__all__ = [
    "CondResBlock",
    "Downsample",
    "ResBlock",
    "SelfAttention2d",
    "TimestepEmbedding",
    "Upsample",
    "crop",
    "group_norm",
    "sinusoidal_embedding",
    "zero_init",
]

import math
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def crop(x: Tensor, size: Sequence[int]) -> Tensor:
    """Cuts x (B, C, H, W) down to its first `size` = (height, width) rows and columns."""
    return x[:, :, : size[0], : size[1]]


def group_norm(channels: int, max_groups: int = 8) -> nn.GroupNorm:
    """GroupNorm with the most groups, at most `max_groups`, that divide the channels into at least two each."""
    most = max(1, min(max_groups, channels // 2))
    groups = next(g for g in range(most, 0, -1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


def zero_init(module: nn.Module) -> nn.Module:
    """Sets the parameters to zero, so that a residual branch starts as the identity and an output as zero."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


class Downsample(nn.Conv2d):
    """Convolution of stride 2: (B, in, H, W) -> (B, out, ceil(H / 2), ceil(W / 2))."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3, stride=2, padding=1)


class Upsample(nn.ConvTranspose2d):
    """Transposed convolution of stride 2: (B, in, H, W) -> (B, out, 2 H, 2 W).

    The kernel, 4, is a multiple of the stride: every output sees as many inputs, so there is no checkerboard
    (Odena et al. 2016).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=4, stride=2, padding=1)


class ResBlock(nn.Module):
    """Residual block of two GroupNorm + SiLU + 3x3 convolutions: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = group_norm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = group_norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return x + h


class CondResBlock(nn.Module):
    """Residual block whose second normalisation is scaled and shifted by the conditioning.

    This is the adaptive group norm of Dhariwal & Nichol 2021, section 3.1. The last convolution starts at zero: the
    block is the identity at first, which keeps the scale of a deep residual network independent of its depth.
    """

    def __init__(self, channels: int, cond_dim: int) -> None:
        super().__init__()
        self.norm1 = group_norm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.cond = nn.Linear(cond_dim, 2 * channels)
        self.norm2 = group_norm(channels)
        self.conv2 = zero_init(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        """Maps x (B, C, H, W) and cond (B, D) to (B, C, H, W)."""
        scale, shift = self.cond(F.silu(cond))[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
        return x + self.conv2(F.silu(h))


class SelfAttention2d(nn.Module):
    """Residual multi-head self-attention between all positions: (B, C, H, W) -> (B, C, H, W).

    The projection of its result starts at zero, as in CondResBlock. `num_heads` must divide the channels.
    """

    def __init__(self, channels: int, num_heads: int = 4) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"{num_heads} attention heads do not divide {channels} channels")
        self.num_heads = num_heads
        self.norm = group_norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj = zero_init(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(batch, 3, self.num_heads, channels // self.num_heads, height * width)
        q, k, v = qkv.transpose(-1, -2).unbind(dim=1)
        h = F.scaled_dot_product_attention(q, k, v)
        return x + self.proj(h.transpose(-1, -2).reshape(batch, channels, height, width))


def sinusoidal_embedding(timestep: Tensor, dim: int, max_period: float = 10_000.0) -> Tensor:
    """Sines, then cosines, of timestep (B,) at dim / 2 frequencies from 1 down to 1 / max_period: (B, dim) float32.

    Vaswani et al. 2017, section 3.5, as used for timesteps by Ho et al. 2020.
    """
    if dim % 2:
        raise ValueError(f"the dimension of a sinusoidal embedding must be even, got {dim}")
    half = dim // 2
    frequencies = torch.exp(-math.log(max_period) / half * torch.arange(half, device=timestep.device))
    angles = timestep[:, None].float() * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class TimestepEmbedding(nn.Module):
    """Timestep (B,) -> sinusoidal embedding (B, dim) -> MLP -> (B, out_dim)."""

    def __init__(self, dim: int, out_dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.mlp = nn.Sequential(nn.Linear(dim, out_dim), nn.SiLU(), nn.Linear(out_dim, out_dim))

    def forward(self, timestep: Tensor) -> Tensor:
        return self.mlp(sinusoidal_embedding(timestep, self.dim).to(cast(Tensor, self.mlp[0].weight).dtype))
