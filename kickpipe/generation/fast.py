"""The trained networks, arranged for a CPU: the same numbers to float rounding, in less time.

A convolution of the U-Net has few positions and many weights, and PyTorch brings those weights into oneDNN's layout at every
call; `pack` does it once.
"""

__all__ = ["can_pack", "pack"]

import copy
import functools

import torch
from torch import Tensor, nn


@functools.cache
def can_pack() -> bool:
    """Whether this PyTorch has the oneDNN operators that `pack` needs, and they compute what a convolution does.

    They serve torch.compile and are not public: where they are missing or have changed, plain convolutions stay.
    """
    conv = nn.Conv2d(8, 8, 3, padding=1)
    up = nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1)
    x = torch.linspace(-1, 1, 2 * 8 * 6 * 5).reshape(2, 8, 6, 5)
    try:
        with torch.inference_mode():
            return all(torch.allclose(PackedConv2d(layer)(x), layer(x), atol=1e-4) for layer in (conv, up))
    except (AttributeError, RuntimeError, TypeError):
        return False


class PackedConv2d(nn.Module):
    """A Conv2d or ConvTranspose2d whose weights are in oneDNN's own layout, packed for each input shape once."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight.detach(), conv.bias.detach()
        self.transposed = isinstance(conv, nn.ConvTranspose2d)
        self.layout = [list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups]
        if self.transposed:
            self.layout.insert(1, list(conv.output_padding))
        self.packed: dict[torch.Size, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        weight = self.packed.get(x.shape)
        if weight is None:
            weight = self.packed[x.shape] = self.pack(list(x.shape))
        operators = torch.ops.mkldnn
        convolve = operators._convolution_transpose_pointwise if self.transposed else operators._convolution_pointwise
        return convolve(x, weight, self.bias, *self.layout, "none", [], "")

    def pack(self, shape: list[int]) -> Tensor:
        if len(self.packed) >= 3:  # one kick, a full batch, the last one; more would only hold memory
            self.packed.clear()
        if self.transposed:
            return torch.ops.mkldnn._reorder_convolution_transpose_weight(self.weight, *self.layout, shape)
        return torch.ops.mkldnn._reorder_convolution_weight(self.weight, *self.layout, shape)


def pack(network: nn.Module) -> nn.Module:
    """A copy of a network for inference, with packed convolutions where that is possible."""
    if not can_pack():
        return network
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d | nn.ConvTranspose2d):
                setattr(module, name, PackedConv2d(child))
    return network
