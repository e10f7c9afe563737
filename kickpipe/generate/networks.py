"""The trained networks as one machine: mel <-> latent <-> noise, mel -> waveform, and recipes -> kicks.

Shapes: B kicks, C x H x W latent, M mel bands, L frames, N samples. Latents outside this module are the VAE's own; they
are standardised on the way into the denoiser and back on the way out.
"""

__all__ = ["BATCH_SIZE", "Engine", "GenerateError", "Source"]

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kickpipe.audio.low_band import first_band_above
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.checkpoints import ModelFile, load_model
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.diffusion.guidance import Guided
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.generate import latents
from kickpipe.generate.belonging import check_models
from kickpipe.generate.checks import GenerateError
from kickpipe.generate.fast import fast_vocoder, fill_precision, pack
from kickpipe.generate.kick import Kick
from kickpipe.generate.noise import kick_generators
from kickpipe.generate.options import DEFAULT_GUIDANCE, DEFAULT_ITERATIONS, DEFAULT_STEPS, NEGATIVE_GUIDANCE
from kickpipe.generate.prompts import encode_prompt, read_prompt
from kickpipe.generate.recipe import Recipe, RecipeError, batch_key, unpack_latent
from kickpipe.generate.vocoding import look_ahead, vocode_griffin_lim, vocode_hifigan

BATCH_SIZE = 16
CROSSFADE_FRAMES = 2
MAX_CONTEXT = 8  # frames: silence beyond changes the waveform by 100 dB less than its level (measured)

Source = str | PathLike | Kick | np.ndarray | Tensor
OnStep = Callable[[int, int], None] | None


