"""Metrics of a stage that were rearranged: fewer of them, with fewer digits, under other names or in other files.

A stage computes what it did if every number in its metrics files of today is one that it wrote before. Numbers can be
equal by chance, so each is looked for twice, in the tiny run and in the files of the release, and has to be the same
former number in both.
"""

__all__ = ["is_rounded", "leaves", "new_numbers"]

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Files = Mapping[str, bytes]  # content by path


def new_numbers(then: tuple[Files, Files], now: tuple[Files, Files]) -> list[str]:
    """Names of values in the metrics files of today that were in none of the former ones.

    Arguments:
        then: The former files, of the tiny run and of the release.
        now: Today's.
    """
    (tiny_then, release_then), (tiny_now, release_now) = ([leaves(files) for files in pair] for pair in (then, now))
    names = sorted(tiny_now.keys() | release_now.keys())
    common = tiny_then.keys() & release_then.keys()
    known = tiny_now.keys() & release_now.keys()

    def was_there(name: str) -> bool:
        return name in known and any(
            is_rounded(tiny_then[former], tiny_now[name]) and is_rounded(release_then[former], release_now[name])
            for former in common
        )

    return [name for name in names if not was_there(name)]


def leaves(files: Files) -> dict[str, Any]:
    """All values in JSON files by path and dotted name.

    Raises:
        ValueError: If a file is no JSON.
    """
    found: dict[str, Any] = {}
    for path, content in files.items():
        found |= flatten(json.loads(content, parse_float=Decimal, parse_int=Decimal), f"{path}: ")
    return found


def flatten(value: Any, name: str) -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {key: leaf for part, inner in value.items() for key, leaf in flatten(inner, f"{name}.{part}").items()}
    return {name.replace(": .", ": "): value}


def is_rounded(old: Any, new: Any) -> bool:
    """Whether a number is another one, perhaps with fewer digits; other values have to be equal."""
    if not isinstance(old, Decimal) or not isinstance(new, Decimal) or old == new:
        return bool(old == new)
    before, now = (Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2 for number in (old, new))
    return before < now and abs(old - new) <= before + now  # the old one is rounded itself
