"""How much one may ask for at most, where more than one room has to know it: params, model files and the generator."""

__all__ = ["MAX_CONFIG_CHARACTERS", "MAX_COUNT", "MAX_GUIDANCE", "MAX_LATENT_SIZE", "MAX_WORD", "MAX_WORDS"]

MAX_COUNT = 1_000_000  # kicks of one call
MAX_GUIDANCE = 100.0
MAX_LATENT_SIZE = 4096  # channels, rows or columns
MAX_WORDS = 100_000  # of a vocabulary
MAX_WORD = 100  # characters of a keyword
# Of a network's arguments, as JSON: a list of a million layers would be built before its tensors are looked at
MAX_CONFIG_CHARACTERS = 2000
