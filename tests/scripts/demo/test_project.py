"""The copy of the project: all that the stages need, nothing of a release, and never trained anew without a reason."""

from pathlib import Path

import pytest

from kickpipe.params import load_params
from scripts.demo.plan import make_plan
from scripts.demo.project import MODELS, Copy, pull_models

ROOT = Path(__file__).parents[3]


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(ROOT, tmp_path / "copy")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_it_has_what_the_stages_need_and_neither_the_lock_nor_data_nor_models(copy):
    copy.update(None)
    files = set(snapshot(copy.path))
    assert {"dvc.yaml", "params.yaml", ".dvc/config", "stages/train_vae.py", "kickpipe/cli/__init__.py"} <= files
    assert not [name for name in files if name.endswith((".safetensors", ".lock", ".pyc")) or name.startswith("data/")]


def test_with_the_same_source_it_keeps_everything(copy, tmp_path):
    copy.update(tmp_path)
    state = copy.path / "checkpoints" / "runs" / "state.pt"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"a training")
    before = snapshot(copy.path)
    copy.update(tmp_path)
    after = snapshot(copy.path)
    assert {name: after[name] for name in before if name != "source.json"} == {
        name: before[name] for name in before if name != "source.json"
    }


def test_with_another_source_it_begins_anew(copy, tmp_path):
    copy.update(tmp_path)
    (copy.path / "left").write_bytes(b"from the other source")
    copy.update(None)
    assert not (copy.path / "left").exists()


def test_code_that_has_changed_is_brought_up_to_date(copy):
    copy.update(None)
    (copy.path / "stages" / "train_vae.py").write_text("old", encoding="utf-8")
    (copy.path / "stages" / "gone.py").write_text("old", encoding="utf-8")
    copy.update(None)
    assert (copy.path / "stages" / "train_vae.py").read_bytes() == (ROOT / "stages" / "train_vae.py").read_bytes()
    assert not (copy.path / "stages" / "gone.py").exists()


def test_params_are_the_same_each_time_they_are_written(copy, tmp_path):
    copy.update(tmp_path)
    plan = make_plan(ROOT, 18, True)
    copy.write_params(plan, tmp_path)
    first = (copy.path / "params.yaml").read_bytes()
    copy.write_params(plan, tmp_path)
    assert (copy.path / "params.yaml").read_bytes() == first
    params = load_params(copy.path / "params.yaml")
    assert params.aggregate.source_dir == tmp_path.as_posix()
    assert params.vae.init_from == "pretrained/vae.safetensors"


def test_models_that_are_there_are_not_pulled(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    for name in MODELS:
        (tmp_path / "checkpoints" / name).write_bytes(b"mine")
    said = []
    assert pull_models(tmp_path, said.append)
    assert said == []
    assert all((tmp_path / "checkpoints" / name).read_bytes() == b"mine" for name in MODELS)


def test_without_models_the_reason_is_said_and_the_demo_goes_on(tmp_path):
    said = []
    assert not pull_models(tmp_path, said.append)
    assert len(said) == 1 and "starts from nothing" in said[0] and "ERROR" in said[0]
