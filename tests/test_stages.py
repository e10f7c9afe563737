"""The training stages on a tiny project: what their files hold, and what a model file that they start from gives them."""

import importlib
import shutil
from pathlib import Path

import pytest
import torch
from training.tiny import change_params, write_project

from kickpipe.checkpoints import CheckpointError, load_model

KINDS = ("vae", "texture", "diffusion", "vocoder")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("template") / "project")


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """The project, and where the process is."""
    copy = shutil.copytree(template, tmp_path / "project")
    monkeypatch.chdir(copy)
    monkeypatch.setenv("KICKPIPE_DEVICE", "cpu")
    return copy


@pytest.fixture(autouse=True)
def threads():
    """Stages set torch's threads."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def run(kind):
    """Runs a training stage; returns the bytes of its model file."""
    importlib.import_module(f"stages.train_{kind}").main()
    return path_of(kind).read_bytes()


def path_of(kind):
    return Path("checkpoints") / f"{kind}.safetensors"


def state(project, name):
    (path,) = project.rglob(name)
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_run_gives_the_same_file_and_another_seed_another(project, kind):
    first = run(kind)
    shutil.rmtree("checkpoints/runs")
    torch.manual_seed(5)  # what happened before does not matter
    assert run(kind) == first
    change_params(project, kind, seed=1)
    assert run(kind) != first


@pytest.mark.parametrize("kind", KINDS)
def test_a_finished_run_only_writes_its_files_again(project, kind, capsys):
    first, curves = run(kind), (project / "plots" / f"train_{kind}.csv").read_bytes()
    path_of(kind).unlink()
    assert run(kind) == first
    assert (project / "plots" / f"train_{kind}.csv").read_bytes() == curves
    assert f"train_{kind}: resumes at step 6 of 6" in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_other_params_start_anew(project, kind, capsys):
    run(kind)
    change_params(project, kind, lr=2e-3)
    run(kind)
    assert "resumes" not in capsys.readouterr().out
    assert len(list((project / "checkpoints" / "runs" / f"train_{kind}").iterdir())) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_how_many_states_are_kept_changes_no_number_and_no_run(project, kind, capsys):
    first = run(kind)
    change_params(project, "states", keep=None)
    assert run(kind) == first
    assert "resumes" in capsys.readouterr().out
    shutil.rmtree("checkpoints/runs")
    run(kind)
    assert len(list(project.rglob(f"{kind}_*_*.pt"))) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_file_tells_how_its_network_is_built(project, kind):
    run(kind)
    file = load_model(path_of(kind), kind)
    assert file.config == file.model.config
    assert file.step == 6


def test_the_model_file_of_the_denoiser_holds_the_average_the_vocabulary_and_the_statistics(project):
    run("diffusion")
    file = load_model(path_of("diffusion"), "diffusion")
    saved = state(project, "diffusion_step_6.pt")
    for name, tensor in file.model.state_dict().items():
        assert torch.equal(tensor, saved["ema"][name])
    assert file.extra["vocabulary"] == saved["vocabulary"] == ["deep", "hard", "kick"]
    assert file.extra["keyword_counts"] == [3, 3, 1]
    assert file.extra["latent_shape"] == [2, 2, 7]
    assert file.extra["latent_mean"] == pytest.approx([5, 5], abs=1.5)
    assert file.extra["latent_std"] == pytest.approx([3, 3], abs=1)
    assert file.extra["schedule"] == {"num_timesteps": 20, "beta_start": 1e-4, "beta_end": 0.02}


def test_the_model_file_of_the_vocoder_holds_the_generator(project):
    run("vocoder")
    saved = state(project, "vocoder_epoch_3.pt")
    generator = load_model(path_of("vocoder"), "vocoder").model.state_dict()
    assert all(torch.equal(tensor, saved["generator"][name]) for name, tensor in generator.items())
    assert {"discriminator", "optimizer_g", "optimizer_d", "scheduler_g", "scheduler_d"} <= set(saved)


def test_curves_have_a_row_a_validation(project):
    header = {}
    for kind in KINDS:
        run(kind)
        header[kind], *rows = (project / "plots" / f"train_{kind}.csv").read_text().splitlines()
        assert [int(row.split(",")[0]) for row in rows] == [2, 4, 6]
    assert header["vae"].startswith("step,loss,mse,l1,kl,convergence,grad_norm,val_loss,")
    assert header["texture"].startswith("step,loss,l1,deviation,grad_norm,val_loss,")
    assert header["diffusion"] == "step,loss,grad_norm,val_loss,val_ema_distance"
    assert header["vocoder"].startswith("step,loss_g,mel,stft,")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_held_out_or_shown_does_not_change_what_is_learnt(project, kind, monkeypatch):
    first = run(kind)
    monkeypatch.setattr(f"stages.train_{kind}.train", quietly(importlib.import_module("kickpipe.training.run").train))
    shutil.rmtree("checkpoints/runs")
    assert run(kind) == first


def quietly(train):
    """The loop without pictures and sounds."""
    return lambda training, schedule, values, show: train(training, schedule, values)


@pytest.mark.parametrize("kind", KINDS)
def test_without_validation_kicks_it_trains_all_the_same(project, kind):
    change_params(project, "split", validation_share=0)
    run(kind)
    header = (project / "plots" / f"train_{kind}.csv").read_text().splitlines()[0].split(",")
    assert [name for name in header if name.startswith("val_") and name != "val_ema_distance"] == []


def test_a_library_without_keywords_trains_an_unconditional_model(project):
    change_params(project, "diffusion", min_count=100)
    run("diffusion")
    file = load_model(path_of("diffusion"), "diffusion")
    assert file.extra["vocabulary"] == []
    ids = torch.zeros(1, 0, dtype=torch.long)
    with torch.inference_mode():
        assert file.model(torch.randn(1, 2, 2, 7), torch.tensor([3]), ids).isfinite().all()


def test_no_steps_write_a_model_file_that_says_so_and_no_state(project):
    change_params(project, "texture", steps=0)
    run("texture")
    assert load_model(path_of("texture"), "texture").step == 0
    assert not list(project.rglob("texture_*.pt"))
    assert (project / "metrics" / "train_texture.json").read_text().split() == ["{", '"step":', "0", "}"]


def test_texture_is_learnt_for_the_decoder_at_hand(project):
    first = run("texture")
    run("vae")
    assert run("texture") != first


@pytest.mark.parametrize("kind", ["vae", "vocoder"])
def test_a_training_starts_from_the_weights_of_a_model_file(project, kind):
    run(kind)
    start = shutil.copy(path_of(kind), project / "start.safetensors")
    change_params(project, kind, lr=1e-12, epochs=1, init_from=str(start))
    run(kind)
    ours = load_model(path_of(kind), kind).model.state_dict()
    for name, tensor in load_model(start, kind).model.state_dict().items():
        torch.testing.assert_close(ours[name], tensor, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_that_the_training_would_overwrite_is_refused(project, kind):
    run(kind)
    change_params(project, kind, init_from=str(path_of(kind)))
    with pytest.raises(CheckpointError, match="is what this training writes"):
        run(kind)


def test_a_start_of_another_architecture_is_refused_by_what_differs(project):
    run("vae")
    start = shutil.copy(path_of("vae"), project / "start.safetensors")
    change_params(project, "vae", latent_channels=3, init_from=str(start))
    with pytest.raises(CheckpointError, match=r"init_from: .* latent_channels is 2 in the file, 3 in params.yaml"):
        run("vae")
