import json
from dataclasses import replace

import numpy as np
import pytest

from kickpipe.evaluation.analysis import Analyser
from kickpipe.evaluation.evaluate import EvaluationOptions, evaluate, generate_set, requests, set_peak
from kickpipe.evaluation.keywords import evaluate_keywords
from kickpipe.evaluation.library import Choice, load_library
from kickpipe.evaluation.measures import HEADLINE

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
    return load_library(
        data, settings, Choice(0.0, ("heldout/*",), 1000), Analyser(settings.sample_rate, settings.hop_length)
    )


@pytest.fixture(scope="module")
def evaluation(generator, library):
    return evaluate(generator, library, OPTIONS)


def test_every_section_is_answered_and_json_holds_no_nan(evaluation):
    json.dumps(evaluation.details, allow_nan=False)
    assert list(evaluation.metrics) == list(HEADLINE)
    # Training and held-out kicks are of one kind here, so their distance may be below 0, and nothing is a multiple of it.
    no_ratio = evaluation.metrics["kernel_ratio"] is None
    assert no_ratio == ("kernel_ratio" in evaluation.details["reasons"])
    assert all(isinstance(value, float) for name, value in evaluation.metrics.items() if name != "kernel_ratio")
    assert evaluation.details["distances"]["number"] == 24
    assert all(evaluation.details[section] for section in ("kicks", "defects", "copies", "round_trips", "keywords"))


def test_random_weights_are_far_from_real_and_training_kicks_are_not(evaluation):
    measures = evaluation.details["distances"]["embeddings"]["levels"]
    kernel = {name: value["median"] for name, value in measures["kernel"].items()}
    assert kernel["generated"] > 10 * abs(kernel["training"])
    assert measures["coverage"]["generated"]["median"] < 0.5 < measures["coverage"]["training"]["median"]
    assert evaluation.metrics["coverage"] == measures["coverage"]["generated"]["median"]


def test_griffin_lim_beats_a_random_vocoder_and_the_low_band_both(evaluation):
    convergence = {name: trip["convergence"]["mean"] for name, trip in evaluation.details["round_trips"].items()
                   if name in ("griffin_lim", "hifigan", "vocoder")}  # fmt: skip
    assert convergence["vocoder"] < convergence["griffin_lim"] < 0.5 < convergence["hifigan"]
    assert evaluation.details["round_trips"]["griffin_lim"]["low_correlation"]["mean"] > 0.5


def test_keywords_are_tested_at_every_guidance(evaluation, generator, library):
    direct = evaluate_keywords(generator, library, 2, 4, (1.0, 2.0), OPTIONS.seed)
    assert evaluation.details["keywords"] == direct
    assert direct["deep"]["real"] == 23
    assert set(direct["deep"]["guidance"]) == {"1", "2"}


def test_the_nearest_training_kick_is_named(evaluation, library):
    assert len(evaluation.nearest_training) == len(evaluation.generated)
    assert all(name in library.trained_on for name, _ in evaluation.nearest_training)


def test_the_generated_set_is_fixed_by_prompts_count_and_seed(generator):
    asked = requests(replace(OPTIONS, count=3))
    sets = [np.concatenate([waveforms for waveforms, _ in generate_set(generator, asked)]) for _ in range(2)]
    names = [name for _, batch in generate_set(generator, asked) for name in batch]
    assert np.array_equal(*sets)
    assert names == ["no prompt, seed 1, kick 0", "no prompt, seed 1, kick 1", "deep, seed 1, kick 2"]
    again = next(iter(generator.stream("deep", count=1, seed=1, first=2, guidance=2.0))).waveform
    assert np.array_equal(sets[0][2], set_peak(again, generator.settings.peak_db)), "what the page says makes it again"


def test_without_held_out_kicks_measures_are_null_with_a_reason_and_the_rest_goes_on(generator, data, settings):
    library = load_library(data, settings, Choice(0.0, (), 40), Analyser(settings.sample_rate, settings.hop_length))
    options = replace(OPTIONS, count=4, prompts=("",), guidances=(1.0,))
    found = evaluate(generator, library, options)
    assert found.metrics["kernel_ratio"] is found.metrics["coverage"] is found.details["round_trips"] is None
    assert found.details["copies"]["ratio"] is None
    reasons = found.details["reasons"]
    assert "held-out" in reasons["round_trips"] and "held-out" in reasons["copies.ratio"]
    assert "needed" in reasons["kernel_ratio"] and "needed" in reasons["coverage"]
    assert found.metrics["defects"] is not None and found.metrics["copies"] is not None