class Engine:
    """A VAE, a diffusion model and, where there is one, a vocoder.

    A kick is the same alone and in any batch: the denoiser is arranged so (see ``fast``), and the VAE and the vocoder, which
    gain nothing from batches, take one kick after the other.

    Arguments:
        vae, diffusion: Model files as loaded by ``kickpipe.checkpoints.load_model``.
        vocoder: Likewise; None leaves Griffin-Lim. Its weight norm is folded in place.

    Raises:
        GenerateError: If the models do not belong together.
    """

    batch_size = BATCH_SIZE

    def __init__(self, vae: ModelFile, diffusion: ModelFile, vocoder: ModelFile | None = None) -> None:
        check_models(vae, diffusion, vocoder)
        self.settings = vae.audio
        self.latent_shape: tuple[int, int, int] = tuple(vae.model.latent_shape)
        self.vocabulary = Vocabulary(tuple(diffusion.extra["vocabulary"]), tuple(diffusion.extra["keyword_counts"]))
        self.schedule = NoiseSchedule(**diffusion.extra["schedule"])
        self.hashes = {file.kind: file.sha256[:16] for file in (vae, diffusion, vocoder) if file is not None}
        self.vae = vae.model
        self.unet = pack(diffusion.model.unet)
        self.text = diffusion.model.text
        self.latent_mean = torch.tensor(diffusion.extra["latent_mean"], dtype=torch.float32).reshape(1, -1, 1, 1)
        self.latent_std = torch.tensor(diffusion.extra["latent_std"], dtype=torch.float32).reshape(1, -1, 1, 1)
        self.vocoder = None if vocoder is None else vocoder.model
        self.context = 0 if vocoder is None else min(look_ahead(vocoder.model), MAX_CONTEXT)
        self.fast: dict[str, Callable[[Tensor], Tensor]] = {}

    @classmethod
    def load(cls, directory: str | PathLike = "checkpoints") -> "Engine":
        """Loads vae.safetensors, diffusion.safetensors and, if it is there, vocoder.safetensors from a folder.

        Raises:
            CheckpointError: If a file is missing, damaged or of another kind.
            GenerateError: If the files do not belong together.
        """
        directory = Path(directory)
        vae = load_model(directory / "vae.safetensors", "vae")
        diffusion = load_model(directory / "diffusion.safetensors", "diffusion")
        path = directory / "vocoder.safetensors"
        return cls(vae, diffusion, load_model(path, "vocoder") if path.exists() else None)

    @property
    def column_ms(self) -> float:
        """How much time one column of the latent covers (ms)."""
        frames = 2 ** (len(self.vae.sizes) - 1)
        return 1000 * frames * self.settings.hop_length / self.settings.sample_rate

    @torch.inference_mode()
    def encode(self, mel: Tensor) -> Tensor:
        """Log-mels (B, 1, M, L) to latents (B, C, H, W): the encoder's mean. Raises ValueError for other shapes."""
        return torch.cat([self.vae.encode(row)[0] for row in mel.split(1)])

    @torch.inference_mode()
    def decode(self, latent: Tensor) -> Tensor:
        """Latents (B, C, H, W) to log-mels (B, 1, M, L) from floor to full scale. Raises ValueError for other shapes."""
        # The Hann window sums to n_fft / 2: no sine of full scale has more power than the square of that
        lowest, highest = math.log(self.settings.mel_floor), 2 * math.log(self.settings.n_fft / 2)
        return torch.cat([self.vae.decode(row) for row in latent.split(1)]).clamp(lowest, highest)

    @torch.inference_mode()
    def vocode(
        self, mel: Tensor, vocoder: str = "auto", iterations: int | None = None, precision: str = "auto"
    ) -> Tensor:
        """Log-mels (B, 1, M, L) to waveforms (B, N), silent from where the mel has fallen to its floor.

        Arguments:
            vocoder, iterations, precision: As for ``KickGenerator.stream``.

        Raises:
            RecipeError, GenerateError: If there is no such vocoder.
        """
        vocoder, iterations = self.fill_vocoder(vocoder, iterations)
        if vocoder == "griffin-lim":
            return vocode_griffin_lim(mel, self.settings, iterations)
        network = self.fast_vocoder(precision)
        if vocoder == "hifigan":
            return vocode_hifigan(mel, network, self.settings, self.context)
        waveform = vocode_hifigan(mel, network, self.settings, self.context, first_band_above(self.settings))
        return vocode_griffin_lim(mel, self.settings, iterations, waveform)

    @torch.inference_mode()
    def sample(self, recipes: Sequence[Recipe], on_step: OnStep = None) -> Tensor:
        """Latents (B, C, H, W) of recipes that differ in index and position only."""
        recipe = recipes[0]
        denoiser = self.denoiser(recipe)
        sources = [
            self.standardise(torch.from_numpy(unpack_latent(text, self.latent_shape))) for text in recipe.sources
        ]
        common = (denoiser, self.schedule, recipe.sampler, recipe.steps)
        generators = kick_generators((item.seed, item.index) for item in recipes)
        if recipe.kind == "generate":
            made = latents.sampled(*common, generators, self.latent_shape, on_step)
        elif recipe.kind == "interpolate":
            positions = [item.position for item in recipes]
            made = latents.interpolated(*common, sources[0][0], sources[1][0], positions, recipe.path, on_step)
        else:
            source = sources[0].expand(len(recipes), *self.latent_shape)
            if recipe.kind == "vary":
                made = latents.varied(*common, generators, source, recipe.strength, on_step)
            else:
                columns = self.columns(recipe)
                made = latents.inpainted(*common, generators, source, recipe.strength, columns, on_step)
        return made * self.latent_std + self.latent_mean

    def denoiser(self, recipe: Recipe) -> Guided:
        """The U-Net under the prompts and the guidance of a recipe."""
        cond = encode_prompt(recipe.prompt, self.vocabulary, self.text)
        uncond = encode_prompt(recipe.negative, self.vocabulary, self.text)
        return Guided(self.unet, cond, uncond, recipe.guidance)

    def standardise(self, latent: Tensor) -> Tensor:
        return (latent - self.latent_mean) / self.latent_std

    def columns(self, recipe: Recipe) -> range:
        """The latent's columns that a recipe with a gap makes anew."""
        return latents.columns_touched(*recipe.regenerate_ms, self.column_ms, self.latent_shape[2])

    def latent_of(self, source: Source) -> Tensor:
        """The latent (C, H, W) of an audio file, a kick, samples (N,) at the models' rate, or a latent.

        Raises:
            GenerateError: If the source cannot be used.
        """
        source = source.latent if isinstance(source, Kick) else source
        if isinstance(source, Tensor):
            if tuple(source.shape) != self.latent_shape or not torch.isfinite(source).all():
                raise GenerateError(
                    f"source: expected finite latents of shape {self.latent_shape}, found {tuple(source.shape)}"
                )
            return source
        if isinstance(source, np.ndarray) and source.ndim != 1:
            raise GenerateError(f"source: expected mono samples of shape (N,), found {source.shape}")
        from kickpipe.audio.io import AudioError, prepare, prepare_samples

        try:
            if isinstance(source, np.ndarray):
                waveform = prepare_samples(source[None], self.settings.sample_rate, self.settings)
            else:
                waveform = prepare(source, self.settings)
        except AudioError as error:
            name = "source" if isinstance(source, np.ndarray) else source
            raise GenerateError(f"{name}: {error}") from None
        return self.encode(mel_spectrogram(torch.from_numpy(waveform)[None], self.settings))[0]

    def require_vocoder(self) -> torch.nn.Module:
        if self.vocoder is None:
            raise GenerateError(
                "vocoder: there is no vocoder.safetensors beside the other models: run 'dvc pull' or 'dvc repro', "
                "or choose griffin-lim"
            )
        return self.vocoder

    def fast_vocoder(self, precision: str) -> Callable[[Tensor], Tensor]:
        """The vocoder arranged for a precision, once."""
        precision = fill_precision(precision)
        if precision not in self.fast:
            self.fast[precision] = fast_vocoder(self.require_vocoder(), precision)
        return self.fast[precision]

    def fill_vocoder(self, vocoder: str, iterations: int | None) -> tuple[str, int]:
        """Resolves "auto" and None."""
        if vocoder == "auto":
            vocoder = "griffin-lim" if self.vocoder is None else "hifigan+griffin-lim"
        if vocoder not in DEFAULT_ITERATIONS:
            raise RecipeError(f"vocoder: expected auto, {', '.join(DEFAULT_ITERATIONS)}, found {vocoder!r}")
        return vocoder, DEFAULT_ITERATIONS[vocoder] if iterations is None else iterations

    def recipe(
        self,
        kind: str,
        *,
        guidance: float | None = None,
        steps: int | None = None,
        vocoder: str = "auto",
        iterations: int | None = None,
        precision: str = "auto",
        **values: object,
    ) -> Recipe:
        """A recipe for these models, with what is None or "auto" filled in.

        Raises:
            RecipeError, GenerateError, PromptError: If a value makes no sense.
        """
        vocoder, iterations = self.fill_vocoder(vocoder, iterations)
        texts = values.get("prompt", ""), values.get("negative", "")
        if all(isinstance(text, str) for text in texts):  # otherwise the recipe says what is wrong
            values["prompt"], values["negative"] = read_prompt(*texts, self.vocabulary)
        if guidance is None:
            guidance = NEGATIVE_GUIDANCE if values.get("negative") else DEFAULT_GUIDANCE
        sampler = values.get("sampler", "dpm-solver++")
        if steps is None:
            steps = DEFAULT_STEPS.get(sampler, 1)
        used = {name: sha for name, sha in self.hashes.items() if name != "vocoder" or "hifigan" in vocoder}
        precision = fill_precision(precision)
        recipe = Recipe(
            kind=kind,
            guidance=guidance,
            steps=steps,
            vocoder=vocoder,
            iterations=iterations,
            precision=precision,
            models=used,
            **values,
        )
        self.check(recipe)
        return recipe

    def check(self, recipe: Recipe) -> None:
        """Raises what would stop ``make``: other models, unknown words, too many steps, a missing vocoder."""
        for kind, sha in recipe.models.items():
            if self.hashes.get(kind, sha) != sha:
                raise GenerateError(
                    f"this kick was made with the {kind} model {sha}, but {self.hashes[kind]} is loaded: get the other one, "
                    "for instance by 'dvc checkout' of the version it came from"
                )
        if "hifigan" in recipe.vocoder:
            self.require_vocoder()
        if recipe.steps > self.schedule.num_timesteps:
            raise RecipeError(
                f"steps: expected at most the {self.schedule.num_timesteps} of the noise schedule, found {recipe.steps}"
            )
        if recipe.kind == "inpaint":
            self.columns(recipe)
        for text in (recipe.prompt, recipe.negative):
            encode_prompt(text, self.vocabulary, self.text)
        for text in recipe.sources:
            unpack_latent(text, self.latent_shape)

    def make(self, recipes: Iterable[Recipe], on_step: OnStep = None) -> Iterator[Kick]:
        """Makes kicks, in the order of their recipes; all recipes are checked before the first is made.

        Raises:
            RecipeError, GenerateError, PromptError: If a recipe does not fit the models.
        """
        groups = [list(group) for _, group in groupby(recipes, key=batch_key)]
        for group in groups:
            self.check(group[0])
        batches = [group[i : i + self.batch_size] for group in groups for i in range(0, len(group), self.batch_size)]
        return (kick for batch in batches for kick in self.make_batch(batch, on_step))

    @torch.inference_mode()
    def make_batch(self, recipes: Sequence[Recipe], on_step: OnStep = None) -> Iterator[Kick]:
        """Makes kicks whose recipes differ in index and position only."""
        latent, mel = self.mels(recipes, on_step)
        yield from self.sound(recipes, latent, mel)

    def mels(self, recipes: Sequence[Recipe], on_step: OnStep = None) -> tuple[Tensor, Tensor]:
        """Latents (B, C, H, W) and log-mels (B, 1, M, L) of recipes that differ in index and position only."""
        latent = self.sample(recipes, on_step)
        if not torch.isfinite(latent).all():
            raise GenerateError(
                f"sampling left the range of numbers (guidance {recipes[0].guidance:g}, {recipes[0].steps} steps): "
                "choose a guidance nearer to 1 or more steps"
            )
        mel = self.decode(latent)
        if recipes[0].kind == "inpaint":
            mel = self.put_back(recipes[0], mel)
            latent = self.encode(mel)
        return latent, mel

    def put_back(self, recipe: Recipe, mel: Tensor) -> Tensor:
        """Replaces mels (B, 1, M, L) by that of the source outside the time that is made anew."""
        source = self.decode(torch.from_numpy(unpack_latent(recipe.sources[0], self.latent_shape))[None])
        frame = torch.arange(mel.shape[-1]) * 1000 * self.settings.hop_length / self.settings.sample_rate
        begin, end = recipe.regenerate_ms
        fade = 1000 * CROSSFADE_FRAMES * self.settings.hop_length / self.settings.sample_rate
        share = ((frame - begin) / fade + 0.5).clamp(0, 1) if begin > 0 else torch.ones_like(frame)
        if end < 1000 * self.settings.duration:
            share = share * ((end - frame) / fade + 0.5).clamp(0, 1)
        return source + share * (mel - source)

    def sound(self, recipes: Sequence[Recipe], latent: Tensor, mel: Tensor) -> Iterator[Kick]:
        """The kicks of mels (B, 1, M, L), vocoded one by one."""
        for i, recipe in enumerate(recipes):
            waveform = self.vocode(mel[i : i + 1], recipe.vocoder, recipe.iterations, recipe.precision)[0]
            yield Kick(waveform.numpy(), self.settings.sample_rate, latent[i].clone(), recipe)
