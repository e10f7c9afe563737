"""From a wish to a recipe, by what the model files say of themselves and without the networks.

A draft is a recipe whose sources are yet to be encoded and whose precision is yet to be that of the CPU.
"""

__all__ = ["MAX_COUNT", "check_count", "check_recipe", "combine", "draft", "names_of", "numbered"]

import dataclasses
from collections.abc import Iterator

from kickpipe.common.limits import MAX_COUNT
from kickpipe.generate.checks import GenerateError, RecipeError, whole
from kickpipe.generate.facts import Facts
from kickpipe.generate.options import DEFAULT_ITERATIONS, OptionNames, Options
from kickpipe.generate.prompts import encode_prompt, read_prompt
from kickpipe.generate.recipe import MAX_INDEX, Recipe
from kickpipe.generate.sources import Start


def combine(options: Options | None, changes: OptionNames) -> Options:
    """Options with some of them changed."""
    return dataclasses.replace(options or Options(), **changes)


def check_count(name: str, count: int, first: int, least: int = 1) -> None:
    """Raises RecipeError unless kicks ``first`` to ``first`` + ``count`` of a seed can be counted."""
    whole(name, count, least, MAX_COUNT)
    whole("first", first, 0, MAX_INDEX - count)


def draft(facts: Facts, prompt: str, options: Options, seed: int, first: int) -> Recipe:
    """A recipe of a new kick, with what the options leave open filled in.

    Raises:
        RecipeError, PromptError: If a value makes no sense.
    """
    if not isinstance(prompt, str):
        raise RecipeError(f"prompt: expected a text, found {prompt!r}")
    prompt, negative = read_prompt(prompt, options.negative, facts.vocabulary)
    options = dataclasses.replace(options, negative=negative)
    options.check_negative()
    vocoder = options.vocoder_or_default(facts.default_vocoder)
    return Recipe(
        prompt=prompt,
        negative=negative,
        guidance=options.guidance_or_default,
        sampler=options.sampler,
        steps=min(options.steps_or_default, facts.num_timesteps) if options.steps is None else options.steps,
        seed=seed,
        index=first,
        texture=options.texture_or_default(facts.has_texture),
        vocoder=vocoder,
        iterations=DEFAULT_ITERATIONS[vocoder] if options.iterations is None else options.iterations,
        models={kind: sha for kind, sha in facts.hashes.items() if kind != "vocoder" or "hifigan" in vocoder},
    )


def names_of(*starts: Start) -> tuple[str, ...]:
    """What sources are called; nothing where no one of them has a name."""
    names = tuple(start.name for start in starts)
    return names if any(names) else ()


def numbered(recipe: Recipe, count: int) -> Iterator[Recipe]:
    """The recipe and its next ones of the same seed."""
    return (dataclasses.replace(recipe, index=recipe.index + i) for i in range(count))


def check_recipe(facts: Facts, recipe: Recipe) -> None:
    """Raises what would stop a kick: other models, unknown words, too many steps, a missing vocoder.

    Raises:
        RecipeError, GenerateError, PromptError: Names what does not fit.
    """
    for kind, sha in recipe.models.items():
        if facts.hashes.get(kind, sha) != sha:
            raise GenerateError(
                f"this kick was made with the {kind} model {sha}, but {facts.hashes[kind]} is loaded: get the other one, "
                "for instance by 'dvc checkout' of the version it came from"
            )
    if "hifigan" in recipe.vocoder and not facts.has_vocoder:
        raise GenerateError(
            "vocoder: there is no vocoder.safetensors beside the other models: run 'dvc pull' or 'dvc repro', or choose "
            "griffin-lim"
        )
    if recipe.texture > 0 and not facts.has_texture:
        raise GenerateError(
            "texture: there is no texture.safetensors beside the other models, or one without training: run 'dvc pull' or "
            "'dvc repro', or choose 0"
        )
    if recipe.steps > facts.num_timesteps:
        raise RecipeError(
            f"steps: expected at most the {facts.num_timesteps} of the noise schedule, found {recipe.steps}"
        )
    if recipe.regenerate_ms is not None:
        facts.columns(*recipe.regenerate_ms)
    for text in (recipe.prompt, recipe.negative):
        encode_prompt(text, facts.vocabulary)
