"""The denoiser's training, a step at a time and without files."""

import copy
import math

import pytest
import torch

from kickpipe.data.batches import EpochOrder, WeightedOrder
from kickpipe.data.split import Split
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.text import PAD
from kickpipe.models.unet import KeywordUNet
from kickpipe.training.average import MovingAverage
from kickpipe.training.device import Precision
from kickpipe.training.diffusion import DiffusionBatch, DiffusionTraining
from kickpipe.training.diffusion_objective import DiffusionObjective
from kickpipe.training.latents import LabelledLatents
from kickpipe.training.optimizer import ConstantRate

PRECISION = Precision(torch.device("cpu"), mixed=False)
NUM_TRAIN = 10
ORDER = EpochOrder(NUM_TRAIN, 4, seed=0)


def make_kicks(count, seed):
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(count, 2, 3, 5, generator=generator)
    return LabelledLatents(latents, torch.tensor([[0, 2], [1, PAD], [PAD, PAD]])[torch.arange(count) % 3])


def make_training(num_val=2, accumulation=2, dropout=0.15, order=ORDER, lr=1e-3):
    torch.manual_seed(0)
    model = KeywordUNet(3, 2, (4, 8), time_dim=4, cond_dim=8, embedding_dim=4)
    torch.nn.init.normal_(
        model.unet.output.weight, std=0.1
    )  # from zero, nothing before it would learn in the first step
    return DiffusionTraining(
        model,
        MovingAverage(model, 0.9, warmup=False),
        DiffusionObjective(NoiseSchedule(20, 1e-4, 0.02), dropout),
        Split(make_kicks(NUM_TRAIN, 1), make_kicks(num_val, 2)),
        order=order,
        accumulation=accumulation,
        rate=ConstantRate(lr),
        precision=PRECISION,
    )


def parameters(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def test_a_batch_with_all_that_is_drawn_depends_on_the_step_alone():
    training = make_training()
    torch.manual_seed(5)
    first = training.batch(7)
    torch.manual_seed(6)
    again, other = training.batch(7), training.batch(6)
    assert len(first) == 2
    for ours, same, different in zip(first, again, other, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, same, strict=True))
        assert not torch.equal(ours.noise, different.noise[: len(ours.noise)])
        assert ours.noise.shape == ours.latents.shape
        assert ours.timestep.min() >= 0 and ours.timestep.max() < 20
    assert not torch.equal(first[0].noise[:2], first[1].noise[:2])


def test_the_batches_of_a_step_follow_on_those_of_the_step_before():
    training = make_training()
    seen = torch.cat([part.latents for step in range(3) for part in training.batch(step)])
    expected = torch.cat([training.order(index) for index in range(6)])
    assert torch.equal(seen, training.kicks.train.latents[expected])


def test_the_weights_of_kicks_reach_the_batches():
    weights = torch.full((NUM_TRAIN,), 1e-9)
    weights[9] = 1.0
    training = make_training(order=WeightedOrder(weights, 4, seed=0))
    (part, _) = training.batch(0)
    assert torch.equal(part.latents, training.kicks.train.latents[[9, 9, 9, 9]])


def test_keywords_of_the_batch_are_dropped_at_random():
    training = make_training(dropout=0.5)
    parts = [part for step in range(200) for part in training.batch(step)]
    given = torch.cat([training.kicks.train.ids[training.order(index)] for index in range(400)])
    kept = (torch.cat([part.ids for part in parts]) == given).all(dim=1)[given[:, 0] != PAD]
    assert abs(kept.float().mean().item() - 0.5) < 5 * math.sqrt(0.25 / len(kept))


def test_a_step_moves_network_and_average():
    training = make_training()
    average = parameters(training.average.model)
    terms = training.step(training.batch(0), 0)
    assert set(terms) == {"loss", "grad_norm"}
    for before, now, current in zip(
        average, training.average.model.parameters(), training.model.parameters(), strict=True
    ):
        torch.testing.assert_close(now, 0.9 * before + 0.1 * current)
    network = parameters(training.model)
    for step in (1, 2, 3):  # what lies behind a convolution that starts at zero has no gradient in the first
        training.step(training.batch(step), step)
    assert not any(torch.equal(a, b) for a, b in zip(network, training.model.parameters(), strict=True))


def test_accumulated_batches_are_one_batch():
    apart, together = make_training(), make_training()
    parts = [part for part in apart.batch(0)]
    whole = DiffusionBatch(*(torch.cat(items) for items in zip(*parts, strict=True)))
    for training, batch in ((apart, parts), (together, [whole])):
        # of plain gradient descent: Adam would make much of a gradient of nearly nothing
        training.optimizer = torch.optim.SGD(training.model.parameters(), lr=1.0)
        training.rate = ConstantRate(1.0)
        training.loss_of_step = training.step(batch, 0)["loss"]
    torch.testing.assert_close(apart.loss_of_step, together.loss_of_step)
    for ours, theirs in zip(apart.model.parameters(), together.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_the_first_loss_of_a_network_that_predicts_nothing_is_the_variance_of_the_noise():
    training = make_training()
    torch.nn.init.zeros_(training.model.unet.output.weight)
    losses = [training.loss(training.model, part).item() for step in range(20) for part in training.batch(step)]
    num_values = 20 * NUM_TRAIN * 2 / 3 * 2 * 3 * 5
    assert abs(sum(losses) / len(losses) - 1) < 5 * math.sqrt(2 / num_values)


def test_validation_looks_at_the_average_and_always_with_the_same_noise():
    training = make_training()
    before = training.validate(1)
    assert before["ema_distance"] == 0
    with torch.no_grad():
        for parameter in training.model.parameters():
            parameter.add_(1.0)
    after = training.validate(2)
    assert after["loss"] == before["loss"]
    assert after["ema_distance"] == pytest.approx(sum(p.numel() for p in training.model.parameters()) ** 0.5, rel=1e-4)


def test_validation_is_a_mean_over_kicks_and_timesteps():
    training = make_training(num_val=3)
    constant = copy.deepcopy(training)
    seen = []

    def objective(model, latents, ids, timestep, noise):
        seen.append(timestep)
        return noise.new_tensor(float(len(latents)))

    constant.objective = type(
        "Objective", (), {"schedule": training.objective.schedule, "__call__": staticmethod(objective)}
    )()
    assert constant.validate(1)["loss"] == pytest.approx(3.0)
    spread = torch.stack(seen).float()
    assert spread.shape == (8, 3)
    assert (spread.diff(dim=0) > 0).all()  # from clean to noise
    assert spread.max() < 20


def test_without_validation_kicks_only_the_distance_is_told():
    assert set(make_training(num_val=0).validate(1)) == {"ema_distance"}


def test_a_training_tells_how_many_examples_a_step_has():
    assert make_training(accumulation=3).examples_per_step == 12
