"""Presets: what they write into a params file is complete, accepted, and leaves the rest as it is."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kickpipe.params import load_params

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.preset import apply_preset  # noqa: E402

PRESETS = sorted((ROOT / "presets").glob("*.yaml"))


@pytest.fixture
def params(tmp_path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_bytes((ROOT / "params.yaml").read_bytes())
    return path


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_every_preset_gives_params_that_are_accepted_and_holds_its_values(params, preset):
    apply_preset(params, preset)
    load_params(params)
    values = yaml.safe_load(params.read_text(encoding="utf-8"))
    for section, wanted in yaml.safe_load(preset.read_text(encoding="utf-8")).items():
        assert {name: values[section][name] for name in wanted} == wanted


def test_comments_and_other_values_stay(params):
    before = params.read_text(encoding="utf-8")
    changes = apply_preset(params, {"vae": {"epochs": 12345}})
    after = params.read_text(encoding="utf-8")
    assert len(changes) == 1 and changes[0].startswith("vae.epochs: ") and changes[0].endswith(" -> 12345")
    different = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert len(different) == 1 and "epochs: 12345" in different[0][1]


def test_a_preset_that_is_there_already_changes_nothing(params):
    apply_preset(params, PRESETS[0])
    before = params.read_bytes()
    assert apply_preset(params, PRESETS[0]) == []
    assert params.read_bytes() == before


def test_the_specification_is_the_same_after_any_other_preset(params):
    released = params.read_bytes()
    apply_preset(params, ROOT / "presets" / "specification.yaml")
    specified = load_params(params)
    training = ("audio", "aggregate", "split", "vae", "diffusion", "vocoder", "states")
    for preset in PRESETS:
        params.write_bytes(released)
        apply_preset(params, preset)
        apply_preset(params, ROOT / "presets" / "specification.yaml")
        found = load_params(params)
        assert {name: getattr(found, name) for name in training} == {
            name: getattr(specified, name) for name in training
        }


def test_a_name_that_the_params_do_not_have_is_refused_and_nothing_is_written(params):
    before = params.read_bytes()
    with pytest.raises(KeyError, match=r"vae\.epoch: in the preset, but not in the params"):
        apply_preset(params, {"vae": {"epoch": 1}})
    assert params.read_bytes() == before


def test_an_unknown_preset_is_refused_with_those_there_are():
    command = [sys.executable, str(ROOT / "scripts" / "preset.py"), "fintune"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "fintune" in done.stderr and all(path.stem in done.stderr for path in PRESETS)
