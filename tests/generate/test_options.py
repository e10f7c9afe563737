"""Options: one object for Python, the command line and recipes, checked when it is made."""

import dataclasses
import math
from typing import get_args, get_type_hints

import pytest

from kickpipe.cli.options import HELP, Output, Series
from kickpipe.diffusion.sampling import SAMPLERS as IMPLEMENTED
from kickpipe.generate import Options, Recipe, RecipeError
from kickpipe.generate.options import (
    DEFAULT_ITERATIONS,
    DEFAULT_STEPS,
    SAMPLERS,
    VOCODERS,
    FileOptions,
    OptionNames,
    Precision,
    Sampler,
    Vocoder,
)


def names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def test_keyword_arguments_recipes_and_the_command_line_know_every_option():
    assert get_type_hints(OptionNames) == get_type_hints(Options)
    assert names(Options) <= names(Recipe)
    assert set(HELP) == names(Options) | names(FileOptions) | names(Output) | names(Series)


def test_there_is_a_default_for_every_choice():
    assert set(SAMPLERS) == set(IMPLEMENTED) == set(DEFAULT_STEPS) == set(get_args(Sampler))
    assert set(VOCODERS) == set(DEFAULT_ITERATIONS) == set(get_args(Vocoder))
    for sampler in SAMPLERS:
        assert Options(sampler=sampler).steps_or_default == DEFAULT_STEPS[sampler]
    for vocoder in VOCODERS:
        assert Options(vocoder=vocoder).vocoder_or_default("griffin-lim") == vocoder
    assert [Options().vocoder_or_default(vocoder) for vocoder in VOCODERS] == list(VOCODERS)
    assert [Options(negative=words).guidance_or_default for words in ("", " , ", "hard")] == [1.0, 1.0, 2.0]


def test_a_recipe_gives_back_its_options():
    options = Options(
        negative="hard", guidance=3.0, sampler="ddim", steps=7, texture=0.5, vocoder="hifigan", iterations=0
    )
    recipe = Recipe(
        negative="hard", guidance=3.0, sampler="ddim", steps=7, texture=0.5, vocoder="hifigan", iterations=0
    )
    assert recipe.options == dataclasses.replace(options, precision="float32")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"guidance": math.nan}, "guidance: expected a number from -100 to 100, found nan"),
        ({"guidance": "2"}, "guidance"),
        ({"steps": 0}, "steps: expected a whole number from 1"),
        ({"steps": 2.5}, "steps"),
        ({"iterations": 1001}, "iterations: expected a whole number from 0 to 1000, found 1001"),
        ({"sampler": "euler"}, r"sampler: expected one of dpm-solver\+\+, ddim, ddpm, found 'euler'"),
        ({"sampler": None}, "sampler"),
        ({"vocoder": "wavenet"}, "vocoder: expected one of auto, hifigan"),
        ({"precision": "float16"}, "precision: expected one of auto, float32, bfloat16, found 'float16'"),
        ({"negative": None}, "negative: expected a text, found None"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(values, message):
    with pytest.raises(RecipeError, match=message):
        Options(**values)


def test_precisions_are_those_of_recipes():
    for precision in get_args(Precision):
        assert Recipe(precision=precision).options.precision == precision


@pytest.mark.parametrize("bits", [8, 15, 20, 31, 33, True, "16"])
def test_bits_are_one_of_three(bits):
    with pytest.raises(RecipeError, match="bits: expected one of 16, 24, 32, found"):
        FileOptions(bits=bits)


@pytest.mark.parametrize(
    ("length", "accepted"), [(None, True), (20.0, True), (2000.0, True), (5.0, False), (9000.0, False)]
)
def test_a_length_that_no_kick_has_is_refused(length, accepted):
    options = FileOptions(length_ms=length)
    if accepted:
        options.check_length(2000.0)
        return
    with pytest.raises(RecipeError, match=f"length: expected 20 to 2000 ms.* found {length:g}"):
        options.check_length(2000.0)
