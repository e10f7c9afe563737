"""What model files say of themselves: read without weights, and refused in one line where it cannot be."""

import json
import math
import re

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save
from tiny_models import COUNTS, WORDS, write_tiny_models

from kickpipe.checkpoints import CheckpointError
from kickpipe.generate import GenerateError, RecipeError
from kickpipe.generate.drafts import draft
from kickpipe.generate.facts import Facts
from kickpipe.generate.networks import Networks
from kickpipe.generate.options import Options


@pytest.fixture
def folder(tmp_path, settings):
    return write_tiny_models(tmp_path, settings)


def rewrite(path, change) -> None:
    """Lets ``change`` work on the metadata (a dictionary) of a model file."""
    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["kickpipe"])
    change(metadata)
    path.write_bytes(save(load_file(path), metadata={"kickpipe": json.dumps(metadata)}))


def test_facts_are_those_of_the_loaded_networks(folder, settings):
    facts = Facts.read(folder)
    assert facts == Networks.load(folder).facts
    assert facts.audio == settings
    assert facts.latent_shape == (4, 8, 11)
    assert (list(facts.vocabulary.words), list(facts.vocabulary.counts)) == (WORDS, COUNTS)
    assert (facts.num_timesteps, facts.beta_start, facts.beta_end) == (1000, 1e-4, 0.02)
    assert facts.latent_std == (1.0, 0.9, 1.1, 1.0)
    assert facts.column_ms == pytest.approx(185.76, abs=0.01)
    assert facts.duration_ms == 2000
    assert set(facts.hashes) == {"vae", "diffusion", "vocoder"} and facts.has_vocoder
    (folder / "vocoder.safetensors").unlink()
    assert not Facts.read(folder).has_vocoder


@pytest.mark.parametrize("sampler", ["dpm-solver++", "ddim", "ddpm"])
def test_a_short_noise_schedule_shortens_the_usual_number_of_steps(folder, sampler):
    short = {"num_timesteps": 10, "beta_start": 1e-3, "beta_end": 0.5}
    rewrite(folder / "diffusion.safetensors", lambda metadata: metadata["extra"].update(schedule=short))
    facts = Facts.read(folder)
    assert draft(facts, "", Options(sampler=sampler), seed=0, first=0).steps == 10
    assert draft(facts, "", Options(sampler=sampler, steps=3), seed=0, first=0).steps == 3


GOOD = {"rattling": 0.0, "distance": 0.2, "griffin_lim_distance": 0.3}


@pytest.mark.parametrize(
    ("quality", "vocoder"),
    [
        (None, "griffin-lim"),
        (GOOD, "hifigan+griffin-lim"),
        ({**GOOD, "rattling": 0.9}, "griffin-lim"),
        ({**GOOD, "distance": 0.4}, "griffin-lim"),
    ],
)
def test_the_file_of_a_vocoder_says_whether_it_is_used(folder, quality, vocoder):
    if quality is not None:
        rewrite(folder / "vocoder.safetensors", lambda metadata: metadata["extra"].update(quality=quality))
    assert Facts.read(folder).default_vocoder == vocoder
    assert draft(Facts.read(folder), "", Options(), 0, 0).vocoder == vocoder
    (folder / "vocoder.safetensors").unlink()
    assert Facts.read(folder).default_vocoder == "griffin-lim"


def test_a_quality_that_makes_no_sense_is_refused(folder):
    rewrite(folder / "vocoder.safetensors", lambda metadata: metadata["extra"].update(quality={"distance": "low"}))
    with pytest.raises(CheckpointError, match="vocoder model file is not one that kickpipe wrote: quality"):
        Facts.read(folder)


HOSTILE = {
    "schedule": [
        None,
        [],
        "linear",
        {"num_timesteps": 1000},
        {"num_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02, "gamma": 1},
        {"num_timesteps": "1000", "beta_start": 1e-4, "beta_end": 0.02},
        {"num_timesteps": 20_000_000, "beta_start": 1e-9, "beta_end": 1e-9},
        {"num_timesteps": 0, "beta_start": 1e-4, "beta_end": 0.02},
        {"num_timesteps": True, "beta_start": 1e-4, "beta_end": 0.02},
        {"num_timesteps": 1000, "beta_start": -1e-4, "beta_end": 0.02},
        {"num_timesteps": 1000, "beta_start": 1e-4, "beta_end": 1.0},
        {"num_timesteps": 1000, "beta_start": 0.8, "beta_end": 0.9},
        {"num_timesteps": 1000, "beta_start": 1e-4, "beta_end": math.nan},
    ],
    "vocabulary": [
        None,
        "kick",
        3,
        [1, 2, 3, 4, 5, 6],
        [None] * 6,
        WORDS[:2],
        ["kick"] * 6,
        ["", *WORDS[1:]],
        ["x" * 9999] * 6,
    ],
    "keyword_counts": [None, "many", COUNTS[:2], [1.5] * 6, ["9"] * 6, [-1] * 6],
    "latent_mean": [None, "0", 0.0, [], [0.0] * 3, ["0"] * 4, [None] * 4, [math.nan] * 4, [1e30] * 4],
    "latent_std": [None, [], [0.0] * 4, [-1.0] * 4, [math.inf] * 4],
    "latent_shape": [
        None,
        4,
        [],
        [4, 8],
        [4, 8, 11, 1],
        ["4", 8, 11],
        [4, 8, 0],
        [4, 8, -11],
        [4, 8, 1e9],
        [10**9] * 3,
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HOSTILE.items() for value in values])
def test_hostile_values_are_refused_in_one_line_that_names_them(folder, name, value):
    rewrite(folder / "diffusion.safetensors", lambda metadata: metadata["extra"].update({name: value}))
    for read in (Facts.read, Networks.load):
        with pytest.raises(CheckpointError, match="not one that kickpipe wrote") as caught:
            read(folder)
        message = str(caught.value)
        assert "\n" not in message and len(message) < 250
        assert re.search(rf"{name}|num_timesteps|vocabulary", message)


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_file_that_lacks_something_is_refused_by_its_name(folder, name):
    rewrite(folder / "diffusion.safetensors", lambda metadata: metadata["extra"].pop(name))
    with pytest.raises(CheckpointError, match=f"lacks {name}"):
        Facts.read(folder)


def test_models_of_other_audio_settings_are_refused(folder):
    rewrite(folder / "vocoder.safetensors", lambda metadata: metadata["audio"].update(peak_db=-3.0))
    with pytest.raises(GenerateError, match=r"vae and vocoder models do not belong together.*peak_db -1.0 and -3.0"):
        Facts.read(folder)


@pytest.mark.parametrize(
    ("begin", "end", "columns"),
    [
        (0, 100, [0]),
        (0, 185.7, [0]),
        (0, 190, [0, 1]),
        (190, 400, [1, 2]),
        (60, 2000, list(range(11))),
        (1900, 9999, [10]),
    ],
)
def test_columns_are_those_that_the_time_touches(folder, begin, end, columns):
    assert list(Facts.read(folder).columns(begin, end)) == columns


@pytest.mark.parametrize(
    ("begin", "end"), [(5, 5), (10, 5), (-1, 5), (3000, 4000), (float("nan"), 5), (0, float("nan"))]
)
def test_a_time_outside_the_kick_is_refused(folder, begin, end):
    with pytest.raises(RecipeError, match="regenerate_ms"):
        Facts.read(folder).columns(begin, end)
