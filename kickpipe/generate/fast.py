"""The trained networks, arranged for a CPU: the same numbers to float rounding, in less time.

PyTorch brings the weights of a convolution into oneDNN's layout at every call, which for the U-Net's few positions and many
weights costs as much as the arithmetic; here they are packed once. In the vocoder, whose maps are long, it is the passes over
memory that cost: the activation after a convolution and the sum of a residual branch happen within the convolution.
"""

__all__ = ["BUCKET", "FastVocoder", "can_pack", "fast_vocoder", "look_ahead", "pack", "precision_or_native"]

import copy
import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kickpipe.common.cpu import has_native_bfloat16, onednn_has_bfloat16
from kickpipe.generate.options import Precision, PrecisionOrAuto
from kickpipe.models.hifigan import LEAKY_SLOPE, Generator, ResBlock1
from kickpipe.models.layers import TimestepEmbedding
from kickpipe.models.sizes import NUM_COARSE

BUCKET = 16  # frames: oneDNN compiles every convolution anew for every length, 0.1 s in all; so there are few lengths

Conv = nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d | nn.ConvTranspose2d


@functools.cache
def can_pack() -> bool:
    """Whether this PyTorch has the oneDNN operators that `PackedConv` needs, and they compute what a convolution does.

    They serve torch.compile and are not public: where they are missing or have changed, plain convolutions stay.
    """
    x = torch.randn(2, 8, 6, 5, generator=torch.Generator().manual_seed(0))
    try:
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):  # layers draw their weights
            for layer in (nn.Conv2d(8, 8, 3, padding=1), nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1)):
                packed = PackedConv(layer)
                for part in (x, x[:1]):  # packed for one shape, used for another
                    expected = layer(part)
                    if not torch.allclose(packed(part), expected, atol=1e-4):
                        return False
                    if not torch.allclose(packed(part, 0.1), F.leaky_relu(expected, 0.1), atol=1e-4):
                        return False
            layer = nn.Conv2d(8, 8, 3, padding=1)
            total = x.contiguous(memory_format=torch.channels_last).clone()
            return torch.allclose(PackedConv(layer).add_to(total, x), x + layer(x), atol=1e-4)
    except (AttributeError, RuntimeError, TypeError):
        return False


