"""Patterns on file names, as a person writes them: ``bd``, ``bass drum``, ``*kick*``, ``loops/``.

A pattern matches whole words, in any case. A word ends at a separator, at a digit, and at the next word's capital:
``bd`` is in "BD0000", "909BD" and "PowR_BD_1", not in "subdued"; ``kdrum`` is in "KdrumL".
A space stands for any separators or none: ``bass drum`` is in "Bass_Drum 1", "bass-drum" and "Bassdrum01".
``*`` at an end lifts the word's limit there: ``*kick*`` is in "wookick1". A pattern that ends in ``/`` looks at the
folders above the file instead of its name.
"""

__all__ = ["PatternError", "Patterns"]

import re
from collections.abc import Iterable

from kickpipe.common.errors import KickpipeError

LETTER = r"[^\W\d_]"
HUMP = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"  # as between the words of BassDrum and of BPMKick
WORD_BEGINS = rf"(?:(?<!{LETTER})|{HUMP})"
WORD_ENDS = rf"(?:(?!{LETTER})|{HUMP})"
NUMBER_BEGINS, NUMBER_ENDS = r"(?<!\d)", r"(?!\d)"
SEPARATORS = r"[\s_.-]*"


class PatternError(KickpipeError):
    """A pattern that would match every name or none."""


class Patterns:
    """Several patterns; a file matches if one does.

    Arguments:
        patterns: As described above.

    Raises:
        PatternError: If a pattern has no letters or digits.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = list(patterns)
        self.names = [(text, to_regex(text)) for text in patterns if not text.endswith("/")]
        self.folders = [(text, to_regex(text.rstrip("/"))) for text in patterns if text.endswith("/")]

    def find(self, path: str) -> str | None:
        """The first pattern that matches ``path`` (relative, with forward slashes), or None."""
        *folders, name = path.split("/")
        stem = name.rpartition(".")[0] or name
        for text, regex in self.names:
            if regex.search(stem):
                return text
        for text, regex in self.folders:
            if any(regex.search(folder) for folder in folders):
                return text
        return None


def to_regex(pattern: str) -> re.Pattern[str]:
    """Regular expression of one pattern. Case is spelt out, because ``HUMP`` must see it."""
    if not re.search(r"[^\W_]", pattern):
        raise PatternError(f"pattern {pattern!r} has no letters or digits: it would match every name or none")
    words = re.split(r"[\s_-]+", pattern.strip().strip("*").strip())
    body = SEPARATORS.join("".join(any_case(character) for character in word) for word in words)
    begins = NUMBER_BEGINS if words[0][0].isdecimal() else WORD_BEGINS
    ends = NUMBER_ENDS if words[-1][-1].isdecimal() else WORD_ENDS
    return re.compile(f"{'' if pattern.startswith('*') else begins}{body}{'' if pattern.endswith('*') else ends}")


def any_case(character: str) -> str:
    if character == "*":
        return f"{LETTER}*"
    lower, upper = character.lower(), character.upper()
    return re.escape(character) if lower == upper else f"(?:{re.escape(lower)}|{re.escape(upper)})"
