"""The whole pipeline under real DVC, on a small synthesised library: what runs, what does not, and how one goes back.

The first ``dvc repro`` is shared; every test works in a copy of the project that it left.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from kickpipe.synth import write_library

ROOT = Path(__file__).parents[1]
STAGES = list(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
TRACKED = ("dvc.yaml", "params.yaml", ".dvcignore", ".gitignore", ".dvc/config", "kickpipe", "stages", "pretrained")
MODELS = ("vae", "texture", "diffusion", "vocoder")
TIMEOUT = 900  # seconds a command: on an idle machine the longest takes one

# Small sounds, small networks, few steps
TINY = {
    "audio": {"duration": 0.25, "n_fft": 512, "hop_length": 128, "n_mels": 32, "fade_seconds": 0.02},
    "split": {"validation_share": 0.2},
    "vae": {"channels": [4, 4, 4, 8], "batch_size": 8, "epochs": 2, "checkpoint_every_epochs": 1},
    "texture": {"channels": [4, 8], "steps": 2, "validate_every": 1, "checkpoint_every": 2},
    "diffusion": {
        "channels": [8, 8],
        "time_dim": 8,
        "cond_dim": 16,
        "embedding_dim": 8,
        "num_timesteps": 50,
        "min_count": 2,
    }
    | {"batch_size": 8, "iterations": 4, "validate_every": 2, "checkpoint_every": 2},
    "vocoder": {"channels": 16, "upsample_rates": [16, 8], "upsample_kernels": [32, 16], "resblock_kernels": [3]}
    | {
        "resblock_dilations": [1],
        "periods": [2],
        "num_scales": 1,
        "discriminator_width": 0.02,
        "reconstruction_steps": 0,
    }
    | {
        "discriminator_warmup_steps": 0,
        "batch_size": 8,
        "segment_size": 1024,
        "epochs": 1,
        "checkpoint_every_epochs": 1,
    },
    "evaluate": {"count": 8, "real": 8, "compare": 4, "draws": 2, "round_trips": 2, "keywords": 1, "keyword_kicks": 4}
    | {"guidances": [1.0]},
}

pytestmark = [pytest.mark.dvc, pytest.mark.xdist_group("pipeline")]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """This Python first in the path, as in a virtual environment that is active, and no settings of the person who tests."""
    own = tmp_path_factory.mktemp("dvc")
    folders = {f"DVC_{name}_DIR": str(own / name) for name in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")}
    person = {
        f"GIT_{role}_{what}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    workers = {"KICKPIPE_WORKERS": "1", "KICKPIPE_THREADS": "1", "OMP_NUM_THREADS": "1", "KICKPIPE_DEVICE": "cpu"}
    quiet = {"DVC_NO_ANALYTICS": "1", "PYTHONDONTWRITEBYTECODE": "", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **folders, **person, **workers, **quiet, "PATH": path}


@pytest.fixture(scope="module")
def run(environment):
    """Runs ``run(project, "dvc", "repro")``; returns what it printed, both streams together."""

    def call(project: Path, *command: str, fails: bool = False, **variables: str) -> str:
        executable = shutil.which(command[0], path=environment["PATH"])
        assert executable, f"{command[0]} not found"
        done = subprocess.run(
            [executable, *command[1:]], cwd=project, env={**environment, **variables}, timeout=TIMEOUT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )  # fmt: skip
        assert (done.returncode != 0) is fails, done.stdout
        return done.stdout

    return call


@pytest.fixture(scope="module")
def first(tmp_path_factory, run) -> tuple[Path, str]:
    """A project with a library and one commit, after its first ``dvc repro``, and what that printed; committed."""
    project = tmp_path_factory.mktemp("first") / "project"
    for name in TRACKED:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
        else:
            shutil.copy(ROOT / name, project / name)
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    for section, values in TINY.items():
        params[section] |= values
    params["aggregate"]["source_dir"] = "data/source"
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    write_library(project / "data" / "source", 24, seed=0)
    run(project, "git", "init", "--quiet")
    commit(run, project)
    printed = run(project, "dvc", "repro")
    commit(run, project)
    return project, printed


@pytest.fixture
def project(first, tmp_path) -> Path:
    """A copy of that project."""
    return shutil.copytree(first[0], tmp_path / "project", symlinks=True)


def commit(run, project: Path) -> None:
    run(project, "git", "add", "--all")
    run(project, "git", "commit", "--quiet", "--message", "test")


def stages_run(printed: str) -> list[str]:
    """The stages that DVC ran, in order."""
    return re.findall(r"Running stage '(\w+)'", printed)


def after(stage: str, *others: str) -> list[str]:
    """The stage, the stages that read what it writes, and so on, in order; ``others`` likewise."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    found = {stage, *others}
    for name in STAGES:
        written = {next(iter(o)) if isinstance(o, dict) else o for earlier in found for o in stages[earlier]["outs"]}
        if written & set(stages[name]["deps"]):
            found.add(name)
    return [name for name in STAGES if name in found]


