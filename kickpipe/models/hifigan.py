"""The HiFi-GAN v1 generator (Kong et al. 2020): log-mel spectrogram to waveform.

A mel with shape (B, n_mels, T) passes a convolution to 256 channels, then transposed convolutions that multiply its
length by 8, 8, 2, 2, 2 = 512 (the hop length) and halve its channels, each followed by the mean of three residual blocks
with different kernels. Every convolution is weight-normalised in training; `remove_weight_norm` folds it in.
"""

__all__ = ["LEAKY_SLOPE", "Generator", "ResBlock1"]

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized

from kickpipe.models.rows import RowConv, RowConvTranspose
from kickpipe.models.sizes import NUM_COARSE, check_upsampling, upsample_factor

LEAKY_SLOPE = 0.1

# The paper's code means to initialise weights with N(0, 0.01), but does so on attributes that weight norm recomputes
# from its own parameters: what it trains is PyTorch's default. With 256 channels in place of 512 a real N(0, 0.01)
# would leave a sixteenth of it after the fifth upsampling (standard deviation over time 0.003 in place of 0.046 for four
# real mels), so the default is used here too.


class ResBlock1(nn.Module):
    """For each dilation: x + conv(leaky(conv_dilated(leaky(x)))); (B, C, 1, N) -> (B, C, 1, N)."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(
            weight_norm(RowConv(channels, channels, kernel, dilation=d, padding=d * (kernel - 1) // 2))
            for d in dilations
        )
        self.plain = nn.ModuleList(
            weight_norm(RowConv(channels, channels, kernel, padding=(kernel - 1) // 2)) for _ in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            h = dilated(F.leaky_relu(x, LEAKY_SLOPE))
            h = plain(F.leaky_relu(h, LEAKY_SLOPE))
            x = x + h
        return x


def upsampled(x: Tensor, upsample: nn.Module, blocks: nn.ModuleList) -> Tensor:
    x = upsample(F.leaky_relu(x, LEAKY_SLOPE))
    return sum(block(x) for block in blocks) / len(blocks)


class Generator(nn.Module):
    """Log-mel (B, n_mels, T) to waveform (B, 1, T * prod(upsample_rates)) between -1 and 1.

    Arguments:
        n_mels: Mel bands.
        channels: Channels after the first convolution; every upsampling halves them.
        upsample_rates: Factors of the transposed convolutions; their product must be the hop length.
        upsample_kernels: Their kernels, each larger than its factor by an even number.
        resblock_kernels: Kernels of the residual blocks after every upsampling, odd.
        resblock_dilations: Dilations in each of those blocks.

    Attributes:
        config: These arguments, as a model file holds them.
        upsample_factor: Samples of one frame.

    Raises:
        ValueError: As ``check_upsampling``.
    """

    def __init__(
        self,
        n_mels: int = 128,
        channels: int = 256,
        upsample_rates: tuple[int, ...] = (8, 8, 2, 2, 2),
        upsample_kernels: tuple[int, ...] = (16, 16, 4, 4, 4),
        resblock_kernels: tuple[int, ...] = (3, 7, 11),
        resblock_dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5)),
    ) -> None:
        super().__init__()
        check_upsampling(channels, upsample_rates, upsample_kernels)
        self.config: dict[str, Any] = {
            "n_mels": n_mels,
            "channels": channels,
            "upsample_rates": list(upsample_rates),
            "upsample_kernels": list(upsample_kernels),
            "resblock_kernels": list(resblock_kernels),
            "resblock_dilations": [list(dilations) for dilations in resblock_dilations],
        }
        self.upsample_factor = upsample_factor(upsample_rates)
        self.input = weight_norm(RowConv(n_mels, channels, 7, padding=3))
        self.upsamples = nn.ModuleList()
        self.blocks = nn.ModuleList()
        for rate, kernel in zip(upsample_rates, upsample_kernels, strict=True):
            upsample = RowConvTranspose(channels, channels // 2, kernel, stride=rate, padding=(kernel - rate) // 2)
            self.upsamples.append(weight_norm(upsample))
            channels //= 2
            self.blocks.append(
                nn.ModuleList(
                    ResBlock1(channels, k, tuple(d)) for k, d in zip(resblock_kernels, resblock_dilations, strict=True)
                )
            )
        self.output = weight_norm(RowConv(channels, 1, 7, padding=3))

    def forward(self, mel: Tensor) -> Tensor:
        x = self.input(mel.unsqueeze(2))
        for upsample, blocks in self.stages[:NUM_COARSE]:
            x = upsampled(x, upsample, blocks)
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            for upsample, blocks in self.stages[NUM_COARSE:]:
                x = upsampled(x, upsample, blocks)
            return torch.tanh(self.output(F.leaky_relu(x, LEAKY_SLOPE))).squeeze(2)

    @property
    def stages(self) -> list[tuple[nn.Module, nn.ModuleList]]:
        """Each upsampling with the residual blocks after it."""
        return [(up, cast(nn.ModuleList, blocks)) for up, blocks in zip(self.upsamples, self.blocks, strict=True)]

    def remove_weight_norm(self) -> None:
        """Folds the weight norm into plain weights, in place: the same output, less work. For inference only."""
        for module in list(self.modules()):
            if is_parametrized(module, "weight"):
                # torch's remove_parametrizations edits the class, which a deep copy shares: this leaves copies alone
                weight = cast(Tensor, module.weight).detach()
                del module.parametrizations
                module.__class__ = type(module).__bases__[0]
                module.weight = nn.Parameter(weight)
