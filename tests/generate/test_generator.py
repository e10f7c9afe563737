"""KickGenerator, on small networks with random weights."""

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from tiny_models import COUNTS, WORDS, write_tiny_models

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.checkpoints import CheckpointError, load_model
from kickpipe.data.vocabulary import UnknownKeyword
from kickpipe.diffusion.guidance import Guided
from kickpipe.generate import GenerateError, KickGenerator, RecipeError
from kickpipe.generate.fast import can_pack
from kickpipe.generate.files import read_recipe, write_kick
from kickpipe.generate.prompts import encode_prompt
from kickpipe.synth import synthesise

STEPS = 3


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, settings):
    return write_tiny_models(tmp_path_factory.mktemp("checkpoints"), settings)


@pytest.fixture(scope="module")
def generator(checkpoints) -> KickGenerator:
    return KickGenerator.load(checkpoints)


@pytest.fixture(scope="module")
def kicks(generator):
    return generator.generate("deep 808", count=3, seed=1, steps=STEPS)


def same(first, second, tolerance: float = 1e-4) -> bool:
    return bool(np.abs(first.waveform - second.waveform).max() <= tolerance * np.abs(second.waveform).max())


def test_kicks_have_the_shapes_of_the_models(generator, kicks, settings):
    assert [kick.waveform.shape for kick in kicks] == [(settings.num_samples,)] * 3
    assert kicks[0].waveform.dtype == np.float32
    assert kicks[0].latent.shape == (4, 8, 11)
    assert generator.latent_shape == (4, 8, 11)
    assert generator.column_ms == pytest.approx(185.76, abs=0.01)


def test_the_vocabulary_is_that_of_the_file(generator):
    assert (list(generator.vocabulary.words), list(generator.vocabulary.counts)) == (WORDS, COUNTS)


def test_the_same_call_is_bit_identical(generator, kicks):
    again = generator.generate("deep 808", count=3, seed=1, steps=STEPS)
    assert all(np.array_equal(first.waveform, second.waveform) for first, second in zip(kicks, again, strict=True))


@pytest.mark.parametrize("sampler", ["dpm-solver++", "ddim", "ddpm"])
def test_a_kick_is_the_same_alone_and_in_a_batch(generator, sampler):
    batch = generator.generate("deep", count=3, seed=5, sampler=sampler, steps=STEPS)
    alone = generator.generate("deep", count=1, seed=5, first=2, sampler=sampler, steps=STEPS)
    assert same(alone[0], batch[2], 0.0 if can_pack() else 1e-3)
    assert not same(batch[0], batch[1])


def test_batches_of_any_size_give_the_same_kicks(generator, checkpoints, kicks):
    small = KickGenerator.load(checkpoints)
    small.batch_size = 2
    again = small.generate("deep 808", count=3, seed=1, steps=STEPS)
    assert all(same(first, second) for first, second in zip(again, kicks, strict=True))


def test_guidance_one_is_the_conditional_and_zero_the_unconditional_model(generator):
    latent, timestep = torch.randn(2, 4, 8, 11), torch.tensor([500, 500])
    cond = encode_prompt("deep", generator.vocabulary, generator.text)
    uncond = encode_prompt("", generator.vocabulary, generator.text)
    for guidance, vector in ((1.0, cond), (0.0, uncond)):
        recipe = generator.recipe("generate", prompt="deep", guidance=guidance)
        expected = generator.unet(latent, timestep, vector.expand(2, -1))
        assert torch.equal(generator.denoiser(recipe)(latent, timestep), expected)
    recipe = generator.recipe("generate", prompt="deep", negative="hard", guidance=3.0)
    negative = encode_prompt("hard", generator.vocabulary, generator.text)
    expected = Guided(generator.unet, cond, negative, 3.0)(latent, timestep)
    assert torch.equal(generator.denoiser(recipe)(latent, timestep), expected)


def test_negative_words_are_heeded_without_a_word_on_guidance(generator):
    assert generator.recipe("generate", prompt="deep").guidance == 1
    assert generator.recipe("generate", prompt="deep", negative="hard").guidance == 2
    assert generator.recipe("generate", prompt="deep", negative="hard", guidance=1.0).guidance == 1
    plain, steered = (generator.generate("deep", negative=words, steps=STEPS)[0] for words in ("", "hard"))
    assert not same(plain, steered)


def test_guidance_one_costs_one_half(generator, monkeypatch):
    sizes = []
    unet = generator.unet
    monkeypatch.setattr(generator, "unet", lambda latent, *rest: (sizes.append(len(latent)), unet(latent, *rest))[1])
    for guidance in (0.0, 1.0, 2.0):
        generator.generate("deep", count=2, guidance=guidance, steps=1)
    assert sizes == [2, 2, 4]


def test_without_a_prompt_guidance_changes_nothing(generator):
    assert same(
        generator.generate("", guidance=1.0, steps=STEPS)[0], generator.generate("", guidance=4.0, steps=STEPS)[0]
    )


