"""Recipes: what they refuse, and that they survive the way into a file and back."""

import json
import math

import numpy as np
import pytest

from kickpipe.generate.checks import RecipeError
from kickpipe.generate.recipe import Recipe, pack_latent, unpack_latent

LATENT = pack_latent(np.zeros((4, 8, 11)))

RECIPES = [
    Recipe(prompt="deep:0.7 808", negative="hard", guidance=3.5, seed=2**62, index=7, models={"vae": "ab"}),
    Recipe(kind="vary", sources=(LATENT,), names=("mine",), strength=0.25, sampler="ddpm", steps=1000),
    Recipe(kind="interpolate", sources=(LATENT, LATENT), position=0.25, path="latent", index=1),
    Recipe(kind="inpaint", sources=(LATENT,), regenerate_ms=(60.0, 2000.0), vocoder="griffin-lim", iterations=64),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.kind)
def test_a_recipe_survives_json(recipe):
    assert Recipe.from_dict(json.loads(recipe.to_json(kickpipe="0.1.0"))) == recipe


def test_a_recipe_does_not_list_what_its_kind_does_not_use():
    assert "strength" not in RECIPES[0].to_dict()
    assert "regenerate_ms" not in RECIPES[1].to_dict()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "clone"}, "kind: expected one of generate, vary"),
        ({"guidance": math.nan}, "guidance: expected a number from -100 to 100"),
        ({"guidance": math.inf}, "guidance"),
        ({"guidance": "2"}, "guidance"),
        ({"guidance": True}, "guidance"),
        ({"steps": 0}, "steps: expected a whole number from 1"),
        ({"steps": 2.5}, "steps"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"index": -1}, "index"),
        ({"sampler": "euler"}, r"sampler: expected one of dpm-solver\+\+, ddim, ddpm"),
        ({"vocoder": "wavenet"}, "vocoder"),
        ({"iterations": -1}, "iterations"),
        ({"prompt": None}, "prompt: expected a text"),
        ({"kind": "vary"}, "sources: vary needs 1, found 0"),
        ({"kind": "vary", "sources": (LATENT,), "strength": 1.5}, "strength: expected a number from 0 to 1"),
        ({"kind": "interpolate", "sources": (LATENT, LATENT), "sampler": "ddpm", "steps": 9}, "deterministic"),
        ({"kind": "inpaint", "sources": (LATENT,)}, "regenerate_ms"),
        ({"regenerate_ms": (0, 1)}, "regenerate_ms"),
        ({"kind": "inpaint", "sources": (LATENT,), "regenerate_ms": (0, 1, 2)}, "a begin and an end"),
        ({"kind": "inpaint", "sources": (LATENT,), "regenerate_ms": ("a", 1)}, "regenerate_ms: expected a number"),
        ({"models": ["x"]}, "models"),
        ({"kind": "vary", "sources": (LATENT,), "names": ("a", "b")}, "names: expected one for each source"),
        ({"kind": "vary", "sources": (LATENT,), "names": ("a" * 300,)}, "names"),
        ({"vocoder": "auto"}, "vocoder: expected what was chosen"),
        ({"steps": None}, "steps: expected what was chosen"),
    ],
)
def test_values_out_of_range_are_refused_by_name(values, message):
    with pytest.raises(RecipeError, match=message):
        Recipe(**values)


@pytest.mark.parametrize("values", [{"sources": 5}, {"regenerate_ms": 3}, {"seed": []}, {"models": {}, "kind": {}}])
def test_damaged_json_is_refused(values):
    with pytest.raises(RecipeError):
        Recipe.from_dict(values)


def test_a_latent_survives_packing():
    latent = np.random.default_rng(0).standard_normal((4, 8, 11)).astype(np.float32)
    assert np.array_equal(unpack_latent(pack_latent(latent), (4, 8, 11)), latent)


@pytest.mark.parametrize("text", ["", "AAAA", "!", LATENT[:-8], pack_latent(np.full((4, 8, 11), math.nan)), None, 7])
def test_what_is_no_latent_is_refused(text):
    with pytest.raises(RecipeError, match="sources"):
        unpack_latent(text, (4, 8, 11))
