"""From the text of a prompt to weighted keywords; a word that the model does not know is an error.

    "deep 808"                    two keywords of the same weight
    "deep:0.7 clicky:0.3"         with weights
    "hip hop, -long"              a spelling of hiphop (see ``synonyms``), and a keyword to steer away from

Words are separated by spaces or commas, and split as file names are. ``read_prompt`` writes them as the keywords of a
vocabulary: so a recipe holds them, which makes the same kick whatever the table of synonyms will say one day.
"""

__all__ = ["MAX_PROMPT", "MAX_WEIGHT", "MIN_WEIGHT", "encode_prompt", "parse_prompt", "read_prompt", "resolve"]

import math
import re
from collections.abc import Sequence

from kickpipe.data.vocabulary import PromptError, UnknownKeyword, Vocabulary, split_words
from kickpipe.generate.synonyms import MAX_PHRASE, meaning

MAX_PROMPT = 1000  # characters
MIN_WEIGHT, MAX_WEIGHT = 0.01, 100.0  # one word can weigh 10,000 times another: more is a slip of the keyboard
MINUS = "-−–"  # as keyboards and word processors write it

Words = list[tuple[str, float]]


def parse_prompt(prompt: str) -> tuple[Words, Words]:
    """Words of a prompt with their weights: those that are wanted, and those with a minus before them.

    "deep 808" gives each word the weight 1; "deep:0.7 clicky:0.3" sets it. A word that is written like a compound
    ("hard-style") is split as file names are, and each part has its weight. The empty prompt has no words.

    Raises:
        PromptError: If the prompt is longer than 1000 characters, or a weight is not a number from 0.01 to 100, or stands
            without a word.
    """
    if len(prompt) > MAX_PROMPT:
        raise PromptError(f"a prompt has at most {MAX_PROMPT} characters, this one has {len(prompt)}")
    wanted: Words = []
    unwanted: Words = []
    for item in re.split(r"[\s,]+", prompt.strip()):
        text, colon, number = item.partition(":")
        words = split_words(text.lstrip(MINUS))
        if colon and not words:
            raise PromptError(f"{item!r}: a weight without a word; write word:weight, as in deep:0.7")
        if words and text.startswith("--"):
            raise PromptError(f"{item!r}: options stand outside the quotes of the prompt")
        weight = parse_weight(item, number) if colon else 1.0
        side = unwanted if text.startswith(tuple(MINUS)) else wanted
        side.extend((word, weight) for word in words)
    return wanted, unwanted


def parse_weight(item: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not MIN_WEIGHT <= weight <= MAX_WEIGHT:
        raise PromptError(
            f"{item!r}: expected a weight from {MIN_WEIGHT:g} to {MAX_WEIGHT:g} after the colon, as in deep:0.7, "
            f"found {number!r}"
        )
    return weight


def resolve(words: Words, vocabulary: Vocabulary) -> Words:
    """Keywords of a vocabulary for the words of a prompt, each once, with the sum of its weights.

    Neighbours are read as one spelling ("hip hop") where it means a keyword, unless each is a keyword by itself; the last
    one's weight counts for them.

    Raises:
        UnknownKeyword: If words mean no keyword; the error names all of them.
        PromptError: If a keyword weighs more than 100.
    """
    keywords: dict[str, float] = {}
    unknown = []
    at = 0
    while at < len(words):
        for size in range(min(MAX_PHRASE, len(words) - at), 0, -1):
            keyword = phrase_meaning(words[at : at + size], vocabulary)
            if keyword is not None:
                keywords[keyword] = keywords.get(keyword, 0.0) + words[at + size - 1][1]
                break
        else:
            unknown.append(words[at][0])
            size = 1
        at += size
    if unknown:
        raise UnknownKeyword(list(dict.fromkeys(unknown)), vocabulary)
    for keyword, weight in keywords.items():
        if weight > MAX_WEIGHT:
            raise PromptError(f"{keyword!r} weighs {weight:g} in all, expected at most {MAX_WEIGHT:g}")
    return list(keywords.items())


def phrase_meaning(words: Sequence[tuple[str, float]], vocabulary: Vocabulary) -> str | None:
    """The keyword that words mean together, or None."""
    if len(words) == 1:
        return words[0][0] if words[0][0] in vocabulary else meaning(words[0][0], vocabulary)
    if any(weight not in (1.0, words[-1][1]) for _, weight in words) or all(word in vocabulary for word, _ in words):
        return None
    return meaning("".join(word for word, _ in words), vocabulary)


def read_prompt(prompt: str, negative: str, vocabulary: Vocabulary) -> tuple[str, str]:
    """A prompt and its negative in the keywords of a vocabulary; words with a minus go over to the negative.

    Raises:
        PromptError: If one of them cannot be read; ``UnknownKeyword`` if it has unknown words.
    """
    wanted, unwanted = parse_prompt(prompt)
    avoided, twice = parse_prompt(negative)
    if twice:
        raise PromptError(f"'-{twice[0][0]}': words to steer away from are written without a minus there")
    return format_words(resolve(wanted, vocabulary)), format_words(resolve(unwanted + avoided, vocabulary))


def format_words(words: Words) -> str:
    return " ".join(word if weight == 1.0 else f"{word}:{weight!r}" for word, weight in words)


def encode_prompt(prompt: str, vocabulary: Vocabulary) -> tuple[list[int], list[float]]:
    """Ids of the keywords of a prompt and their weights; none for the empty prompt.

    Raises:
        PromptError: If the prompt cannot be read, or has words with a minus, which belong into another one;
            ``UnknownKeyword`` if it has unknown words.
    """
    wanted, unwanted = parse_prompt(prompt)
    if unwanted:
        raise PromptError(f"'-{unwanted[0][0]}': words to steer away from belong into the negative prompt")
    words = resolve(wanted, vocabulary)
    return vocabulary.encode(word for word, _ in words), [weight for _, weight in words]
