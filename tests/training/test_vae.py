import math
import shutil

import pytest
import torch

from kickpipe.checkpoints import CheckpointError, load_model
from kickpipe.training.vae import VaeObjective, spectral_convergence, train_vae
from training.tiny import AUDIO, VAE, make_mels

OBJECTIVE = VaeObjective(kl_weight_start=1e-4, kl_weight_end=1e-3, kl_anneal_epochs=20)


def train(folder, num_val=2, fingerprint="f" * 64, **changes):
    mels = make_mels(8)
    places = {"runs": folder / "runs", "model_path": folder / "vae.safetensors"}
    split = 8 - num_val
    return train_vae(mels[:split], mels[split:], audio=AUDIO, **{**VAE, **changes}, fingerprint=fingerprint, **places)


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
    assert spectral_convergence(recon, target).item() == pytest.approx((2 + 0) / 2)
    assert spectral_convergence(torch.full_like(target, -40), target).item() == pytest.approx(1)  # silence
    mel = torch.randn(2, 1, 3, 5, requires_grad=True)
    spectral_convergence(mel, mel.detach()).backward()
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


def test_the_curves_have_a_row_an_epoch_with_training_and_validation_losses(tmp_path):
    rows = train(tmp_path).rows
    assert [row["step"] for row in rows] == [2, 4, 6]  # 6 mels in batches of 4
    for row in rows:
        assert {"loss", "mse", "l1", "kl", "convergence", "grad_norm", "val_loss", "val_l1", "val_mu_std_1"} <= set(row)
        assert all(math.isfinite(value) for value in row.values())


def test_training_lowers_the_loss(tmp_path):
    rows = train(tmp_path, epochs=5, lr=1e-2).rows
    assert rows[-1]["l1"] < rows[0]["l1"]
    assert rows[-1]["val_l1"] < rows[0]["val_l1"]


def test_the_cosine_schedule_is_what_the_optimiser_steps_with(tmp_path, monkeypatch):
    rates = []
    step = torch.optim.AdamW.step

    def watched(self, *arguments):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    train(tmp_path, epochs=2, lr=1e-2)
    assert rates == pytest.approx([1e-2 * (1 + math.cos(math.pi * i / 4)) / 2 for i in range(4)])


def test_without_validation_kicks_it_trains_all_the_same(tmp_path):
    rows = train(tmp_path, num_val=0).rows
    assert not any(name.startswith("val_") for name in rows[-1])
    assert load_model(tmp_path / "vae.safetensors", "vae").step == 6


def test_the_same_run_gives_the_same_file_and_another_seed_another(tmp_path):
    for name, changes in {"a": {}, "b": {}, "c": {"seed": 1}}.items():
        torch.manual_seed(hash(name) % 100)  # what happened before does not matter
        train(tmp_path / name, **changes)
    files = {name: (tmp_path / name / "vae.safetensors").read_bytes() for name in "abc"}
    assert files["a"] == files["b"] != files["c"]


def test_validation_does_not_change_what_is_learnt(tmp_path):
    mels = make_mels(8)
    for name, val in {"a": mels[6:], "b": mels[:0]}.items():
        places = {"runs": tmp_path / name, "model_path": tmp_path / f"{name}.safetensors"}
        train_vae(mels[:6], val, audio=AUDIO, **VAE, fingerprint="f" * 64, **places)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_a_finished_run_only_writes_its_model_file_again(tmp_path):
    first = train(tmp_path)
    content = (tmp_path / "vae.safetensors").read_bytes()
    (tmp_path / "vae.safetensors").unlink()
    again = train(tmp_path)
    assert (tmp_path / "vae.safetensors").read_bytes() == content
    assert again.rows == first.rows


def test_another_fingerprint_starts_anew(tmp_path, capsys):
    train(tmp_path)
    train(tmp_path, fingerprint="e" * 64)
    assert "resumes" not in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["e" * 16, "f" * 16]


def test_training_starts_from_the_weights_of_a_model_file(tmp_path):
    train(tmp_path / "first")
    start = shutil.copy(tmp_path / "first" / "vae.safetensors", tmp_path / "start.safetensors")
    train(tmp_path / "second", lr=1e-12, epochs=1, init_from=str(start))
    ours = load_model(tmp_path / "second" / "vae.safetensors", "vae").model.state_dict()
    for name, tensor in load_model(start, "vae").model.state_dict().items():
        torch.testing.assert_close(ours[name], tensor, rtol=0, atol=1e-9)


def test_a_start_of_another_architecture_is_refused_by_what_differs(tmp_path):
    train(tmp_path / "first")
    with pytest.raises(CheckpointError, match=r"init_from: .* latent_channels is 2 in the file, 3 in params.yaml"):
        train(tmp_path / "b", latent_channels=3, init_from=str(tmp_path / "first" / "vae.safetensors"))


def test_a_start_that_the_training_would_overwrite_is_refused(tmp_path):
    train(tmp_path)
    with pytest.raises(CheckpointError, match="is what this training writes"):
        train(tmp_path, fingerprint="e" * 64, init_from=str(tmp_path / "vae.safetensors"))
