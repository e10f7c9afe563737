"""The better of a network and Griffin-Lim is taken, by numbers that a stranger may have written."""

import json

import pytest

from kickpipe.audio.vocoder_quality import VocoderQuality


@pytest.mark.parametrize(
    ("rattling", "distance", "worth_using"),
    [
        (0.0, 0.30, True),
        (None, 0.30, True),
        (0.05, 0.29, True),
        (0.2, 0.20, False),
        (0.0, 0.31, False),
        (1.0, 0.4, False),
    ],
)
def test_a_network_is_used_if_it_neither_rattles_nor_measures_worse(rattling, distance, worth_using):
    quality = VocoderQuality(rattling, distance, 0.30)
    assert quality.is_worth_using == worth_using
    assert ("with the network" in quality.to_text()) == worth_using


def test_it_survives_a_model_file():
    quality = VocoderQuality(None, 0.25, 0.3)
    assert VocoderQuality.from_dict(json.loads(json.dumps(quality.to_dict()))) == quality


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        "good",
        {},
        {"rattling": 0.0, "distance": 0.1},
        {"rattling": 0.0, "distance": 0.1, "griffin_lim_distance": 0.1, "more": 1},
        {"rattling": 1.5, "distance": 0.1, "griffin_lim_distance": 0.1},
        {"rattling": 0.0, "distance": float("nan"), "griffin_lim_distance": 0.1},
        {"rattling": 0.0, "distance": -1, "griffin_lim_distance": 0.1},
        {"rattling": 0.0, "distance": True, "griffin_lim_distance": 0.1},
        {"rattling": 0.0, "distance": None, "griffin_lim_distance": 0.1},
        {"rattling": 0.0, "distance": "0" * 10_000, "griffin_lim_distance": 0.1},
    ],
)
def test_what_is_no_quality_is_refused_in_one_line(values):
    with pytest.raises(ValueError, match=r"^quality") as caught:
        VocoderQuality.from_dict(values)
    assert len(str(caught.value)) < 200
