"""Tempos in file names: "Kick_125_A" is a loop at 125 BPM, but "Kick 125" beside "Kick 2" is the 125th kick of a pack.

A number is a tempo if it stands alone between separators, lies in the range of tempos and is not a serial number. It is one
if it begins with a zero, or if a file in the same folder has the same name with a number there that cannot be a tempo.
"""

__all__ = ["Tempos"]

import re
from collections.abc import Collection, Iterable, Iterator

UNIT = r"[\W_]{0,2}(?:%|(?:k?hz|bits?|db|ms|ips|st|nd|rd|th)(?![^\W_]))"
ALONE = re.compile(
    rf"(?<![^\W_])\d+(?![^\W_])(?!{UNIT})", re.IGNORECASE
)  # no letter or digit beside it, no unit after it


class Tempos:
    """Finds tempos in the names of files.

    Arguments:
        lowest, highest: The range of tempos (BPM), both included.
        paths: All files, with forward slashes: among them the neighbours that show which numbers are serial.
        names: Numbers that are names, such as "110" of a drum machine, and so no tempos.
    """

    def __init__(self, lowest: int, highest: int, paths: Iterable[str], names: Collection[str] = ()) -> None:
        self.lowest, self.highest = lowest, highest
        self.names = frozenset(names)
        numbered = ((place, number) for path in paths for place, number in numbers(path))
        self.serial = {place for place, number in numbered if not self.in_range(number)}

    def in_range(self, number: str) -> bool:
        return number[0] != "0" and self.lowest <= int(number) <= self.highest

    def find(self, path: str) -> str | None:
        """The first number in the name of a file that is a tempo, or None."""
        found = (number for place, number in numbers(path) if self.in_range(number) and place not in self.serial)
        return next((number for number in found if number not in self.names), None)


def numbers(path: str) -> Iterator[tuple[tuple[str, str], str]]:
    """The numbers that stand alone in a file's name, each with its place: what is before it, folders included, and after."""
    folder, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    for match in ALONE.finditer(stem):
        yield (f"{folder}{slash}{stem[: match.start()].lower()}", stem[match.end() :].lower()), match[0]
