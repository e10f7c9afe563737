"""From which ranges a kick is drawn: one table a family.

A family maps names of `Patch` fields to how they are drawn: `Log` (uniform in the logarithm: frequencies, times),
`Lin` (uniform: levels in dB, shares), either `sometimes`, else the field keeps its default, which is off.
"""

__all__ = ["FAMILIES", "FAMILY_SHARES", "Range", "draw", "draw_patch"]

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from kickpipe.synth.intents import INTENTS
from kickpipe.synth.render import Patch


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


# Levels, times and frequencies were set by fitting the parameters to real kicks of each kind and taking what the middle
# four fifths of them need, then by comparing descriptors and embeddings of 500 drawn kicks with the real ones.
# fmt: off
COMMON: dict[str, Range] = {
    "phase": Lin(-1.4, 1.4),
    "attack": Log(0.00015, 0.007),
    "harmonic_db": Lin(-36, -10, 0.45),
    "knock_hz": Log(90, 900, 0.4),
    "slow_share": Lin(0.02, 0.25, 0.55),
    "slow_decay": Log(0.1, 0.4),
    "sub_db": Lin(-22, -1, 0.4),
    "sub_ratio": Lin(0.55, 1.0),
    "sub_decay": Log(0.04, 0.28),
    "shell_db": Lin(-26, -6, 0.42),
    "shell_decay": Log(0.015, 0.12),
    "shell_spread": Lin(0.7, 1.5),
    "low_cut": Log(10, 50),
    "high_cut": Log(2500, 18000, 0.75),
    "steep": Lin(1, 4.99),
    "tilt_db": Lin(-12, 3, 0.72),
    "boost_db": Lin(-4, 6, 0.4),
    "boost_hz": Log(45, 400),
    "room_db": Lin(-33, -8, 0.45),
    "room_decay": Log(0.015, 0.25),
    "room_high": Log(1000, 8000),
    "room_damp": Lin(0.15, 0.9),
    "drive": Log(0.12, 2.5, 0.55),
    "bias": Lin(-0.3, 0.3, 0.5),
    "clip_db": Lin(0.3, 4.0, 0.15),
    "delay": Log(0.0001, 0.005, 0.65),
    "cut": Log(0.1, 1.2, 0.72),
    "fade": Log(0.0015, 0.07),
    "floor_db": Lin(-84, -56, 0.18),
    "click_db": Lin(-34, -3, 0.8),
    "click_decay": Log(0.0009, 0.02),
    "click_low": Log(150, 3000),
    "click_high": Log(2000, 14000),
    "noise_db": Lin(-50, -16, 0.6),
    "noise_decay": Log(0.014, 0.2),
    "noise_low": Log(80, 1500),
    "noise_high": Log(1200, 10000),
    "noise_damp": Lin(0.15, 1.0),
    "hold_rate": Log(12000, 40000, 0.03),
    "bits": Lin(9, 13.99, 0.07),
}

