"""KickGenerator: from the trained model files to kicks. Everything that inference needs, nothing that training needs.

    generator = KickGenerator.load("checkpoints")
    for kick in generator.generate("deep 808", count=4, seed=1):
        samples = kick.finish().samples                        # (N,) float32 at kick.sample_rate

Every kick follows from a `Recipe` alone: these methods write recipes, `make` makes them in batches whose size does not change
the kicks. Whatever makes no sense is refused first, without the networks; PyTorch is imported with them.
"""

__all__ = ["KickGenerator"]

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from os import PathLike
from threading import Lock
from typing import TYPE_CHECKING, Unpack

from kickpipe.audio.settings import AudioSettings
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.generate.checks import GenerateError, choose, within
from kickpipe.generate.drafts import check_count, check_recipe, combine, draft, names_of, numbered
from kickpipe.generate.facts import Facts
from kickpipe.generate.kick import Kick
from kickpipe.generate.options import WALKS, OnStep, OptionNames, Options, Walk
from kickpipe.generate.recipe import DEFAULT_STRENGTH, Recipe, pack_latent, unpack_latent
from kickpipe.generate.sources import Source, Start, read_source

if TYPE_CHECKING:
    from kickpipe.generate.networks import Networks

BATCH_SIZE = 16


class KickGenerator:
    """What one asks of the networks. Safe to share among threads.

    Every method takes the options of ``Options`` as keyword arguments, or one ``options`` object, or both: then the keywords
    change it. ``on_step`` is told (steps done, steps of this batch) while a batch is sampled.

    Arguments:
        facts: What the model files say of themselves.
        load: Loads the networks when they are first needed.
    """

    batch_size = BATCH_SIZE

    def __init__(self, facts: Facts, load: "Callable[[], Networks]") -> None:
        self.facts = facts
        self._load = load
        self._networks: Networks | None = None
        self._lock = Lock()

    @classmethod
    def load(cls, directory: str | PathLike[str] = "checkpoints") -> "KickGenerator":
        """Loads vae.safetensors, diffusion.safetensors and, if they are there, texture.safetensors and vocoder.safetensors.

        Raises:
            CheckpointError: If a file is missing, damaged or of another kind.
            GenerateError: If the files do not belong together.
        """
        generator = cls.open(directory)
        _ = generator.networks
        return generator

    @classmethod
    def open(cls, directory: str | PathLike[str] = "checkpoints") -> "KickGenerator":
        """As ``load``, but weights are loaded for the first kick, and only then found damaged: mistakes are told at once."""
        return cls(Facts.read(directory), partial(load_networks, directory))

    @property
    def networks(self) -> "Networks":
        with self._lock:
            if self._networks is None:
                networks = self._load()
                if networks.facts != self.facts:
                    raise GenerateError("the model files have changed since they were opened: open them again")
                self._networks = networks
            return self._networks

    @property
    def settings(self) -> AudioSettings:
        return self.facts.audio

    @property
    def vocabulary(self) -> Vocabulary:
        return self.facts.vocabulary

    @property
    def hashes(self) -> dict[str, str]:
        return self.facts.hashes

    def generate(
        self,
        prompt: str = "",
        *,
        count: int = 1,
        seed: int = 0,
        first: int = 0,
        best_of: int | None = None,
        options: Options | None = None,
        on_step: OnStep = None,
        **changes: Unpack[OptionNames],
    ) -> list[Kick]:
        """New kicks as a list; arguments and errors as for ``stream``."""
        options = combine(options, changes)
        return list(
            self.stream(prompt, count=count, seed=seed, first=first, best_of=best_of, options=options, on_step=on_step)
        )

    def stream(
        self,
        prompt: str = "",
        *,
        count: int = 1,
        seed: int = 0,
        first: int = 0,
        best_of: int | None = None,
        options: Options | None = None,
        on_step: OnStep = None,
        **changes: Unpack[OptionNames],
    ) -> Iterator[Kick]:
        """New kicks, one after the other, so that any number fits into memory.

        Arguments:
            prompt: Keywords, for example "deep 808", "deep:0.7 clicky:0.3" or "deep -long"; empty for any kick.
            count: Number of kicks, 1 to 1,000,000.
            seed: Kick i of a seed is always the same kick.
            first: Number of the first kick of the seed.
            best_of: Make so many, vocode only the ``count`` that measure best and differ most.

        Raises:
            RecipeError, GenerateError, PromptError: If an argument makes no sense.
        """
        options = combine(options, changes)
        number = count if best_of is None else best_of
        check_count("count", count, first)
        check_count("best_of", number, first, count)
        recipe = self._settle(draft(self.facts, prompt, options, seed, first), options)
        return self._make(numbered(recipe, number), on_step, None if best_of is None else count)

    def vary(
        self,
        source: Source,
        prompt: str = "",
        *,
        strength: float = DEFAULT_STRENGTH["vary"],
        count: int = 1,
        seed: int = 0,
        first: int = 0,
        options: Options | None = None,
        on_step: OnStep = None,
        **changes: Unpack[OptionNames],
    ) -> Iterator[Kick]:
        """Variations of a kick: noised to ``strength`` and denoised under a prompt.

        Arguments:
            source: Any audio file, a ``Kick``, samples (N,) at the models' sample rate, or a latent (C, H, W).
            strength: 0 gives the kick as the models reconstruct it, 1 a new one.
            count, seed, first: As for ``stream``.

        Raises:
            As ``stream``; GenerateError also if the source cannot be used.
        """
        options = combine(options, changes)
        check_count("count", count, first)
        within("strength", strength, 0, 1)
        start = read_source(source, self.facts)
        plain = draft(self.facts, prompt, options, seed, first)
        wish = dataclasses.replace(plain, kind="vary", sources=("",), names=names_of(start), strength=strength)
        return self._make(numbered(self._settle(wish, options, start), count), on_step)

    def interpolate(
        self,
        first: Source,
        second: Source,
        prompt: str = "",
        *,
        count: int = 5,
        path: Walk = "spherical",
        options: Options | None = None,
        on_step: OnStep = None,
        **changes: Unpack[OptionNames],
    ) -> Iterator[Kick]:
        """Kicks on the way from one to another; the ends are the two as the models reconstruct them.

        Arguments:
            first, second: As the source of ``vary``.
            prompt: Keywords under which the kicks between are made.
            count: Number of kicks including the two ends, at least 2.
            path: "spherical": by the arc between the noises that lead to both, for which the sampler is "ddim" or
                "dpm-solver++"; "latent": by the straight line. With a guidance of 1 the way to the noise and back is the same.

        Raises:
            As ``vary``.
        """
        options = combine(options, changes)
        check_count("count", count, 0, 2)
        choose("path", path, WALKS)
        starts = read_source(first, self.facts), read_source(second, self.facts)
        plain = draft(self.facts, prompt, options, 0, 0)
        wish = dataclasses.replace(plain, kind="interpolate", sources=("", ""), names=names_of(*starts), path=path)
        recipe = self._settle(wish, options, *starts)
        way = (dataclasses.replace(recipe, index=i, position=i / (count - 1)) for i in range(count))
        return self._make(way, on_step)

    def inpaint(
        self,
        source: Source,
        begin_ms: float,
        end_ms: float,
        prompt: str = "",
        *,
        strength: float = DEFAULT_STRENGTH["inpaint"],
        count: int = 1,
        seed: int = 0,
        first: int = 0,
        options: Options | None = None,
        on_step: OnStep = None,
        **changes: Unpack[OptionNames],
    ) -> Iterator[Kick]:
        """Makes part of a kick anew and keeps the rest of its mel.

        The networks can only make whole columns of ``facts.column_ms`` (186 ms) anew: every column that the time touches.
        Where such a column reaches past the time, the source's mel is put back, cross-faded over 2 frames (23 ms); what is
        made anew cannot know of it.

        Arguments:
            source: As for ``vary``.
            begin_ms, end_ms: What is made anew, from the beginning of the kick.
            strength: How much of that part is replaced by noise.
            count, seed, first: As for ``stream``.

        Raises:
            As ``vary``.
        """
        options = combine(options, changes)
        check_count("count", count, first)
        within("strength", strength, 0, 1)
        self.facts.columns(begin_ms, end_ms)
        start = read_source(source, self.facts)
        plain = draft(self.facts, prompt, options, seed, first)
        time = float(begin_ms), float(min(end_ms, self.facts.duration_ms))
        wish = dataclasses.replace(
            plain, kind="inpaint", sources=("",), names=names_of(start), strength=strength, regenerate_ms=time
        )
        return self._make(numbered(self._settle(wish, options, start), count), on_step)

    def recipe(
        self,
        prompt: str = "",
        *,
        seed: int = 0,
        first: int = 0,
        options: Options | None = None,
        **changes: Unpack[OptionNames],
    ) -> Recipe:
        """The recipe of a new kick; arguments and errors as for ``stream``."""
        options = combine(options, changes)
        return self._settle(draft(self.facts, prompt, options, seed, first), options)

    def make(self, recipes: Iterable[Recipe], on_step: OnStep = None) -> Iterator[Kick]:
        """Makes kicks, in the order of their recipes; all recipes are checked before the first is made.

        Raises:
            RecipeError, GenerateError, PromptError: If a recipe does not fit the models.
        """
        recipes = list(recipes)
        for recipe in recipes:
            check_recipe(self.facts, recipe)
            for text in recipe.sources:
                unpack_latent(text, self.facts.latent_shape)
        return self._make(recipes, on_step)

    def _settle(self, recipe: Recipe, options: Options, *starts: Start) -> Recipe:
        """The draft with its sources and the precision: what needs the networks or PyTorch comes after all checks."""
        check_recipe(self.facts, recipe)
        from kickpipe.generate.fast import precision_or_native
        from kickpipe.generate.making import latent_of

        sources = tuple(pack_latent(latent_of(self.networks, start)) for start in starts)
        return dataclasses.replace(recipe, sources=sources, precision=precision_or_native(options.precision))

    def _make(self, recipes: Iterable[Recipe], on_step: OnStep, best: int | None = None) -> Iterator[Kick]:
        from kickpipe.generate.making import batches, make_batch, make_best

        groups = batches(recipes, self.batch_size)
        if best is not None:
            yield from make_best(self.networks, groups, best, on_step)
        for batch in groups:
            yield from make_batch(self.networks, batch, on_step)


def load_networks(directory: str | PathLike[str]) -> "Networks":
    from kickpipe.generate.networks import Networks

    return Networks.load(directory)
