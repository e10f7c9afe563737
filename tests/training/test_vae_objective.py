import math

import pytest
import torch

from kickpipe.training.vae_objective import VaeObjective, mel_convergence

OBJECTIVE = VaeObjective(kl_weight_start=1e-4, kl_weight_end=1e-3, kl_anneal_epochs=20)


def test_the_loss_is_the_weighted_sum_of_its_terms():
    target = torch.zeros(2, 1, 3, 5)
    mu, logvar = torch.full((2, 4, 1, 2), 2.0), torch.zeros(2, 4, 1, 2)
    terms = OBJECTIVE(target + 3, target, mu, logvar, epoch=0)
    kl = 8 * 0.5 * 2.0**2  # summed over 4 x 1 x 2 values of the latent, averaged over the batch
    expected = {"mse": 9, "l1": 3, "kl": kl, "loss": 9 + 3 + 1e-4 * kl}
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected)


def test_kl_is_that_of_two_gaussians():
    mu, logvar = torch.randn(3, 2, 2, 2), torch.randn(3, 2, 2, 2)
    mel = torch.zeros(3, 1, 4, 4)
    ours = OBJECTIVE(mel, mel, mu, logvar, epoch=0)["kl"]
    posterior = torch.distributions.Normal(mu, (logvar / 2).exp())
    exact = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(dim=(1, 2, 3)).mean()
    assert ours.item() == pytest.approx(exact.item(), rel=1e-5)


def test_a_perfect_reconstruction_from_the_prior_costs_nothing():
    mel, zeros = torch.randn(2, 1, 3, 5), torch.zeros(2, 4, 1, 2)
    assert OBJECTIVE(mel, mel, zeros, zeros, epoch=50)["loss"].item() == 0


@pytest.mark.parametrize(("epoch", "weight"), [(0, 1e-4), (10, 5.5e-4), (20, 1e-3), (99, 1e-3)])
def test_the_weight_of_kl_rises_linearly_over_twenty_epochs(epoch, weight):
    assert OBJECTIVE.kl_weight(epoch) == pytest.approx(weight)


def test_without_annealing_kl_has_its_last_weight_from_the_start():
    assert VaeObjective(1e-4, 1e-3, 0).kl_weight(0) == 1e-3


def test_spectral_convergence_is_the_relative_error_of_the_magnitudes():
    target = torch.zeros(2, 1, 3, 5)  # magnitudes of 1
    recon = target.clone()
    recon[0] = 2 * math.log(3)  # of 3 instead: |1 - 3| / |1|
    assert mel_convergence(recon, target).item() == pytest.approx((2 + 0) / 2)
    assert mel_convergence(torch.full_like(target, -40), target).item() == pytest.approx(1)  # silence
    mel = torch.randn(2, 1, 3, 5, requires_grad=True)
    mel_convergence(mel, mel.detach()).backward()
    assert mel.grad.abs().max() == 0


def test_the_spectral_convergence_counts_with_its_weight():
    recon, target, zeros = torch.randn(2, 1, 3, 5), torch.randn(2, 1, 3, 5), torch.zeros(2, 4, 1, 2)
    terms = VaeObjective(1e-4, 1e-3, 0, convergence_weight=0.5)(recon, target, zeros, zeros, epoch=0)
    without = VaeObjective(1e-4, 1e-3, 0)(recon, target, zeros, zeros, epoch=0)
    assert terms["loss"].item() == pytest.approx(without["loss"].item() + 0.5 * terms["convergence"].item())
    assert "convergence" not in without


def test_half_precision_reconstructions_are_compared_in_full():
    mel = torch.full((1, 1, 2, 2), 300.0)
    zeros = torch.zeros(1, 1, 1, 1)
    terms = OBJECTIVE((mel + 300).half(), mel, zeros, zeros, epoch=0)
    assert terms["mse"].item() == pytest.approx(90_000)  # above the largest number of fp16
