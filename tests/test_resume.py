"""Real processes that are really killed: the same command again ends in the same bytes as if nothing had happened."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from training.tiny import change_params, write_project

STEPS = 40  # more than a process takes before it is killed
TIMEOUT = 600  # seconds; on an idle machine each process takes a few

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to another process")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    project = write_project(tmp_path_factory.mktemp("template") / "project")
    change_params(project, "vae", epochs=STEPS // 2, checkpoint_every_epochs=7)  # 2 steps an epoch
    change_params(project, "texture", steps=STEPS, validate_every=9, checkpoint_every=15)
    change_params(project, "diffusion", iterations=STEPS, validate_every=9, checkpoint_every=15)
    change_params(project, "vocoder", epochs=STEPS // 4, checkpoint_every_epochs=4)
    return project


def start(project: Path, stage: str, **environment: str) -> subprocess.Popen:
    """The command that DVC runs, in a process of its own."""
    settings = {
        "PYTHONDONTWRITEBYTECODE": "",
        "KICKPIPE_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "KICKPIPE_DEVICE": "cpu",
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}"],
        cwd=project,
        env={**os.environ, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen, code: int = 0) -> tuple[str, str]:
    """What it printed to both streams; it must end with ``code``."""
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == code, err
    return out, err


def states(project: Path, stage: str) -> list[Path]:
    return list((project / "checkpoints" / "runs" / stage).rglob("*.pt"))


def stop_at_random(project: Path, stage: str, number: signal.Signals) -> tuple[str, str]:
    """Runs a stage that saves after every step, and sends it a signal at some moment after its first save."""
    process = start(project, stage, KICKPIPE_SAVE_MINUTES="0")
    before = {path: path.stat().st_mtime_ns for path in states(project, stage)}
    deadline = time.monotonic() + TIMEOUT
    while {path: path.stat().st_mtime_ns for path in states(project, stage) if path.exists()} == before:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.1))
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130), err
    return out, err


OUTPUTS = {
    "train_vae": "checkpoints/vae.safetensors",
    "train_texture": "checkpoints/texture.safetensors",
    "train_diffusion": "checkpoints/diffusion.safetensors",
    "train_vocoder": "checkpoints/vocoder.safetensors",
}


@pytest.mark.parametrize(
    ("stage", "asked"),
    [
        ("train_vae", signal.SIGINT),
        ("train_texture", signal.SIGTERM),
        ("train_diffusion", signal.SIGTERM),
        ("train_vocoder", signal.SIGINT),
    ],
)
def test_a_killed_and_an_interrupted_run_end_in_the_bytes_of_an_uninterrupted_one(template, tmp_path, stage, asked):
    straight, stopped = (shutil.copytree(template, tmp_path / name) for name in ("straight", "stopped"))
    model = Path(OUTPUTS[stage])
    if stage == "train_vae":
        for project in (straight, stopped):
            (project / model).unlink()
    undisturbed = start(straight, stage)

    stop_at_random(stopped, stage, signal.SIGKILL)
    assert not (stopped / model).exists()
    out, err = stop_at_random(stopped, stage, asked)
    assert f"{stage}: resumes at step" in out
    assert "interrupted: stopped at step" in err
    assert "run the same command to continue" in err
    assert "Traceback" not in err
    assert not (stopped / model).exists()
    out, _ = finish(start(stopped, stage))
    assert f"{stage}: resumes at step" in out

    finish(undisturbed)
    for name in (model, f"metrics/{stage}.json", f"plots/{stage}.csv"):
        assert (stopped / name).read_bytes() == (straight / name).read_bytes(), name
    assert not list((stopped / "checkpoints").rglob("*.pt.partial"))


def test_other_params_never_take_over_a_state(template, tmp_path):
    project = shutil.copytree(template, tmp_path / "project")
    stop_at_random(project, "train_vae", signal.SIGKILL)
    change_params(project, "vae", lr=2e-3, epochs=1)
    out, _ = finish(start(project, "train_vae"))
    assert "resumes" not in out
    assert len(list((project / "checkpoints" / "runs" / "train_vae").iterdir())) == 2


def test_a_full_disk_is_one_line_for_a_person(template, tmp_path):
    resource = pytest.importorskip("resource")
    project = shutil.copytree(template, tmp_path / "project")
    model = (project / OUTPUTS["train_vae"]).read_bytes()
    limit = len(model)  # a state has the optimiser's moments on top
    command = [sys.executable, "-m", "stages.train_vae"]
    result = subprocess.run(
        command,
        cwd=project,
        env={**os.environ, "KICKPIPE_SAVE_MINUTES": "0", "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "the training state cannot be written" in result.stderr
    assert "free space or make the folder writable" in result.stderr
    assert (project / OUTPUTS["train_vae"]).read_bytes() == model


def test_a_device_that_is_not_there_is_one_line_for_a_person(template, tmp_path):
    project = shutil.copytree(template, tmp_path / "project")
    _, err = finish(start(project, "train_vae", KICKPIPE_DEVICE="gpu"), code=1)
    assert err.startswith("error: KICKPIPE_DEVICE=gpu: not available here")
    assert len(err.splitlines()) == 1
