"""The denoiser of the latent diffusion model.

The U-Net predicts the noise in a latent with shape (B, 4, 8, 11) from the latent, its timestep t and a conditioning
vector; the timestep's embedding and the conditioning vector, both (B, 256), are added. Two convolutions of stride 2
lead down to (256, 2, 3), where all positions attend to each other, and two transposed ones back up; sizes that are not
even are cropped to those of the skip connection. The reference is Ho et al. 2020, with the blocks of Dhariwal &
Nichol 2021.
"""

__all__ = ["KeywordUNet", "LatentUNet"]

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kickpipe.models.layers import (
    CondResBlock,
    Downsample,
    SelfAttention2d,
    TimestepEmbedding,
    Upsample,
    crop,
    group_norm,
    zero_init,
)
from kickpipe.models.sizes import NUM_HEADS
from kickpipe.models.text import KeywordEncoder


class UpStage(nn.Module):
    """Upsamples, crops to the skip connection, concatenates it, reduces by a 1x1 convolution, then a CondResBlock."""

    def __init__(self, in_channels: int, out_channels: int, cond_dim: int) -> None:
        super().__init__()
        self.upsample = Upsample(in_channels, out_channels)
        self.reduce = nn.Conv2d(2 * out_channels, out_channels, 1)
        self.block = CondResBlock(out_channels, cond_dim)

    def forward(self, x: Tensor, skip: Tensor, cond: Tensor) -> Tensor:
        x = crop(self.upsample(x), skip.shape[2:])
        return self.block(self.reduce(torch.cat([x, skip], dim=1)), cond)


class LatentUNet(nn.Module):
    """Predicts the noise in a latent of any height and width.

    Arguments:
        in_channels: Channels of the latent.
        channels: Channels at each resolution, from the latent's own to the lowest.
        time_dim: Length of the sinusoidal embedding, even.
        cond_dim: Length of the conditioning vector.
        num_heads: Attention heads; must divide the last of the channels.
    """

    def __init__(
        self,
        in_channels: int = 4,
        channels: tuple[int, ...] = (64, 128, 256),
        time_dim: int = 64,
        cond_dim: int = 256,
        num_heads: int = NUM_HEADS,
    ) -> None:
        super().__init__()
        channels = tuple(channels)
        self.time = TimestepEmbedding(time_dim, cond_dim)

        self.input = nn.Conv2d(in_channels, channels[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(CondResBlock(c, cond_dim) for c in channels[:-1])
        self.downsamples = nn.ModuleList(Downsample(i, o) for i, o in pairwise(channels))

        self.mid_block1 = CondResBlock(channels[-1], cond_dim)
        self.mid_attention = SelfAttention2d(channels[-1], num_heads)
        self.mid_block2 = CondResBlock(channels[-1], cond_dim)

        self.up_stages = nn.ModuleList(
            UpStage(i, o, cond_dim) for i, o in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.norm = group_norm(channels[0])
        # Starts at zero: the first prediction is the mean of the noise, so the loss starts at 1 instead of above it.
        self.output = zero_init(nn.Conv2d(channels[0], in_channels, 3, padding=1))

    def forward(self, latent: Tensor, timestep: Tensor, cond: Tensor) -> Tensor:
        """Returns the predicted noise (B, C, H, W).

        Arguments:
            latent: Noised, standardised latents (B, C, H, W).
            timestep: Index into the noise schedule (B,), long or float.
            cond: Conditioning vectors (B, cond_dim).
        """
        cond = self.time(timestep) + cond
        h = self.input(latent)
        skips = []
        for block, downsample in zip(self.down_blocks, self.downsamples, strict=True):
            h = block(h, cond)
            skips.append(h)
            h = downsample(h)
        h = self.mid_block1(h, cond)
        h = self.mid_attention(h)
        h = self.mid_block2(h, cond)
        for stage in self.up_stages:
            h = stage(h, skips.pop(), cond)
        return self.output(F.silu(self.norm(h)))


class KeywordUNet(nn.Module):
    """The U-Net and the keyword encoder that conditions it, trained and stored together.

    `text` turns a prompt into a conditioning vector once; `unet` takes that vector at every step of a sampler. `config` are
    the arguments of the constructor, as a model file holds them.

    Arguments:
        vocab_size: Number of keywords.
        latent_channels, channels, time_dim, cond_dim, num_heads: Those of the LatentUNet.
        embedding_dim: Length of one keyword's embedding.
    """

    def __init__(
        self,
        vocab_size: int,
        latent_channels: int = 4,
        channels: tuple[int, ...] = (64, 128, 256),
        time_dim: int = 64,
        cond_dim: int = 256,
        embedding_dim: int = 64,
        num_heads: int = NUM_HEADS,
    ) -> None:
        super().__init__()
        self.text = KeywordEncoder(vocab_size, embedding_dim, cond_dim)
        self.unet = LatentUNet(latent_channels, channels, time_dim, cond_dim, num_heads)
        self.config: dict[str, Any] = {
            "vocab_size": vocab_size,
            "latent_channels": latent_channels,
            "channels": list(channels),
            "time_dim": time_dim,
            "cond_dim": cond_dim,
            "embedding_dim": embedding_dim,
        }
        if num_heads != NUM_HEADS:  # the usual number is not written: the files of release 1 do not have it
            self.config["num_heads"] = num_heads

    def forward(self, latent: Tensor, timestep: Tensor, ids: Tensor, weights: Tensor | None = None) -> Tensor:
        """Returns the predicted noise (B, C, H, W) for keyword ids (B, K) filled up with -1; see KeywordEncoder."""
        return self.unet(latent, timestep, self.text(ids, weights))
