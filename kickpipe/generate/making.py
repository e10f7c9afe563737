"""From recipes to kicks: prompts -> latents -> mels -> waveforms, with the networks.

Shapes: B kicks, C x H x W latent, M mel bands, T frames. Latents are the VAE's own; they are standardised on the way into the
denoiser and back on the way out. Recipes of one batch differ in index and position only.
"""

__all__ = ["batches", "decode_recipes", "latent_of", "make_batch", "make_best", "sample"]

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

import numpy as np
import torch
from torch import Tensor

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.diffusion.guidance import Guided
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.generate import latents
from kickpipe.generate.best_of import Candidates
from kickpipe.generate.checks import GenerateError
from kickpipe.generate.kick import Kick
from kickpipe.generate.networks import Networks
from kickpipe.generate.noise import kick_generators, texture_noise
from kickpipe.generate.options import OnStep
from kickpipe.generate.prompts import encode_prompt
from kickpipe.generate.recipe import Recipe, batch_key, unpack_latent
from kickpipe.generate.sources import Start
from kickpipe.generate.vocoding import vocode

CROSSFADE_FRAMES = 2


def batches(recipes: Iterable[Recipe], size: int) -> Iterator[list[Recipe]]:
    """Recipes in their order, in batches of at most ``size`` that differ in index and position only."""
    for _, group in groupby(recipes, key=batch_key):
        while batch := list(islice(group, size)):
            yield batch


@torch.inference_mode()
def make_batch(networks: Networks, recipes: Sequence[Recipe], on_step: OnStep = None) -> Iterator[Kick]:
    """The kicks of one batch, vocoded one by one."""
    latent, mel = decode_recipes(networks, recipes, on_step)
    yield from vocode_kicks(networks, recipes, latent, mel)


@torch.inference_mode()
def make_best(
    networks: Networks, recipes: Iterable[list[Recipe]], count: int, on_step: OnStep = None
) -> Iterator[Kick]:
    """The ``count`` kicks of batches that are good and unlike each other; only these are vocoded.

    3 KB are kept of each kick, its latent among them, so that the mels of the chosen are decoded again.
    """
    candidates: Candidates[tuple[Recipe, Tensor]] = Candidates(networks.facts.audio)
    for batch in recipes:
        latent, mel = decode_recipes(networks, batch, on_step)
        candidates.add(mel, list(zip(batch, latent, strict=True)))
    for recipe, latent in candidates.choose(count):
        mel = decode_latents(networks, [recipe], latent[None])
        yield from vocode_kicks(networks, [recipe], latent[None], mel)


def vocode_kicks(networks: Networks, recipes: Sequence[Recipe], latent: Tensor, mel: Tensor) -> Iterator[Kick]:
    for i, recipe in enumerate(recipes):
        waveform = vocode(mel[i : i + 1], networks, recipe.vocoder, recipe.iterations, recipe.precision)[0]
        yield Kick(waveform.numpy(), networks.facts.audio.sample_rate, latent[i].clone().numpy(), recipe)


@torch.inference_mode()
def decode_recipes(networks: Networks, recipes: Sequence[Recipe], on_step: OnStep = None) -> tuple[Tensor, Tensor]:
    """Latents (B, C, H, W) and log-mels (B, 1, M, T) of one batch.

    Raises:
        GenerateError: If sampling ran off to infinity.
    """
    latent = sample(networks, recipes, on_step)
    if not torch.isfinite(latent).all():
        raise GenerateError(
            f"sampling left the range of numbers (guidance {recipes[0].guidance:g}, {recipes[0].steps} steps): "
            "choose a guidance nearer to 1 or more steps"
        )
    mel = decode_latents(networks, recipes, latent)
    return (networks.encode(mel) if recipes[0].kind == "inpaint" else latent), mel


