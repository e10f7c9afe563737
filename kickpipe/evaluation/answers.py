"""Questions that may have no answer: null with a reason, never a NaN, and the evaluation goes on."""

__all__ = ["NoAnswer", "Reasons", "finite"]

import math
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class NoAnswer(ValueError):
    """A measure cannot be taken from these kicks, for instance too few of them; the message is the reason."""


class Reasons(dict[str, str]):
    """Why measures are null, by the name of the measure."""

    def ask(self, name: str, question: Callable[..., T], *args: Any, **kwargs: Any) -> T | None:
        """The answer of ``question``, or None, with the reason noted under ``name``."""
        try:
            return question(*args, **kwargs)
        except NoAnswer as reason:
            self[name] = str(reason)
            return None


def finite(values: Any, reasons: Reasons, name: str = "") -> Any:
    """A copy of nested JSON values in which numbers that are not finite are None, with the reason noted.

    Named tuples become dictionaries, tuples lists, numpy numbers Python's.
    """
    if hasattr(values, "_asdict"):
        values = values._asdict()
    if isinstance(values, dict):
        return {
            str(key): finite(value, reasons, f"{name}.{key}" if name else str(key)) for key, value in values.items()
        }
    if isinstance(values, (list, tuple)):
        return [finite(value, reasons, f"{name}.{i}") for i, value in enumerate(values)]
    if values is None or isinstance(values, (str, bool, int)):
        return values
    number = float(values)
    if not math.isfinite(number):
        reasons[name] = "not a finite number"
        return None
    return number
