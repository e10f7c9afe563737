"""Keywords: what a file name says about a kick, and what a prompt asks for.

A file name is split at ``-``, ``_``, spaces and dots (brackets, commas and quotes separate too) and lowercased; pure
numbers and words of one letter say nothing and go ("Deep_Kick 03.wav" -> deep kick). A vocabulary is the words that
enough files share. A prompt is split the same way (``kickpipe.generate.prompts``).
"""

__all__ = ["PromptError", "UnknownKeyword", "Vocabulary", "build_vocabulary", "split_words", "tokenize"]

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from kickpipe.common.errors import KickpipeError
from kickpipe.common.limits import MAX_WORD, MAX_WORDS

SEPARATORS = re.compile(r"""[-_.\s()\[\]{}<>"`,;:!]+""")  # "Kick [argo].wav" says argo


class PromptError(KickpipeError):
    """A prompt that cannot be read; the message says where and what to write."""


class UnknownKeyword(PromptError):
    """Words of a prompt that the model has never seen.

    Attributes:
        word: The first of them.
        nearest: The word of the vocabulary most like it, or None.
    """

    def __init__(self, words: Sequence[str], vocabulary: "Vocabulary") -> None:
        matches = {word: vocabulary.nearest(word) for word in words}
        parts = [f"{w!r}" + (f" (did you mean {', '.join(found)}?)" if found else "") for w, found in matches.items()]
        verb = "is not a keyword" if len(matches) == 1 else "are not keywords"
        super().__init__(
            f"{', '.join(parts)} {verb} of this model; 'kickpipe keywords' lists the {len(vocabulary)} it knows"
        )
        self.word = words[0]
        self.nearest = next(iter(matches[words[0]]), None)


def split_words(text: str) -> list[str]:
    """The words of a text in lower case, split at the separators of file names."""
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

    Words of more characters than a model file may hold, and those beyond as many words, are left out.

    Arguments:
        keywords: The keywords of every kick.
        min_count: Number of kicks a word needs.
    """
    counts = Counter(word for words in keywords for word in set(words))
    frequent = [(word, count) for word, count in counts.items() if count >= min_count and len(word) <= MAX_WORD]
    ranked = sorted(frequent, key=lambda item: (-item[1], item[0]))[:MAX_WORDS]
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
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

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

    def __contains__(self, word: object) -> bool:
        return word in self.ids

    def encode(self, words: Iterable[str]) -> list[int]:
        """Ids of ``words``.

        Raises:
            UnknownKeyword: If words are not in the vocabulary; the error names them, each with the nearest ones.
        """
        words = list(words)
        if unknown := [word for word in words if word not in self.ids]:
            raise UnknownKeyword(unknown, self)
        return [self.ids[word] for word in words]

    def encode_known(self, words: Iterable[str]) -> list[int]:
        """Ids of those ``words`` that are in the vocabulary; in training, rare words are left out on purpose."""
        return [self.ids[word] for word in words if word in self.ids]

    def nearest(self, word: str) -> list[str]:
        """The most similar words, the first most, by a Ratcliff-Obershelp ratio of at least 0.6; at most three."""
        import difflib

        return difflib.get_close_matches(word.lower(), self.words, n=3, cutoff=0.6)
