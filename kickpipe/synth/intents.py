"""What a word of intent does to the drawn parameters of a kick.

Each function takes a patch and an amount from 0 to 1 and returns the fields that change. Whether the kick then deserves
the word is measured (`kickpipe.synth.words`); tests hold the share of those that do.
"""

__all__ = ["INTENTS"]

from collections.abc import Callable
from typing import Any

from kickpipe.synth.render import Patch


def _scaled(patch: Patch, **factors: float) -> dict[str, float]:
    return {name: getattr(patch, name) * factor for name, factor in factors.items()}


# fmt: off
def _deep(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "end_hz": min(patch.end_hz * (0.8 - 0.15 * amount), 37.0), "low_cut": min(patch.low_cut, 18.0), "line": 0.0,
        "sub_ratio": 1.0, "shell_db": min(patch.shell_db, -16.0), "tilt_db": min(patch.tilt_db, -2.0),
        "decay": max(patch.decay, 0.06), "bend": max(patch.bend, 1.0),
        **_scaled(patch, start_hz=0.75, sweep=0.6, click_decay=0.6),
    }


def _short(patch: Patch, amount: float) -> dict[str, float]:
    by = 0.5 - 0.2 * amount
    return {
        "room_db": -60.0, "noise_decay": min(patch.noise_decay, 0.02), "slow_share": 0.5 * patch.slow_share,
        "cut": 0.16 - 0.05 * amount,
        **_scaled(patch, decay=by, slow_decay=by, hold=by, sub_decay=by, sweep=0.7, shell_decay=by, room_decay=by),
    }


def _long(patch: Patch, amount: float) -> dict[str, float]:
    by = 1.7 + 0.8 * amount
    return {
        "cut": 2.0, "decay": max(by * patch.decay, 0.12), "slow_share": max(patch.slow_share, 0.1),
        "slow_decay": max(by * patch.slow_decay, 0.3), **_scaled(patch, sub_decay=by),
    }


def _clicky(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "click_db": max(patch.click_db, -8.0 + 8.0 * amount), "click_high": max(patch.click_high, 9000.0),
        "click_low": max(patch.click_low, 1800.0), "click_decay": max(patch.click_decay, 0.003),
        "high_cut": max(patch.high_cut, 11000.0), "tilt_db": max(patch.tilt_db, 2.0), "bits": 16, "hold_rate": 44100.0,
    }


def _soft(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "click_db": -60.0, "beater_db": -60.0, "knock_hz": 0.0, "noise_db": -60.0, "phase": 0.0, "clip_db": 0.0,
        "attack": 0.004 + 0.008 * amount, "drive": 0.3 * patch.drive, "high_cut": min(patch.high_cut, 4000.0),
        "start_hz": min(patch.start_hz, 160.0), "bits": 16, "hold_rate": 44100.0,
    }


def _boomy(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "sub_db": -3.0 + 8.0 * amount, "sub_ratio": 1.0, "sub_decay": 0.16 + 0.15 * amount,
        "low_cut": min(patch.low_cut, 20.0), "end_hz": min(patch.end_hz, 58.0), "cut": max(patch.cut, 0.8),
        "decay": max(patch.decay, 0.1), "start_hz": min(patch.start_hz, 180.0), "sweep": min(patch.sweep, 0.015),
        "tilt_db": min(patch.tilt_db, -5.0), "shell_db": -60.0, "noise_db": min(patch.noise_db, -36.0),
        "room_db": min(patch.room_db, -26.0), "drive": min(patch.drive, 0.6), "boost_db": 0.0, "line": 0.0,
        "click_db": min(patch.click_db, -14.0), "knock_hz": 0.0,
    }


def _punchy(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "start_hz": max(patch.start_hz, 550.0 + 350.0 * amount), "sweep": min(max(patch.sweep, 0.014), 0.024),
        "attack": min(patch.attack, 0.0004), "end_hz": min(patch.end_hz, 50.0), "line": 0.0, "bend": 1.0,
        "sub_db": min(patch.sub_db, -12.0), "decay": max(patch.decay, 0.06), "low_cut": min(patch.low_cut, 25.0),
        "tilt_db": max(patch.tilt_db, -3.0), "shell_db": min(patch.shell_db, -18.0),
    }


def _hard(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "drive": max(patch.drive, 3.0 + 5.0 * amount), "clip_db": max(patch.clip_db, 2.0 + 3.0 * amount),
        "hold": max(patch.hold, 0.08), "decay": max(patch.decay, 0.08), "cut": 0.16 + 0.2 * amount, "fade": 0.02,
        "tilt_db": max(patch.tilt_db, 0.0), "high_cut": max(patch.high_cut, 9000.0), "boost_db": min(patch.boost_db, 2.0),
        "room_db": min(patch.room_db, -24.0), "click_db": min(max(patch.click_db, -14.0), -4.0), "knock_hz": 0.0,
        "noise_db": min(patch.noise_db, -30.0), "low_cut": min(patch.low_cut, 20.0), "slow_share": 0.0,
    }


def _thin(patch: Patch, amount: float) -> dict[str, float]:
    end_hz = max(patch.end_hz, 75.0 + 40.0 * amount)
    return {
        "end_hz": end_hz, "start_hz": max(patch.start_hz, 2.0 * end_hz), "low_cut": 80.0 + 30.0 * amount,
        "sub_db": -60.0, "boost_db": min(patch.boost_db, 0.0), "tilt_db": max(patch.tilt_db, 0.0),
    }


def _dusty(patch: Patch, amount: float) -> dict[str, float]:
    return {
        "bits": 8 + int(3 * (1.0 - amount)), "hold_rate": 22050.0 - 8000.0 * amount, "floor_db": -66.0 + 10.0 * amount,
        "high_cut": min(patch.high_cut, 7000.0),
    }
# fmt: on


INTENTS: dict[str, Callable[[Patch, float], dict[str, Any]]] = {
    "deep": _deep,
    "short": _short,
    "long": _long,
    "clicky": _clicky,
    "soft": _soft,
    "boomy": _boomy,
    "punchy": _punchy,
    "hard": _hard,
    "thin": _thin,
    "dusty": _dusty,
}
