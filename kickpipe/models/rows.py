"""One-dimensional convolutions along the rows of a two-dimensional map.

A signal (B, C, N) is carried as a map of one row (B, C, 1, N) and convolved with kernels of shape (1, k): the same numbers
as nn.Conv1d, whose parameters and names these layers keep. The reason is speed on CPUs: a map can lie in memory channels
last, which the convolutions of a vocoder, few channels and many samples, run much faster on (forward and backward of one
with 8 channels, 8,192 samples, kernel 11, dilation 5 and batch 8: 8 ms in place of 48 on one core with AVX-512).
"""

__all__ = ["RowConv", "RowConvTranspose", "channels_last"]

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def channels_last(x: Tensor) -> Tensor:
    """Lays a map (B, C, 1, N) out channels last on the CPU; elsewhere it stays as it is."""
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


class RowConv(nn.Conv1d):
    """nn.Conv1d along the row: (B, in, 1, N) -> (B, out, 1, N')."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(
            channels_last(x),
            self.weight.unsqueeze(2),
            self.bias,
            stride=(1, *self.stride),
            padding=(0, *self.padding),
            dilation=(1, *self.dilation),
            groups=self.groups,
        )


class RowConvTranspose(nn.ConvTranspose1d):
    """nn.ConvTranspose1d along the row: (B, in, 1, N) -> (B, out, 1, N')."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # the size of the output is not for choice
        return F.conv_transpose2d(
            channels_last(x),
            self.weight.unsqueeze(2),
            self.bias,
            stride=(1, *self.stride),
            padding=(0, *self.padding),
            groups=self.groups,
        )
