"""Errors of the generator, and checks of single values: they name the value, what was expected and what was found."""

__all__ = ["GenerateError", "RecipeError", "choose", "whole", "within"]

from collections.abc import Iterable

from kickpipe.common.errors import KickpipeError


class GenerateError(KickpipeError):
    """Kicks cannot be made from these models or this source; the message says why and what to do."""


class RecipeError(KickpipeError):
    """A kick cannot be made as asked; the message names the value, what was expected and what was found."""


def choose(name: str, value: object, allowed: Iterable[str | int]) -> None:
    """Raises RecipeError unless the value is one of those allowed."""
    allowed = list(allowed)
    if value not in allowed:
        raise RecipeError(f"{name}: expected one of {', '.join(map(str, allowed))}, found {value!r}")


def within(name: str, value: object, low: float, high: float) -> None:
    """Raises RecipeError unless the value is a finite number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:  # nan is in no range
        raise RecipeError(f"{name}: expected a number from {low:g} to {high:g}, found {value!r}")


def whole(name: str, value: object, low: int, high: int) -> None:
    """Raises RecipeError unless the value is a whole number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RecipeError(f"{name}: expected a whole number from {low} to {high}, found {value!r}")
