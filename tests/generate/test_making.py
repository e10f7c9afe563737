"""From recipes to kicks: guidance, sources, gaps."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from kickpipe.diffusion.guidance import Guided
from kickpipe.generate.making import batches, decode_recipes, denoiser, sample
from kickpipe.generate.prompts import encode_prompt
from kickpipe.generate.recipe import Recipe, unpack_latent
from kickpipe.synth import synthesise

from .conftest import QUICK


@pytest.fixture(scope="module")
def networks(generator):
    return generator.networks


def test_recipes_that_differ_in_their_number_only_are_one_batch():
    deep = [Recipe(prompt="deep", index=i) for i in range(5)]
    hard = [dataclasses.replace(recipe, prompt="hard") for recipe in deep]
    assert list(batches(iter([*deep, *hard]), 3)) == [deep[:3], deep[3:], hard[:3], hard[3:]]
    alone = [deep[0], hard[0], deep[1]]
    assert list(batches(alone, 3)) == [[recipe] for recipe in alone]


@torch.inference_mode()
def test_guidance_one_is_the_conditional_and_zero_the_unconditional_model(generator, networks):
    latent = torch.randn(2, 4, 8, 11, generator=torch.Generator().manual_seed(0))
    timestep = torch.tensor([500, 500])
    cond, uncond, hard = (networks.embed(*encode_prompt(text, generator.vocabulary)) for text in ("deep", "", "hard"))
    for guidance, vector in ((1.0, cond), (0.0, uncond)):
        recipe = generator.recipe("deep", guidance=guidance)
        expected = networks.denoise(latent, timestep, vector.expand(2, -1))
        assert torch.equal(denoiser(networks, recipe)(latent, timestep), expected)
    recipe = generator.recipe("deep", negative="hard", guidance=3.0)
    expected = Guided(networks.denoise, cond, hard, 3.0)(latent, timestep)
    assert torch.equal(denoiser(networks, recipe)(latent, timestep), expected)


def test_guidance_one_costs_one_half(generator, networks, monkeypatch):
    sizes = []
    denoise = networks.denoise
    monkeypatch.setattr(
        networks, "denoise", lambda latent, *rest: (sizes.append(len(latent)), denoise(latent, *rest))[1]
    )
    for guidance in (0.0, 1.0, 2.0):
        sample(networks, [generator.recipe("deep", guidance=guidance, steps=1, first=i) for i in range(2)])
    assert sizes == [2, 2, 4]


def test_what_sampling_leaves_alone_is_the_source_to_the_last_bit(generator, networks):
    source = torch.randn(4, 8, 11, generator=torch.Generator().manual_seed(1)).numpy()
    other = source[::-1].copy()
    same = [
        (next(generator.vary(source, "deep", strength=0.0, options=QUICK)).recipe, source),
        (next(generator.interpolate(source, other, options=QUICK)).recipe, source),
        (list(generator.interpolate(source, other, count=2, options=QUICK))[1].recipe, other),
    ]
    for recipe, expected in same:
        assert np.array_equal(sample(networks, [recipe])[0].numpy(), expected)
    gap = next(generator.inpaint(source, 300.0, 500.0, options=QUICK)).recipe
    made = sample(networks, [gap])[0].numpy()
    assert np.array_equal(made[..., :1], source[..., :1]) and np.array_equal(made[..., 3:], source[..., 3:])
    assert (made[..., 1:3] != source[..., 1:3]).all()


def test_inpainting_keeps_the_mel_outside_the_time(generator, networks, settings):
    recipe = next(generator.inpaint(synthesise(4, 0), 300.0, 2000.0, options=QUICK)).recipe
    _, mel = decode_recipes(networks, [recipe])
    source = networks.decode(torch.from_numpy(unpack_latent(recipe.sources[0], (4, 8, 11)))[None])
    begin = (300 - 12) / 1000 * settings.sample_rate / settings.hop_length  # the cross-fade reaches 12 ms back
    first = math.floor(begin)
    assert torch.equal(mel[..., : first - 1], source[..., : first - 1])
    assert (mel[..., first + 4 :] - source[..., first + 4 :]).abs().mean() > 1e-3