def models(project: Path) -> dict[str, bytes]:
    return {name: (project / "checkpoints" / f"{name}.safetensors").read_bytes() for name in MODELS}


def values(project: Path) -> dict:
    return yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))


def test_the_first_repro_runs_every_stage_in_order(first):
    project, printed = first
    assert stages_run(printed) == STAGES
    assert "24 kicks of 27 files" in printed
    assert "24 tensors of 24 files" in printed
    assert len(list((project / "data" / "latents").glob("*.pt"))) == 24
    assert all(models(project).values())


def test_samples_and_what_is_made_of_them_stay_out_of_git_and_of_the_cache(first, run):
    project, _ = first
    tracked = run(project, "git", "ls-files").split("\n")
    assert not [name for name in tracked if name.startswith(("data/", "checkpoints/", "reports/"))]
    assert "dvc.lock" in tracked
    assert {f"metrics/{stage}.json" for stage in STAGES} <= set(tracked)
    cached = [path.read_bytes() for path in (project / ".dvc" / "cache").rglob("*") if path.is_file()]
    assert sorted(cached) == sorted(models(project).values())


def test_the_second_repro_does_nothing(project, run):
    before = models(project)
    printed = run(project, "dvc", "repro")
    assert stages_run(printed) == []
    assert "Data and pipelines are up to date" in printed
    assert models(project) == before
    assert run(project, "git", "status", "--porcelain") == ""


