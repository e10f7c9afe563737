"""The network that gives a decoded mel its texture back.

A decoder of latents returns the mean of all mels that fit a latent, and a mean is smooth. What it averages away is noise of a
known size: for a mel with shape (B, 1, M, L), a small U-Net predicts in every cell how far the truth lies from the mean, and
how far it scatters about that (shift and deviation, in nats). Then

    mel + shift + deviation * colour(noise)

where ``colour`` gives white noise the correlation over bands and frames that the differences have. The network sees nothing but
the mel and where a cell lies, has no normalisation over positions and no padding to a size, so any number of frames will do and
each kick is the same in any batch.
"""

__all__ = ["Texture"]

import math
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kickpipe.models.layers import Downsample, crop, zero_init

MEL_CENTRE, MEL_SCALE = -6.0, 4.0  # as in the VAE
FRAMES_SCALE = 2.0  # of the logarithm of time
LOG_DEVIATION_MIN, LOG_DEVIATION_MAX = -4.0, 1.0
INITIAL_LOG_DEVIATION = -0.5

# Correlation of what the released VAE's decoder loses, in audible cells: at 1, 2, 3 frames, and at 1, 2 bands
FRAMES_CORRELATION = (0.55, 0.20, 0.14)
BANDS_CORRELATION = (0.47, 0.11)
REACH = 3
NUM_FREQUENCIES = 64


class ChannelNorm(nn.Module):
    """Scales the channels of each position to a mean square of 1: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        size = x.float().square().mean(dim=1, keepdim=True)
        return x * torch.rsqrt(size + 1e-4).to(x.dtype) * self.gain


class PositionBlock(nn.Module):
    """Residual block of two 3x3 convolutions, normalised position by position; the identity at first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = zero_init(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.conv2(F.silu(self.conv1(self.norm(x))))
        return x + h


class Texture(nn.Module):
    """Mel and noise, both (B, 1, M, L), to a mel with texture.

    Arguments:
        channels: Channels at the full resolution and after each halving.
    """

    colour_kernel: Tensor

    def __init__(self, channels: tuple[int, ...] = (16, 32, 48)) -> None:
        super().__init__()
        channels = tuple(channels)
        if not channels or min(channels) < 1:
            raise ValueError(f"a texture network needs channels of at least 1: channels={channels}")
        self.config: dict[str, Any] = {"channels": list(channels)}
        first, last = channels[0], channels[-1]
        steps = list(pairwise(channels))
        self.input = nn.Conv2d(3, first, 3, padding=1)
        self.down = nn.ModuleList(nn.Sequential(PositionBlock(i), Downsample(i, o)) for i, o in steps)
        self.middle = nn.Sequential(PositionBlock(last), PositionBlock(last))
        self.widen = nn.ModuleList(nn.Conv2d(o, i, 3, padding=1) for i, o in reversed(steps))
        self.up = nn.ModuleList(PositionBlock(i) for i, _ in reversed(steps))
        self.output = nn.Sequential(
            PositionBlock(first), ChannelNorm(first), zero_init(nn.Conv2d(first, 2, 3, padding=1))
        )
        kernel = torch.outer(colouring(BANDS_CORRELATION), colouring(FRAMES_CORRELATION))
        self.register_buffer("colour_kernel", kernel[None, None])

    def predict(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Shift and logarithm of the deviation, each (B, 1, M, L), of a mel (B, 1, M, L)."""
        h = self.input(with_positions(mel))
        kept = []
        for down in self.down:
            assert isinstance(down, nn.Sequential)
            kept.append(down[0](h))
            h = down[1](kept[-1])
        h = self.middle(h)
        for widen, up, skip in zip(self.widen, self.up, reversed(kept), strict=True):
            h = up(skip + widen(crop(F.interpolate(h, scale_factor=2.0), skip.shape[2:])))
        shift, log_deviation = self.output(h).float().chunk(2, dim=1)
        return shift, (log_deviation + INITIAL_LOG_DEVIATION).clamp(LOG_DEVIATION_MIN, LOG_DEVIATION_MAX)

    def colour(self, noise: Tensor) -> Tensor:
        """White noise (B, 1, M, L) with the correlation of what a decoder loses; its variance stays 1 away from the edges."""
        return F.conv2d(noise, self.colour_kernel, padding=REACH)

    def forward(self, mel: Tensor, noise: Tensor) -> Tensor:
        """Raises ValueError if the shapes are not alike."""
        if mel.ndim != 4 or mel.shape[1] != 1 or mel.shape != noise.shape:
            raise ValueError(
                f"expected a mel and noise of shape (B, 1, M, L), found {tuple(mel.shape)} and {tuple(noise.shape)}"
            )
        shift, log_deviation = self.predict(mel)
        return mel + shift + log_deviation.exp() * self.colour(noise)


def with_positions(mel: Tensor) -> Tensor:
    """A mel (B, 1, M, L) at the scale of networks, the place of each band and the logarithm of time: (B, 3, M, L)."""
    bands = torch.linspace(-1, 1, mel.shape[2], device=mel.device)[:, None]
    time = torch.log1p(torch.arange(mel.shape[3], device=mel.device) / FRAMES_SCALE)[None] / FRAMES_SCALE - 1
    places = [place.expand_as(mel) for place in (bands, time)]
    return torch.cat([(mel - MEL_CENTRE) / MEL_SCALE, *places], dim=1)


def colouring(correlation: tuple[float, ...]) -> Tensor:
    """A symmetric filter (2 REACH + 1,) of norm 1 that gives white noise these correlations at 1, 2, ... steps.

    Its frequency response is the root of the spectrum that the correlations have (Wiener-Khinchin), cut to its reach. In
    Python's own numbers: an FFT differs in the last bit by where its memory lies, and model files would too.
    """
    angles = [2 * math.pi * k / NUM_FREQUENCIES for k in range(NUM_FREQUENCIES)]
    spectrum = [1 + 2 * sum(r * math.cos(lag * w) for lag, r in enumerate(correlation, start=1)) for w in angles]
    response = [math.sqrt(max(power, 0.0)) for power in spectrum]
    taps = [sum(h * math.cos(n * w) for h, w in zip(response, angles, strict=True)) for n in range(-REACH, REACH + 1)]
    norm = math.sqrt(sum(tap**2 for tap in taps))
    return torch.tensor([tap / norm for tap in taps])
