"""The way of trained models to other people: shipped with the repository, pulled into fresh clones, or over a team's remote."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from dvc_projects import ROOT, clone, commit, dvc, git, http_server, kickpipe, pretend_training, s3_server

from kickpipe.generate import KickGenerator

MODELS = ["diffusion.safetensors", "texture.safetensors", "vae.safetensors", "vocoder.safetensors"]
SHIPPED = (".dvc/config", ".dvc/remote", "release.json", "params.yaml", "dvc.lock", "metrics", "plots")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

# One worker: the clones are made once
pytestmark = [pytest.mark.dvc, pytest.mark.xdist_group("release")]


@pytest.fixture(scope="module")
def script():
    from scripts.release import ship

    return ship


@pytest.fixture(scope="module")
def trained(tmp_path_factory, settings) -> Path:
    """A clone in which tiny models were trained, as far as DVC can tell."""
    project = clone(ROOT, tmp_path_factory.mktemp("trained") / "project")
    pretend_training(project, settings)
    return project


@pytest.fixture(scope="module")
def shipped(script, trained, tmp_path_factory) -> Path:
    """Another clone, with the tiny models shipped and committed."""
    project = clone(ROOT, tmp_path_factory.mktemp("shipped") / "project")
    script.ship(project, "0.0", trained)
    commit(project, *SHIPPED)
    return project


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def check_clone(project: Path) -> None:
    """What everybody finds who clones the project: one pull, models that are verified, and nothing to run."""
    dvc(project, "pull")
    assert files_in(project / "checkpoints") == MODELS
    assert git(project, "status", "--porcelain") == ""
    found = json.loads(kickpipe(project, "verify", "--json"))
    assert [file["status"] for file in found["files"]] == ["released"] * len(MODELS)
    assert "up to date" in dvc(project, "repro", "--allow-missing", "--dry")
    assert not (project / "data").exists()
    made = json.loads(kickpipe(project, "generate", "deep", "--steps", 2, "--json", "--out", "kicks"))
    assert (project / made["kicks"][0]["path"]).stat().st_size > 1000


def test_a_fresh_clone_pulls_the_release_and_has_nothing_to_run(tmp_path):
    project = clone(ROOT, tmp_path / "project")
    if not (project / "release.json").is_file():
        pytest.skip("no release is committed yet")
    check_clone(project)
    assert sum(path.stat().st_size for path in (project / ".dvc" / "remote").rglob("*") if path.is_file()) <= 60_000_000


def test_models_shipped_with_the_repository_arrive_in_a_fresh_clone(shipped, tmp_path):
    check_clone(clone(shipped, tmp_path / "project"))


def test_the_remote_in_the_repository_is_named_relative_and_holds_nothing_but_the_models(shipped, script):
    assert "url = remote\n" in (shipped / ".dvc" / "config").read_text(encoding="utf-8")
    sizes = sorted(path.stat().st_size for path in (shipped / ".dvc" / "remote").rglob("*") if path.is_file())
    assert sizes == sorted((shipped / "checkpoints" / name).stat().st_size for name in MODELS)
    assert git(shipped, "status", "--porcelain") == ""


def test_a_release_is_not_shipped_when_code_has_changed_since_the_training(script, shipped, tmp_path):
    project = clone(shipped, tmp_path / "project")
    with (project / "kickpipe" / "models" / "vae.py").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    with pytest.raises(script.ShipError, match=r"train_vae: kickpipe/models/vae\.py modified"):
        script.ship(project, "0.1")
    assert git(project, "status", "--porcelain").split() == ["M", "kickpipe/models/vae.py"]


def test_more_than_60_mb_are_refused(script):
    script.check_size(60_000_000)
    with pytest.raises(script.ShipError, match=r"60\.0 MB"):
        script.check_size(60_000_001)


def test_outputs_beside_the_models_are_refused(script, tmp_path):
    outs = [{"data/raw": {"cache": False}}, "checkpoints/vae.safetensors", "data/processed"]
    (tmp_path / "dvc.yaml").write_text(json.dumps({"stages": {"all": {"outs": outs}}}), encoding="utf-8")
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"all": {}}}), encoding="utf-8")
    with pytest.raises(script.ShipError, match="data/processed would be pushed"):
        script.model_files(tmp_path)


def test_a_remote_with_other_files_is_refused(script, shipped, tmp_path):
    manifest = script.read_manifest(shipped / "release.json")
    remote = shutil.copytree(shipped / ".dvc" / "remote", tmp_path / "remote")
    script.check_remote(remote, manifest)
    (remote / "files" / "md5" / "ab").mkdir()
    (remote / "files" / "md5" / "ab" / "cdef").write_bytes(b"a sample")
    with pytest.raises(script.ShipError, match="ab/cdef"):
        script.check_remote(remote, manifest)


@pytest.fixture(params=["s3", "http"])
def team(request, tmp_path):
    """Commands that set up a team's own remote, and the environment they need."""
    if request.param == "s3":
        pytest.importorskip("dvc_s3")
        with s3_server("kicks", CREDENTIALS) as address:
            yield (["add", "-d", "team", "s3://kicks/models"], ["modify", "team", "endpointurl", address]), CREDENTIALS
    else:
        pytest.importorskip("dvc_http")
        with http_server(tmp_path / "served") as address:
            yield (["add", "-d", "team", f"{address}/models"], ["modify", "team", "method", "PUT"]), {}


def test_models_travel_over_a_remote_of_ones_own(shipped, team, tmp_path):
    commands, variables = team
    project = clone(shipped, tmp_path / "team")
    shutil.copytree(shipped / ".dvc" / "cache", project / ".dvc" / "cache")
    for command in commands:
        dvc(project, "remote", *command)
    assert f"{len(MODELS)} files pushed" in dvc(project, "push", **variables)
    commit(project, ".dvc/config")

    fresh = clone(project, tmp_path / "fresh")
    shutil.rmtree(fresh / ".dvc" / "remote")  # it could serve them too
    dvc(fresh, "pull", **variables)
    assert files_in(fresh / "checkpoints") == MODELS
    for name in MODELS:
        assert (fresh / "checkpoints" / name).read_bytes() == (shipped / "checkpoints" / name).read_bytes()
    kick = KickGenerator.load(fresh / "checkpoints").generate("deep", steps=2)[0]
    assert np.abs(kick.waveform).max() > 0


def test_git_never_touches_the_bytes_of_the_remote():
    name = ".dvc/remote/files/md5/ab/cdef"
    command = ["git", "check-attr", "text", "eol", "--", name, "dvc.lock"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a Git repository")
    assert f"{name}: text: unset" in done.stdout
    assert "dvc.lock: eol: lf" in done.stdout
    ignored = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT, check=False)
    assert ignored.returncode == 1
