import math

import pytest
import torch

from kickpipe.training.optimizer import ConstantRate, CosineRate, learning_rate, optimize, set_rate

SCALER = torch.amp.GradScaler("cpu", enabled=False)


def test_the_norm_of_the_gradient_is_that_of_all_parameters_together():
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x = torch.tensor([[3.0, 4.0]])
    assert optimize(optimizer, model(x).sum(), SCALER).item() == pytest.approx(math.sqrt(3**2 + 4**2 + 1))


def test_an_optimiser_step_goes_down_the_gradient_of_this_loss_alone():
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # a gradient left over would make the second step longer
        optimize(optimizer, 2 * model(torch.ones(1, 1)).sum(), SCALER)
    assert model.weight.item() == pytest.approx(1 - 2 * 0.1 * 2)


def test_the_learning_rate_stays_or_falls_along_half_a_cosine():
    assert learning_rate("constant", 0.5, 4) == ConstantRate(0.5)
    assert [ConstantRate(0.5)(step) for step in (0, 3)] == [0.5, 0.5]
    rate = learning_rate("cosine", 0.5, 4)
    assert rate == CosineRate(0.5, 4)
    assert [rate(step) for step in (0, 2, 4)] == pytest.approx([0.5, 0.25, 0])
    with pytest.raises(ValueError, match=r"linear.*constant or cosine"):
        learning_rate("linear", 0.5, 4)


def test_a_rate_is_that_of_all_parameters():
    a, b = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD([{"params": a.parameters(), "lr": 1.0}, {"params": b.parameters(), "lr": 2.0}])
    set_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
