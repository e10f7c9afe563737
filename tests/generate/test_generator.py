"""KickGenerator: what one asks, what is refused, and that it is safe to share. On small networks with random weights."""

import dataclasses
import math
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
import torch
from tiny_models import COUNTS, WORDS, write_tiny_models

from kickpipe.checkpoints import CheckpointError
from kickpipe.data.vocabulary import UnknownKeyword
from kickpipe.generate import GenerateError, KickGenerator, Options, RecipeError
from kickpipe.generate.files import read_recipe, write_kick
from kickpipe.generate.networks import Networks
from kickpipe.synth import synthesise

from .conftest import QUICK, differ, equal


def test_kicks_have_the_shapes_of_the_models(generator, kicks, settings):
    assert [kick.waveform.shape for kick in kicks] == [(settings.num_samples,)] * 3
    assert kicks[0].waveform.dtype == kicks[0].latent.dtype == np.float32
    assert kicks[0].latent.shape == generator.facts.latent_shape == (4, 8, 11)


def test_the_vocabulary_is_that_of_the_file(generator):
    assert (list(generator.vocabulary.words), list(generator.vocabulary.counts)) == (WORDS, COUNTS)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_same_call_is_bit_identical(generator, precision):
    once, again = (generator.generate("deep 808", count=2, seed=1, steps=3, precision=precision) for _ in range(2))
    assert all(np.array_equal(first.waveform, second.waveform) for first, second in zip(once, again, strict=True))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("sampler", ["dpm-solver++", "ddim", "ddpm"])
def test_a_kick_is_the_same_alone_and_in_a_batch(generator, sampler, precision):
    options = Options(sampler=sampler, steps=3, precision=precision)
    batch = generator.generate("deep", count=3, seed=5, options=options)
    (alone,) = generator.generate("deep", count=1, seed=5, first=2, options=options)
    assert equal(alone, batch[2])
    assert differ(batch[0], batch[1])


def test_options_are_an_object_keyword_arguments_or_both(generator):
    recipes = [
        generator.recipe("deep", guidance=3.0, steps=9),
        generator.recipe("deep", options=Options(guidance=3.0, steps=9)),
        generator.recipe("deep", options=Options(guidance=5.0, steps=9), guidance=3.0),
    ]
    assert recipes[0].guidance == 3.0 and recipes[0].steps == 9
    assert recipes == recipes[:1] * 3
    with pytest.raises(TypeError, match="guidence"):
        generator.recipe("deep", guidence=3.0)


def test_negative_words_are_heeded_without_a_word_on_guidance(generator):
    assert generator.recipe("deep").guidance == 1
    assert generator.recipe("deep", negative="hard").guidance == 2
    assert generator.recipe("deep -hard").guidance == 2
    plain, steered = (generator.generate("deep", negative=words, options=QUICK)[0] for words in ("", "hard"))
    assert differ(plain, steered)


@pytest.mark.parametrize("guidance", [1.0, 0.5, 0.0, -2.0])
@pytest.mark.parametrize("prompt", ["deep", "deep -hard"])
def test_negative_words_that_would_do_nothing_are_refused(generator, prompt, guidance):
    negative = "" if "-" in prompt else "hard"
    with pytest.raises(RecipeError, match=f"need a guidance above 1, found {guidance:g}; raise it, or leave it out"):
        generator.stream(prompt, negative=negative, guidance=guidance)


def test_without_a_prompt_guidance_changes_nothing(generator):
    one, four = (generator.generate("", guidance=guidance, options=QUICK)[0] for guidance in (1.0, 4.0))
    assert equal(one, four)


def test_words_weights_and_negative_words_change_the_kick(generator):
    prompts = (("deep", ""), ("deep clicky", ""), ("deep:0.9 clicky:0.1", ""), ("deep", "clicky"))
    made = [
        generator.generate(prompt, negative=negative, guidance=3.0, options=QUICK)[0] for prompt, negative in prompts
    ]
    assert all(differ(first, second) for i, first in enumerate(made) for second in made[:i])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_strength_zero_is_the_reconstruction_to_the_last_bit(generator, precision):
    source = torch.randn(4, 8, 11, generator=torch.Generator().manual_seed(0)).numpy()
    kick = next(generator.vary(source, "deep", strength=0.0, steps=3, precision=precision))
    assert np.array_equal(kick.latent, source)
    again = next(generator.vary(kick, "808", strength=0.0, steps=3, precision=precision))
    assert np.array_equal(again.waveform, kick.waveform)


