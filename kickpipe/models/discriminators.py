"""The discriminators of HiFi-GAN (Kong et al. 2020): one looks at periods, the other at scales.

Each takes a waveform (B, 1, N) and returns, for each of its parts, a score map (B, n) and the features of every layer for
the feature matching loss. The multi-period discriminator folds the waveform into p rows and convolves along
each row; the multi-scale one sees the waveform and two averages of it. `width` scales all channel counts: 1 is the
paper's, 0.25 costs about an eighth.
"""

__all__ = [
    "Discriminators",
    "MultiPeriodDiscriminator",
    "MultiScaleDiscriminator",
    "PeriodDiscriminator",
    "ScaleDiscriminator",
]

import math
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from kickpipe.models.hifigan import LEAKY_SLOPE
from kickpipe.models.rows import RowConv

Judgement = tuple[Tensor, list[Tensor]]

PERIOD_CHANNELS = (32, 128, 512, 1024, 1024)
PERIOD_STRIDES = (3, 3, 3, 3, 1)

# (out channels, kernel, stride, groups) of each layer
SCALE_LAYERS = (
    (128, 15, 1, 1),
    (128, 41, 2, 4),
    (256, 41, 2, 16),
    (512, 41, 4, 16),
    (1024, 41, 4, 16),
    (1024, 41, 1, 16),
    (1024, 5, 1, 1),
)


def scaled(channels: int, width: float) -> int:
    """Channels times `width`, at least 1."""
    return max(1, round(channels * width))


class PeriodDiscriminator(nn.Module):
    """Judges every p-th sample together: the waveform is folded into p rows, row i holding samples i, i + p, i + 2 p, ....

    The paper folds into columns and has kernels (5, 1). They never meet, so here each row is an item of the batch and the
    convolutions are one-dimensional: the same numbers, and with these many channels faster on CPUs than rows of a map.
    """

    def __init__(self, period: int, width: float = 1.0) -> None:
        super().__init__()
        self.period = period
        channels = [1, *(scaled(c, width) for c in PERIOD_CHANNELS)]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv1d(i, o, 5, stride=s, padding=2))
            for i, o, s in zip(channels[:-1], channels[1:], PERIOD_STRIDES, strict=True)
        )
        self.score = weight_norm(nn.Conv1d(channels[-1], 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> Judgement:
        x = pad_to_multiple(waveform, self.period)
        x = x.unflatten(2, (-1, self.period)).permute(0, 3, 1, 2).flatten(0, 1)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), LEAKY_SLOPE)
            features.append(x)
        x = self.score(x)
        features.append(x)
        return x.reshape(len(waveform), -1), features


def pad_to_multiple(waveform: Tensor, period: int) -> Tensor:
    """Reflects the end of waveform (B, 1, N) until its length is a multiple of the period.

    A waveform too short to be reflected, of at most as many samples as are missing, is continued with its last sample.
    """
    length = waveform.shape[-1]
    missing = -length % period
    if not missing:
        return waveform
    return F.pad(waveform, (0, missing), mode="reflect" if missing < length else "replicate")


class MultiPeriodDiscriminator(nn.Module):
    """One PeriodDiscriminator a period; primes, so that they overlap as little as possible."""

    def __init__(self, periods: tuple[int, ...] = (2, 3, 5, 7, 11), width: float = 1.0) -> None:
        super().__init__()
        self.parts = nn.ModuleList(PeriodDiscriminator(p, width) for p in periods)

    def forward(self, waveform: Tensor) -> list[Judgement]:
        """Judges waveform (B, 1, N): for each period a score (B, n) and a list of features (B * p, C, n)."""
        return [part(waveform) for part in self.parts]


class ScaleDiscriminator(nn.Module):
    """Judges the waveform by grouped convolutions with long kernels.

    With `width` the number of groups shrinks as the channels do: a group keeps the paper's size, which is what
    grouped convolutions need to be fast.
    """

    def __init__(self, width: float = 1.0, norm: Callable[[nn.Module], nn.Module] = weight_norm) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        ins = 1
        for channels, kernel, stride, groups in SCALE_LAYERS:
            outs = scaled(channels, width)
            groups = next(g for g in range(scaled(groups, width), 0, -1) if math.gcd(ins, outs) % g == 0)
            conv = RowConv(ins, outs, kernel, stride=stride, padding=kernel // 2, groups=groups)
            self.layers.append(norm(conv))
            ins = outs
        self.score = norm(RowConv(ins, 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> Judgement:
        x = waveform.unsqueeze(2)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), LEAKY_SLOPE)
            features.append(x)
        x = self.score(x)
        features.append(x)
        return x.reshape(len(waveform), -1), features


class MultiScaleDiscriminator(nn.Module):
    """One ScaleDiscriminator on the waveform and on each of its averages by 2, 4, ...; the first, which sees the full
    band, is spectrally normalised as in the paper."""

    def __init__(self, num_scales: int = 3, width: float = 1.0) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            ScaleDiscriminator(width, spectral_norm if scale == 0 else weight_norm) for scale in range(num_scales)
        )

    def forward(self, waveform: Tensor) -> list[Judgement]:
        """Judges waveform (B, 1, N): for each scale a score (B, n) and a list of features (B, C, 1, n)."""
        judgements = []
        for scale, part in enumerate(self.parts):
            if scale > 0:
                waveform = F.avg_pool1d(waveform, kernel_size=4, stride=2, padding=2)
            judgements.append(part(waveform))
        return judgements


class Discriminators(nn.Module):
    """Both discriminators as one."""

    def __init__(self, periods: tuple[int, ...], num_scales: int, width: float) -> None:
        super().__init__()
        self.periods = MultiPeriodDiscriminator(periods, width)
        self.scales = MultiScaleDiscriminator(num_scales, width)

    def forward(self, waveform: Tensor) -> list[Judgement]:
        """Judges waveforms (B, 1, N): those of the periods, then those of the scales."""
        return self.periods(waveform) + self.scales(waveform)
