"""From which ranges a kick is drawn: one table a family, and what a word of intent does to the drawn parameters.

A family maps names of `Patch` fields to how they are drawn: `Log` (uniform in the logarithm: frequencies, times),
`Lin` (uniform: levels in dB, shares), either `sometimes`, else the field keeps its default, which is off.
"""

__all__ = ["FAMILIES", "INTENTS", "Range", "draw", "draw_patch"]

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kickpipe.audio.synth.render import Patch


class Range(NamedTuple):
    """Uniform from low to high, in the logarithm if log; drawn with this probability, else left at its default."""

    low: float
    high: float
    log: bool = False
    probability: float = 1.0


def Log(low: float, high: float, sometimes: float = 1.0) -> Range:
    return Range(low, high, True, sometimes)


def Lin(low: float, high: float, sometimes: float = 1.0) -> Range:
    return Range(low, high, False, sometimes)


COMMON: dict[str, Range] = {
    "phase": Lin(-0.6, 0.6),
    "harmonic_db": Lin(-40, -16, 0.4),
    "knock_hz": Log(100, 900, 0.5),
    "low_cut": Log(12, 35),
    "high_cut": Log(5000, 19000, 0.8),
    "steep": Lin(1, 4.99),
    "tilt_db": Lin(-6, 4, 0.6),
    "boost_db": Lin(-4, 5, 0.4),
    "boost_hz": Log(50, 180),
    "room_db": Lin(-34, -14, 0.35),
    "room_decay": Log(0.02, 0.2),
    "room_high": Log(1500, 8000),
    "drive": Log(0.1, 1.5, 0.5),
    "bias": Lin(-0.25, 0.25, 0.5),
    "delay": Log(0.0001, 0.006, 0.6),
    "cut": Log(0.2, 1.5, 0.7),
    "fade": Log(0.002, 0.06),
    "floor_db": Lin(-85, -60, 0.2),
    "noise_db": Lin(-44, -24, 0.5),
    "noise_decay": Log(0.01, 0.15),
    "noise_low": Log(100, 1500),
    "noise_high": Log(2000, 10000),
    "hold_rate": Log(16000, 40000, 0.05),
    "bits": Lin(8, 12.99, 0.05),
}

