"""Keywords: what a file name says about a kick, and what a prompt asks for.

A file name is split at ``-``, ``_``, spaces and dots (brackets, commas and quotes separate too) and lowercased; pure
numbers and words of one letter say nothing and go ("Deep_Kick 03.wav" -> deep kick). A vocabulary is the words that
enough files share. A prompt is split the same way, and its words may carry weights: "deep:0.7 clicky:0.3".
"""

__all__ = ["tokenize", "build_vocabulary", "Vocabulary", "parse_prompt", "PromptError", "UnknownKeyword"]

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from kickpipe.common.errors import KickpipeError

SEPARATORS = re.compile(r"""[-_.\s()\[\]{}<>"`,;:!]+""")  # "Kick [argo].wav" says argo


class PromptError(KickpipeError):
    """A prompt that cannot be read; the message says where and what to write."""


class UnknownKeyword(PromptError):
    """A word of a prompt that the model has never seen.

    Attributes:
        word: The word.
        nearest: The most similar word of the vocabulary, or None.
    """

    def __init__(self, word: str, nearest: str | None) -> None:
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"{word!r} is not a keyword of this model{hint}")
        self.word = word
        self.nearest = nearest


def split_words(text: str) -> list[str]:
    words = (word.strip("'") for word in SEPARATORS.split(text.lower()))
    return [word for word in words if word]


def tokenize(filename: str, keep_numbers: Collection[str] = ()) -> list[str]:
    """Keywords of a file name, in order, each once.

    Arguments:
        filename: The original name; its extension is not a keyword.
        keep_numbers: Numbers that are names, such as "808"; all others go.
    """
    stem = PurePosixPath(filename).stem if "." in filename else filename
    words = split_words(stem)
    telling = (word for word in words if word in keep_numbers or (len(word) >= 2 and not word.isdecimal()))
    return list(dict.fromkeys(telling))


def build_vocabulary(keywords: Iterable[Sequence[str]], min_count: int) -> tuple[list[str], list[int]]:
    """Words that at least ``min_count`` kicks have, the most frequent first, and how many kicks have each.

    Arguments:
        keywords: The keywords of every kick.
        min_count: Number of kicks a word needs.
    """
    counts = Counter(word for words in keywords for word in set(words))
    frequent = [(word, count) for word, count in counts.items() if count >= min_count]
    ranked = sorted(frequent, key=lambda item: (-item[1], item[0]))
    return [word for word, _ in ranked], [count for _, count in ranked]


@dataclass(frozen=True)
class Vocabulary:
    """The keywords a model knows; a word's id is its position.

    Arguments:
        words: The keywords.
        counts: How many training kicks had each.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        object.__setattr__(self, "counts", tuple(self.counts))
        if len(self.words) != len(self.counts):
            raise ValueError(f"vocabulary has {len(self.words)} words but {len(self.counts)} counts")
        object.__setattr__(self, "ids", {word: i for i, word in enumerate(self.words)})
        if len(self.ids) != len(self.words):
            raise ValueError("vocabulary has a word twice")

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.ids

    def encode(self, words: Iterable[str]) -> list[int]:
        """Ids of ``words``.

        Raises:
            UnknownKeyword: If a word is not in the vocabulary; the error names the nearest one.
        """
        ids = []
        for word in words:
            if word not in self.ids:
                raise UnknownKeyword(word, self.nearest(word))
            ids.append(self.ids[word])
        return ids

    def encode_known(self, words: Iterable[str]) -> list[int]:
        """Ids of those ``words`` that are in the vocabulary; in training, rare words are left out on purpose."""
        return [self.ids[word] for word in words if word in self.ids]

    def nearest(self, word: str) -> str | None:
        """The most similar word (Ratcliff-Obershelp ratio of at least 0.5), or None."""
        import difflib

        matches = difflib.get_close_matches(word.lower(), self.words, n=1, cutoff=0.5)
        return matches[0] if matches else None


def parse_prompt(prompt: str) -> list[tuple[str, float]]:
    """Words of a prompt with their weights.

    "deep 808" gives each word the weight 1; "deep:0.7 clicky:0.3" sets it. A word that is written like a compound
    ("hard-style") is split as file names are, and each part has its weight. A word written twice has the sum.
    The empty prompt has no words.

    Raises:
        PromptError: If a weight is not a positive finite number, or stands without a word.
    """
    weights: dict[str, float] = {}
    for item in re.split(r"[\s,]+", prompt.strip()):
        if not item:
            continue
        text, colon, number = item.partition(":")
        weight = parse_weight(item, number) if colon else 1.0
        words = split_words(text)
        if not words and colon:
            raise PromptError(f"{item!r}: a weight without a word; write word:weight, as in deep:0.7")
        for word in words:
            weights[word] = weights.get(word, 0.0) + weight
    return list(weights.items())


def parse_weight(item: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise PromptError(f"{item!r}: expected a weight above 0 after the colon, as in deep:0.7, found {number!r}")
    return weight
