"""The VAE's training, a step at a time and without files."""

import math

import pytest
import torch

from kickpipe.data.batches import EpochOrder
from kickpipe.data.split import Split
from kickpipe.models.vae import VAE
from kickpipe.training.device import Precision
from kickpipe.training.optimizer import ConstantRate, CosineRate
from kickpipe.training.vae import VaeTraining
from kickpipe.training.vae_objective import VaeObjective
from training.tiny import AUDIO, make_mels

RATE = ConstantRate(1e-2)
OBJECTIVE = VaeObjective(1e-4, 1e-3, 2, 0.5)
PRECISION = Precision(torch.device("cpu"), mixed=False)


def make_training(num_val=2, rate=RATE, objective=OBJECTIVE):
    """6 mels in batches of 4: 2 steps an epoch."""
    mels = make_mels(6 + num_val)
    torch.manual_seed(0)
    model = VAE(AUDIO.n_mels, AUDIO.num_frames, (4, 4, 8), 2)
    return VaeTraining(
        model, objective, Split(mels[:6], mels[6:]), order=EpochOrder(6, 4, seed=0), rate=rate, precision=PRECISION
    )


def test_a_batch_and_its_noise_depend_on_the_step_alone():
    training = make_training()
    torch.manual_seed(5)
    first = training.batch(3)
    torch.manual_seed(6)
    again, other = training.batch(3), training.batch(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert first.mels.shape == (2, *AUDIO.mel_shape)  # the last of an epoch is smaller
    assert first.noise.shape == (2, *training.model.latent_shape)
    assert not torch.equal(first.noise, other.noise[:2])


def test_a_step_moves_every_parameter_and_tells_its_terms():
    training = make_training()
    before = [parameter.clone() for parameter in training.model.parameters()]
    terms = training.step(training.batch(0), 0)
    assert set(terms) == {"loss", "mse", "l1", "kl", "convergence", "grad_norm"}
    assert all(math.isfinite(term.item()) for term in terms.values())
    assert not any(torch.equal(a, b) for a, b in zip(before, training.model.parameters(), strict=True))


def test_the_terms_are_those_of_the_batch_and_its_noise():
    training = make_training()
    batch = training.batch(1)
    recon, mu, logvar = training.model(batch.mels, batch.noise)
    expected = training.objective(recon, batch.mels, mu, logvar, epoch=0)
    terms = training.step(batch, 1)
    for name, term in expected.items():
        torch.testing.assert_close(terms[name], term)


def test_a_step_is_taken_at_the_rate_of_its_schedule():
    training = make_training(rate=CosineRate(1e-2, 4))
    rates = []
    for step in range(3):
        training.step(training.batch(step), step)
        rates.append(training.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-2 * (1 + math.cos(math.pi * step / 4)) / 2 for step in range(3)])


def test_steps_lower_the_losses_on_both_sides_of_the_split():
    training = make_training()
    before = training.validate(1)
    first = training.step(training.batch(0), 0)
    for step in range(1, 12):
        last = training.step(training.batch(step), step)
    assert last["l1"] < first["l1"]
    assert training.validate(12)["l1"] < before["l1"]


def test_the_weight_of_kl_is_that_of_the_epoch_in_training_and_validation():
    training = make_training(objective=VaeObjective(0.0, 1.0, 1))  # nothing in the first epoch, 1 from the second on

    def kl_counts(terms):
        return abs(terms["loss"] - terms["mse"] - terms["l1"]) > 0.5 * terms["kl"]

    assert [bool(kl_counts(training.step(training.batch(step), step))) for step in range(4)] == [0, 0, 1, 1]
    assert [bool(kl_counts(training.validate(step))) for step in (1, 2, 3, 4)] == [0, 0, 1, 1]


def test_validation_is_a_mean_over_kicks_of_what_the_mean_of_the_latent_gives():
    training = make_training(num_val=5)  # batches of 4 and 1
    scalars = training.validate(2)
    mels = training.mels.val
    with torch.no_grad():
        recon, mu, _ = training.model.eval()(mels)
    assert scalars["l1"] == pytest.approx((recon - mels).abs().mean().item(), rel=1e-5)
    assert scalars["mu_std_1"] == pytest.approx(mu[:, 1].std(correction=0).item(), rel=1e-4)


def test_validation_changes_nothing():
    training = make_training()
    before = [parameter.clone() for parameter in training.model.parameters()]
    assert training.validate(2) == training.validate(2)
    assert all(torch.equal(a, b) for a, b in zip(before, training.model.parameters(), strict=True))


def test_without_validation_kicks_there_is_nothing_to_tell():
    assert make_training(num_val=0).validate(2) == {}


def test_a_training_tells_how_many_examples_a_step_has():
    assert make_training().examples_per_step == 4
