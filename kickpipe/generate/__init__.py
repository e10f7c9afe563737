"""The generator: from trained model files to kicks. It needs everything that inference needs and nothing of training.

    from kickpipe.generate import KickGenerator

``generator`` holds what one asks, ``networks`` what the networks compute.
"""

__all__ = ["MAX_COUNT", "GenerateError", "Kick", "KickGenerator", "Recipe", "RecipeError"]

from kickpipe.generate.generator import MAX_COUNT, GenerateError, Kick, KickGenerator, Recipe, RecipeError