def test_words_weights_and_negative_words_change_the_kick(generator):
    made = [
        generator.generate(prompt, negative=negative, guidance=3.0, steps=STEPS)[0]
        for prompt, negative in (("deep", ""), ("deep clicky", ""), ("deep:0.9 clicky:0.1", ""), ("deep", "clicky"))
    ]
    assert not any(same(first, second) for i, first in enumerate(made) for second in made[:i])


def test_strength_zero_is_the_reconstruction(generator, settings):
    waveform = synthesise(4, 0)
    # without the search for the low band: of two waveforms that fit alike, the last bit of a latent decides
    made = next(generator.vary(waveform, "deep", strength=0.0, vocoder="hifigan"))
    from kickpipe.audio.io import prepare_samples

    mel = mel_spectrogram(torch.from_numpy(prepare_samples(waveform[None], 44100, settings))[None], settings)
    expected = generator.vocode(generator.decode(generator.encode(mel)), "hifigan")[0].numpy()
    assert np.abs(made.waveform - expected).max() < 1e-5


def test_strength_one_is_a_new_kick(generator, kicks):
    made = next(generator.vary(synthesise(4, 0), "deep 808", strength=1.0, seed=1, steps=STEPS))
    assert same(made, kicks[0])


def test_a_kick_a_file_and_a_latent_can_be_varied(generator, kicks, tmp_path):
    path = write_kick(kicks[0], tmp_path).path
    for source in (kicks[0], kicks[0].latent, path, str(path), kicks[0].waveform):
        assert len(list(generator.vary(source, strength=0.3, count=2, steps=STEPS))) == 2
    latent, kick = (next(generator.vary(source, strength=0.3, steps=STEPS)) for source in (kicks[0].latent, kicks[0]))
    assert np.array_equal(latent.waveform, kick.waveform)


@pytest.mark.parametrize("path", ["spherical", "latent"])
def test_an_interpolation_ends_at_its_inputs(generator, kicks, path):
    made = list(generator.interpolate(kicks[0], kicks[1], count=3, path=path, steps=STEPS))
    assert same(made[0], kicks[0]) and same(made[2], kicks[1])
    assert not same(made[1], kicks[0]) and not same(made[1], kicks[1])


def test_inpainting_keeps_the_mel_outside_the_time(generator, settings):
    recipe = next(generator.inpaint(synthesise(4, 0), 300.0, 2000.0, steps=STEPS)).recipe
    _, mel = generator.mels([recipe])
    from kickpipe.generate.recipe import unpack_latent

    source = generator.decode(torch.from_numpy(unpack_latent(recipe.sources[0], generator.latent_shape))[None])
    first = math.floor(
        (300 - 12) / 1000 * settings.sample_rate / settings.hop_length
    )  # the cross-fade reaches 12 ms back
    assert torch.equal(mel[..., : first - 1], source[..., : first - 1])
    assert (mel[..., first + 4 :] - source[..., first + 4 :]).abs().mean() > 1e-3


def test_the_attack_can_be_made_anew_too(generator, kicks):
    made = next(generator.inpaint(kicks[0], 0.0, 100.0, count=1, seed=3, steps=STEPS))
    assert not same(made, kicks[0])
    assert made.recipe.regenerate_ms == (0.0, 100.0)


def test_the_best_are_kicks_of_the_same_seed(generator):
    best = generator.generate("deep", count=2, seed=7, best_of_k=5, steps=STEPS)
    indices = [kick.recipe.index for kick in best]
    assert len(set(indices)) == 2 and set(indices) <= set(range(5))
    alone = generator.generate("deep", seed=7, first=indices[1], steps=STEPS)[0]
    assert same(alone, best[1])


@pytest.mark.parametrize("vocoder", ["hifigan", "griffin-lim", "hifigan+griffin-lim"])
def test_every_vocoder_makes_sound(generator, vocoder):
    made = generator.generate("deep", vocoder=vocoder, steps=STEPS, iterations=None if vocoder == "hifigan" else 2)[0]
    assert made.recipe.vocoder == vocoder
    assert np.abs(made.waveform).max() > 1e-3


def test_the_precision_is_that_of_the_cpu_unless_one_is_given(generator, monkeypatch):
    for native, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr("kickpipe.generate.fast.has_native_bfloat16", lambda native=native: native)
        assert generator.recipe("generate").precision == expected
    exact, rough = (generator.generate("deep", steps=STEPS, precision=name)[0] for name in ("float32", "bfloat16"))
    difference = np.square(rough.waveform - exact.waveform).mean() / np.square(exact.waveform).mean()
    assert 0 < difference < 10 ** (-30 / 10)  # of tiny networks, whose few channels average less
    assert exact.recipe.precision == "float32"


def test_refining_comes_closer_to_the_mel(generator, settings):
    mel = mel_spectrogram(torch.from_numpy(synthesise(4, 1))[None], settings)
    loud = mel > mel.max() - 10
    distances = [
        (mel_spectrogram(generator.vocode(mel, "hifigan+griffin-lim", n), settings) - mel)[loud].abs().mean()
        for n in (0, 2, 8)
    ]
    assert distances == sorted(distances, reverse=True)


