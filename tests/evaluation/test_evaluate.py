import json
from dataclasses import replace

import numpy as np
import pytest

from kickpipe.evaluation.analysis import Analyser
from kickpipe.evaluation.evaluate import EvaluationOptions, evaluate, generate_set
from kickpipe.evaluation.library import Choice, load_library
from kickpipe.evaluation.summary import COLUMNS

OPTIONS = EvaluationOptions(
    prompts=("", "deep"),
    count=25,
    seed=1,
    guidance=2.0,
    compare=300,
    draws=2,
    round_trips=8,
    keywords=2,
    keyword_kicks=4,
    guidances=(1.0, 2.0),
)


@pytest.fixture(scope="module")
def library(data, settings):
    return load_library(data, settings, Choice(0.0, ("heldout/*",), 1000), Analyser(settings.sample_rate))


@pytest.fixture(scope="module")
def evaluation(generator, library):
    return evaluate(generator, library, OPTIONS)


def test_every_section_is_answered_and_json_holds_no_nan(evaluation):
    json.dumps(evaluation.details, allow_nan=False)
    json.dumps(evaluation.metrics, allow_nan=False)
    assert list(evaluation.metrics)[: len(COLUMNS)] == list(COLUMNS)
    for column in set(COLUMNS) - {"voc_onset", "voc_tail", "voc_low"}:  # random weights may give a silent tail
        assert evaluation.metrics[column] is not None, column
    assert evaluation.details["distances"]["number"] == 24


def test_random_weights_are_far_from_real_and_training_kicks_are_not(evaluation):
    assert evaluation.metrics["kad"] > 10 * abs(evaluation.metrics["kad_train"])
    assert evaluation.metrics["coverage"] < 0.5 < evaluation.metrics["coverage_train"]


def test_griffin_lim_beats_a_random_vocoder_and_the_low_band_both(evaluation):
    convergence = {name: trip["convergence"]["mean"] for name, trip in evaluation.details["round_trips"].items()
                   if name in ("griffin_lim", "hifigan", "retrieved")}  # fmt: skip
    assert convergence["retrieved"] < convergence["griffin_lim"] < 0.5 < convergence["hifigan"]
    assert evaluation.metrics["gl_conv"] == pytest.approx(convergence["griffin_lim"], abs=1e-3)
    assert evaluation.metrics["gl_low"] > 0.5


def test_keywords_are_tested_at_every_guidance_with_their_ceiling_and_base(evaluation):
    deep = evaluation.details["keywords"]["deep"]
    assert deep["real"] == 23
    assert set(deep["guidance"]) == {"1", "2"}
    assert 0 <= deep["guidance"]["2"]["top1"] <= 1
    assert 0 <= deep["ceiling"]["auc"] <= 1 and 0 <= deep["base"]["auc"] <= 1


def test_the_nearest_training_kick_is_named(evaluation, library):
    assert len(evaluation.nearest_training) == len(evaluation.generated)
    assert all(name in library.trained_on for name, _ in evaluation.nearest_training)


def test_the_generated_set_is_fixed_by_prompts_count_and_seed(generator):
    sets = [np.concatenate([w for w, _ in generate_set(generator, ("", "deep"), 3, 1, 2.0)]) for _ in range(2)]
    names = [name for _, batch in generate_set(generator, ("", "deep"), 3, 1, 2.0) for name in batch]
    assert np.array_equal(*sets)
    assert names == ["no prompt, seed 1, kick 0", "no prompt, seed 1, kick 1", "deep, seed 1, kick 2"]


def test_without_held_out_kicks_measures_are_null_with_a_reason_and_the_rest_goes_on(generator, data, settings):
    library = load_library(data, settings, Choice(0.0, (), 40), Analyser(settings.sample_rate))
    options = replace(OPTIONS, count=4, prompts=("",), guidances=(1.0,))
    found = evaluate(generator, library, options).metrics
    assert found["kad"] is None and found["vae_l1"] is None and found["memory"] is None
    assert "held-out" in found["missing"]["vae_l1"]
    assert "needed" in found["missing"]["kad"]
    assert found["defects"] is not None and found["copies"] is not None