def test_strength_one_is_a_new_kick(generator, kicks):
    made = next(generator.vary(synthesise(4, 0), "deep 808", strength=1.0, seed=1, options=QUICK))
    assert equal(made, kicks[0])


def test_a_kick_a_file_samples_and_a_latent_can_be_varied(generator, kicks, tmp_path):
    path = write_kick(kicks[0], tmp_path).path
    for source in (kicks[0], kicks[0].latent, torch.from_numpy(kicks[0].latent), path, str(path), kicks[0].waveform):
        assert len(list(generator.vary(source, strength=0.3, count=2, options=QUICK))) == 2
    latent, kick = (next(generator.vary(source, strength=0.3, options=QUICK)) for source in (kicks[0].latent, kicks[0]))
    assert np.array_equal(latent.waveform, kick.waveform)


def test_a_recipe_says_what_its_source_is_called(generator, kicks, tmp_path):
    path = write_kick(kicks[0], tmp_path).path
    made = [next(generator.vary(source, options=QUICK)).recipe.names for source in (path, kicks[1], kicks[1].latent)]
    assert made[0] == (path.stem,)
    assert made[1][0].startswith("deep-808_s1-1")
    assert made[2] == ()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("path", ["spherical", "latent"])
def test_an_interpolation_ends_at_its_inputs_to_the_last_bit(generator, path, precision):
    first, second = generator.generate("deep", count=2, steps=3, precision=precision)
    made = list(generator.interpolate(first, second, count=3, path=path, steps=3, precision=precision))
    assert np.array_equal(made[0].waveform, first.waveform) and np.array_equal(made[2].waveform, second.waveform)
    assert differ(made[1], first) and differ(made[1], second)


def test_the_attack_can_be_made_anew_too(generator, kicks):
    made = next(generator.inpaint(kicks[0], 0.0, 100.0, count=1, seed=3, options=QUICK))
    assert differ(made, kicks[0])
    assert made.recipe.regenerate_ms == (0.0, 100.0)


def test_the_best_are_kicks_of_the_same_seed(generator):
    best = generator.generate("deep", count=2, seed=7, best_of=5, options=QUICK)
    indices = [kick.recipe.index for kick in best]
    assert len(set(indices)) == 2 and set(indices) <= set(range(5))
    alone = generator.generate("deep", seed=7, first=indices[1], options=QUICK)[0]
    assert equal(alone, best[1])


def test_many_kicks_take_no_more_memory_than_a_few(generator, monkeypatch):
    def silent(networks, latent, noise=None, texture=0.0):
        return torch.zeros(len(latent), *networks.facts.audio.mel_shape)

    monkeypatch.setattr(Networks, "decode", silent)
    options = Options(steps=1, vocoder="griffin-lim")

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in generator.stream("deep", count=count, options=options):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(160) < peak(32) + 200_000  # 128 waveforms would be 45 MB
    with pytest.raises(RecipeError, match="count: expected a whole number from 1 to 1000000"):
        generator.stream("deep", count=1_000_001)
    assert next(generator.stream("deep", count=1_000_000, options=options)).recipe.index == 0


def test_four_threads_make_the_kicks_of_one_right_after_loading(checkpoints):
    options = Options(steps=2, vocoder="hifigan", precision="float32")
    expected = KickGenerator.load(checkpoints).generate("deep", count=4, options=options)
    for load in (KickGenerator.load, KickGenerator.open):
        shared = load(checkpoints)
        barrier = threading.Barrier(4)
        made, errors = {}, []

        def run(index, shared=shared, barrier=barrier, made=made, errors=errors):
            try:
                barrier.wait()
                (made[index],) = shared.generate("deep", first=index, options=options)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert all(equal(made[index], expected[index]) for index in range(4))