def test_without_a_vocoder_griffin_lim_serves(settings, tmp_path):
    generator = KickGenerator.load(write_tiny_models(tmp_path, settings, ("vae", "diffusion")))
    made = generator.generate("deep", steps=STEPS, iterations=2)[0]
    assert made.recipe.vocoder == "griffin-lim" and set(made.recipe.models) == {"vae", "diffusion"}
    with pytest.raises(GenerateError, match=r"dvc pull.*griffin-lim"):
        generator.generate("deep", vocoder="hifigan")


@pytest.mark.parametrize("kind", ["generate", "vary", "interpolate", "inpaint"])
def test_every_written_file_makes_itself_again(generator, kicks, kind, tmp_path):
    makers = {
        "generate": lambda: generator.stream("deep:0.7 808:0.3", negative="hard", count=2, seed=9, steps=STEPS),
        "vary": lambda: generator.vary(kicks[0], "deep", strength=0.4, count=2, seed=9, steps=STEPS),
        "interpolate": lambda: generator.interpolate(kicks[0], kicks[1], count=3, steps=STEPS),
        "inpaint": lambda: generator.inpaint(kicks[0], 200.0, 600.0, "deep", count=2, seed=9, steps=STEPS),
    }
    made = list(makers[kind]())[1]
    recipe = read_recipe(write_kick(made, tmp_path).path)[0]
    assert recipe == made.recipe
    assert same(next(generator.make([recipe])), made, 0.0 if can_pack() else 1e-3)


def test_a_kick_of_other_models_is_not_made_again_by_these(generator, kicks):
    recipe = dataclasses.replace(kicks[0].recipe, models={"vae": "0" * 16})
    with pytest.raises(GenerateError, match="made with the vae model 0000000000000000"):
        generator.make([recipe])


def test_recipes_of_several_kinds_are_made_in_their_order(generator, kicks):
    recipes = [kicks[2].recipe, generator.recipe("generate", steps=2), kicks[0].recipe]
    made = list(generator.make(recipes))
    assert [kick.recipe for kick in made] == recipes
    assert same(made[0], kicks[2]) and same(made[2], kicks[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count: expected a whole number from 1 to 10000, found 0"),
        ({"count": -3}, "count"),
        ({"count": 10**9}, "count"),
        ({"count": 1.5}, "count"),
        ({"steps": 0}, "steps"),
        ({"steps": 1001}, "steps: expected at most the 1000"),
        ({"guidance": math.nan}, "guidance"),
        ({"seed": -1}, "seed"),
        ({"sampler": "euler"}, "sampler"),
        ({"vocoder": "wavenet"}, "vocoder: expected auto"),
        ({"precision": "float16"}, "precision"),
        ({"best_of_k": 1, "count": 2}, "best_of_k: expected a whole number from 2"),
        ({"first": 2**31}, "index"),
        ({"first": 2**31 - 2, "count": 5}, "first"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_any_work(generator, options, message):
    with pytest.raises(RecipeError, match=message):
        generator.stream("deep", **options)


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


def test_missing_models_say_how_to_get_them(tmp_path):
    with pytest.raises(CheckpointError, match=r"vae\.safetensors.*dvc pull.*dvc repro"):
        KickGenerator.load(tmp_path)


def test_models_of_other_audio_settings_are_refused(checkpoints, settings, tmp_path):
    other = write_tiny_models(tmp_path, dataclasses.replace(settings, mel_floor=1e-4))
    files = [
        load_model(checkpoints / "vae.safetensors", "vae"),
        load_model(other / "diffusion.safetensors", "diffusion"),
    ]
    with pytest.raises(
        GenerateError, match=r"vae and diffusion models do not belong together.*mel_floor 1e-05 and 0.0001"
    ):
        KickGenerator(*files)
    good = load_model(checkpoints / "diffusion.safetensors", "diffusion")
    with pytest.raises(GenerateError, match="vae and vocoder models do not belong together"):
        KickGenerator(files[0], good, load_model(other / "vocoder.safetensors", "vocoder"))


def test_models_of_another_latent_are_refused(checkpoints):
    vae, diffusion = (load_model(checkpoints / f"{kind}.safetensors", kind) for kind in ("vae", "diffusion"))
    other = dataclasses.replace(diffusion, extra=diffusion.extra | {"latent_shape": [4, 4, 6]})
    with pytest.raises(GenerateError, match=r"\(4, 8, 11\) and \(4, 4, 6\)"):
        KickGenerator(vae, other)
    short = dataclasses.replace(
        diffusion, extra=diffusion.extra | {"vocabulary": WORDS[:2], "keyword_counts": COUNTS[:2]}
    )
    with pytest.raises(CheckpointError, match="2 words for 6 embeddings"):
        KickGenerator(vae, short)


def test_importing_the_generator_pulls_in_nothing_heavy():
    heavy = (
        "dvc",
        "pandas",
        "scipy",
        "matplotlib",
        "tensorboard",
        "torchaudio",
        "joblib",
        "typer",
        "soundfile",
        "pydantic",
    )
    code = f"import sys, kickpipe.generate; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
