"""The vocoder's training, a step at a time."""

import math

import pytest
import torch

from kickpipe.data.batches import EpochOrder
from kickpipe.data.crops import VocoderDataset
from kickpipe.data.split import Split
from kickpipe.models.discriminators import Discriminators
from kickpipe.models.hifigan import Generator
from kickpipe.training.device import Precision
from kickpipe.training.vocoder import Adam, Phases, VocoderTraining, frozen
from kickpipe.training.vocoder_objective import VocoderObjective
from training.tiny import AUDIO, write_pairs

PHASES = Phases(1, 1)
PRECISION = Precision(torch.device("cpu"), mixed=False)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    return folder, write_pairs(folder, 6)


@pytest.fixture
def make_training(pairs):
    data, names = pairs

    def make(num_val=2, phases=PHASES, batch_size=4):
        torch.manual_seed(0)
        sides = Split(names[num_val:], names[:num_val])
        kicks = sides.map(
            lambda part: VocoderDataset(data / "raw", data / "processed", part, AUDIO, 512, "sound", False)
        )
        return VocoderTraining(
            Generator(AUDIO.n_mels, 8, (8, 4), (16, 8), (3,), ((1, 3),)),
            Discriminators((2, 3), 2, 0.02),
            VocoderObjective(AUDIO, 2.0, 45.0, 1.0),
            kicks,
            order=EpochOrder(len(kicks.train), batch_size, seed=0),
            phases=phases,
            adam=Adam(1e-3, (0.8, 0.99), 0.9),
            precision=PRECISION,
        )

    return make


def take(training, *steps):
    return [training.step(training.batch(step), step) for step in steps]


def parameters(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(before, network):
    return all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_crops_depend_on_the_step_alone(make_training):
    training = make_training()
    torch.manual_seed(5)
    first = training.batch(3)
    torch.manual_seed(6)
    again, other = training.batch(3), training.batch(2)
    assert first.mels.shape == (4, AUDIO.n_mels, 16)
    assert first.waveforms.shape == (4, 512)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.waveforms, other.waveforms)


def test_terms_begin_with_the_part_of_the_training_they_belong_to(make_training):
    # one step without discriminators, one in which only they learn, then the game
    alone, taught, game = take(make_training(), 0, 1, 2)
    assert set(alone) == {"loss_g", "mel", "stft", "grad_norm_g", "lr"}
    assert set(taught) == set(alone) | {"loss_d", "grad_norm_d"}
    assert set(game) == set(taught) | {"adversarial", "feature_matching"}
    assert all(math.isfinite(term.item()) for term in game.values())


def test_discriminators_stay_as_they_are_before_their_time(make_training):
    training = make_training()
    generator, discriminators = parameters(training.generator), parameters(training.discriminators)
    take(training, 0)
    assert same(discriminators, training.discriminators)
    assert not same(generator, training.generator)
    take(training, 1)
    assert not same(discriminators, training.discriminators)


def test_what_the_generator_does_not_listen_to_does_not_reach_it(make_training):
    deaf, alone = make_training(phases=Phases(0, 100)), make_training(phases=Phases(100, 0))
    take(deaf, 0, 1)
    take(alone, 0, 1)
    assert same(parameters(deaf.generator), alone.generator)
    heard = make_training(phases=Phases(0, 0))
    take(heard, 0, 1)
    assert not same(parameters(heard.generator), alone.generator)


def test_the_game_teaches_each_side_its_own_loss(make_training):
    training = make_training(phases=Phases(0, 0))
    take(training, 0)
    assert all(parameter.requires_grad for parameter in training.discriminators.parameters())
    # the last gradient of the discriminators is that of loss_d: the generator's passed through them and left none
    real, fake = torch.randn(2, 512), torch.randn(2, 512, requires_grad=True)
    training.optimizer_d.zero_grad(set_to_none=True)
    training.teach_generator(real, fake, listens=True)
    assert all(parameter.grad is None for parameter in training.discriminators.parameters())
    assert fake.grad.abs().sum() > 0


def test_the_learning_rate_falls_once_an_epoch(make_training):
    training = make_training(batch_size=2)  # 2 steps an epoch
    rates = [terms["lr"].item() for terms in take(training, *range(6))]
    assert rates == pytest.approx([1e-3, 1e-3, 0.9e-3, 0.9e-3, 0.81e-3, 0.81e-3])


def test_the_rate_of_the_discriminators_falls_from_their_first_step_on(make_training):
    training = make_training(phases=Phases(2, 0))  # 1 step an epoch
    take(training, 0, 1)
    assert training.scheduler_d.get_last_lr() == [1e-3]
    take(training, 2)
    assert training.scheduler_d.get_last_lr() == pytest.approx([0.9e-3])


def test_validation_measures_whole_kicks(make_training):
    training = make_training()
    scalars = training.validate(1)
    waveforms = torch.stack([real for _, real in training.validation_pairs()])
    assert waveforms.shape == (2, AUDIO.num_samples)
    with torch.no_grad():
        fakes = torch.cat([training.vocode(mel[None]) for mel, _ in training.validation_pairs()])
    assert fakes.shape == waveforms.shape
    expected = [
        training.objective.mel(real[None], fake[None]).item() for real, fake in zip(waveforms, fakes, strict=True)
    ]
    assert scalars["mel"] == pytest.approx(sum(expected) / 2)
    assert set(scalars) == {"mel", "stft"}


def test_without_validation_kicks_there_is_nothing_to_tell(make_training):
    assert make_training(num_val=0).validate(1) == {}


def test_a_frozen_network_passes_gradients_through_and_learns_nothing():
    layer, x = torch.nn.Linear(2, 1), torch.randn(1, 2, requires_grad=True)
    with frozen(layer):
        layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    assert layer.weight.requires_grad
