"""How long a demo trains: by the library, and never longer than somebody waits."""

from pathlib import Path

import pytest
import yaml

from kickpipe.params import load_params
from scripts.demo.plan import MAX_KICKS, Speed, make_plan
from scripts.preset import apply_preset

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("pretrained", [True, False])
def test_steps_shrink_with_the_library(pretrained):
    few, usual = (make_plan(ROOT, number, pretrained) for number in (18, 150))
    for stage in usual.steps:
        assert few.steps[stage] <= max(usual.steps[stage] / 4, 60)
    assert few.seconds(Speed()) < 0.6 * usual.seconds(Speed())


@pytest.mark.parametrize("pretrained", [True, False])
def test_many_kicks_take_no_more_steps_than_the_usual_number(pretrained):
    usual, most = (make_plan(ROOT, number, pretrained) for number in (150, MAX_KICKS))
    assert all(most.steps[stage] <= usual.steps[stage] for stage in usual.steps)


@pytest.mark.parametrize("pretrained", [True, False])
def test_the_usual_library_is_trained_as_the_presets_say(pretrained):
    plan = make_plan(ROOT, 150, pretrained)
    preset = yaml.safe_load((ROOT / "presets" / ("finetune.yaml" if pretrained else "demo.yaml")).read_text())
    assert plan.presets[-1]["vae"]["epochs"] == preset["vae"]["epochs"]
    assert plan.presets[-1]["vocoder"]["epochs"] == preset["vocoder"]["epochs"]
    assert plan.steps["train_diffusion"] == preset["diffusion"]["iterations"]


@pytest.mark.parametrize("number", [1, 18, 150, MAX_KICKS])
@pytest.mark.parametrize("pretrained", [True, False])
def test_every_plan_gives_params_that_are_accepted(tmp_path, number, pretrained):
    params = tmp_path / "params.yaml"
    params.write_bytes((ROOT / "params.yaml").read_bytes())
    plan = make_plan(ROOT, number, pretrained)
    for preset in plan.presets:
        apply_preset(params, preset)
    assert load_params(params).diffusion.iterations == plan.steps["train_diffusion"]


def test_a_preset_of_ones_own_comes_last_and_counts(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("diffusion: {iterations: 7}\n", encoding="utf-8")
    plan = make_plan(ROOT, 150, True, own)
    assert plan.steps["train_diffusion"] == 7
    assert plan.presets[-1] == {"diffusion": {"iterations": 7}}


def test_a_machine_that_is_twice_as_slow_takes_twice_as_long():
    plan = make_plan(ROOT, 150, True)
    reference = Speed()
    slow = Speed(2 * reference.vae_seconds)
    assert plan.seconds(slow) == pytest.approx(2 * plan.seconds(reference))
    assert plan.seconds(slow) == pytest.approx(sum(plan.stage_seconds(stage, slow) for stage in plan.stages))
