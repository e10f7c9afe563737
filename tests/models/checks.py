"""What holds for every network, as functions that the tests of each call."""

import copy

import torch
from safetensors.torch import load, save
from torch import Tensor, nn


def tensors_in(output: object) -> list[Tensor]:
    """All tensors of a nested output, in order."""
    return [output] if isinstance(output, Tensor) else [tensor for item in output for tensor in tensors_in(item)]


def randomise(model: nn.Module) -> nn.Module:
    """Replaces all parameters, zeros included, so that nothing hides behind an output that starts at zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


def assert_every_parameter_learns(model: nn.Module, *inputs: Tensor) -> None:
    """Backpropagates through all outputs; every parameter must get a gradient that is finite and not all zero."""
    sum(tensor.square().mean() for tensor in tensors_in(model(*inputs))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        assert parameter.grad.isfinite().all(), f"the gradient of {name} is not finite"
        assert parameter.grad.any(), f"the gradient of {name} is zero"


def assert_same_after_saving(model: nn.Module, other: nn.Module, *inputs: Tensor) -> None:
    """Loads the saved weights of a network into another of the same kind; both must give the same output."""
    other.load_state_dict(load(save({name: t.contiguous() for name, t in model.state_dict().items()})))
    with torch.no_grad():
        for ours, theirs in zip(tensors_in(model.eval()(*inputs)), tensors_in(other.eval()(*inputs)), strict=True):
            assert torch.equal(ours, theirs)


def assert_items_do_not_mix(model: nn.Module, *inputs: Tensor) -> None:
    """A batch must give what its items give one by one."""
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        together = model(*inputs)
        alone = [model(*(x[i : i + 1] for x in inputs)) for i in range(len(inputs[0]))]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
