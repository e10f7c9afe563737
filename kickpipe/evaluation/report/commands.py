"""Lines for a terminal that make a kick of the page again, or more like it."""

__all__ = ["MORE", "generate_command", "variation_commands"]

import shlex
from pathlib import Path

from kickpipe.evaluation.report.page import Command
from kickpipe.generate.options import DEFAULT_GUIDANCE
from kickpipe.generate.recipe import Recipe

MORE = 8


def generate_command(
    prompt: str, seed: int, first: int, guidance: float = DEFAULT_GUIDANCE, count: int = 1, negative: str = ""
) -> str:
    """The line that generates kicks of a seed, from its number ``first`` on."""
    words = ["kickpipe", "generate", "--seed", str(seed)]
    words += ["--first", str(first)] if first else []
    words += ["--count", str(count)] if count > 1 else []
    words += [f"--negative={negative}"] if negative else []
    words += ["--guidance", f"{guidance:g}"] if guidance != DEFAULT_GUIDANCE or negative else []
    return shlex.join(words + positional([prompt]))


def variation_commands(path: Path, recipe: Recipe | None) -> list[Command]:
    """Variations of a file; for one that kickpipe wrote also the same kick again, and more of its prompt."""
    prompt = recipe.prompt if recipe is not None else ""
    vary = ["kickpipe", "vary", "--count", str(MORE), *positional([str(path), prompt])]
    commands = [Command("More like this", shlex.join(vary))]
    if recipe is None:
        return commands
    if recipe.kind == "generate":
        more = generate_command(prompt, recipe.seed, recipe.index + 1, recipe.guidance, MORE, recipe.negative)
        commands.append(Command("Others of its prompt", more))
    return [*commands, Command("The same again", shlex.join(["kickpipe", "again", *positional([str(path)])]))]


def positional(words: list[str]) -> list[str]:
    """Arguments without empty ones; after "--" if one begins with a hyphen, which would read as an option."""
    words = [word for word in words if word]
    return ["--", *words] if any(word.startswith("-") for word in words) else words