@pytest.mark.parametrize("vocoder", ["hifigan", "griffin-lim", "hifigan+griffin-lim"])
def test_every_vocoder_makes_sound(generator, vocoder):
    made = generator.generate(
        "deep", vocoder=vocoder, iterations=None if vocoder == "hifigan" else 2, steps=3, precision="float32"
    )[0]
    assert made.recipe.vocoder == vocoder
    assert np.abs(made.waveform).max() > 1e-3


def test_the_precision_is_that_of_the_cpu_unless_one_is_given(generator, monkeypatch):
    for native, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr("kickpipe.generate.fast.has_native_bfloat16", lambda native=native: native)
        assert generator.recipe("deep").precision == expected
    assert generator.recipe("deep", precision="float32").precision == "float32"


def test_bfloat16_is_a_whisper_beside_float32(generator):
    exact, rough = (
        generator.generate("deep", steps=3, vocoder="hifigan", precision=name)[0] for name in ("float32", "bfloat16")
    )
    difference = np.square(rough.waveform - exact.waveform).mean() / np.square(exact.waveform).mean()
    assert 0 < difference < 10 ** (-30 / 10)  # of tiny networks, whose few channels average less


def test_without_a_vocoder_griffin_lim_serves(settings, tmp_path):
    generator = KickGenerator.load(write_tiny_models(tmp_path, settings, ("vae", "diffusion")))
    made = generator.generate("deep", steps=3, iterations=2)[0]
    assert made.recipe.vocoder == "griffin-lim" and set(made.recipe.models) == {"vae", "diffusion"}
    with pytest.raises(GenerateError, match=r"dvc pull.*griffin-lim"):
        generator.generate("deep", vocoder="hifigan")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["generate", "vary", "interpolate", "inpaint"])
def test_every_written_file_makes_itself_again(generator, kicks, kind, precision, tmp_path):
    options = Options(steps=3, precision=precision)
    makers = {
        "generate": lambda: generator.stream("deep:0.7 808:0.3", negative="hard", count=2, seed=9, options=options),
        "vary": lambda: generator.vary(kicks[0], "deep", strength=0.4, count=2, seed=9, options=options),
        "interpolate": lambda: generator.interpolate(kicks[0], kicks[1], count=3, options=options),
        "inpaint": lambda: generator.inpaint(kicks[0], 200.0, 600.0, "deep", count=2, seed=9, options=options),
    }
    made = list(makers[kind]())[1]
    recipe = read_recipe(write_kick(made, tmp_path).path)[0]
    assert recipe == made.recipe
    assert equal(next(generator.make([recipe])), made)


def test_a_kick_of_other_models_is_not_made_again_by_these(generator, kicks):
    recipe = dataclasses.replace(kicks[0].recipe, models={"vae": "0" * 16})
    with pytest.raises(GenerateError, match="made with the vae model 0000000000000000"):
        generator.make([recipe])