@torch.inference_mode()
def sample(networks: Networks, recipes: Sequence[Recipe], on_step: OnStep = None) -> Tensor:
    """Latents (B, C, H, W) of one batch."""
    recipe, facts = recipes[0], networks.facts
    schedule = NoiseSchedule(facts.num_timesteps, facts.beta_start, facts.beta_end)
    sampling = latents.Sampling(denoiser(networks, recipe), schedule, recipe.sampler, recipe.steps, on_step)
    generators = kick_generators((item.seed, item.index) for item in recipes)
    mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (facts.latent_mean, facts.latent_std))
    if recipe.kind == "generate":
        return latents.generate(sampling, generators, facts.latent_shape) * std + mean

    sources = torch.from_numpy(np.stack([unpack_latent(text, facts.latent_shape) for text in recipe.sources]))
    standard = (sources - mean) / std
    positions = [item.position for item in recipes]
    nearest = [round(position) for position in positions]
    if recipe.kind == "interpolate":
        made = latents.interpolate(sampling, standard[0], standard[1], positions, recipe.path)
    elif recipe.kind == "vary":
        made = latents.vary(sampling, generators, standard[nearest], recipe.strength)
    else:
        assert recipe.regenerate_ms is not None
        columns = facts.columns(*recipe.regenerate_ms)
        made = latents.inpaint(sampling, generators, standard[nearest], recipe.strength, columns)
    # Standardising and back is not exact: what sampling left alone is the source's own number, to the last bit
    return torch.where(made == standard[nearest], sources[nearest], made * std + mean)


def denoiser(networks: Networks, recipe: Recipe) -> Guided:
    """The U-Net under the prompts and the guidance of a recipe."""
    vocabulary = networks.facts.vocabulary
    cond, uncond = (networks.embed(*encode_prompt(text, vocabulary)) for text in (recipe.prompt, recipe.negative))
    return Guided(networks.denoise, cond, uncond, recipe.guidance)


def decode_latents(networks: Networks, recipes: Sequence[Recipe], latent: Tensor) -> Tensor:
    """Log-mels (B, 1, M, T) of the latents (B, C, H, W) that were sampled for recipes."""
    mel = networks.decode(latent, noise_of(networks, recipes), recipes[0].texture)
    return put_back(networks, recipes, mel) if recipes[0].kind == "inpaint" else mel


def noise_of(networks: Networks, recipes: Sequence[Recipe]) -> Tensor | None:
    """Noise (B, 1, M, T) for the texture of kicks; None where they have none. All kicks of a way between two share it."""
    if recipes[0].texture == 0:
        return None
    pairs = [(recipe.seed, 0 if recipe.kind == "interpolate" else recipe.index) for recipe in recipes]
    return texture_noise(pairs, networks.facts.audio.mel_shape)


def put_back(networks: Networks, recipes: Sequence[Recipe], mel: Tensor) -> Tensor:
    """Replaces mels (B, 1, M, T) by that of the source, with the same texture, outside the time that is made anew."""
    recipe = recipes[0]
    assert recipe.regenerate_ms is not None
    audio, shape = networks.facts.audio, networks.facts.latent_shape
    latent = torch.from_numpy(unpack_latent(recipe.sources[0], shape))[None].expand(len(recipes), *shape)
    source = networks.decode(latent, noise_of(networks, recipes), recipe.texture)
    frame = torch.arange(mel.shape[-1]) * 1000 * audio.hop_length / audio.sample_rate
    begin, end = recipe.regenerate_ms
    fade = 1000 * CROSSFADE_FRAMES * audio.hop_length / audio.sample_rate
    share = ((frame - begin) / fade + 0.5).clamp(0, 1) if begin > 0 else torch.ones_like(frame)
    if end < networks.facts.duration_ms:
        share = share * ((end - frame) / fade + 0.5).clamp(0, 1)
    return source + share * (mel - source)


def latent_of(networks: Networks, start: Start) -> np.ndarray:
    """The latent (C, H, W) of a source."""
    if start.latent is not None:
        return start.latent
    mel = mel_spectrogram(torch.from_numpy(start.waveform)[None], networks.facts.audio)
    return networks.encode(mel)[0].numpy()
