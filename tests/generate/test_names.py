"""Names of files: they tell kicks apart, say what was typed, and are safe everywhere."""

import re

import pytest

from kickpipe.generate.names import batch_stem, file_name, slug
from kickpipe.generate.recipe import Recipe, pack_latent

FIRST, SECOND = pack_latent([1.0]), pack_latent([2.0])


def vary(**values) -> Recipe:
    return Recipe(kind="vary", **{"sources": (FIRST,), "names": ("My kick.v2",), "strength": 0.5, **values})


def inpaint(**values) -> Recipe:
    return Recipe(kind="inpaint", sources=(FIRST,), names=("808",), **{"regenerate_ms": (60.0, 2000.0), **values})


def interpolate(**values) -> Recipe:
    return Recipe(kind="interpolate", sources=(FIRST, SECOND), names=("a", "b"), **values)


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        (Recipe(), "kick_s0_Cs1.wav"),
        (Recipe(prompt="deep 808", seed=12345), "kick_deep-808_s12345_Cs1.wav"),
        (Recipe(prompt="deep 808", seed=12345, index=3), "kick_deep-808_s12345-3_Cs1.wav"),
        (Recipe(prompt="808:2 deep:0.20"), "kick_808x2-deepx0.2_s0_Cs1.wav"),
        (Recipe(prompt="deep:1"), "kick_deep_s0_Cs1.wav"),
        (Recipe(prompt="deep", guidance=4.0), "kick_deep_g4_s0_Cs1.wav"),
        (Recipe(prompt="deep", negative="hard", guidance=2.0), "kick_deep_not-hard_s0_Cs1.wav"),
        (vary(prompt="punchy"), "kick_vary_my-kick-v2_punchy_s0_Cs1.wav"),
        (inpaint(prompt="long"), "kick_inpaint_808_long_60-2000ms_s0_Cs1.wav"),
        (interpolate(position=0.25, index=1), "kick_interpolate_a_b_at25_Cs1.wav"),
    ],
)
def test_a_file_is_named_after_what_was_typed_and_its_note(recipe, name):
    assert file_name(recipe, "C#1") == name


def test_a_kick_without_pitch_has_no_note_and_a_sharp_is_written_as_asked():
    recipe = Recipe(prompt="deep")
    assert file_name(recipe, None, "flac") == "kick_deep_s0.flac"
    assert file_name(recipe, "F#1", sharp="#") == "kick_deep_s0_F#1.wav"


def test_kicks_that_differ_have_names_that_differ():
    recipes = [
        Recipe(prompt="808 deep"),
        Recipe(prompt="808:2 deep:0.2"),
        Recipe(prompt="808:0.2 deep:2"),
        Recipe(prompt="808 deep", guidance=4.0),
        Recipe(prompt="808 deep", negative="hard", guidance=2.0),
        Recipe(prompt="808 deep", negative="hard", guidance=1.0),
        Recipe(prompt="808 deep", steps=30),
        Recipe(prompt="808 deep", sampler="ddim", steps=50),
        Recipe(prompt="808 deep", sampler="ddim", steps=30),
        Recipe(prompt="808 deep", vocoder="hifigan", iterations=0),
        Recipe(prompt="808 deep", iterations=8),
        Recipe(prompt="808 deep", index=1),
        Recipe(prompt="808 deep", seed=1),
        *(Recipe(prompt=" ".join(["distorted"] * 6 + [word])) for word in ("deep", "hard")),
        vary(),
        vary(strength=0.4),
        vary(names=("another",)),
        vary(names=()),
        vary(names=(), sources=(SECOND,)),
        inpaint(),
        inpaint(regenerate_ms=(0.0, 60.0)),
        interpolate(position=0.5, index=1),
        interpolate(position=1 / 3, index=1),
        interpolate(position=0.5, index=1, path="latent"),
    ]
    names = [file_name(recipe, None).casefold() for recipe in recipes]
    assert len(set(names)) == len(names)


def test_the_kicks_of_a_batch_share_its_stem():
    assert batch_stem(Recipe(prompt="deep", seed=3, index=7)) == batch_stem(Recipe(prompt="deep", seed=3)) == "deep_s3"
    assert batch_stem(interpolate(position=0.5)) == batch_stem(interpolate()) == "interpolate_a_b"


def test_names_need_no_quotes_in_a_shell_or_a_link():
    for recipe in (Recipe(prompt="a'b:2, $(x) & größe|y #1", negative="~ `z`"), vary(names=("../x y'\n#",))):
        assert re.fullmatch(r"[\w.-]+", file_name(recipe, "F#1"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hard-style", "hard-style"),
        ("../../etc", "etc"),
        ("größe  \n", "größe"),
        ("CON: a/b\\c?*", "con-a-b-c"),
        ("x" * 300, "x" * 40),
        ("😀", ""),
    ],
)
def test_a_text_becomes_a_safe_part_of_a_name(text, expected):
    assert slug(text) == expected
