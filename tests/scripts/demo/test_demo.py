"""The whole demo with tiny models: kicks first, then the pipeline; Ctrl-C loses nothing."""

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
from dvc_projects import ROOT, clone
from tiny_models import CONFIGS, write_tiny_models

from kickpipe.synth import write_library
from scripts.demo.project import MODELS
from scripts.release.examples import EXAMPLES

pytestmark = [pytest.mark.dvc, pytest.mark.xdist_group("demo")]
TIMEOUT = 900  # seconds a command: on an idle machine the longest takes one

# Networks and steps of tests/tiny_models.py
TINY = {
    "vae": {"channels": CONFIGS["vae"]["channels"], "epochs": 150, "batch_size": 4, "checkpoint_every_epochs": 10},
    "diffusion": {name: CONFIGS["diffusion"][name] for name in ("channels", "time_dim", "cond_dim", "embedding_dim")}
    | {"iterations": 3, "validate_every": 3, "checkpoint_every": 3, "batch_size": 8},
    "vocoder": {"channels": 32, "resblock_kernels": [3], "resblock_dilations": [1, 3]}
    | {"batch_size": 8, "epochs": 1, "segment_size": 2048},
    "evaluate": {"count": 4, "real": 8, "compare": 4, "draws": 2, "round_trips": 1, "keywords": 1, "keyword_kicks": 4}
    | {"guidances": [1.0]},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A clone with tiny models in the place of the released ones, and a folder of 12 kicks."""
    from kickpipe.params import load_params

    project = clone(ROOT, tmp_path_factory.mktemp("demo") / "project")
    for name in (
        "scripts",
        "stages",
        "kickpipe",
        "presets",
        "dvc.yaml",
        "params.yaml",
    ):  # as they are, not as committed
        target = project / name
        if target.is_dir():
            shutil.rmtree(target)
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    write_tiny_models(project / "checkpoints", load_params(ROOT / "params.yaml").audio.settings())
    (project / "tiny.yaml").write_text(yaml.safe_dump(TINY), encoding="utf-8")
    write_library(project / "mine", 12, seed=0)
    return project


def start(project: Path) -> subprocess.Popen[str]:
    own = project.parent / "dvc"
    folders = {f"DVC_{name}_DIR": str(own) for name in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")}
    workers = {"KICKPIPE_WORKERS": "1", "KICKPIPE_THREADS": "1", "OMP_NUM_THREADS": "1", "KICKPIPE_DEVICE": "cpu"}
    command = [sys.executable, "-m", "scripts.demo", "--source", "mine", "--preset", "tiny.yaml"]
    return subprocess.Popen(
        command, cwd=project, env={**os.environ, **folders, **workers, "PYTHONPATH": str(project)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(scope="module")
def interrupted(project) -> tuple[list[str], list[str]]:
    """What a demo printed until its VAE had taken some steps, and after Ctrl-C then."""
    demo = start(project)
    before = []
    for line in demo.stdout:
        before.append(line.rstrip())
        if re.match(r"stage \d of \d: train_vae", line):
            break
    states = project / "build" / "demo" / "checkpoints" / "runs" / "train_vae"
    while demo.poll() is None and not list(states.rglob("vae_epoch_*.pt")):
        time.sleep(0.05)
    demo.send_signal(signal.SIGINT)
    after = demo.communicate(timeout=TIMEOUT)[0].splitlines()
    assert demo.returncode == 130, "\n".join([*before, *after])
    return before, after


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_eight_kicks_and_a_page_are_there_before_the_first_stage(project, interrupted):
    before, _ = interrupted
    page = next(number for number, line in enumerate(before) if "before.html" in line)
    first = next(number for number, line in enumerate(before) if line.startswith("stage 1 of "))
    assert page < first
    assert len(list((project / "kicks" / "demo" / "before").glob("*.wav"))) == len(EXAMPLES) == 8
    assert "<html" in (project / "kicks" / "demo" / "before.html").read_text(encoding="utf-8")[:200]
    assert re.match(r"12 kicks in .*mine: \d stages, about \d+ min on two idle cores", before[0])


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_says_one_line(interrupted):
    _, after = interrupted
    said = [line for line in after if not line.startswith("  ")]  # what the stage told until then
    assert len(said) == 1
    assert re.fullmatch(r"stopped in stage \d of \d \(train_vae\); run the same command to continue", said[0])


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_the_same_command_continues_and_ends_with_kicks_of_new_models(project, interrupted):
    demo = start(project)
    printed = demo.communicate(timeout=TIMEOUT)[0]
    assert demo.returncode == 0, printed
    assert re.search(r"train_vae: resumes at step [1-9]", printed)
    stages = list(yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
    ran = re.findall(r"^stage (\d) of \d: (\w+)", printed, re.MULTILINE)
    before = [stage for stage in stages if stage not in [name for _, name in ran]]
    assert {"aggregate", "preprocess"} <= set(before)
    assert [int(number) for number, _ in ran] == list(range(len(before) + 1, len(stages) + 1))
    out = project / "kicks" / "demo"
    assert len(list((out / "after").glob("*.wav"))) == 8
    assert (out / "after.html").is_file() and (out / "report.html").is_file()
    for name in MODELS:
        assert (out / "models" / name).read_bytes() != (project / "checkpoints" / name).read_bytes()
    assert not (project / "build" / "demo").exists()