def test_metrics_and_plots_can_be_shown(project, run, tmp_path):
    shown = json.loads(run(project, "dvc", "metrics", "show", "--json"))
    files = shown[""]["data"]
    assert set(files) == {f"metrics/{stage}.json" for stage in STAGES}
    assert files["metrics/aggregate.json"]["data"]["kicks"] == 24
    assert files["metrics/train_vae.json"]["data"]["val_loss"] > 0
    printed = run(project, "dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    assert "failed" not in printed.lower()
    page = (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")
    for name in ("VAE loss", "diffusion loss", "vocoder mel distance"):
        assert name in page


def test_another_learning_rate_retrains_the_diffusion_model_alone_and_one_can_go_back(project, run):
    before = models(project)
    printed = run(project, "dvc", "exp", "run", "-S", "diffusion.lr=1e-5")
    assert stages_run(printed) == after("train_diffusion")
    assert float(values(project)["diffusion"]["lr"]) == 1e-5
    now = models(project)
    assert {name for name in MODELS if now[name] != before[name]} == {"diffusion"}
    changed = json.loads(run(project, "dvc", "params", "diff", "--json"))
    assert list(changed["params.yaml"]) == ["diffusion.lr"]

    run(project, "git", "restore", ".")
    run(project, "dvc", "checkout")
    assert models(project) == before
    assert set(stages_run(run(project, "dvc", "repro", "--dry"))) <= {"evaluate"}  # its page is in no cache
    assert stages_run(run(project, "dvc", "repro", "train_vae", "train_diffusion", "train_vocoder")) == []


def test_other_mels_rerun_all_that_is_made_of_mels(project, run):
    printed = run(project, "dvc", "exp", "run", "-S", "audio.n_mels=64")
    assert stages_run(printed) == after("preprocess") == [stage for stage in STAGES if stage != "aggregate"]


def test_a_comment_in_the_vocoder_retrains_the_vocoder_alone_and_to_the_same_bytes(project, run):
    before = models(project)
    with (project / "kickpipe" / "models" / "hifigan.py").open("a", encoding="utf-8") as file:
        file.write("\n# a comment\n")
    printed = run(project, "dvc", "repro")
    assert set(stages_run(printed)) <= {"train_vocoder", "evaluate"}
    assert stages_run(printed)[0] == "train_vocoder"
    assert models(project) == before


def test_queued_variants_retrain_the_diffusion_model_alone(project, run):
    queued = run(project, "dvc", "exp", "run", "--queue", "-C", "data", "-S", "diffusion.lr=1e-5,2e-5")
    assert queued.count("Queued experiment") == 2
    runs = project / "checkpoints" / "runs"
    before = {stage: len(list((runs / stage).iterdir())) for stage in STAGES if (runs / stage).exists()}
    printed = run(project, "dvc", "exp", "run", "--run-all", KICKPIPE_RUNS=str(runs))
    assert stages_run(printed) == 2 * after("train_diffusion")
    assert len(run(project, "dvc", "exp", "list", "--name-only").split()) == 2
    # their states and curves outlive the copies of the project that they ran in
    after_it = {stage: len(list((runs / stage).iterdir())) for stage in before}
    assert after_it == before | {"train_diffusion": before["train_diffusion"] + 2}
    assert run(project, "git", "status", "--porcelain") == ""  # the workspace is as it was


def test_a_mistyped_param_stops_before_any_work(project, run):
    params = values(project)
    params["vae"]["lr"] = "fast"
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    printed = run(project, "dvc", "repro", fails=True)
    assert stages_run(printed) == ["train_vae"]
    assert "vae.lr: Input should be a valid number" in printed
    assert "Traceback" not in printed


def test_a_run_that_lacks_its_samples_leaves_all_that_was_there(project, run):
    before = models(project)
    latents = sorted(path.name for path in (project / "data" / "latents").iterdir())
    (project / "data" / "source").rename(project / "data" / "elsewhere")
    printed = run(project, "dvc", "exp", "run", "-S", "diffusion.lr=1e-5", fails=True)
    assert "data/source" in printed.replace(os.sep, "/")
    (project / "data" / "source").mkdir()
    printed = run(project, "dvc", "repro", fails=True)
    assert stages_run(printed) == ["aggregate"]
    assert "error: data/source: no audio files; put samples there" in printed.replace(os.sep, "/")
    assert run(project, "git", "status", "--porcelain") == " M params.yaml\n"
    assert models(project) == before
    assert sorted(path.name for path in (project / "data" / "latents").iterdir()) == latents
    assert list((project / "data" / "raw").iterdir())


def interrupt(project: Path, environment: dict[str, str], *command: str) -> str:
    """Runs dvc until the training of the VAE has written a state, and presses Ctrl-C; returns what it printed."""
    runs = project / "checkpoints" / "runs" / "train_vae"
    before = set(runs.rglob("*.pt"))
    process = subprocess.Popen(
        [shutil.which("dvc", path=environment["PATH"]), *command],
        cwd=project,
        env={**environment, "KICKPIPE_SAVE_MINUTES": "0"},
        start_new_session=True,  # a group of its own, as a terminal gives to each command
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + TIMEOUT
    while set(runs.rglob("*.pt")) <= before:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode != 0
    return printed


@pytest.mark.skipif(os.name == "nt", reason="no signals to a group of processes on Windows")
def test_ctrl_c_saves_and_the_next_repro_continues(project, run, environment):
    params = values(project)
    params["vae"]["epochs"] = 30
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    printed = interrupt(project, environment, "repro", "train_vae")
    assert "interrupted: stopped at step" in printed
    assert "run the same command to continue" in printed
    assert "Traceback" not in printed
    printed = run(project, "dvc", "repro", "train_vae")
    assert "train_vae: resumes at step" in printed


@pytest.mark.skipif(os.name == "nt", reason="no signals to a group of processes on Windows")
def test_after_an_interrupted_experiment_one_line_brings_everything_back(project, run, environment):
    before = models(project)
    printed = interrupt(project, environment, "exp", "run", "-S", "vae.epochs=30")
    assert "Traceback" not in printed
    assert values(project)["vae"]["epochs"] == 30
    run(project, "git", "restore", "--staged", ".")
    run(project, "git", "restore", ".")
    run(project, "dvc", "checkout")
    assert run(project, "git", "status", "--porcelain") == ""
    assert models(project) == before
    assert stages_run(run(project, "dvc", "repro", "--dry")) == []