FAMILIES: dict[str, dict[str, Range]] = {
    "808": {
        "start_hz": Log(110, 220), "end_hz": Log(42, 60), "sweep": Log(0.006, 0.03), "decay": Log(0.08, 0.4),
        "slow_share": Lin(0.2, 0.6, 0.4), "slow_decay": Log(0.25, 0.6), "attack": Log(0.0005, 0.004),
        "click_db": Lin(-30, -12, 0.7), "click_decay": Log(0.001, 0.004), "click_low": Log(300, 1500),
        "click_high": Log(2000, 8000),
    },
    "909": {
        "start_hz": Log(200, 380), "end_hz": Log(44, 62), "sweep": Log(0.015, 0.045), "bend": Lin(0.7, 1.1),
        "decay": Log(0.06, 0.16), "hold": Log(0.01, 0.08, 0.6), "attack": Log(0.0002, 0.002),
        "click_db": Lin(-24, -8), "click_decay": Log(0.001, 0.006), "click_low": Log(800, 3000),
        "click_high": Log(5000, 14000), "drive": Log(0.2, 2.0, 0.7),
    },
    "acoustic": {
        "start_hz": Log(70, 130), "end_hz": Log(38, 75), "sweep": Log(0.01, 0.04), "decay": Log(0.03, 0.1),
        "slow_share": Lin(0.05, 0.3, 0.7), "slow_decay": Log(0.1, 0.3), "attack": Log(0.002, 0.01),
        "shell_db": Lin(-24, -6), "shell_decay": Log(0.02, 0.1), "shell_spread": Lin(0.9, 1.2),
        "click_db": Lin(-22, -6), "click_decay": Log(0.002, 0.012), "click_low": Log(600, 2500),
        "click_high": Log(3000, 9000), "beater_db": Lin(-26, -8, 0.6), "beater_hz": Log(1500, 4500),
        "beater_decay": Log(0.002, 0.006), "noise_db": Lin(-40, -20, 0.9), "noise_decay": Log(0.04, 0.25),
        "room_db": Lin(-26, -8, 0.8), "room_decay": Log(0.05, 0.3), "drive": Log(0.1, 0.6, 0.3),
    },
    "house": {
        "start_hz": Log(160, 320), "end_hz": Log(45, 65), "sweep": Log(0.015, 0.06), "decay": Log(0.06, 0.15),
        "hold": Log(0.02, 0.12, 0.6), "click_db": Lin(-26, -10, 0.8), "click_low": Log(1000, 4000),
        "click_high": Log(6000, 15000), "drive": Log(0.2, 2.0, 0.7),
    },
    "techno": {
        "start_hz": Log(180, 450), "end_hz": Log(40, 58), "sweep": Log(0.015, 0.06), "decay": Log(0.06, 0.2),
        "hold": Log(0.02, 0.15, 0.6), "click_db": Lin(-30, -12, 0.7), "drive": Log(0.5, 4.0, 0.9),
        "noise_db": Lin(-36, -18, 0.7), "room_db": Lin(-26, -10, 0.6), "clip_db": Lin(0.5, 4, 0.4),
    },
    "hardstyle": {
        "start_hz": Log(300, 900), "end_hz": Log(45, 70), "sweep": Log(0.03, 0.1), "decay": Log(0.1, 0.3),
        "hold": Log(0.05, 0.2), "click_db": Lin(-20, -6), "click_low": Log(1500, 4000),
        "click_high": Log(8000, 16000), "drive": Log(3.0, 12.0), "clip_db": Lin(1, 6, 0.7),
        "boost_db": Lin(2, 8), "boost_hz": Log(150, 900),
    },
    "lofi": {
        "start_hz": Log(110, 260), "end_hz": Log(45, 80), "sweep": Log(0.008, 0.03), "decay": Log(0.03, 0.12),
        "click_db": Lin(-24, -8, 0.7), "click_high": Log(2500, 6000), "noise_db": Lin(-34, -18, 0.8),
        "noise_high": Log(1500, 5000), "bits": Lin(7, 11.99, 0.7), "hold_rate": Log(9000, 26000, 0.7),
        "high_cut": Log(2500, 8000), "floor_db": Lin(-62, -44, 0.6), "drive": Log(0.3, 2.0, 0.7),
    },
    "trap": {
        "start_hz": Log(150, 500), "end_hz": Log(32, 52), "sweep": Log(0.008, 0.04), "decay": Log(0.15, 0.5),
        "hold": Log(0.03, 0.2, 0.4), "click_db": Lin(-26, -10, 0.8), "drive": Log(0.3, 3.0, 0.8),
        "cut": Log(0.4, 1.8, 0.7),
    },
    "electro": {
        "start_hz": Log(140, 600), "end_hz": Log(45, 90), "sweep": Log(0.01, 0.08), "bend": Lin(0.6, 1.2),
        "decay": Log(0.03, 0.15), "click_db": Lin(-26, -8, 0.8), "beater_db": Lin(-24, -10, 0.3),
        "beater_hz": Log(800, 5000), "harmonic_db": Lin(-24, -8, 0.5), "drive": Log(0.2, 2.0, 0.6),
    },
}


def _scaled(patch: Patch, **factors: float) -> dict[str, float]:
    return {name: getattr(patch, name) * factor for name, factor in factors.items()}


def _deep(patch: Patch, amount: float) -> dict[str, float]:
    end_hz = min(patch.end_hz * (0.8 - 0.15 * amount), 40.0)
    return {"end_hz": end_hz, "low_cut": min(patch.low_cut, 20.0), **_scaled(patch, start_hz=0.85, sweep=0.8)}


