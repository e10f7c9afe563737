"""The axes that all pictures of a page share: time in ms, frequency in Hz, and round numbers along both.

A position is a share of the axis, 0 at its start and 1 at its end; the page places labels by it, so that they keep their
size however wide a picture is.
"""

__all__ = [
    "HIGHEST_HZ",
    "LOWEST_HZ",
    "Tick",
    "TimeAxis",
    "frequency_ticks",
    "log_ticks",
    "round_ticks",
]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

LOWEST_HZ, HIGHEST_HZ = 30.0, 16000.0
FREQUENCIES = ((50.0, "50 Hz"), (200.0, "200 Hz"), (1000.0, "1 kHz"), (5000.0, "5 kHz"))
ATTACK_MS = (-1.0, 24.0)  # around the onset
STOPS_MS = (250, 500, 750, 1000, 1500, 2000, 3000, 5000, 10000)
SHOWN_WHOLE = 0.7  # of the kicks at first; one can look at more, but a few drones shall not squeeze all others
CHOICES_MS = (250, 500, 1000, 2000)
MAX_INTERVALS = 5


@dataclass(frozen=True)
class Tick:
    """A label at a position; ``minor`` ones may be left out where there is no room."""

    at: float
    label: str
    minor: bool = False


@dataclass(frozen=True)
class TimeAxis:
    """An axis in ms.

    Arguments:
        start, stop: Bounds of the pictures.
        shown: Where the page cuts them at first, ``stop`` for nowhere.
    """

    start: float
    stop: float
    shown: float

    @classmethod
    def over(cls, seconds: Sequence[float]) -> "TimeAxis":
        """The shortest round axis from 0 that holds all of these lengths (s), shown up to where it holds 70% of them."""

        def holding(share: float) -> float:
            longest = 1000 * sorted(seconds)[math.ceil(share * len(seconds)) - 1] if len(seconds) else 0.0
            return next((stop for stop in STOPS_MS if stop >= longest), STOPS_MS[-1])

        return cls(0.0, holding(1.0), holding(SHOWN_WHOLE))

    @classmethod
    def attack(cls) -> "TimeAxis":
        return cls(*ATTACK_MS, ATTACK_MS[1])

    @classmethod
    def attack_from(cls, onset_ms: float) -> "TimeAxis":
        """The attack's axis of a kick with this onset."""
        return cls(ATTACK_MS[0] + onset_ms, ATTACK_MS[1] + onset_ms, ATTACK_MS[1] + onset_ms)

    @property
    def seconds(self) -> float:
        return (self.stop - self.start) / 1000

    @property
    def stretch(self) -> float:
        """How many times wider than what is shown the pictures are."""
        return (self.stop - self.start) / (self.shown - self.start)

    @property
    def choices(self) -> list[float]:
        """Other places (ms) to cut at."""
        return sorted({*(stop for stop in CHOICES_MS if stop < self.stop), self.shown, self.stop})

    @cached_property
    def ticks(self) -> list[Tick]:
        """Round numbers in ms, placed on what is shown."""
        span = self.shown - self.start
        return [
            Tick((value - self.start) / span, f"{value:,.0f}", number % 2 == 1)
            for number, value in enumerate(round_ticks(self.start, self.shown))
        ]


def frequency_ticks() -> list[Tick]:
    """Labels of the logarithmic frequency axis, from the bottom."""
    octaves = math.log(HIGHEST_HZ / LOWEST_HZ)
    return [Tick(math.log(hz / LOWEST_HZ) / octaves, label) for hz, label in FREQUENCIES]


def round_ticks(low: float, high: float) -> list[float]:
    """Multiples of a round step (1, 2, 2.5 or 5 times a power of ten) within the bounds, at most six."""
    span = high - low
    step = 10.0 ** math.floor(math.log10(span / MAX_INTERVALS))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if span / (factor * step) <= MAX_INTERVALS)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers within positive bounds, at most six: 1, 2 and 5 times the powers of ten, or fewer of them."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= MAX_INTERVALS + 1:
            break
    return ticks[:: math.ceil(len(ticks) / (MAX_INTERVALS + 1))] if ticks else []
