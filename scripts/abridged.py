"""Metrics that hold less than they did: a selection of the same numbers, or the same numbers with fewer digits.

A stage whose metrics file only became shorter computes what it did. That is shown twice: on the tiny run, and on the
files of the release, of which Git has the former one.
"""

__all__ = ["is_abridged", "same_names"]

import json
from decimal import Decimal
from typing import Any


def is_abridged(old: bytes, new: bytes) -> bool:
    """Whether every value in a JSON file is in another one, under the same name, with at least as many digits."""
    before, now = leaves(old), leaves(new)
    return bool(now) and all(name in before and is_rounded(before[name], value) for name, value in now.items())


def same_names(one: bytes, other: bytes) -> bool:
    """Whether two JSON files hold values of the same names."""
    return leaves(one).keys() == leaves(other).keys()


def leaves(content: bytes) -> dict[str, Any]:
    """Values by dotted names; empty if the file is no JSON."""
    try:
        return flatten(json.loads(content, parse_float=Decimal, parse_int=Decimal))
    except (ValueError, UnicodeDecodeError):
        return {}


def flatten(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {key: leaf for part, inner in value.items() for key, leaf in flatten(inner, f"{name}.{part}").items()}
    return {name: value}


def is_rounded(old: Any, new: Any) -> bool:
    """Whether a number is another one with fewer digits; other values have to be equal."""
    if not isinstance(old, Decimal) or not isinstance(new, Decimal) or old == new:
        return bool(old == new)
    half_steps = [Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2 for number in (old, new)]
    return half_steps[0] < half_steps[1] and abs(old - new) <= sum(half_steps)  # the old one is rounded itself
