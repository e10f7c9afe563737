import numpy as np
import pytest

from kickpipe.audio.defects import find_defects, start_level
from kickpipe.audio.io import prepare

RATE, HOP = 44100, 512
N = 2 * RATE


def kick(decay=0.1, onset=0):
    t = np.arange(N - onset) / RATE
    hz = 50 + 150 * np.exp(-t / 0.03)
    return np.concatenate([np.zeros(onset), 0.8 * np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.exp(-t / decay)])


def noise(db):
    return 10 ** (db / 20) * np.random.default_rng(0).standard_normal(N)


def clicks(period):
    """Bursts of 2 ms of noise that begin 10 ms after the start and die away."""
    t = np.arange(N)
    bursts = noise(0) * np.exp(-(t % period) / 20) * np.exp(-t / RATE / 0.1)
    return 0.1 * np.diff(bursts, prepend=0) * (t > 0.01 * RATE)


def defects(x):
    return {name for name, found in find_defects(x, RATE, HOP).items() if found}


def test_a_clean_kick_has_no_defect():
    assert defects(kick()) == set()
    assert defects(kick(decay=0.5)) == set()


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("onsets", kick(0.03) + 0.7 * kick(0.03, onset=RATE // 4)),
        ("step", kick() + 0.4 * np.exp(-np.arange(N) / 500)),
        ("step", np.roll(kick() + 0.4 * np.exp(-np.arange(N) / 500), 200)),
        ("late", kick(onset=round(0.05 * RATE))),
        ("clipped", np.clip(3 * kick(), -0.8, 0.8)),
        ("clipped", np.tanh(30 * kick() * np.minimum(np.arange(N) / 200, 1))),
        ("dc", kick() + 0.02),
        ("tone", kick() + 0.01 * np.sin(2 * np.pi * 86.13 * np.arange(N) / RATE)),
        ("silent", np.zeros(N)),
        ("silent", 0.005 * kick()),
        ("silent", np.full(N, np.nan)),
        ("tail_noise", kick() + noise(-45)),
        ("rattle", kick() + clicks(HOP)),
    ],
)
def test_each_defect_is_found_and_no_other(name, sound):
    assert defects(sound) == {name}


def test_the_level_is_no_defect_since_finishing_sets_it():
    assert defects(2 * kick()) == defects(0.1 * kick()) == set()


def test_noise_below_the_limit_is_no_defect():
    assert defects(kick() + noise(-56)) == set()


def test_a_low_sub_is_neither_a_second_onset_nor_clipped_nor_a_tone():
    t = np.arange(N) / RATE
    assert defects(0.9 * np.sin(2 * np.pi * 32 * t) * np.exp(-t / 0.6)) == set()


def test_a_click_before_the_body_is_one_kick():
    click = np.zeros(N)
    click[: RATE // 500] = 0.9
    assert "onsets" not in defects(click + kick(onset=round(0.02 * RATE)))


@pytest.mark.parametrize("gap", [0, 1, 300])
def test_the_start_is_the_first_sample_that_is_no_silence(gap):
    x = np.zeros(1000)
    x[gap:] = 0.5 * np.cos(np.arange(1000 - gap) / 50)
    assert start_level(x) == pytest.approx(1.0)
    assert start_level(np.linspace(0, 1, 10_000)) == pytest.approx(0.001, rel=0.2)
    assert np.isnan(start_level(np.zeros(5)))


def test_real_kicks_hardly_ever_step_or_rattle(kicks, settings):
    found = [find_defects(prepare(path, settings), RATE, HOP) for path in sorted(kicks.rglob("*.flac"))]
    assert np.mean([item["step"] for item in found]) < 0.15
    assert np.mean([item["rattle"] for item in found]) < 0.02
