import numpy as np
import pytest

from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.defects import DEFECTS, defect_shares, find_defects

RATE = 44100
N = 2 * RATE


def kick(decay=0.1, onset=0):
    t = np.arange(N - onset) / RATE
    hz = 50 + 150 * np.exp(-t / 0.03)
    return np.concatenate([np.zeros(onset), 0.8 * np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.exp(-t / decay)])


def noise(db):
    return 10 ** (db / 20) * np.random.default_rng(0).standard_normal(N)


def defects(x):
    return {name for name, found in find_defects(x, RATE).items() if found}


def test_a_clean_kick_has_no_defect():
    assert defects(kick()) == set()
    assert defects(kick(decay=0.5)) == set()


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("onsets", kick(0.03) + 0.7 * kick(0.03, onset=RATE // 4)),
        ("late", kick(onset=round(0.1 * RATE))),
        ("clipped", np.clip(3 * kick(), -0.8, 0.8)),
        ("clipped", np.tanh(30 * kick())),
        ("dc", kick() + 0.02),
        ("tone", kick() + 0.01 * np.sin(2 * np.pi * 86.13 * np.arange(N) / RATE)),
        ("silent", np.zeros(N)),
        ("silent", 0.005 * kick()),
        ("silent", np.full(N, np.nan)),
        ("tail_noise", kick() + noise(-45)),
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


def test_shares_count_kicks_once():
    clean = dict.fromkeys(DEFECTS, False)
    shares = defect_shares([clean, {**clean, "late": True, "dc": True}, {**clean, "late": True}, clean])
    assert shares["any"] == 0.5 and shares["late"] == 0.5 and shares["dc"] == 0.25
    with pytest.raises(NoAnswer):
        defect_shares([])