def _short(patch: Patch, amount: float) -> dict[str, float]:
    by = 0.5 - 0.2 * amount
    return {
        "room_db": -60.0, "noise_decay": min(patch.noise_decay, 0.02), "slow_share": 0.5 * patch.slow_share,
        "cut": 0.17 - 0.06 * amount,
        **_scaled(patch, decay=by, slow_decay=by, hold=by, sub_decay=by, sweep=0.7, shell_decay=by, room_decay=by),
    }


def _long(patch: Patch, amount: float) -> dict[str, float]:
    by = 1.6 + 0.8 * amount
    return {"cut": 2.0, **_scaled(patch, decay=by, slow_decay=by, sub_decay=by)}


def _clicky(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "click_db": max(patch.click_db, -14.0 + 8.0 * amount), "click_high": max(patch.click_high, 8000.0),
        "click_low": max(patch.click_low, 1500.0), "high_cut": max(patch.high_cut, 10000.0),
        "tilt_db": max(patch.tilt_db, 2.0),
    }


def _soft(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "click_db": -60.0, "beater_db": -60.0, "knock_hz": 0.0, "noise_db": -60.0, "attack": 0.004 + 0.008 * amount,
        "drive": 0.3 * patch.drive, "clip_db": 0.0, "high_cut": min(patch.high_cut, 4000.0), "start_hz":
        min(patch.start_hz, 160.0), "bits": 16, "hold_rate": 44100.0,
    }


def _boomy(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "sub_db": -6.0 + 6.0 * amount, "sub_decay": 0.15 + 0.15 * amount, "low_cut": min(patch.low_cut, 20.0),
        "end_hz": min(patch.end_hz, 62.0), "cut": max(patch.cut, 0.8), "decay": max(patch.decay, 0.1),
        "tilt_db": min(patch.tilt_db, -2.0), "sweep": min(patch.sweep, 0.03),
    }


def _punchy(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "start_hz": max(patch.start_hz, 400.0 + 300.0 * amount), "sweep": min(max(patch.sweep, 0.015), 0.03),
        "attack": min(patch.attack, 0.001), "end_hz": min(patch.end_hz, 55.0),
    }


def _hard(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "drive": max(patch.drive, 3.0 + 5.0 * amount), "clip_db": max(patch.clip_db, 2.0 + 3.0 * amount),
        "hold": max(patch.hold, 0.06), "cut": min(patch.cut, 0.6),
    }


def _dusty(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "bits": 8 + int(3 * (1.0 - amount)), "hold_rate": 22050.0 - 8000.0 * amount, "floor_db": -56.0 + 10.0 * amount,
        "high_cut": min(patch.high_cut, 7000.0),
    }


INTENTS: dict[str, Callable[[Patch, float], dict[str, float]]] = {
    "deep": _deep, "short": _short, "long": _long, "clicky": _clicky, "soft": _soft, "boomy": _boomy,
    "punchy": _punchy, "hard": _hard, "dusty": _dusty,
}


def draw(rng: np.random.Generator, place: Range) -> float | None:
    """One value, or None for "keep the default". Takes three numbers from rng either way, so that tables may change
    one entry without moving the others."""
    happens, where = rng.random(), rng.random()
    if happens >= place.probability:
        return None
    if place.log:
        return float(place.low * (place.high / place.low) ** where)
    return float(place.low + (place.high - place.low) * where)


def draw_patch(rng: np.random.Generator, family: str, intents: tuple[str, ...]) -> Patch:
    """Parameters of one kick of a family, bent by each word of intent.

    Raises:
        KeyError: For an unknown family or word.
    """
    table = COMMON | FAMILIES[family]
    drawn = {}
    for name in sorted(table):
        value = draw(rng, table[name])
        if value is not None:
            drawn[name] = int(value) if name in ("bits", "steep") else value
    patch = dataclasses.replace(Patch(), polarity=1.0 if rng.random() < 0.7 else -1.0, **drawn)
    for word in intents:
        patch = dataclasses.replace(patch, **INTENTS[word](patch, rng.random()))
    return patch
