"""The training of the texture network, a step at a time and without files."""

import math

import pytest
import torch

from kickpipe.data.batches import EpochOrder
from kickpipe.data.split import Split
from kickpipe.models.texture import Texture
from kickpipe.models.vae import VAE
from kickpipe.training.device import Precision
from kickpipe.training.optimizer import ConstantRate
from kickpipe.training.texture import TextureTraining
from kickpipe.training.texture_objective import TextureObjective
from training.tiny import AUDIO, make_mels

FLOOR = math.log(AUDIO.mel_floor)


def training(num_kicks=6, held_out=2, share=0.5, lr=1e-2):
    torch.manual_seed(0)
    mels = make_mels(num_kicks + held_out)
    vae = VAE(AUDIO.n_mels, AUDIO.num_frames, (4, 4, 8), 2)
    return TextureTraining(
        Texture((4, 8)),
        vae,
        TextureObjective(FLOOR),
        Split(mels[:num_kicks], mels[num_kicks:]),
        order=EpochOrder(num_kicks, 4, 0),
        rate=ConstantRate(lr),
        precision=Precision(torch.device("cpu"), False),
        num_frames=40,
        posterior_share=share,
    )


def test_the_likelihood_is_greatest_at_the_mean_absolute_difference():
    generator = torch.Generator().manual_seed(0)
    mel = torch.zeros(1, 1, 100, 100)
    target = torch.randn(mel.shape, generator=generator)
    wanted = target.abs().mean().item()
    losses = {
        factor: TextureObjective(-10.0)(mel, torch.full_like(mel, math.log(factor * wanted)), mel, target)["loss"]
        for factor in (0.8, 1.0, 1.25)
    }
    assert losses[1.0] < losses[0.8] and losses[1.0] < losses[1.25]
    assert losses[1.0].item() == pytest.approx(1 + math.log(wanted), abs=1e-4)


def test_a_difference_in_silence_counts_little():
    mel = torch.full((1, 1, 4, 4), -10.0)
    mel[..., 0] = 0.0
    quiet, loud = mel.clone(), mel.clone()
    quiet[..., 3] += 0.5
    loud[..., 0] += 0.5
    zero = torch.zeros_like(mel)
    losses = [TextureObjective(-10.0)(zero, zero, mel, target)["loss"].item() for target in (mel, quiet, loud)]
    assert losses[2] - losses[0] > 10 * (losses[1] - losses[0]) > 0


def test_steps_lower_the_loss_and_leave_the_vae_alone():
    ours = training(share=0)
    before = {name: tensor.clone() for name, tensor in ours.vae.state_dict().items()}
    losses = [ours.step(ours.batch(step), step)["loss"].item() for step in range(40)]
    assert losses[-1] < losses[0] - 0.2
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.vae.state_dict().items())


def test_a_batch_is_a_function_of_the_step():
    ours = training()
    for first, second in zip(ours.batch(3), ours.batch(3), strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(ours.batch(3).noise, ours.batch(4).noise)


def test_a_share_of_the_latents_is_drawn_and_the_others_are_means():
    drawn = torch.cat([training().batch(step).noise.abs().amax(dim=(1, 2, 3)) > 0 for step in range(60)])
    assert 0.3 < drawn.float().mean() < 0.7
    assert not training(share=0).batch(0).noise.any()
    assert training(share=1).batch(0).noise.abs().amax(dim=(1, 2, 3)).all()


def test_validation_takes_means_and_draws_nothing():
    ours = training()
    first = ours.validate(1)
    torch.manual_seed(9)
    assert ours.validate(1) == first
    assert set(first) == {"loss", "l1", "deviation"} and all(math.isfinite(value) for value in first.values())


def test_without_held_out_kicks_there_are_no_validation_losses():
    assert training(held_out=0).validate(1) == {}