def test_recipes_of_several_kinds_are_made_in_their_order(generator, kicks):
    recipes = [kicks[2].recipe, generator.recipe(steps=2), kicks[0].recipe]
    made = list(generator.make(recipes))
    assert [kick.recipe for kick in made] == recipes
    assert equal(made[0], kicks[2]) and equal(made[2], kicks[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count: expected a whole number from 1 to 1000000, found 0"),
        ({"count": -3}, "count"),
        ({"count": 10**9}, "count"),
        ({"count": 1.5}, "count"),
        ({"steps": 0}, "steps"),
        ({"steps": 1001}, "steps: expected at most the 1000"),
        ({"guidance": math.nan}, "guidance"),
        ({"seed": -1}, "seed"),
        ({"sampler": "euler"}, "sampler"),
        ({"vocoder": "wavenet"}, "vocoder: expected one of auto, hifigan"),
        ({"precision": "float16"}, "precision"),
        ({"best_of": 1, "count": 2}, "best_of: expected a whole number from 2"),
        ({"first": 2**31}, "first"),
        ({"first": 2**31 - 2, "count": 5}, "first"),
        ({"negative": 3}, "negative: expected a text"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_any_work(generator, arguments, message):
    with pytest.raises(RecipeError, match=message):
        generator.stream("deep", **arguments)


def test_a_prompt_that_is_no_text_is_refused(generator):
    with pytest.raises(RecipeError, match="prompt: expected a text, found None"):
        generator.stream(None)


def test_an_unknown_word_names_the_nearest(generator):
    with pytest.raises(UnknownKeyword, match=r"'clicki' \(did you mean clicky"):
        generator.stream("deep clicki")
    with pytest.raises(UnknownKeyword):
        generator.stream("deep", negative="haard")


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan])
def test_a_strength_outside_its_range_is_refused(generator, kicks, strength):
    with pytest.raises(RecipeError, match="strength"):
        generator.vary(kicks[0], strength=strength)


@pytest.mark.parametrize(("begin", "end"), [(100, 50), (-5, 50), (5000, 6000), (math.nan, 50)])
def test_a_time_outside_the_kick_is_refused(generator, kicks, begin, end):
    with pytest.raises(RecipeError, match="regenerate_ms"):
        generator.inpaint(kicks[0], begin, end)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.wav", "nowhere.wav"),
        (np.zeros(44100, np.float32), "silent"),
        (np.full(44100, np.nan, np.float32), "NaN"),
        (np.zeros((2, 100), np.float32), "mono"),
        (torch.zeros(4, 8, 12), "shape"),
        (torch.full((4, 8, 11), math.nan), "finite"),
    ],
)
def test_a_source_that_cannot_be_used_is_refused(generator, source, message):
    with pytest.raises(GenerateError, match=message):
        generator.vary(source)


def test_mistakes_are_told_before_the_networks_are_loaded(checkpoints, settings, tmp_path):
    damaged = write_tiny_models(tmp_path, settings)
    generator = KickGenerator.open(damaged)
    path = damaged / "vae.safetensors"
    path.write_bytes(path.read_bytes()[:-100])  # whoever loads it now says so
    for mistake, message in [
        (lambda: generator.stream("clicki"), "clicki"),
        (lambda: generator.stream("deep", steps=1001), "steps"),
        (lambda: generator.vary("nowhere.wav"), "nowhere.wav"),
        (lambda: generator.interpolate("nowhere.wav", "neither.wav"), "nowhere.wav"),
        (lambda: generator.inpaint(np.zeros(9), 5.0, 1.0), "regenerate_ms"),
    ]:
        with pytest.raises((RecipeError, GenerateError, UnknownKeyword), match=message):
            mistake()
    with pytest.raises(CheckpointError, match="damaged"):
        generator.generate("deep")


def test_files_that_change_between_opening_and_loading_are_refused(checkpoints, settings, tmp_path):
    folder = write_tiny_models(tmp_path, settings, words=["kick", "deep", "808", "clicky", "short", "soft"])
    generator = KickGenerator.open(folder)
    (folder / "diffusion.safetensors").write_bytes((checkpoints / "diffusion.safetensors").read_bytes())
    with pytest.raises(GenerateError, match="have changed since they were opened"):
        generator.generate("deep")


def test_missing_models_say_how_to_get_them(tmp_path):
    with pytest.raises(CheckpointError, match=r"vae\.safetensors.*dvc pull.*dvc repro"):
        KickGenerator.load(tmp_path)


def test_importing_the_generator_pulls_in_nothing_heavy(checkpoints):
    heavy = (
        "torch",
        "dvc",
        "pandas",
        "scipy",
        "matplotlib",
        "tensorboard",
        "torchaudio",
        "joblib",
        "typer",
        "pydantic",
    )
    code = f"""
import sys
from kickpipe.common.errors import KickpipeError
from kickpipe.generate import KickGenerator
generator = KickGenerator.open({str(checkpoints)!r})
for mistake in (lambda: generator.stream("xyzzy"), lambda: generator.vary("nowhere.wav"), lambda: generator.vary(3)):
    try:
        mistake()
    except KickpipeError:
        continue
    raise SystemExit("nothing was refused")
print([name for name in {heavy} if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