FAMILIES: dict[str, dict[str, Range]] = {
    "808": {
        "start_hz": Log(120, 230), "end_hz": Log(45, 54), "sweep": Log(0.003, 0.018), "decay": Log(0.012, 0.1),
        "slow_share": Lin(0.03, 0.6, 0.65), "slow_decay": Log(0.08, 0.9), "attack": Log(0.00012, 0.002),
        "sub_db": Lin(-18, 1, 0.55), "sub_ratio": Lin(0.85, 1.0), "sub_decay": Log(0.03, 0.3),
        "bend": Lin(0.55, 1.6, 0.5), "shell_db": Lin(-28, -9, 0.5), "bits": Lin(10.5, 13.99, 0.2),
        "click_db": Lin(-34, -9, 0.55), "click_decay": Log(0.0006, 0.006), "click_high": Log(1800, 10000),
        "tilt_db": Lin(-12, 0, 0.8), "noise_db": Lin(-54, -38, 0.3), "room_db": Lin(-34, -20, 0.15),
        "drive": Log(0.15, 1.5, 0.45), "cut": Log(0.15, 1.6, 0.66), "floor_db": Lin(-84, -65, 0.2),
        "low_cut": Log(8, 25), "high_cut": Log(1800, 12000, 0.8),
    },
    "909": {
        "start_hz": Log(110, 380), "end_hz": Log(40, 65), "sweep": Log(0.005, 0.04), "bend": Lin(0.7, 1.9, 0.6),
        "decay": Log(0.02, 0.13), "hold": Log(0.006, 0.06, 0.45), "attack": Log(0.0002, 0.004),
        "click_db": Lin(-30, -8, 0.9), "click_low": Log(500, 3000), "click_high": Log(4000, 14000),
        "cut": Log(0.12, 0.8, 0.8),
    },
    "acoustic": {
        "start_hz": Log(62, 170), "end_hz": Log(30, 90), "sweep": Log(0.004, 0.018), "decay": Log(0.009, 0.06),
        "slow_share": Lin(0.02, 0.2, 0.8), "slow_decay": Log(0.09, 0.45), "attack": Log(0.0004, 0.006),
        "bend": Lin(0.8, 2.3, 0.65), "sub_db": Lin(-24, -8, 0.5), "harmonic_db": Lin(-36, -9, 0.6),
        "shell_db": Lin(-26, -9, 0.5), "click_db": Lin(-26, -2, 0.9), "click_decay": Log(0.001, 0.008),
        "click_low": Log(300, 2500), "click_high": Log(2500, 8000), "beater_db": Lin(-28, -9, 0.4),
        "beater_hz": Log(600, 4500), "beater_decay": Log(0.0015, 0.008), "noise_db": Lin(-42, -17, 0.9),
        "noise_low": Log(80, 700), "noise_high": Log(1500, 8000), "noise_damp": Lin(0.1, 0.5),
        "noise_decay": Log(0.02, 0.2), "room_db": Lin(-28, -6, 0.65), "room_decay": Log(0.02, 0.3),
        "room_damp": Lin(0.1, 0.5), "drive": Log(0.12, 1.0, 0.4), "cut": Log(0.15, 1.5, 0.7),
        "sub_decay": Log(0.03, 0.2), "tilt_db": Lin(-10, 4, 0.7), "hold": Log(0.001, 0.004, 0.3),
    },
    "analog": {
        "start_hz": Log(100, 560), "end_hz": Log(18, 115), "sweep": Log(0.008, 0.1), "line": Lin(0.4, 1.0, 0.6),
        "decay": Log(0.02, 0.2), "shell_db": Lin(-24, -5, 0.6), "slow_share": Lin(0.02, 0.4, 0.5),
        "attack": Log(0.0001, 0.0015), "boost_db": Lin(-1, 6, 0.55), "click_db": Lin(-38, -10, 0.7),
        "noise_db": Lin(-46, -16, 0.75), "noise_low": Log(75, 1200), "noise_high": Log(1100, 8000),
        "drive": Log(0.15, 3.0, 0.6), "room_db": Lin(-28, -6, 0.5), "cut": Log(0.09, 0.8, 0.8), "low_cut": Log(8, 22),
        "tilt_db": Lin(-9, 5, 0.6),
    },
    "machine": {
        "start_hz": Log(70, 320), "end_hz": Log(38, 90), "sweep": Log(0.003, 0.03), "decay": Log(0.012, 0.07),
        "slow_share": Lin(0.03, 0.3, 0.4), "slow_decay": Log(0.05, 0.2), "attack": Log(0.0002, 0.005),
        "bend": Lin(0.8, 2.0, 0.55), "hold": Log(0.005, 0.06, 0.5), "click_db": Lin(-28, -2, 0.8),
        "cut": Log(0.06, 0.3, 0.92), "bits": Lin(8, 12.99, 0.2), "tilt_db": Lin(-6, 5, 0.6),
        "clip_db": Lin(0.3, 4, 0.3), "shell_db": Lin(-28, -9, 0.4), "boost_hz": Log(45, 120),
    },
    "house": {
        "start_hz": Log(90, 450), "end_hz": Log(40, 66), "sweep": Log(0.004, 0.035), "decay": Log(0.025, 0.16),
        "hold": Log(0.01, 0.2, 0.55), "bend": Lin(0.7, 2.1, 0.56), "click_db": Lin(-32, -6, 0.85),
        "drive": Log(0.15, 2.5, 0.6), "clip_db": Lin(0.5, 4.0, 0.25), "cut": Log(0.15, 0.6, 0.85),
    },
    "techno": {
        "start_hz": Log(100, 650), "end_hz": Log(38, 64), "sweep": Log(0.004, 0.04), "decay": Log(0.03, 0.17),
        "hold": Log(0.01, 0.2, 0.55), "bend": Lin(0.7, 2.1, 0.56), "drive": Log(0.25, 4.0, 0.75),
        "clip_db": Lin(0.5, 4.5, 0.35), "room_db": Lin(-28, -8, 0.5), "noise_db": Lin(-42, -16, 0.65),
        "cut": Log(0.18, 0.8, 0.8), "attack": Log(0.0001, 0.004),
    },
    "hardstyle": {
        "start_hz": Log(250, 900), "end_hz": Log(42, 70), "sweep": Log(0.008, 0.05), "decay": Log(0.06, 0.2),
        "hold": Log(0.01, 0.15), "click_db": Lin(-24, -6), "click_low": Log(800, 4000), "drive": Log(1.0, 6.0),
        "clip_db": Lin(1, 5, 0.7), "boost_db": Lin(0, 7, 0.8), "boost_hz": Log(120, 900), "cut": Log(0.2, 0.7, 0.9),
    },
    "lofi": {
        "start_hz": Log(80, 260), "end_hz": Log(28, 75), "sweep": Log(0.005, 0.04), "decay": Log(0.02, 0.13),
        "click_high": Log(2000, 6000), "noise_db": Lin(-40, -14, 0.85), "noise_high": Log(1200, 5000),
        "bits": Lin(7, 11.99, 0.5), "hold_rate": Log(9000, 30000, 0.4), "high_cut": Log(2000, 8000),
        "floor_db": Lin(-66, -48, 0.5), "drive": Log(0.2, 2.5, 0.7), "cut": Log(0.12, 0.7, 0.85),
        "click_db": Lin(-30, -2, 0.8),
    },
    "hiphop": {
        "start_hz": Log(80, 420), "end_hz": Log(21, 50), "sweep": Log(0.006, 0.06), "decay": Log(0.03, 0.2),
        "slow_share": Lin(0.05, 0.4, 0.58), "slow_decay": Log(0.1, 0.5), "hold": Log(0.01, 0.2, 0.6),
        "attack": Log(0.0005, 0.012), "bend": Lin(0.8, 2.0, 0.5), "noise_db": Lin(-42, -10, 0.77),
        "noise_high": Log(1500, 9000), "room_db": Lin(-28, -6, 0.5), "clip_db": Lin(0.4, 4.0, 0.22),
        "floor_db": Lin(-80, -58, 0.24), "cut": Log(0.12, 1.0, 0.7), "click_db": Lin(-30, 0, 0.8),
        "tilt_db": Lin(-9, 6, 0.7), "low_cut": Log(8, 24), "shell_db": Lin(-28, -10, 0.35), "boost_hz": Log(35, 100),
        "boost_db": Lin(0, 6, 0.5),
    },
    "trap": {
        "start_hz": Log(80, 500), "end_hz": Log(28, 52), "sweep": Log(0.004, 0.035), "decay": Log(0.06, 0.3),
        "hold": Log(0.01, 0.15, 0.4), "drive": Log(0.2, 3.0, 0.7), "cut": Log(0.3, 1.6, 0.7),
        "room_db": Lin(-34, -18, 0.2),
    },
    "electro": {
        "start_hz": Log(90, 650), "end_hz": Log(36, 70), "sweep": Log(0.004, 0.05), "bend": Lin(0.6, 2.1, 0.6),
        "decay": Log(0.02, 0.16), "beater_db": Lin(-30, -10, 0.3), "beater_hz": Log(500, 5000),
        "click_db": Lin(-34, -6, 0.85), "drive": Log(0.15, 2.0, 0.5), "cut": Log(0.1, 0.6, 0.85),
    },
}
# fmt: on

# How often each family is drawn: about the proportions of such kicks among the real ones, so that the mixture is near them.
FAMILY_SHARES = {
    "808": 0.13,
    "909": 0.07,
    "acoustic": 0.2,
    "analog": 0.18,
    "machine": 0.1,
    "house": 0.07,
    "techno": 0.06,
    "hardstyle": 0.015,
    "lofi": 0.025,
    "hiphop": 0.08,
    "trap": 0.02,
    "electro": 0.05,
}


def draw(rng: np.random.Generator, place: Range) -> float | None:
    """One value, or None for "keep the default". Takes two numbers from rng either way, so that changing one entry of a
    table does not move the others.
    """
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
    drawn: dict[str, Any] = {}
    for name in sorted(table):
        value = draw(rng, table[name])
        if value is not None:
            drawn[name] = int(value) if name in ("bits", "steep") else value
    patch = dataclasses.replace(Patch(), polarity=1.0 if rng.random() < 0.7 else -1.0, **drawn)
    for word in intents:
        patch = dataclasses.replace(patch, **INTENTS[word](patch, rng.random()))
    return patch
