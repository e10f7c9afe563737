"""The generator: from trained model files to kicks. It needs everything that inference needs and nothing of training.

    from kickpipe.generate import KickGenerator, Options

``generator`` holds what one asks, ``making`` how a recipe becomes a kick, ``networks`` what the networks compute. Names are
imported when they are used: what one may ask is known without numpy, and checked without PyTorch.
"""

__all__ = ["MAX_COUNT", "GenerateError", "Kick", "KickGenerator", "Options", "Recipe", "RecipeError"]

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kickpipe.generate.checks import GenerateError, RecipeError
    from kickpipe.generate.drafts import MAX_COUNT
    from kickpipe.generate.generator import KickGenerator
    from kickpipe.generate.kick import Kick
    from kickpipe.generate.options import Options
    from kickpipe.generate.recipe import Recipe

HOMES = {
    "GenerateError": "checks",
    "Kick": "kick",
    "KickGenerator": "generator",
    "MAX_COUNT": "drafts",
    "Options": "options",
    "Recipe": "recipe",
    "RecipeError": "checks",
}


def __getattr__(name: str) -> object:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
