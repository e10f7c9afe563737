"""The shapes of a network's tensors without its memory: it is built on the device "meta", where tensors have no content."""

__all__ = ["shapes_of"]

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


def shapes_of(build: Callable[[], nn.Module]) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor of the network that ``build`` makes, by name."""
    with torch.device("meta"), ShapesOnly():
        return {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}


class ShapesOnly(TorchFunctionMode):
    """Leaves out the few operations of constructors whose versions for "meta" import PyTorch's compiler: 2 s at every start.

    What they would compute is never looked at. An operation missing here costs time, nothing else.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        if name == "normal_":
            return args[0] if args else kwargs["tensor"]
        if name == "randn":
            return torch.empty(*args, **kwargs)
        if name == "norm_except_dim":
            tensor, _, dim = args
            return tensor.new_empty([size if i == dim else 1 for i, size in enumerate(tensor.shape)])
        return function(*args, **kwargs)
