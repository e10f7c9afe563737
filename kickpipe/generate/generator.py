"""KickGenerator: from the trained model files to kicks. Everything that inference needs, nothing that training needs.

    generator = KickGenerator.load("checkpoints")
    for kick in generator.generate("deep 808", count=4, seed=1):
        samples = kick.finish().samples                        # (N,) float32 at kick.sample_rate

Every kick follows from a `Recipe` alone: these methods write recipes, which `make` makes in batches whose size does not
change the kicks. Errors are raised before any work.
"""

__all__ = ["MAX_COUNT", "GenerateError", "Kick", "KickGenerator", "Recipe", "RecipeError"]

import dataclasses
from collections.abc import Iterator

from kickpipe.generate import best_of, latents
from kickpipe.generate.checks import whole
from kickpipe.generate.kick import Kick
from kickpipe.generate.networks import Engine, GenerateError, OnStep, Source
from kickpipe.generate.recipe import MAX_INDEX, Recipe, RecipeError, pack_latent

MAX_COUNT = 10_000


class KickGenerator(Engine):
    """What one asks of the networks; ``KickGenerator.load("checkpoints")`` makes one."""

    def generate(self, prompt: str = "", **options: object) -> list[Kick]:
        """New kicks as a list; arguments and errors as for ``stream``."""
        return list(self.stream(prompt, **options))

    def stream(
        self,
        prompt: str = "",
        *,
        negative: str = "",
        count: int = 1,
        seed: int = 0,
        first: int = 0,
        guidance: float | None = None,
        sampler: str = "dpm-solver++",
        steps: int | None = None,
        vocoder: str = "auto",
        iterations: int | None = None,
        precision: str = "auto",
        best_of_k: int | None = None,
        on_step: OnStep = None,
    ) -> Iterator[Kick]:
        """New kicks, one after the other, so that any number fits into memory.

        Arguments:
            prompt: Keywords, for example "deep 808" or "deep:0.7 clicky:0.3"; empty for any kick.
            negative: Keywords to steer away from.
            count: Number of kicks, 1 to 10,000.
            seed: Kick i of a seed is always the same kick.
            first: Number of the first kick of the seed.
            guidance: How strictly the prompt is followed: 0 not at all, 1 as learnt, above exaggerated. None: 1, or 2 with
                negative words, which 1 does not heed.
            sampler: "dpm-solver++", "ddim" or "ddpm".
            steps: Calls of the denoiser; None: 16, 50 or 1000 by sampler.
            vocoder: "hifigan", "griffin-lim", "hifigan+griffin-lim", or "auto": the last if there is a
                vocoder, otherwise Griffin-Lim. With Griffin-Lim the waveform below 260 Hz is searched for (``audio.low_band``).
            iterations: Griffin-Lim iterations; None: 16 alone, 4 after HiFi-GAN.
            precision: "bfloat16" in the vocoder's coarse stages, which differs from "float32" by 60 dB less than the sound;
                "auto": where the CPU has it natively.
            best_of_k: Make so many, vocode only the ``count`` that measure best.
            on_step: Told (steps done, steps of this batch) while a batch is sampled.

        Raises:
            RecipeError, GenerateError, PromptError: If an argument makes no sense.
        """
        check_count("count", count)
        number = count if best_of_k is None else best_of_k
        check_count("best_of_k", number, count)
        recipe = self.recipe(
            "generate",
            prompt=prompt,
            negative=negative,
            seed=seed,
            index=first,
            guidance=guidance,
            sampler=sampler,
            steps=steps,
            vocoder=vocoder,
            iterations=iterations,
            precision=precision,
        )
        recipes = numbered(recipe, number)
        return self.make(recipes, on_step=on_step) if number == count else self.best(recipes, count, on_step)

    def vary(
        self,
        source: Source,
        prompt: str = "",
        *,
        strength: float = 0.5,
        count: int = 1,
        first: int = 0,
        on_step: OnStep = None,
        **options: object,
    ) -> Iterator[Kick]:
        """Variations of a kick: noised to ``strength`` and denoised under a prompt.

        Arguments:
            source: Any audio file, a ``Kick``, samples (N,) at the models' sample rate, or a latent (C, H, W).
            strength: 0 gives the kick as the models reconstruct it, 1 a new one.
            count, first, on_step, options: As for ``stream``.

        Raises:
            As ``stream``; GenerateError also if the source cannot be used.
        """
        check_count("count", count)
        latent = pack_latent(self.latent_of(source))
        recipe = self.recipe("vary", prompt=prompt, sources=(latent,), strength=strength, index=first, **options)
        return self.make(numbered(recipe, count), on_step=on_step)

    def interpolate(
        self,
        first: Source,
        second: Source,
        prompt: str = "",
        *,
        count: int = 5,
        path: str = "spherical",
        guidance: float = 1.0,
        on_step: OnStep = None,
        **options: object,
    ) -> Iterator[Kick]:
        """Kicks on the way from one to another; the ends are the two as the models reconstruct them.

        Arguments:
            first, second: As the source of ``vary``.
            prompt: Keywords under which the kicks between are made.
            count: Number of kicks including the two ends, at least 2.
            path: "spherical": by the arc between the noises that lead to both; "latent": by the straight line.
            guidance: 1 unless given: there the way to the noise and back is the same.
            on_step, options: As for ``stream``; the sampler is "ddim" or "dpm-solver++".

        Raises:
            As ``vary``.
        """
        check_count("count", count, 2)
        sources = tuple(pack_latent(self.latent_of(source)) for source in (first, second))
        recipe = self.recipe("interpolate", prompt=prompt, sources=sources, path=path, guidance=guidance, **options)
        recipes = [dataclasses.replace(recipe, index=i, position=i / (count - 1)) for i in range(count)]
        return self.make(recipes, on_step=on_step)

    def inpaint(
        self,
        source: Source,
        begin_ms: float,
        end_ms: float,
        prompt: str = "",
        *,
        strength: float = 1.0,
        count: int = 1,
        first: int = 0,
        on_step: OnStep = None,
        **options: object,
    ) -> Iterator[Kick]:
        """Makes part of a kick anew and keeps the rest of its mel.

        The networks can only make whole columns of ``column_ms`` (186 ms) anew: every column that the time touches. Where
        such a column reaches past the time, the source's mel is put back, cross-faded over 2 frames (23 ms); what is made
        anew cannot know of it.

        Arguments:
            source: As for ``vary``.
            begin_ms, end_ms: What is made anew, from the beginning of the kick.
            strength: How much of that part is replaced by noise.
            count, first, on_step, options: As for ``stream``.

        Raises:
            As ``vary``.
        """
        check_count("count", count)
        latents.columns_touched(begin_ms, end_ms, self.column_ms, self.latent_shape[2])
        recipe = self.recipe(
            "inpaint",
            prompt=prompt,
            sources=(pack_latent(self.latent_of(source)),),
            strength=strength,
            regenerate_ms=(float(begin_ms), float(min(end_ms, 1000 * self.settings.duration))),
            index=first,
            **options,
        )
        return self.make(numbered(recipe, count), on_step=on_step)

    def best(self, recipes: list[Recipe], count: int, on_step: OnStep = None) -> Iterator[Kick]:
        """The ``count`` kicks of recipes that differ in index only which are good and unlike each other."""
        import torch

        parts = [self.mels(recipes[i : i + self.batch_size], on_step) for i in range(0, len(recipes), self.batch_size)]
        latent, mel = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        chosen = best_of.choose(mel, self.settings, count)
        return self.sound([recipes[i] for i in chosen], latent[chosen], mel[chosen])


def numbered(recipe: Recipe, count: int) -> list[Recipe]:
    """The recipe and its next ones of the same seed."""
    whole("first", recipe.index, 0, MAX_INDEX - count)
    return [dataclasses.replace(recipe, index=recipe.index + i) for i in range(count)]


def check_count(name: str, count: object, least: int = 1) -> None:
    whole(name, count, least, MAX_COUNT)
