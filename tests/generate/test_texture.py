"""Texture as an option: noise is a function of the kick, 0 is the decoder's mean, and without a model all is as it was."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_models import CONFIGS, MODELS, write_tiny_models

from kickpipe.checkpoints import load_model, write_model
from kickpipe.generate import GenerateError, KickGenerator, Options, RecipeError
from kickpipe.generate.files import read_recipe, write_kick
from kickpipe.generate.making import decode_recipes
from kickpipe.generate.names import stem
from kickpipe.generate.noise import texture_noise

from .conftest import QUICK, equal


@pytest.fixture(scope="module")
def folder(tmp_path_factory, settings):
    return write_tiny_models(tmp_path_factory.mktemp("textured"), settings, (*MODELS, "texture"))


@pytest.fixture(scope="module")
def textured(folder):
    return KickGenerator.load(folder)


@pytest.fixture(scope="module")
def made(textured):
    return textured.generate("deep", count=3, seed=1, options=QUICK)


def test_a_kick_has_all_of_its_texture_by_default(textured, made):
    assert {kick.recipe.texture for kick in made} == {1.0}
    assert made[0].recipe.models["texture"] == textured.hashes["texture"]


def test_the_same_call_gives_the_same_kicks(textured, made):
    assert all(map(equal, made, textured.generate("deep", count=3, seed=1, options=QUICK)))


def test_a_kick_is_the_same_alone_and_in_a_batch(textured, made):
    assert equal(made[2], textured.generate("deep", seed=1, first=2, options=QUICK)[0])


def test_no_texture_is_the_mean_to_the_last_bit_whatever_model_lies_beside(textured, generator):
    ours, plain = (
        g.generate("deep", seed=1, texture=t, options=QUICK)[0] for g, t in ((textured, 0), (generator, None))
    )
    assert np.array_equal(ours.waveform, plain.waveform) and np.array_equal(ours.latent, plain.latent)
    assert plain.recipe.texture == 0


def test_texture_changes_the_sound_and_not_the_latent(textured, made):
    smooth = textured.generate("deep", seed=1, texture=0, options=QUICK)[0]
    assert np.array_equal(smooth.latent, made[0].latent)
    assert not np.allclose(smooth.waveform, made[0].waveform, atol=1e-3)


def test_half_of_the_texture_is_half_way_from_the_mean(textured):
    networks = textured.networks
    latent = torch.randn(2, *textured.facts.latent_shape, generator=torch.Generator().manual_seed(0))
    noise = texture_noise([(0, 0), (0, 1)], textured.settings.mel_shape)
    mean, half, whole = (networks.decode(latent, noise, amount) for amount in (0.0, 0.5, 1.0))
    assert torch.equal(mean, networks.decode(latent))
    inside = (whole > whole.min()) & (whole < whole.max())  # what is clamped to floor or full scale goes no further
    assert torch.allclose((half - mean)[inside], 0.5 * (whole - mean)[inside], atol=1e-5)
    assert (whole - mean)[inside].abs().max() > 0.1


def test_noise_depends_on_seed_and_kick_and_not_on_the_batch():
    shape = (1, 4, 5)
    together = texture_noise([(1, 0), (1, 1), (2, 0)], shape)
    assert torch.equal(together[1:2], texture_noise([(1, 1)], shape))
    assert len({row.numpy().tobytes() for row in together}) == 3


@pytest.mark.parametrize("amount", [0.0, 0.5, None])
def test_a_written_file_makes_itself_again(textured, tmp_path, amount):
    kick = textured.generate("deep", seed=2, texture=amount, options=QUICK)[0]
    path = write_kick(kick, tmp_path).path
    again = next(textured.make([read_recipe(path)[0]]))
    assert equal(kick, again)


def test_kicks_of_files_from_before_there_was_texture_have_none(textured, generator):
    recipe = generator.recipe("deep", options=QUICK)
    old = dataclasses.replace(recipe)
    assert next(textured.make([old])).recipe.texture == 0


def test_a_way_between_two_kicks_has_one_noise(textured, made):
    way = list(textured.interpolate(made[0], made[0], count=3, path="latent", options=QUICK))
    assert equal(way[0], way[1]) and equal(way[0], way[2])


def test_what_is_not_made_anew_is_the_source_with_the_texture_of_the_new_kick(textured, made):
    kicks = list(textured.inpaint(made[0], 1000, 2000, count=2, seed=5, options=QUICK))
    networks = textured.networks
    source = torch.from_numpy(made[0].latent)[None]
    for index, kick in enumerate(kicks):
        _, mel = decode_recipes(networks, [kick.recipe])
        kept = networks.decode(source, texture_noise([(5, index)], textured.settings.mel_shape), 1.0)
        assert torch.equal(mel[..., :80], kept[..., :80])
        assert not torch.equal(mel[..., 90:], kept[..., 90:])


def test_names_tell_texture_that_one_asked_for(textured):
    vocoder = "hifigan+griffin-lim"
    plain, asked = (textured.recipe("deep", texture=amount, vocoder=vocoder) for amount in (None, 0.5))
    assert stem(plain) == "deep_s0" and stem(asked).startswith("deep_s0_")


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan"), "1"])
def test_amounts_that_make_no_sense_are_refused(textured, amount):
    with pytest.raises(RecipeError, match="texture: expected a number from 0 to 1"):
        textured.generate("deep", texture=amount)


def test_texture_without_a_model_is_refused_with_what_to_do(generator):
    with pytest.raises(GenerateError, match=r"no texture\.safetensors .*choose 0"):
        generator.generate("deep", texture=0.5)
    assert Options().texture_or_default(False) == 0


def test_a_model_that_took_no_steps_counts_as_none(folder, tmp_path, settings):
    write_tiny_models(tmp_path, settings)
    model = load_model(folder / "texture.safetensors", "texture").model
    write_model(tmp_path / "texture.safetensors", "texture", model, CONFIGS["texture"], settings, 0)
    untrained = KickGenerator.load(tmp_path)
    assert not untrained.facts.has_texture
    assert untrained.recipe("deep").texture == 0
