import math

import pytest
import torch

from kickpipe.diffusion.interpolation import slerp


def noise(batch: int, seed: int) -> torch.Tensor:
    return torch.randn(batch, 4, 8, 11, generator=torch.Generator().manual_seed(seed))


def test_the_ends_are_the_inputs():
    a, b = noise(3, 0), noise(3, 1)
    assert torch.equal(slerp(a, b, 0.0), a)
    assert torch.equal(slerp(a, b, 1.0), b)


def test_a_quarter_turn_is_divided_evenly():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    for weight in (0.25, 0.5, 0.8):
        angle = weight * math.pi / 2
        assert slerp(a, b, weight)[0].tolist() == pytest.approx([math.cos(angle), math.sin(angle)], abs=1e-6)


def test_the_middle_of_two_noises_has_the_variance_of_noise():
    a, b = noise(16, 0), noise(16, 1)
    assert slerp(a, b, 0.5).std().item() == pytest.approx(1, abs=0.05)
    assert torch.lerp(a, b, 0.5).std().item() == pytest.approx(math.sqrt(0.5), abs=0.05)


def test_every_item_has_its_own_arc_and_weight():
    a, b = noise(3, 0), noise(3, 1)
    weight = torch.tensor([0.0, 0.3, 1.0])
    together = slerp(a, b, weight)
    for i in range(3):
        assert torch.allclose(together[i], slerp(a[i : i + 1], b[i : i + 1], weight[i].item())[0], atol=1e-6)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.0])
def test_items_without_an_arc_are_interpolated_linearly(factor):
    a = noise(2, 0)
    middle = slerp(a, factor * a, 0.5)
    assert torch.allclose(middle, (0.5 + 0.5 * factor) * a, atol=1e-5)


def test_shape_and_type_are_kept():
    a, b = noise(2, 0), noise(2, 1)
    assert slerp(a, b, 0.3).shape == a.shape
    assert slerp(a.bfloat16(), b.bfloat16(), 0.3).dtype == torch.bfloat16
