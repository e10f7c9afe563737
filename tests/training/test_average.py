import pytest
import torch

from kickpipe.training.average import MovingAverage


def test_the_average_begins_as_the_network_and_does_not_learn_itself():
    model = torch.nn.Linear(2, 1)
    average = MovingAverage(model, 0.9, warmup=False)
    assert torch.equal(average.model.weight, model.weight)
    assert average.model.weight is not model.weight
    assert not average.model.weight.requires_grad and model.weight.requires_grad
    assert not average.model.training
    assert average.distance(model) == 0


def test_the_average_warms_up_as_specified():
    average = MovingAverage(torch.nn.Linear(1, 1), 0.9999, warmup=True)
    assert [average.decay_at(step) for step in (0, 1, 90)] == [1 / 10, 2 / 11, 91 / 100]
    assert average.decay_at(10**6) == 0.9999
    assert MovingAverage(torch.nn.Linear(1, 1), 0.9999, warmup=False).decay_at(0) == 0.9999


def test_the_average_moves_towards_the_model_and_copies_its_buffers():
    model = torch.nn.BatchNorm1d(1)
    average = MovingAverage(model, 0.9, warmup=False)
    torch.nn.init.constant_(average.model.weight, 1.0)
    torch.nn.init.constant_(model.weight, 2.0)
    model.running_mean.fill_(7.0)
    average.update(model, step=0)
    assert average.model.weight.item() == pytest.approx(0.9 * 1 + 0.1 * 2)
    assert average.model.running_mean.item() == 7.0
    assert model.weight.item() == 2.0


def test_the_distance_is_that_of_all_parameters_together():
    model = torch.nn.Linear(1, 1)
    average = MovingAverage(model, 0.9, warmup=False)
    with torch.no_grad():
        model.weight.add_(3.0)
        model.bias.sub_(4.0)
    assert average.distance(model) == pytest.approx(5.0)