class PackedConv(nn.Module):
    """A convolution on (B, C, H, W) whose weights lie in oneDNN's own layout; one-dimensional ones run along the row."""

    def __init__(self, conv: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        assert isinstance(conv, Conv) and conv.bias is not None and isinstance(conv.padding, tuple)
        row = isinstance(conv, nn.Conv1d | nn.ConvTranspose1d)
        weight = conv.weight.detach().to(dtype)
        self.weight = (weight.unsqueeze(2) if row else weight).contiguous(memory_format=torch.channels_last)
        self.bias = conv.bias.detach().to(dtype)
        self.transposed = isinstance(conv, nn.ConvTranspose1d | nn.ConvTranspose2d)
        self.layout = [plane(conv.padding, 0), plane(conv.stride, 1), plane(conv.dilation, 1), conv.groups]
        if self.transposed:
            self.layout.insert(1, plane(conv.output_padding, 0))
        self.packed: Tensor | None = None

    def weights(self, x: Tensor) -> Tensor:
        if self.packed is None:  # the layout suits the first shape; others are computed with it too
            operators = torch.ops.mkldnn
            reorder = (
                operators._reorder_convolution_transpose_weight
                if self.transposed
                else operators._reorder_convolution_weight
            )
            self.packed = reorder(self.weight, *self.layout, list(x.shape))
        return self.packed

    def forward(self, x: Tensor, leaky_slope: float | None = None) -> Tensor:
        """The convolution of x, and where a slope is given the leaky ReLU of it."""
        operators = torch.ops.mkldnn
        convolve = operators._convolution_transpose_pointwise if self.transposed else operators._convolution_pointwise
        activation = ("none", [], "") if leaky_slope is None else ("leaky_relu", [leaky_slope], "")
        return convolve(x, self.weights(x), self.bias, *self.layout, *activation)

    def add_to(self, total: Tensor, x: Tensor) -> Tensor:
        """Adds the convolution of x to a map, in place."""
        return torch.ops.mkldnn._convolution_pointwise_.binary(
            total, x, self.weights(x), self.bias, *self.layout, "add", 1.0, None, [], None
        )


def plane(values: tuple[int, ...], row: int) -> list[int]:
    """Two numbers, that of the row first where only one is given."""
    return list(values) if len(values) == 2 else [row, *values]


class ByRows(nn.Module):
    """A layer whose result for a row does not depend on the number of rows, to the last bit.

    Matrix products of different heights add up in different orders, and the last numbers of a tensor pass another code than
    those that fill a vector. The rows here are timesteps and prompts, which all kicks of a batch share: each run of equal rows
    is computed once, as one row.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(1) if x.dim() > 1 else x[:, None]
        changes = (rows[1:] != rows[:-1]).any(dim=1).nonzero().flatten().tolist()
        starts = [0, *(i + 1 for i in changes)]
        ends = [*starts[1:], len(x)]
        return torch.cat([self.layer(x[i : i + 1]).expand(j - i, -1) for i, j in zip(starts, ends, strict=True)])


def pack(network: nn.Module) -> nn.Module:
    """A copy of a network for inference, in which an item's result does not depend on its batch, to the last bit.

    Packed convolutions keep their order of addition whatever the batch; `ByRows` takes care of the rest. Where convolutions
    cannot be packed, or an item is no multiple of 32 numbers (two AVX-512 vectors) at some level, it holds to rounding only.
    """
    network = copy.deepcopy(network)
    rearrange(network)
    return network


def rearrange(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d | nn.ConvTranspose2d):
            setattr(module, name, PackedConv(child) if can_pack() else child)
        elif isinstance(child, nn.Linear | TimestepEmbedding):
            setattr(module, name, ByRows(child))
        else:
            rearrange(child)


def precision_or_native(precision: PrecisionOrAuto) -> Precision:
    """The precision, "auto" being bfloat16 where the CPU has it natively."""
    if precision == "auto":
        return "bfloat16" if has_native_bfloat16() else "float32"
    return precision


def fast_vocoder(generator: Generator, precision: str = "float32") -> Callable[[Tensor], Tensor]:
    """A copy of the generator without weight norm, packed where that is possible.

    Arguments:
        precision: "float32", or "bfloat16" for the first two stages, two thirds of the work: that is 60 dB under the waveform
            (measured); in the other stages it would be a hiss.
    """
    generator = copy.deepcopy(generator)
    generator.remove_weight_norm()
    coarse = torch.bfloat16 if precision == "bfloat16" else torch.float32
    if can_pack() and (coarse == torch.float32 or onednn_has_bfloat16()):  # the packed ones are not emulated
        return FastVocoder(generator, coarse)

    def run(mel: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=coarse == torch.bfloat16):
            return generator(mel)

    return run


def look_ahead(generator: Generator) -> int:
    """Number of frames beyond a frame that its samples depend on: half the receptive field, rounded up.

    Counted from the end to the front, in samples of each stage.
    """
    reach = float(generator.output.kernel_size[0] // 2)
    for upsample, blocks in reversed(generator.stages):
        assert isinstance(upsample, nn.ConvTranspose1d) and isinstance(upsample.padding, tuple)
        reach += max(map(block_reach, residual_blocks(blocks)))
        stride, kernel = upsample.stride[0], upsample.kernel_size[0]
        reach = math.ceil((reach + kernel - 1 - upsample.padding[0]) / stride)
    return int(reach) + generator.input.kernel_size[0] // 2


def residual_blocks(blocks: nn.Module) -> list[ResBlock1]:
    assert isinstance(blocks, nn.ModuleList)
    return [block for block in blocks if isinstance(block, ResBlock1)]


def block_reach(block: ResBlock1) -> int:
    convs = [conv for conv in (*block.dilated, *block.plain) if isinstance(conv, nn.Conv1d)]
    return sum((conv.kernel_size[0] - 1) * conv.dilation[0] // 2 for conv in convs)


class FastVocoder:
    """A HiFi-GAN generator with packed convolutions: log-mel (B, n_mels, T) to waveform (B, 1, T * upsample_factor)."""

    def __init__(self, generator: Generator, coarse: torch.dtype = torch.float32) -> None:
        self.dtypes = [coarse] * NUM_COARSE + [torch.float32] * (len(generator.upsamples) - NUM_COARSE)
        self.input = PackedConv(generator.input)
        self.upsamples = [
            PackedConv(layer, dtype) for layer, dtype in zip(generator.upsamples, self.dtypes, strict=True)
        ]
        self.blocks = [
            [FastResBlock(block, dtype) for block in residual_blocks(blocks)]
            for blocks, dtype in zip(generator.blocks, self.dtypes, strict=True)
        ]
        self.output = PackedConv(generator.output)

    def __call__(self, mel: Tensor) -> Tensor:
        x = self.input(mel[:, :, None].contiguous(memory_format=torch.channels_last), LEAKY_SLOPE)
        for upsample, blocks, dtype in zip(self.upsamples, self.blocks, self.dtypes, strict=True):
            x = upsample(x.to(dtype))
            active = F.leaky_relu(x, LEAKY_SLOPE)
            total = blocks[0](x, active)
            for block in blocks[1:]:
                total += block(x, active)
            x = F.leaky_relu_(total.div_(len(blocks)), LEAKY_SLOPE)
        return torch.tanh_(self.output(x.float())).squeeze(2)


class FastResBlock:
    """ResBlock1 on x (B, C, 1, N) and its leaky ReLU, which the blocks of a stage share."""

    def __init__(self, block: ResBlock1, dtype: torch.dtype) -> None:
        self.dilated = [PackedConv(layer, dtype) for layer in block.dilated]
        self.plain = [PackedConv(layer, dtype) for layer in block.plain]

    def __call__(self, x: Tensor, active: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.channels_last)
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            total = plain.add_to(total, dilated(active, LEAKY_SLOPE))
            active = F.leaky_relu(total, LEAKY_SLOPE)
        return total
